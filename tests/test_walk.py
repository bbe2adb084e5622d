"""One RGB image on its way through a compiled kernel: nothing is worked out twice."""

import sys
from types import ModuleType

import numpy as np
import pytest
from helpers.running import run
from helpers.walk import SHAPE, watched, watched_jobs

from napari_lle.model import enhance, load_model

pytest.importorskip("numba")
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cpu.compiled import compile_kernel

MOST = 2  # passes through one module: on the way in and on the way out
ONCE = (
    "inference.plan.make_plan",
    "inference.settling.settle",  # colours or not, per channel or joint
    "inference.planes.fill_planes",
    "kernels.find",
    "network.bundled.settled_name",
    "network.checkpoint.recent_model",
    "preprocessing.levels.find_levels",
    "preprocessing.sampling.sample",
    "preprocessing.statistics.described",
    "runtime.devices.choose_device",
)
# The plane for R = x / L; statistics are found of stored pixels, which the kernel takes, too.
NORMALIZED = 1


@pytest.fixture
def image(rng, monkeypatch):
    monkeypatch.setenv("NAPARI_LLE_KERNEL", "auto")
    compile_kernel(forms.layout(load_model("photo").network.config, 3))
    return rng.integers(0, 60, SHAPE).astype(np.uint8)


def check(walk):
    passes = walk.passes()
    assert passes["napari_lle.model.inference.plan"] == 1
    assert {module: n for module, n in passes.items() if n > MOST} == {}
    expected = dict.fromkeys(ONCE, 1)
    assert {name: walk.calls[f"napari_lle.model.{name}"] for name in ONCE} == expected
    assert walk.calls["napari_lle.model.preprocessing.normalizing.normalized"] == NORMALIZED


def test_enhance_works_out_everything_once(image):
    with watched() as walk:
        result = enhance(image)
    assert result.record["kernel"] == "numba"
    check(walk)


def test_a_run_of_the_widget_works_out_everything_once(qtbot, viewer, widget, image):
    viewer.add_image(image, rgb=True)
    asked = widget.levels.look
    widget.form.model.use("auto")  # whose levels are found for the histogram, on a job of its own
    qtbot.waitUntil(lambda: widget.levels.look is not asked and not widget.levels.look.running)
    with watched_jobs() as walk:
        run(qtbot, widget)
    assert widget.live.estimate.record["kernel"] == "numba"
    check(walk)  # the look names the model
    assert walk.calls["napari_lle.model.inference.estimate.Estimate.plane"] == 1


def test_what_is_done_twice_is_seen(image):
    """A watch that misses something would call every walk a short one."""
    with watched() as walk:
        enhance(image)
        enhance(image)
    assert walk.passes()["napari_lle.model.inference.plan"] == 2
    assert walk.passes()["napari_lle.model.kernels"] > MOST
    assert walk.calls["napari_lle.model.preprocessing.levels.find_levels"] == 2


def test_generators_count_once_and_what_is_handed_over_does_not(monkeypatch):
    below, above = ModuleType("napari_lle.below"), ModuleType("napari_lle.above")
    exec("def tool(): pass\ndef steps(call):\n    yield 1\n    yield call()", below.__dict__)
    monkeypatch.setitem(sys.modules, "napari_lle.below", below)
    exec(
        "from napari_lle.below import steps, tool\n"
        "def walk():\n    tool()\n    def called(): return tool()\n    return list(steps(called))",
        above.__dict__,
    )
    with watched() as walk:
        above.walk()
    assert [(e.module[11:], e.function, e.source[11:]) for e in walk.entries] == [
        ("above", "walk", ""),
        ("below", "tool", "above"),
        ("below", "steps", "above"),
        ("below", "tool", "above"),
    ]
    assert dict(walk.passes()) == {"napari_lle.above": 1}
