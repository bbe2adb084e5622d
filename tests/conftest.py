import gc
import os
import sys
from functools import partial

import numpy as np
import pytest
import torch
from filelock import FileLock
from helpers.models import random_model
from helpers.turns import PATIENCE

from napari_lle.model import kernels
from napari_lle.model.network.checkpoint import save_model
from napari_lle.model.network.network import Network, NetworkConfig

# Whether a kernel is compiled depends on the machine; the tests of the kernels switch them on.
os.environ["NAPARI_LLE_KERNEL"] = "torch"
# For marked regions napari would compile what it has in plain Python, too, for half a minute.
os.environ["NAPARI_EXPERIMENTAL_TRIANGULATION_BACKEND"] = "Pure python"
# Triton asks for it when it is imported: without a device its kernels run in its interpreter.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"


def pytest_collection_finish():
    """Let collections of garbage pass by what is imported: a window makes three of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def each_kernel_is_compiled_once(tmp_path_factory):
    """The processes of a run wait for each other's code, and do not compile the same twice."""
    compiled = sys.modules.get("napari_lle.model.kernels.cpu.compiled")
    if compiled is None:  # of no test that was collected
        yield
        return
    locks = tmp_path_factory.getbasetemp().parent  # of all processes
    compile_function = compiled.compile_function

    def once(part, maker):
        with FileLock(locks / f"{'-'.join(map(str, part))}.lock"):
            return compiled.load_function(part, maker) or compile_function(part, maker)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "compile_function", once)
        yield


@pytest.fixture(autouse=True)
def nothing_compiles_meanwhile(monkeypatch):
    """A window starts a process that compiles all kernels: in a test it would outlive the test."""
    monkeypatch.setattr(kernels, "_background", "not in tests")


@pytest.fixture(autouse=True)
def threads_of_torch():
    """Tests may change them; two trainings of which one is left in the middle do so, too."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """An untrained network whose illumination depends on what it sees."""
    torch.manual_seed(0)
    network = Network(NetworkConfig())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp("models") / "random.safetensors"
    save_model(path, network, {"data": "none"})
    return path


@pytest.fixture(scope="session")
def calm_file(tmp_path_factory):
    """A model whose stages differ, a little."""
    model = random_model()
    model.network.auxiliary.conv2.weight *= 0.05
    path = tmp_path_factory.mktemp("models") / "calm.safetensors"
    save_model(path, model.network, {})
    return path


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def photo(rng):
    return rng.integers(0, 60, (48, 64, 3)).astype(np.uint8)


@pytest.fixture
def stack(rng):
    return rng.integers(0, 900, (4, 40, 50)).astype(np.uint16)


@pytest.fixture
def qtbot(qtbot):
    """Waits long for what will happen: no test depends on how busy the machine is."""
    for name in ("waitUntil", "waitSignal", "waitExposed"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=1000 * PATIENCE))
    # By its older name napari waits for a window, and for five seconds alone.
    qtbot.wait_exposed = lambda window, timeout: qtbot.waitExposed(window)
    return qtbot


@pytest.fixture
def viewer():
    """A viewer without a window."""
    from napari.components import ViewerModel

    return ViewerModel()


def jobs(widget):
    """Those of a widget and of its parts."""
    from napari_lle.widgets.shared.jobs import Job

    parts = [widget, *(part for part in vars(widget).values() if hasattr(part, "__dict__"))]
    return [each for part in parts for each in vars(part).values() if isinstance(each, Job)]


@pytest.fixture
def keep(qtbot):
    """Let go of the widgets that it is given, at the end, and wait for what they still do."""
    kept = []

    def note(widget):
        kept.append(widget)
        return widget

    yield note
    for widget in kept:
        widget.release()
        for job in jobs(widget):
            qtbot.waitUntil(lambda job=job: not job.running)


@pytest.fixture
def make(keep, model_file):
    """Build an Enhance widget for a viewer, with the preview off until a test wants it."""
    from napari_lle.widgets.enhance.widget import EnhanceWidget

    def build(viewer):
        widget = keep(EnhanceWidget(viewer))
        widget.form.preview.value = False
        widget.form.model.use(str(model_file))
        return widget

    return build


@pytest.fixture
def widget(viewer, make):
    """The Enhance widget of `viewer`."""
    return make(viewer)


@pytest.fixture
def own_runs(tmp_path, monkeypatch):
    """Trainings leave their runs in the test's folder."""
    from napari_lle.widgets.training import runs as _runs

    monkeypatch.setattr(_runs, "runs_folder", lambda: tmp_path / "runs")
