import itertools
import json

import numpy as np
import pytest
import yaml
from helpers.command_line import lle
from helpers.running import drain
from scipy.ndimage import distance_transform_cdt
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.project import CONFIG, Draft
from napari_lle.model.data.splitting import TRAIN, VALIDATE
from napari_lle.model.io.files import read_image
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.training import loop
from napari_lle.widgets.training import runner as _trainer
from napari_lle.widgets.training import runs as _runs
from napari_lle.widgets.training.controls import PAUSE_CHECK, Controls
from napari_lle.widgets.training.quick_settings import TrainingRequest
from napari_lle.widgets.training.runner import begin, gap, start_steps, train_steps

pytestmark = pytest.mark.usefixtures("own_runs")

QUICK = {"crop": 32, "validate_every": 3, "batch": 2}


@pytest.fixture(scope="module")
def pair():
    bright = resize(pictures.coffee(), (96, 128), anti_aliasing=True)
    dark = np.random.default_rng(0).poisson(bright * 40) / 40 / 8
    return Draft("cup", *((x * 255).astype(np.uint8) for x in (dark, bright)), rgb=True)


@pytest.fixture
def asked():
    return TrainingRequest(minutes=1, more={**QUICK, "steps": 8})


def in_steps(folder, steps=8):
    """Count steps instead of minutes: tests do not depend on the machine."""
    config = yaml.safe_load((folder / CONFIG).read_text())
    del config["minutes"]
    (folder / CONFIG).write_text(yaml.safe_dump({**config, "steps": steps}))


def test_a_run_tells_its_progress_and_its_end(pair, asked, tmp_path):
    begin(tmp_path / "run", [pair], asked)
    in_steps(tmp_path / "run")
    ticks, outcome = drain(train_steps(tmp_path / "run", Controls()))
    steps = [t for t in ticks if t.total]
    assert [t.done for t in steps] == list(range(1, 9)) and {t.total for t in steps} == {8}
    assert [t.row["step"] for t in steps if t.row] == [3, 6, 8]
    preview = next(t.preview for t in steps if t.preview)
    height, width = (b - a for a, b in (preview.rows, preview.columns))
    assert preview.image.shape == (height, width, 3)
    names = [s.name for s in outcome.scores]
    free = ["blur 1", "blur 2", "non-local means"]
    assert names == ["input", "automatic gamma", "best curve", *free, "before", "after"]
    assert outcome.verdict.startswith("Only 8 steps: inconclusive.")
    assert outcome.verdict.endswith("It was trained in 8 steps from photo.")
    pictures = outcome.pictures.pictures
    assert list(pictures) == ["input", "before", "after", "reference"]
    assert {picture.shape for picture in pictures.values()} == {(height, width, 3)}
    part = pair.reference[preview.rows[0] : preview.rows[1], slice(*preview.columns)] / 255
    np.testing.assert_allclose(pictures["reference"], part, atol=1e-6)
    assert _runs.unfinished() == []


def test_the_command_gives_the_same_weights(pair, asked, tmp_path):
    begin(tmp_path / "run", [pair], asked)
    in_steps(tmp_path / "run")
    _, outcome = drain(train_steps(tmp_path / "run", Controls(), "cpu"))
    outcome.save(tmp_path / "window.safetensors")
    words = _trainer.command(tmp_path / "run").split()[1:-1]
    done = lle(*words, tmp_path / "command.safetensors")
    assert done.returncode == 0, done.stderr
    a, b = (load_model(tmp_path / f"{n}.safetensors") for n in ("window", "command"))
    weights = a.network.state_dict()
    assert all((weights[k] == v).all() for k, v in b.network.state_dict().items())
    assert len(a.card["data_digest"]) == 12 and a.card["compared"]["after"]["psnr"] > 0


def test_what_was_done_in_minutes_is_noted_and_can_be_repeated(pair, tmp_path):
    begin(tmp_path / "run", [pair], TrainingRequest(minutes=0.015, more=QUICK))
    ticks, outcome = drain(train_steps(tmp_path / "run", Controls(), "cpu"))
    config = yaml.safe_load((tmp_path / "run" / CONFIG).read_text())
    assert config["steps"] == max(t.done for t in ticks) == outcome.card["steps"]
    assert config["threads"] == outcome.card["threads"] and "minutes" not in config
    assert config["data"] == {"low": "low", "reference": "reference", "masks": "masks"}
    (tmp_path / "run" / "run").rename(tmp_path / "run" / "before")
    _, again = drain(train_steps(tmp_path / "run", Controls(), "cpu"))
    found = again.network.state_dict()
    assert all((found[k] == v).all() for k, v in outcome.network.state_dict().items())


