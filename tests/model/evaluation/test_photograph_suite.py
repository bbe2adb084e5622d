import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model.evaluation import lighting
from napari_lle.model.evaluation import photograph_suite as suite
from napari_lle.model.evaluation.baselines import constant
from napari_lle.model.evaluation.lighting import (
    DARK,
    DIM,
    LIGHTS,
    WINDOW,
    Scene,
    at_lamp,
    backlit,
    coloured,
    well_lit,
    with_window,
)

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def photographs():
    return list(well_lit().values())


@pytest.fixture(scope="module")
def measures():
    """What is measured, on scenes of fewer pixels, which take seconds to expose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lighting, "SIZE", (150, 200))
        return suite._measures()


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_backlit_frames_have_a_dark_and_a_bright_part(photographs, share):
    scene = backlit(photographs[1], share, RNG)
    assert scene.part.mean() == pytest.approx(1 - share, abs=0.01)
    assert scene.image[scene.part].mean() == pytest.approx(DARK, rel=0.15)
    if share:
        assert scene.image[~scene.part].mean() > 0.6
    steps = scene.image.astype(np.float64) * 255
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)


def test_a_window_has_middle_tones_and_its_room_is_dark(photographs):
    scene = with_window(*photographs[:2], RNG)
    assert WINDOW - 0.01 < scene.image[scene.part].max() < WINDOW + 0.02
    assert scene.image[~scene.part].mean() < 2 * DARK


@pytest.mark.parametrize("light", LIGHTS)
def test_coloured_light_has_its_colour(photographs, light):
    grey = np.repeat(photographs[2].mean(-1, keepdims=True), 3, -1)
    image = coloured(grey, light, RNG).image
    assert image.mean() == pytest.approx(DIM, rel=0.15)
    assert np.argmax(image.mean((0, 1))) == np.argmax(LIGHTS[light])


def test_hue_shifts_are_told_in_degrees():
    image = np.zeros((20, 20, 3), np.float32)
    image[..., 0], image[..., 1] = 0.6, 0.3  # 30 degrees
    scene = Scene(image, np.ones((20, 20), bool))
    assert suite._hue_shift(image * 1.5, scene) == pytest.approx(0, abs=1e-4)
    assert suite._hue_shift(image[..., [0, 2, 1]], scene) == pytest.approx(60, abs=1e-3)
    turned = image.copy()
    turned[..., 1] = 0.4  # 40 degrees
    assert suite._hue_shift(turned, scene) == pytest.approx(10, abs=1e-3)


def test_contrast_and_burnt_pixels_are_those_of_the_part():
    image = np.zeros((10, 10, 3), np.float32)
    image[:5] = np.linspace(0.2, 0.6, 10)[:, None]
    part = np.zeros((10, 10), bool)
    part[:5] = True
    scene = Scene(image, part)
    assert suite._contrast(image / 2 + 0.5, scene) == pytest.approx(0.5)
    assert suite._burnt(np.where(image > 0.5, 1, image), scene) == pytest.approx(0.3)


def test_a_halo_at_a_lamp_is_found():
    scene, far = at_lamp()

    def haloed(x):
        return np.where(scene.part[..., None], 0.8 * x, x)

    assert suite._lamp(lambda x: x) == pytest.approx(0, abs=1e-6)
    assert suite._lamp(haloed) == pytest.approx(0.2, abs=1e-6)
    assert far.any() and not (far & scene.part).any()


def test_methods_that_see_each_pixel_alone_make_no_halo_and_lift_any_dark_part(measures):
    name = next(n for n in measures if n.startswith("mean of the dark part, 40%"))
    measure, goal, at_least = measures[name]
    assert at_least and measure(lambda x: x) < goal
    assert measure(lambda x: constant(x, 0.02)) > goal


def test_the_command_prints_goals_and_what_costs_nothing(measures, tmp_path, monkeypatch):
    few = dict(list(measures.items())[:1])
    monkeypatch.setattr(suite, "_measures", lambda: few)
    file = tmp_path / "found.json"
    answer = CliRunner().invoke(app, ["evaluate", "--suite", "photographs", "--json", str(file)])
    assert answer.exit_code == 0, answer.output
    report = json.loads(file.read_text())
    assert report["model"] == "photo"
    assert report["checks"][0]["goal"] == ">= 0.25"
    assert set(report["checks"][0]["beside"]) == {"input", "auto gamma", "mtf", "constant", "clahe"}
    assert "no check failed" in answer.output
