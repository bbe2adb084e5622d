"""ONNX files agree with the network, and with `enhance`."""

import numpy as np
import pytest
from helpers.models import random_model

from napari_lle.model import enhance, export, load_model
from napari_lle.model.exporting import parity
from napari_lle.model.exporting.onnx_graph import make_graph
from napari_lle.model.exporting.parity import ExportError, by_network, measure_parity
from napari_lle.model.io.errors import FileError
from napari_lle.model.network.bundled import bundled_models

onnx = pytest.importorskip("onnx", reason="needs the extra export")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra export")
NONE = np.zeros((0, 12), np.float32)
FORMS = {
    "softplus": {"form": "division"},
    "sigmoid": {"form": "division", "positivity": "sigmoid"},
    "metering": {"form": "metering"},
    "stretching": {"form": "stretching"},
    "plain stretch": {"form": "stretching", "local": 0.0},
    "cleaning": {"form": "cleaning"},
    "correcting": {"form": "correcting"},
    "half": {"form": "guiding", "illumination_scale": 2},
    "quarter": {"form": "metering", "illumination_scale": 4},
}


def session_of(model, colours):
    return onnxruntime.InferenceSession(make_graph(model, colours))


def run(session, image, statistics=NONE):
    return session.run(None, {"image": image, "statistics": statistics})


@pytest.fixture(scope="module")
def cleaning():
    model = random_model("cleaning")
    return model, session_of(model, 3)


# One colour is repeated, and the mean taken, outside of the forms: at full size and at others.
CASES = [*((form, 3) for form in FORMS), ("stretching", 1), ("correcting", 1), ("quarter", 1)]


@pytest.mark.parametrize(("form", "colours"), CASES)
def test_every_form_agrees_with_the_network(form, colours):
    model = random_model(**FORMS[form])
    rows = list(measure_parity(make_graph(model, colours), model, colours))
    assert len(rows) == len(parity.TRIED_SIZES)
    assert max(row.worst for row in rows) <= 1e-5


@pytest.mark.parametrize("name", bundled_models())
def test_every_bundled_model_is_exported(name, tmp_path):
    done = export(name, tmp_path / "m.onnx")
    assert max(row.worst for row in done.parity) <= 1e-5
    graph = onnx.load(done.path)
    assert graph.opset_import[0].version >= 17
    extents = [each.dim_param for each in graph.graph.input[0].type.tensor_type.shape.dim]
    assert extents == ["images", "", "height", "width"]
    assert {"model": name, "digest": load_model(name).digest}.items() <= {
        each.key: each.value for each in graph.metadata_props
    }.items()


def test_photographs_as_enhance_makes_them(photo, tmp_path):
    session = onnxruntime.InferenceSession(export("photo", tmp_path / "photo.onnx").path)
    x = (photo / 255).astype(np.float32).transpose(2, 0, 1)[None]
    r, light, _ = run(session, x)
    expected = enhance(photo, "photo").reflectance
    np.testing.assert_allclose(r[0].transpose(1, 2, 0), expected, rtol=0, atol=1e-5)
    restored = np.rint(255 * r.astype(float) * light)[0].transpose(1, 2, 0)
    np.testing.assert_array_equal(restored, photo)


def test_colours_under_one_illumination(rng, tmp_path):
    image = rng.integers(100, 900, (40, 50, 3)).astype(np.uint16)
    session = onnxruntime.InferenceSession(export("linear", tmp_path / "linear.onnx").path)
    expected = enhance(image, "linear", channels="joint", black=50, white=1000)
    x = ((image - 50) / 950).astype(np.float32)
    _, light, _ = run(session, x.max(axis=-1)[None, None])
    np.testing.assert_allclose(x / light[0, 0, :, :, None], expected.reflectance, atol=1e-5)


def test_what_lies_outside_of_the_levels(cleaning):
    model, session = cleaning
    image = np.full((1, 3, 20, 20), 0.1, np.float32)
    image[0, :, 3, 4], image[0, :, 5, 6], image[0, :, 7, 8] = 3.0, -0.2, np.nan
    r, light, _ = run(session, image)
    expected = by_network(model, image)
    np.testing.assert_allclose(r, expected["reflectance"], rtol=1e-5, atol=1e-5)
    assert np.isnan(r[0, :, 7, 8]).all() and np.isfinite(light).all()
    known = np.isfinite(image)
    np.testing.assert_allclose((r * light)[known], image[known], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("form", ["cleaning", "half"])
def test_tiles_equal_the_whole(form, rng):
    model = random_model(**FORMS[form])
    session = session_of(model, 3)
    told = session.get_modelmeta().custom_metadata_map
    halo, grid = int(told["halo"]), int(told["grid"])
    image = rng.random((1, 3, 90, 40), np.float32) ** 3
    whole, _, statistics = run(session, image)
    cut = 44 // grid * grid
    begin = (cut - halo) // grid * grid
    tile, _, used = run(session, image[:, :, begin:], statistics)
    np.testing.assert_allclose(tile[:, :, cut - begin :], whole[:, :, cut:], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(used, statistics)


def test_images_of_one_batch_are_apart(cleaning, rng):
    _, session = cleaning
    image = rng.random((2, 3, 16, 18), np.float32) * np.float32([0.1, 0.9])[:, None, None, None]
    together = run(session, image)[0]
    alone = [run(session, image[i : i + 1])[0][0] for i in (0, 1)]
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)


def test_a_graph_that_differs_is_not_written(tmp_path, monkeypatch):
    def other(*arguments):
        found = by_network(*arguments)
        return {**found, "reflectance": found["reflectance"] + 2e-5}

    monkeypatch.setattr(parity, "by_network", other)
    with pytest.raises(ExportError, match=r"differs from the network by 2.0e-05 .* nothing was wr"):
        export(random_model(), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_not_a_number_is_a_difference():
    assert parity.Parity(1, 2, 3, float("nan"), 0.0, None).worst == np.inf


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("m.tflite", {}, "must end in .onnx or .zip"),
        ("m.onnx", {"format": "bioimageio"}, "ends in .zip"),
        ("m.onnx", {"format": "coreml"}, "format must be one of"),
        ("m.onnx", {"channels": "all"}, "channels must be one of"),
        ("gone/m.onnx", {}, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_refused(path, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export(random_model(), tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(FileError, match=r"needs onnx: pip install 'napari-lle\[export\]'"):
        export(random_model(), tmp_path / "m.onnx")