def test_an_interrupted_run_goes_on_exactly(pair, asked, tmp_path):
    for name in ("whole", "parts"):
        begin(_runs.runs_folder() / name, [pair], asked)
        in_steps(_runs.runs_folder() / name)
    whole, parts = (_runs.runs_folder() / name for name in ("whole", "parts"))
    _, expected = drain(train_steps(whole, Controls()))
    steps = train_steps(parts, Controls())
    list(itertools.islice(steps, 7))
    steps.close()
    assert _runs.unfinished() == [parts] and "step 5 of 8" in _runs.progress(parts)
    _, outcome = drain(train_steps(parts, Controls()))
    found = outcome.network.state_dict()
    assert all((found[k] == v).all() for k, v in expected.network.state_dict().items())


def test_stop_keeps_the_best_and_pause_waits(pair, asked, tmp_path):
    controls = Controls()
    begin(tmp_path / "run", [pair], asked)
    in_steps(tmp_path / "run", 1000)
    steps = train_steps(tmp_path / "run", controls)
    tick = next(t for t in steps if t.done == 2)
    controls.pause(True)
    assert {next(steps).done for _ in range(4)} == {2} and controls.paused
    controls.pause(False)
    assert next(t for t in steps if t.done == 4).total == tick.total
    controls.stop()
    ticks, outcome = drain(steps)
    assert sum(tick.total > 0 for tick in ticks) <= 1 and outcome.card["held_out"]["step"] == 3


def test_a_comparison_can_be_stopped_too(pair, asked, tmp_path):
    controls = Controls()
    begin(tmp_path / "run", [pair], asked)
    in_steps(tmp_path / "run")
    steps = train_steps(tmp_path / "run", controls)
    assert "Press Stop" in next(t for t in steps if t.note.startswith("Comparing")).note
    controls.stop()
    ticks, outcome = drain(steps)
    assert not ticks and outcome.scores == [] and "after" in outcome.pictures.pictures
    assert "Not compared with untrained methods" in outcome.verdict
    assert "8 steps" in outcome.verdict


def test_a_run_is_told_how_long_it_was_held(pair, asked, tmp_path, monkeypatch):
    sent = []

    def events(*_, **__):
        while True:
            sent.append((yield loop.Event(len(sent) + 1, 10, 0.5, left=60.0)))

    monkeypatch.setattr(loop, "train", events)
    controls = Controls()
    begin(tmp_path / "run", [pair], asked)
    steps = train_steps(tmp_path / "run", controls)
    assert next(t for t in steps if t.done == 1).left == 60
    controls.pause(True)
    assert [next(steps).done for _ in range(4)] == [1] * 4
    controls.pause(False)
    assert next(steps).done == 2 and sent == [pytest.approx(4 * PAUSE_CHECK, abs=3)]
    assert sent[0] >= 4 * PAUSE_CHECK
    assert next(steps).done == 3 and sent[1] == 0
    steps.close()


def test_dark_images_alone_have_no_scores(pair, tmp_path):
    asked = TrainingRequest("paper", "self", more={**QUICK, "crop": 16, "steps": 3})
    big = np.tile(pair.low, (2, 3, 1))  # it is cut in two, and reduced
    begin(tmp_path / "run", [Draft("dark", big, rgb=True)], asked)
    in_steps(tmp_path / "run", 3)
    _, outcome = drain(train_steps(tmp_path / "run", Controls()))
    assert outcome.scores == [] and "without references" in outcome.verdict


@pytest.mark.parametrize(
    ("start", "field"), [("", 17), ("photo", 17), ("photo-half", 37), ("photo-quarter", 75)]
)
def test_the_split_keeps_what_a_network_sees_apart(rng, tmp_path, start, field):
    low = rng.integers(0, 30, (310, 320, 3)).astype(np.uint8)
    asked = TrainingRequest(start)
    assert gap(asked) == field
    begin(tmp_path / "run", [Draft("noise", low, low * 8, rgb=True)], asked)
    mask = read_image(tmp_path / "run" / "masks" / "noise.tif").pixels
    distance = distance_transform_cdt(mask != VALIDATE, metric="chessboard")
    assert distance[mask == TRAIN].min() == field + 1


