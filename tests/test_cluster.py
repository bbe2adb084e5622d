"""A cluster of separate processes on this machine: same results, whoever is lost on the way."""

import os
import signal
from itertools import islice

import numpy as np
import pytest
from models import random_model

from napari_lle.model.cluster import enhance_on_cluster
from napari_lle.model.files import read_image, write_image
from napari_lle.model.stream import enhance_to_zarr

distributed = pytest.importorskip("distributed", reason="needs the extra distributed")
pytest.importorskip("zarr", reason="needs the extra zarr")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes; a lost one is replaced after a moment."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as local:
        yield local


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("napari_lle.model.zarr_writer.BLOCK", 64)
    monkeypatch.setattr("napari_lle.model.zarr_layout.CHUNK", 32)
    monkeypatch.setattr("napari_lle.model.zarr_layout.COARSEST", 40)


@pytest.fixture
def stack(tmp_path, rng):
    """A Zarr of 48 blocks."""
    write_image(
        tmp_path / "in.zarr", rng.integers(0, 900, (3, 250, 256)).astype(np.uint16), rgb=False
    )
    return tmp_path / "in.zarr"


def workers(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        return client.run(os.getpid)


def remote(cluster, file, path, light=None, **options):
    picture = read_image(file, lazy=True)
    options = {"model": random_model(), "source": "a stack", **options}
    address = cluster.scheduler_address
    return enhance_on_cluster(picture, path, light, file=file, scheduler=address, **options)


def local(file, path, light=None):
    picture = read_image(file, lazy=True)
    list(enhance_to_zarr(picture, path, light, model=random_model(), device="cpu"))


def same(a, b):
    a, b = read_image(a), read_image(b)
    assert a.record == b.record and a.about == b.about
    np.testing.assert_array_equal(a.pixels, b.pixels)


def test_a_worker_killed_in_mid_run_changes_nothing(cluster, stack, tmp_path):
    paths = tmp_path / "r.zarr", tmp_path / "l.zarr"
    steps = remote(cluster, stack, *paths, device="cpu")
    before = list(islice(steps, 5))
    victim = next(iter(workers(cluster).values()))
    os.kill(victim, signal.SIGKILL)
    after = list(steps)
    assert victim not in workers(cluster).values()
    counts = [step.done for step in before + after]
    assert counts == list(range(1, counts[-1] + 1)) and counts[-1] == after[-1].total > 48
    local(stack, tmp_path / "r2.zarr", tmp_path / "l2.zarr")
    same(paths[0], tmp_path / "r2.zarr")
    same(paths[1], tmp_path / "l2.zarr")
    assert not list(tmp_path.rglob("*.partial")) and not list(tmp_path.rglob("journal.txt"))
