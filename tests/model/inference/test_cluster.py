"""A cluster of separate processes on this machine: same results, whoever is lost on the way."""

import multiprocessing
import os
import pickle
import signal
from contextlib import nullcontext
from itertools import islice
from types import SimpleNamespace

import dask
import dask.array as da
import numpy as np
import pytest
from helpers.models import BUNDLED, random_model
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, restore
from napari_lle.model.inference.cluster import Cluster, ClusterError
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import make_plan
from napari_lle.model.inference.remote import enhance_on_cluster
from napari_lle.model.inference.streaming import ZarrOutput, enhance_to_zarr
from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.io.zarr_writer import PlaneBlock
from napari_lle.model.kernels import warm_up
from napari_lle.model.runtime.devices import devices

distributed = pytest.importorskip("distributed", reason="needs the extra distributed")
pytest.importorskip("zarr", reason="needs the extra zarr")


WORKERS_USE = ("distributed", "torch", "zarr", "napari_lle.model.inference.remote")


def workers_that_begin_loaded():
    """Where there is fork, each is a copy of one process that has loaded what they use."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return nullcontext()
    config = dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    context = distributed.utils.get_mp_context()  # sets what it thinks is used
    context.set_forkserver_preload([*WORKERS_USE])
    return config


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes; a lost one is replaced after a moment."""
    environment = dict(os.environ)  # dask sets OMP_NUM_THREADS for its workers, and leaves it
    with (
        workers_that_begin_loaded(),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as local,
    ):
        yield local
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr("napari_lle.model.io.zarr_writer.BLOCK", 64)
    monkeypatch.setattr("napari_lle.model.io.zarr_layout.CHUNK_SIDE", 32)
    monkeypatch.setattr("napari_lle.model.io.zarr_layout.COARSEST", 40)


@pytest.fixture
def stack(tmp_path, rng):
    """A Zarr of 24 blocks and their pyramid."""
    write_image(
        tmp_path / "in.zarr", rng.integers(0, 900, (2, 180, 256)).astype(np.uint16), rgb=False
    )
    return tmp_path / "in.zarr"


