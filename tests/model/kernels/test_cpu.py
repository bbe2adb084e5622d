import sys

import numpy as np
import pytest
import torch
from helpers.models import BUNDLED, FORMS, PAPER, random_model
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, kernels, load_model
from napari_lle.model.inference.planes import as_channels, fill_plane
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.inference.stored import enhance_stored
from napari_lle.model.network.bundled import bundled_models

pytest.importorskip("numba")
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cpu import compiled, runner
from napari_lle.model.kernels.cpu.compiled import compile_kernel, load_kernel
from napari_lle.model.kernels.cpu.counter import compile_counter
from napari_lle.model.kernels.cpu.fused import widest

RANDOM = {
    **{form: {"form": form, **(PAPER if form == "metering" else BUNDLED)} for form in FORMS},
    "full guiding": {"form": "guiding", **BUNDLED},  # cleaning, to the kernel
    "half guiding": {"form": "guiding", "illumination_scale": 2, **BUNDLED},
    "quarter stretching": {"form": "stretching", "illumination_scale": 4, **BUNDLED},
    "sigmoid": {"form": "division", "positivity": "sigmoid", **BUNDLED},
    "wide": {
        "form": "stretching",
        "activation": "prelu",
        "dilations": (1, 7),
        "branch_width": 3,
        "widths": (11, 9),
    },
}
SHAPES = [(1, 1), (1, 9), (3, 2), (57, 83), (140, 37)]
STATISTICS = torch.tensor([[0.1, 0.2, 0.7, -0.1, 0.2, 0.3, 0.05, 0.08, 1e-3, 1e-4, 1.2, 0.4]])


def model(name):
    return random_model(**RANDOM[name]) if name in RANDOM else load_model(name)


def picture(colours, shape):
    values = np.random.default_rng(0).gamma(2, 0.1, (colours, *shape))
    return values.clip(0, 1).astype(np.float32)


def kernel(network, colours):
    layout = forms.layout(network.config, colours)
    compile_kernel(layout)
    return load_kernel(layout)


def fused(network, x):
    out = np.full((*x.shape[1:], 3) if len(x) == 3 else x.shape[1:], np.nan, np.float32)
    whole = as_channels(x[0], per=False) if len(x) == 1 else x
    with pytest.MonkeyPatch.context() as patch:  # what reads and writes integers is not needed
        patch.setattr(compiled, "INTEGERS", ())
        patch.setattr(compiled, "STORED", {"float32": compiled.STORED["float32"]})
        found = kernel(network, len(x))
    steps = list(runner.strips(found, network, whole, STATISTICS, out))
    assert [done for done, _ in steps] == list(range(1, steps[0][1] + 1))
    return out


def plain(network, x):
    out = np.empty((*x.shape[1:], 3) if len(x) == 3 else x.shape[1:], np.float32)
    list(fill_plane(network, np.broadcast_to(x, (3, *x.shape[1:])), STATISTICS, out, 512))
    return out


# How H ends, how wide and of what size it is do not meet the number of colours: one serves there.
ONE_NUMBER = (("sigmoid", 1), ("wide", 1), ("quarter stretching", 1))
CASES = [(n, c) for n in [*bundled_models(), *RANDOM] for c in (3, 1)]
CASES = [case for case in CASES if case not in ONE_NUMBER]


@pytest.mark.parametrize(("name", "colours"), CASES)
def test_the_kernel_is_the_network(name, colours):
    network = model(name).network
    # Noise hundreds of deviations strong, as this is to mixing, multiplies rounding size by size;
    # `test_mixing_kernel` holds images to 1e-5.
    within, at = (3e-4, 1e-4) if network.config.reflectance == "mixing" else (5e-5, 1e-5)
    for shape in SHAPES:
        x = picture(colours, shape)
        ours, theirs = fused(network, x), plain(network, x)
        np.testing.assert_allclose(ours, theirs, rtol=within)
        pixels = np.moveaxis(x, 0, -1) if colours == 3 else x[0]
        np.testing.assert_allclose(pixels / ours, pixels / theirs, rtol=0, atol=at)


@pytest.mark.parametrize("colours", [3, 1])
@pytest.mark.parametrize("name", FORMS)
def test_any_cut_gives_the_same_bits(name, colours, monkeypatch):
    network = model(name).network
    width = widest(network.radius)
    x = picture(colours, (40, 2 * width + 7))
    whole = fused(network, x)
    for rows, columns in ((7, 61), (64, width - 1), (1, 500)):
        monkeypatch.setattr(runner, "MOST_ROWS", rows)
        monkeypatch.setattr(runner, "widest", lambda halo, columns=columns: columns)
        assert (fused(network, x) == whole).all()
    inner = (slice(10, 30), slice(500, 1700))
    halo = network.radius
    wider = tuple(slice(s.start - halo, s.stop + halo) for s in inner)
    part = fused(network, np.ascontiguousarray(x[:, *wider]))
    assert (part[halo:-halo, halo:-halo] == whole[inner]).all()


def test_odd_values_do_not_spread():
    """What the network itself makes of numbers outside 0..1 is made of them here too."""
    x = picture(3, (30, 40))
    x[:, 12, 13] = [-0.2, 5.0, 0.0]
    for name in FORMS:
        network = model(name).network
        ours, theirs = fused(network, x), plain(network, x)
        np.testing.assert_allclose(ours, theirs, rtol=5e-5, atol=1e-5)