def grey(name, reference=False):
    clean = 100 + 200 * resize(pictures.coins() / 255, (96, 160), anti_aliasing=True)
    noisy = np.random.default_rng(0).poisson(clean).astype(np.uint16)
    return Draft(name, noisy, clean.astype(np.uint16) if reference else None)


def test_a_noisy_image_trains_by_itself_and_is_judged_beside_blurs(tmp_path):
    begin(tmp_path / "run", [grey("coins")], TrainingRequest("", "noisy", more=QUICK))
    in_steps(tmp_path / "run")
    ticks, outcome = drain(train_steps(tmp_path / "run", Controls()))
    assert any("hidden" in tick.note for tick in ticks)
    preview = next(t.preview for t in ticks if t.preview)
    assert preview.name == "coins" and preview.columns == (120, 160)
    free = ["plain stretch", "blur 1", "blur 2", "non-local means"]
    assert [s.name for s in outcome.scores] == [*free, "science", "after"]
    assert "hidden" in outcome.verdict and "Only 8 steps: inconclusive." in outcome.verdict
    outcome.save(tmp_path / "own.safetensors")
    assert "ssim" not in load_model(tmp_path / "own.safetensors").card["compared"]["after"]


def test_grey_pairs_start_from_the_form_for_science_data_with_common_levels(tmp_path):
    begin(tmp_path / "run", [grey("coins", reference=True)], TrainingRequest("", more=QUICK))
    in_steps(tmp_path / "run")
    _, outcome = drain(train_steps(tmp_path / "run", Controls()))
    assert outcome.network.config.reflectance == "correcting"
    assert outcome.card["settings"]["levels"] == "common"
    assert "warning" not in outcome.card


def test_grey_pairs_may_go_on_from_science(tmp_path):
    from napari_lle.model.training.loop import read_settings

    values = TrainingRequest("science", minutes=2).settings(linear=True, grey=True)
    settings = read_settings(values)
    assert settings.base == "science" and settings.levels == "common"
    assert settings.network.reflectance == "mixing" and settings.learning_rate == 0.002
    photographs = TrainingRequest("science").settings(linear=False, grey=False)
    assert photographs.get("levels", "own") == "own"


def test_auto_starts_from_what_suits_the_images(pair):
    dark = Draft("dark", pair.low, rgb=True)
    clearer = grey("clearer", reference=True)
    for objective, drafts, start in (
        ("paired", [pair], "photo"),
        ("paired", [clearer], ""),
        ("paired", [clearer] * 5, ""),
        ("self", [dark], "self"),
        ("noisy", [grey("alone")], ""),
        ("paper", [dark], ""),
    ):
        assert TrainingRequest(objective=objective).started(drafts).base == start
        assert TrainingRequest("linear", objective).started(drafts).base == "linear"


@pytest.mark.parametrize("objective", ["paired", "self", "paper", "noisy"])
def test_networks_start_from_scratch(objective):
    from napari_lle.model.training.loop import read_settings

    settings = read_settings(TrainingRequest("", objective).settings(linear=True))
    assert settings.objective == objective and not settings.base
    assert settings.augmentation.exposure == 0


def test_what_cannot_be_trained_is_named_before_anything_is_written(pair, tmp_path):
    alone = Draft("dark", pair.low, rgb=True)
    shifted = Draft("off", pair.low, np.roll(pair.reference, 9, axis=1), rgb=True)
    for drafts, asked, sentence in (
        ([], TrainingRequest(), "Add a pair"),
        ([pair, alone], TrainingRequest(), "remove one kind"),
        ([alone], TrainingRequest(), "Choose the objective"),
        ([pair], TrainingRequest(objective="self"), "Choose the objective"),
        ([shifted], TrainingRequest(), "off: The reference is"),
    ):
        steps = start_steps(tmp_path / "run", drafts, asked, Controls())
        with pytest.raises(ValueError, match=sentence):
            drain(steps)
        assert not (tmp_path / "run").exists()


def test_damaged_folders_are_no_unfinished_runs(tmp_path):
    folder = _runs.runs_folder() / "broken"
    (folder / "run").mkdir(parents=True)
    (folder / CONFIG).write_text("{}")
    (folder / "run" / "summary.json").write_text("{")
    assert _runs.unfinished() == []
    (folder / "run" / "summary.json").write_text(json.dumps({"status": "running", "step": 3}))
    assert _runs.unfinished() == [folder]
    assert _runs.new_folder("a / b").name.endswith("_a-b")
