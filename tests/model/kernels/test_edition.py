import sys
from importlib import import_module, invalidate_caches

import pytest

from napari_lle.model.kernels.cpu import edition as editions
from napari_lle.model.kernels.cpu import fused, halving
from napari_lle.model.kernels.training import crop

PACKAGE = "kernels_of_a_test"
FILES = {
    "__init__": "",
    "deep": "ONE = 1",
    "helper": "from .deep import ONE",
    "beside": "TWO = 2",
    "kernel": "import math\nfrom . import helper\nfrom .deep import (\n    ONE,\n)\n",
}


@pytest.fixture
def number(tmp_path, monkeypatch):
    """The edition of a kernel as a process that starts now would find it."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(editions, "KERNELS", PACKAGE)
    invalidate_caches()
    for name in FILES:
        import_module(f"{PACKAGE}.{name}".removesuffix(".__init__"))

    def find(**changed):
        for name, text in changed.items():
            (folder / f"{name}.py").write_text(text)
        editions.edition.cache_clear()
        editions.sources.cache_clear()
        return editions.edition(f"{PACKAGE}.kernel")

    yield find
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]
    editions.edition.cache_clear()
    editions.sources.cache_clear()


def test_a_change_in_what_a_kernel_takes_from_is_another_edition(number):
    first = number()
    assert number() == first
    assert number(beside="TWO = 3") == first
    second = number(deep="ONE = 1.0")
    assert second != first
    assert number(helper="from .deep import ONE\nTHREE = 3") not in (first, second)


@pytest.mark.parametrize(
    ("kernel", "taken"),
    [
        (fused, "kernels.cpu.elementary kernels.cpu.lanes kernels.cpu.pointwise kernels.forms"),
        (fused, "network.formulas network.config"),
        (halving, "kernels.cpu.elementary kernels.cpu.lanes network.formulas"),
        (crop, "kernels.cpu.elementary kernels.training.correlate kernels.training.forms_back"),
    ],
)
def test_an_edition_covers_all_that_is_compiled_into_a_kernel(kernel, taken):
    found = editions.sources(kernel.__name__)
    assert {f"napari_lle.model.{each}" for each in taken.split()} <= found
    assert not {each for each in found if "training" in each} or kernel is crop
    assert all(each.startswith("napari_lle.model.") for each in found)
