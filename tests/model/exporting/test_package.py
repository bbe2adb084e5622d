"""Packages are accepted by `bioimageio.spec` and run by `bioimageio.core`, without the internet."""

import socket
import zipfile

import numpy as np
import pytest
from helpers.models import random_model

from napari_lle.model import enhance, export
from napari_lle.model.exporting import package, parity
from napari_lle.model.exporting.parity import ExportError
from napari_lle.model.network import mixing

pytest.importorskip("onnxruntime", reason="needs the extra export")

# It leaves the packages that it reads open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    def refuse(*_):
        raise OSError("the internet was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(autouse=True)
def compared_at_one_size(monkeypatch):
    """At all of them in `test_onnx`, whose graphs have the same of the network."""
    monkeypatch.setattr(parity, "TRIED_SIZES", parity.TRIED_SIZES[1:2])


@pytest.fixture(scope="module")
def core():
    """Imported here: that takes seconds, of every process that collects the tests of all files."""
    return pytest.importorskip("bioimageio.core", reason="needs the extra export")


@pytest.fixture(scope="module")
def photo_package(core, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(package, "_run_package", lambda _: None)  # a test does
        return export("photo", tmp_path_factory.mktemp("packages") / "photo.zip").path


def test_photo(core, photo_package, photo):
    assert core.test_model(photo_package).status == "passed"
    names = set(zipfile.ZipFile(photo_package).namelist())
    assert {"rdf.yaml", "README.md", "cover.png", "weights.onnx", "test_image.npy"} <= names
    model = core.load_model_description(photo_package)
    assert (str(model.license), model.authors[0].name) == (
        "BSD-3-Clause",
        "The napari-lle developers",
    )
    assert "ICAROB" in model.cite[0].text
    image = np.ascontiguousarray(photo.transpose(2, 0, 1)[None])
    with core.create_prediction_pipeline(model) as pipeline:
        sample = core.digest_spec.create_sample_for_model(model, inputs={"image": image})
        found = pipeline.predict_sample_without_blocking(sample).members
    r = np.asarray(found["reflectance"].data)[0].transpose(1, 2, 0)
    np.testing.assert_allclose(r, enhance(photo, "photo").reflectance, rtol=0, atol=1e-5)


def test_science_has_its_noise_as_an_input(core, tmp_path, monkeypatch):
    monkeypatch.setattr(mixing, "HALVINGS", 3)  # of four, all of which `test_onnx` compares
    monkeypatch.setattr(package, "EXAMPLE_SIDE", 64)
    done = export("science", tmp_path / "science.zip")
    model = core.load_model_description(done.path)
    assert [str(each.id) for each in model.inputs] == ["image", "noise"]
    assert "electrons" in zipfile.ZipFile(done.path).read("README.md").decode()


def test_models_of_others_name_them(core, tmp_path, monkeypatch):
    monkeypatch.setattr(package, "_run_package", lambda _: None)  # which takes its time elsewhere
    model, path = random_model("stretching"), tmp_path / "mine.zip"
    with pytest.raises(ExportError, match="give an author, and a licence"):
        export(model, path, author="Ada Lovelace")
    with pytest.raises(ExportError, match="rejects the package"):
        export(model, path, author="Ada Lovelace", licence="mine")
    assert not list(tmp_path.iterdir())
    export(model, path, author="Ada Lovelace", licence="CC-BY-4.0")
    found = core.load_model_description(path)
    assert (found.authors[0].name, str(found.license)) == ("Ada Lovelace", "CC-BY-4.0")


def test_a_package_that_does_not_run_is_not_written(core, tmp_path, monkeypatch):
    def other(*arguments):
        found = by_network(*arguments)
        return {**found, "reflectance": 2 * found["reflectance"]}

    by_network = package.by_network
    monkeypatch.setattr(package, "by_network", other)
    with pytest.raises(ExportError, match=r"bioimageio\.core does not run the package"):
        export("linear", tmp_path / "m.zip")
    assert not list(tmp_path.iterdir())