@pytest.mark.parametrize("channels", ["per", "joint"])
@pytest.mark.parametrize("name", [*bundled_models(), *FORMS])
def test_enhance_takes_the_kernel_by_itself(name, channels, monkeypatch):
    image = np.random.default_rng(1).integers(0, 60, (75, 90, 3)).astype(np.uint8)
    chosen = model(name)
    torch_made = enhance(image, chosen, channels=channels)
    assert torch_made.record["kernel"] == "torch"
    monkeypatch.delenv(kernels.SWITCH)
    kernel(chosen.network, 3 if channels == "per" else 1)
    made = enhance(image, chosen, channels=channels)
    assert made.record["kernel"] == "numba"
    np.testing.assert_allclose(made.reflectance, torch_made.reflectance, rtol=0, atol=1e-5)
    levels = in_input_dtype(made).astype(int) - in_input_dtype(torch_made)
    assert np.abs(levels).max() <= 1


@pytest.mark.parametrize("name", ["photo", "photo-quarter", "science"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_images_for_reading_only_do_not_compile_anything_again(name, dtype, monkeypatch):
    """Also those of one channel, which becomes three without three times the memory."""
    monkeypatch.delenv(kernels.SWITCH)
    chosen = load_model(name)
    for colours in (3, 1):
        kernel(chosen.network, colours)
    compile_counter()
    for shape in ((40, 50), (40, 50, 3)):
        image = np.random.default_rng(2).integers(0, 60, shape).astype(dtype)
        image.flags.writeable = False
        assert enhance(image, chosen).record["kernel"] == "numba"
        enhance_stored(image, chosen)
    assert {part: len(f.signatures) for part, f in compiled._ready.items()} == dict.fromkeys(
        compiled._ready, 1
    )


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """No kernel in this process, none on disk; the folder where they will lie."""
    monkeypatch.delenv(kernels.SWITCH)
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiled, "_ready", {})
    return tmp_path


def test_nothing_is_compiled_unasked(empty_cache, monkeypatch):
    network = random_model("division", widths=(2, 3), branch_width=1).network
    assert kernels.find(network, 1) is None
    assert not compiled._ready and not list(empty_cache.rglob("*.nb?"))
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    assert kernels.find(network, 1) is None
    with pytest.raises(ValueError, match="napari-lle\\[fast\\]"):
        next(kernels.warm_up())


def test_a_stand_in_for_the_block_is_run_by_torch(monkeypatch):
    monkeypatch.delenv(kernels.SWITCH)
    network = random_model(**BUNDLED).network
    kernel(network, 3)
    assert kernels.find(network, 3) is not None
    network.block = torch.nn.Sequential(network.block)
    assert kernels.find(network, 3) is None


PART = ("divide", "uint8")  # of many kernels; a small one


def known():
    return compiled.load_function(PART, compiled._maker) is not None


def test_a_damaged_or_missing_cache_is_survived(empty_cache):
    def known_and_made():
        compiled._ready.clear()  # as in another process
        before = known()
        compiled.compile_functions([PART], compiled._maker)
        return before, known()

    assert known_and_made() == (False, True)
    assert known_and_made() == (True, True)
    for file in empty_cache.rglob("*.nb?"):
        file.write_bytes(b"damaged")
    assert known_and_made() == (False, True)


def test_without_any_cache_what_is_compiled_lasts_as_long_as_the_process(monkeypatch):
    built = compiled.build_divide

    def build(*, cache):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return built(cache=False)

    monkeypatch.setattr(compiled, "_ready", {})
    monkeypatch.setattr(compiled, "build_divide", build)
    assert not known()
    compiled.compile_functions([PART], compiled._maker)
    assert known()


def test_the_background_warm_up_is_one_process(monkeypatch):
    started = []
    monkeypatch.setattr(kernels, "_background", None)
    monkeypatch.setattr(kernels.subprocess, "Popen", lambda *a, **k: started.append(a) or "one")
    kernels.warm_up_in_background()
    assert not started  # switched off
    monkeypatch.delenv(kernels.SWITCH)
    kernels.warm_up_in_background(["science"])
    kernels.warm_up_in_background()
    ((python, _, code),) = (words for (words,) in started)
    assert python == sys.executable and "compile_alone(['science'])" in code


def test_what_is_needed_most_is_compiled_first(monkeypatch):
    made = []
    monkeypatch.setattr(compiled, "compile_kernel", lambda layout: made.append(layout) or 0.0)
    monkeypatch.setattr("napari_lle.model.kernels.cpu.counter.compile_counter", lambda: 0.0)
    training = "napari_lle.model.kernels.training.compiled.compile_training"
    monkeypatch.setattr(training, lambda: 0.0)
    told = [what for what, _ in kernels.warm_up()]
    assert told[0] == "levels" and told[-1] == "training" and len(set(made)) == len(made)
    assert [name.partition(",")[0] for name in told[1:6]] == ["linear"] * 2 + ["photo"] * 2 + [
        "science"
    ]
    assert [what for what, _ in kernels.warm_up(["photo", "linear"])][1] == "photo, per channel"


def test_warmup_says_what_it_does_and_takes_models(monkeypatch):
    monkeypatch.setattr(kernels, "warm_up", lambda models: [(f"{models}, joint", 1.25)])
    answer = CliRunner().invoke(app, ["warmup", "photo"])
    assert answer.exit_code == 0
    assert "once on this machine" in answer.output and "['photo'], joint: 1.2 s" in answer.output
    monkeypatch.undo()
    monkeypatch.setattr(kernels, "find_spec", lambda name: None)
    answer = CliRunner().invoke(app, ["warmup"])
    assert answer.exit_code == 2 and "pip install" in answer.output


def test_a_halo_beyond_the_rings_is_run_by_torch(monkeypatch):
    monkeypatch.delenv(kernels.SWITCH)
    assert not forms.plain(random_model(dilations=(1, 300)).network)
    assert forms.plain(random_model(dilations=(1, 200)).network)