def workers(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        return client.run(os.getpid)


def remote(cluster, file, path, light=None, **options):
    picture = read_image(file, lazy=True)
    output = ZarrOutput(path, light, source="a stack")
    options = EnhanceOptions(model=random_model(), **options)
    address = cluster.scheduler_address
    return enhance_on_cluster(picture, output, options, file=file, scheduler=address)


def local(file, path, light=None):
    picture = read_image(file, lazy=True)
    options = EnhanceOptions(model=random_model(), device="cpu")
    return list(enhance_to_zarr(picture, ZarrOutput(path, light, source="a stack"), options))


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
    assert counts == list(range(1, counts[-1] + 1)) and counts[-1] == after[-1].total > 24
    local(stack, tmp_path / "r2.zarr", tmp_path / "l2.zarr")
    same(paths[0], tmp_path / "r2.zarr")
    same(paths[1], tmp_path / "l2.zarr")
    assert not list(tmp_path.rglob("*.partial")) and not list(tmp_path.rglob("journal.txt"))


def test_a_cancelled_run_goes_on_where_it_was(cluster, stack, tmp_path):
    path = tmp_path / "r.zarr"
    steps = remote(cluster, stack, path, device="cpu")
    before = list(islice(steps, 6))
    steps.close()
    assert not path.exists()
    lines = (tmp_path / ".r.zarr.partial" / "journal.txt").read_text().splitlines()
    assert len(lines) == 1 + 6
    steps = remote(cluster, stack, path, device="cpu")
    more = list(islice(steps, 2))
    steps.close()
    after = local(stack, path)  # one machine takes up what a cluster has begun
    assert [s.done for s in more + after] == list(range(7, before[0].total + 1))
    local(stack, tmp_path / "r2.zarr")
    same(path, tmp_path / "r2.zarr")


@pytest.mark.parametrize("name", ["in.tif", "in.png"])
def test_other_files_are_opened_by_the_workers(cluster, tmp_path, rng, name):
    rgb = name == "in.png"
    pixels = rng.integers(0, 60, (90, 100, 3) if rgb else (2, 90, 100)).astype(np.uint8)
    write_image(tmp_path / name, pixels, rgb=rgb)
    list(remote(cluster, tmp_path / name, tmp_path / "r.zarr", device="cpu"))
    local(tmp_path / name, tmp_path / "r2.zarr")
    same(tmp_path / "r.zarr", tmp_path / "r2.zarr")


class Counted:
    """Fills nothing, and writes a line whenever it has travelled."""

    def __init__(self, file):
        self.file = file

    def __setstate__(self, state):
        self.__dict__ = state
        with self.file.open("a") as file:
            file.write(f"{os.getpid()}\n")

    def __call__(self, block):
        assert isinstance(block, PlaneBlock)


def test_the_model_does_not_travel_with_the_blocks(cluster, tmp_path):
    fill = Counted(tmp_path / "travels.txt")
    blocks = {i: PlaneBlock(0, (i,), slice(8), slice(8)) for i in range(40)}
    with Cluster(cluster.scheduler_address) as connected:
        for half in (0, 20):  # as for the levels of a pyramid
            part = {i: blocks[i] for i in range(half, half + 20)}
            assert sorted(connected.run(fill, part)) == list(part)
    travels = fill.file.read_text().split()
    # Into the first worker as a task, as its result, and to the other; now and then a busy worker
    # unpacks what it has got once more.
    assert len(travels) < len(blocks) // 4


@pytest.mark.parametrize("rgb", [False, True])
def test_lazy_results_compute_on_a_cluster(cluster, rng, rgb):
    image = rng.integers(0, 900, (90, 100, 3) if rgb else (3, 90, 100)).astype(np.uint16)
    lazy = da.from_array(image, chunks=(45, 50, 3) if rgb else (1, 90, 100))
    result = enhance(lazy, random_model(), rgb=rgb, device="cpu")
    here = result.reflectance.compute(), result.illumination.compute()
    back = restore(result.reflectance, result.illumination, result.levels)
    with distributed.Client(cluster):
        there = da.compute(result.reflectance, result.illumination)
        assert (back.compute() == image).all() or rgb
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_plan_finds_its_kernel_where_it_arrives(monkeypatch, rng):
    pytest.importorskip("numba", reason="needs the extra fast")
    monkeypatch.setenv("NAPARI_LLE_KERNEL", "auto")
    model, image = random_model(**BUNDLED), rng.integers(0, 900, (40, 50)).astype(np.uint16)
    list(warm_up([model]))
    plan = make_plan(image, EnhanceOptions(model=model, device="cpu"))
    x = (image / 900).astype(np.float32)
    assert plan.kernel is not None
    copy = pickle.loads(pickle.dumps(plan))
    assert copy.kernel is not None and copy.record == plan.record
    np.testing.assert_array_equal(copy.light(x), plan.light(x))
    without = pickle.loads(pickle.dumps(plan._replace(kernel=None)))
    assert without.kernel is None
    np.testing.assert_allclose(without.light(x), plan.light(x), rtol=1e-4)


def lle(*words):
    done = CliRunner().invoke(app, ["enhance", *(str(word) for word in words)])
    assert "Traceback" not in done.stderr
    return done.exit_code, done.stderr


def test_the_command_says_what_a_cluster_lacks(cluster, stack, tmp_path, monkeypatch):
    address, out = ("--scheduler", cluster.scheduler_address), tmp_path / "r.zarr"
    code, said = lle(stack, "-o", tmp_path / "r.tif", *address)
    assert code == 2 and "end in .zarr" in said
    monkeypatch.setattr("napari_lle.model.inference.cluster.CONNECTING", 0.5)
    code, said = lle(stack, "-o", out, "--scheduler", "tcp://127.0.0.1:9")
    assert code == 2 and "No scheduler answers at tcp://127.0.0.1:9" in said
    monkeypatch.setattr("napari_lle.model.inference.cluster.CONNECTING", 120)
    missing = next(d["name"] for d in devices() if not d["available"])
    code, said = lle(stack, "-o", out, *address, "--device", missing)
    assert code == 2 and f"{missing} cannot be used" in said
    monkeypatch.setattr("napari_lle.model.inference.cluster.__version__", "0.0.1")
    code, said = lle(stack, "-o", out, *address)
    assert code == 2 and "this machine 0.0.1: install the same version" in said
    assert not list(tmp_path.glob("*r.zarr*"))


def test_what_workers_cannot_see_is_named(cluster, stack, tmp_path, monkeypatch):
    with Cluster(cluster.scheduler_address) as connected:
        assert connected.examine(stack, [tmp_path], "cpu") == ("cpu", False)
        with pytest.raises(ClusterError, match=r"cannot see .*gone: use a folder that all"):
            connected.examine(tmp_path / "gone", [tmp_path], "cpu")
        with pytest.raises(ClusterError, match="There is no folder"):
            connected.examine(stack, [tmp_path / "gone"], "cpu")
        elsewhere = SimpleNamespace(name=tmp_path / "token", close=lambda: None)
        monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda **_: elsewhere)
        with pytest.raises(ClusterError, match="cannot write to"):
            connected.examine(stack, [tmp_path], "cpu")
    assert [f.name for f in tmp_path.iterdir()] == ["in.zarr"]


def test_the_command_enhances(cluster, stack, tmp_path, model_file):
    options = ("--model", model_file, "--device", "cpu", "--dtype", "float32")
    code, said = lle(
        stack, "-o", tmp_path / "r.zarr", *options, "--scheduler", cluster.scheduler_address
    )
    assert code == 0, said
    assert lle(stack, "-o", tmp_path / "r2.zarr", *options)[0] == 0
    same(tmp_path / "r.zarr", tmp_path / "r2.zarr")
