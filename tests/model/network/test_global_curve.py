import numpy as np
import pytest
import torch
from helpers.models import FORMS, random_model
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, load_model, restore
from napari_lle.model.evaluation.intensity_report import intensity_report
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.inference.settling import choose_model
from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.network.global_curve import one_curve


@pytest.fixture
def dark(rng):
    """A grey image with gradients, edges and noise; most values occur many times."""
    y, x = np.mgrid[:60, :70]
    light = 40 + 300 * np.exp(-((y - 30) ** 2 + (x - 20) ** 2) / 100) + 5 * (x > 40)
    return rng.poisson(light).astype(np.uint16)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_equal_values_become_equal_and_order_is_kept(form, kind, dark, photo):
    image = dark if kind == "grey" else photo
    options = {"rgb": kind == "rgb", "black": 0, "white": 700 if kind == "grey" else 255}
    local = random_model(form, local=3.0) if form == "stretching" else random_model(form)
    found = enhance(image, local, **options)
    assert not intensity_report(image, found.reflectance).monotone
    result = enhance(image, one_curve(local), **options)
    for value in np.unique(image):
        assert np.ptp(result.reflectance[image == value]) < 1e-6
    report = intensity_report(image, result.reflectance)
    assert report.monotone
    assert report.reversed_share == 0
    back = restore(result.reflectance, result.illumination, result.levels)
    np.testing.assert_array_equal(back, image)


def test_stretching_becomes_the_midtones_transfer_function(dark):
    known = survey(dark, EnhanceOptions(rgb=False))
    b = min(max(known.statistics.typical, 1e-3), 0.24)
    m = b * 0.75 / (b + 0.25 - 0.5 * b)
    x = (dark - known.levels.black) / known.levels.span
    seen = np.clip(x, 0, 1)
    expected = np.where(x <= 1, (m - 1) * seen / ((2 * m - 1) * seen - m), x)
    got = enhance(dark, "linear:global", rgb=False)
    inside = (x >= 0) & (x <= 1)
    np.testing.assert_allclose(got.reflectance[inside], expected[inside], atol=1e-6)
    assert got.record["model"] == "linear:global"


def test_the_table_is_what_the_network_does_to_flat_fields(photo):
    model = load_model("photo")
    known = survey(photo)
    statistics = torch.tensor([known.statistics])
    curve = one_curve(model).network.block
    v = torch.rand(1, 3, 1, 1).expand(1, 3, 5, 5) ** 2
    v = v[:, :1].expand(1, 3, 5, 5)
    side = 2 * model.network.radius + 1
    with torch.inference_mode():
        expected = model.network.block(v[..., :1, :1].expand(1, 3, side, side), statistics).mean()
        got = curve(v, statistics)
    assert got.shape == v.shape
    np.testing.assert_allclose(got.numpy(), float(expected), rtol=2e-3)


def test_names_and_the_models_themselves_stay(dark, model_file):
    model = load_model("linear")
    before = model.network.block.local, model.network.radius
    one_curve(model)
    assert (model.network.block.local, model.network.radius) == before
    assert choose_model("auto:global", True, "uint8").name == "photo:global"
    assert choose_model("auto:global", False, "uint16").name == "linear:global"
    assert choose_model(f"{model_file}:global", False, "uint16").name == "random:global"
    with pytest.raises(ValueError, match="There is no model nothing"):
        choose_model("nothing:global", False, "uint16")


def test_from_the_command_line(tmp_path, dark):
    write_image(tmp_path / "a.tif", dark, rgb=False)
    files = [str(tmp_path / "a.tif"), "-o", str(tmp_path / "b.tif")]
    words = ["enhance", *files, "--model", "auto:global", "--dtype", "float32"]
    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 0, answer.output
    picture = read_image(tmp_path / "b.tif")
    assert picture.record["model"] == "linear:global"
    expected = enhance(dark, "linear:global", rgb=False).reflectance
    np.testing.assert_array_equal(picture.pixels, expected)


def test_report_of_known_curves():
    s = np.arange(1000).reshape(20, 50)
    report = intensity_report(s, np.sqrt(s / 500))
    assert report.monotone
    assert report.reversed_share == 0
    assert report.clipped_above == pytest.approx(0.499)
    assert report.clipped_below == 0
    np.testing.assert_allclose(report.middle, np.sqrt(report.inputs / 500), atol=0.01)
    assert "Rising" in report.sentences()[0]
    falling = intensity_report(s, -s / 500)
    assert not falling.monotone
    assert falling.reversed_share > 0.99
    assert falling.clipped_below == pytest.approx(0.999)
    spread = intensity_report(np.zeros((2, 4)), [[0.0, 0, 0, 0], [1, 1, 1, 1]])
    assert spread.monotone  # equal inputs may differ; nothing is reversed
    assert (spread.low.tolist(), spread.high.tolist()) == ([0], [1])
    few = intensity_report(np.repeat([3, 5, 9], 4000), np.repeat([0.1, 0.4, 0.2], 4000))
    assert few.inputs.tolist() == [3, 5, 9]
    assert few.middle.tolist() == [0.1, 0.4, 0.2]
    assert few.reversed_share == pytest.approx(2 / 9, abs=0.01)


def test_report_passes_over_what_is_not_finite():
    s = np.array([1.0, np.nan, 3, 4])
    assert intensity_report(s, [1.0, 2, np.inf, 4]).inputs.tolist() == [1, 4]
    with pytest.raises(ValueError, match="no finite value"):
        intensity_report([np.nan], [1.0])
    with pytest.raises(ValueError, match="differ"):
        intensity_report(np.zeros(3), np.zeros(4))
