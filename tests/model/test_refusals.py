"""What is refused in a sentence for users, where no other test comes by."""

import errno
import re
import sys
from concurrent.futures import CancelledError
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.command_line import fails
from imagecodecs import apng_encode
from safetensors.numpy import save_file

from napari_lle.model.data.folders import matched_files
from napari_lle.model.inference.averaging import enhance_averaged
from napari_lle.model.inference.cluster import GONE, Cluster, ClusterError
from napari_lle.model.inference.shared_illumination import check_together
from napari_lle.model.inspection.unrolled import _with_progress
from napari_lle.model.io.files import FileRecord, read_image, write_image
from napari_lle.model.io.listing import find_images, list_images
from napari_lle.model.losses.vgg import VGG16
from napari_lle.model.network.bundled import bundled_path
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.network.config import NetworkConfig
from napari_lle.model.preprocessing.sampling import region_values
from napari_lle.model.progress import finish
from napari_lle.model.training.distributed import joined
from napari_lle.model.training.settings import TrainingSettings

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
SMALL = np.zeros((4, 5), np.uint8)


def refused(monkeypatch, method, number):
    """Let a method of paths fail as the system does."""

    def fail(path, *_, **__):
        raise OSError(number, "in the system's words", str(path))

    monkeypatch.setattr(Path, method, fail)


def test_files_of_one_axis(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(5,), dtype="u1")
    with pytest.raises(ValueError, match="no image of two axes or more: name a Zarr that does"):
        read_image(tmp_path / "a.zarr")


def test_a_moving_picture_of_16_bits(tmp_path):
    frames = np.zeros((2, 6, 7, 3), np.uint16)
    (tmp_path / "a.png").write_bytes(apng_encode(frames))
    with pytest.raises(ValueError, match="is an animation of 16 bits: choose image 1"):
        read_image(tmp_path / "a.png", image=2)
    assert read_image(tmp_path / "a.png", image=1).pixels.dtype == np.uint16


def test_folders_that_cannot_be_looked_into(tmp_path, monkeypatch):
    refused(monkeypatch, "iterdir", errno.EACCES)
    with pytest.raises(ValueError, match="cannot be looked into: you have no permission"):
        list_images(tmp_path)


def test_names_that_the_system_does_not_take():
    with pytest.raises(ValueError, match="cannot be looked at: its name is too long"):
        find_images("x" * 5000)


def test_a_model_that_cannot_be_read(tmp_path, monkeypatch):
    with bundled_path("photo") as source:
        (tmp_path / "a.safetensors").write_bytes(source.read_bytes())
    refused(monkeypatch, "read_bytes", errno.EIO)
    with pytest.raises(ValueError, match=r"a.safetensors cannot be read: the disk does not answer"):
        load_model(tmp_path / "a.safetensors")


def test_weights_of_another_shape(tmp_path):
    network = VGG16(("relu1_1",))
    other = {k: np.zeros((2, *v.shape), np.float32) for k, v in network.state_dict().items()}
    save_file(other, tmp_path / "v.safetensors")
    with pytest.raises(ValueError, match="differs in shape from VGG16's"):
        network.load(tmp_path / "v.safetensors")


def test_folders_without_a_common_name(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_image(tmp_path / name / f"{name}.png", SMALL, rgb=False)
    with pytest.raises(ValueError, match="has the name of one in"):
        matched_files(tmp_path / "a", tmp_path / "b")


def test_a_zarr_is_no_folder_of_images(tmp_path):
    for name in "ab":
        write_image(tmp_path / f"{name}.png", SMALL, rgb=False)
    write_image(tmp_path / "o.zarr", SMALL, rgb=False)
    words = (tmp_path / "a.png", tmp_path / "b.png", "-o", f"{tmp_path}/o.zarr/")
    assert "is not a folder of images: choose another" in fails("enhance", *words)


def test_colours_are_not_calibrated(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((4, 5, 3), np.uint8), rgb=True)
    words = (tmp_path / "a.png", "--dark", tmp_path / "a.png", "-o", tmp_path / "o.tif")
    assert "is in colour: dark frames and flat fields are for single channels" in fails(
        "calibrate", *words
    )


@pytest.mark.parametrize(
    ("sentence", "call"),
    [
        ("scale has 1 entries for the axes YX", lambda: FileRecord("YX", scale=(1.0,))),
        ("nothing to measure", lambda: region_values(np.zeros((0, 4), np.uint8))),
        ("An image has two spatial axes", lambda: check_together([np.zeros(3)] * 2, None)),
        ("levels must be one of own, common, not", lambda: TrainingSettings(levels="x")),
        ("widths holds two numbers", lambda: NetworkConfig(widths=(3,))),
        (
            "leave channel_axis out",
            lambda: enhance_averaged(np.zeros((3, 2, 8, 8), np.uint8), 0, channel_axis=1),
        ),
    ],
)
def test_arguments_that_mean_nothing(sentence, call):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_a_device_without_memory_is_told_and_other_faults_stay_themselves():
    def walk(words):
        yield
        raise RuntimeError(words)

    with pytest.raises(MemoryError, match="no memory left: choose the device cpu"):
        finish(_with_progress(walk("CUDA out of memory. Tried to allocate"), 2))
    with pytest.raises(RuntimeError, match="something else"):
        finish(_with_progress(walk("something else"), 2))


def test_more_processes_than_devices(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    for name, value in (("WORLD_SIZE", "2"), ("LOCAL_WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="has 1 CUDA devices: start as many processes"), joined():
        pass


def test_a_cluster_without_its_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'napari-lle\[distributed\]'"):
        Cluster("tcp://127.0.0.1:1")


class Lone(Cluster):
    """Connected to a scheduler that answers as it is told."""

    def __init__(self, **answers):
        self._sent = None
        self.client = SimpleNamespace(
            scheduler=SimpleNamespace(address="tcp://x:1"), cancel=lambda tasks: None, **answers
        )


def gone():
    raise OSError


def cancelled(*_, **__):
    raise CancelledError


def test_clusters_that_have_lost_what_they_had(tmp_path):
    with pytest.raises(ClusterError, match="has no workers: start some with `dask worker"):
        Lone(nthreads=dict).examine(tmp_path / "a", [], "cpu")
    with pytest.raises(ClusterError, match=re.escape(GONE)):
        Lone(nthreads=gone).examine(tmp_path / "a", [], "cpu")
    lacking = {"w": ImportError("ModuleNotFoundError: no napari_lle")}
    with pytest.raises(ClusterError, match="The worker w lacks napari-lle"):
        Lone(nthreads=lambda: {"w": 1}, run=lambda *_, **__: lacking).examine(tmp_path, [], "cpu")
    lost = Lone(nthreads=lambda: {"w": 1}, submit=cancelled)
    lost._sent = abs, None
    with pytest.raises(ClusterError, match=re.escape(GONE)):
        list(lost.run(abs, {0: None}))
