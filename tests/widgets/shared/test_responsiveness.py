import gc
import subprocess
import sys

import pytest

from napari_lle.widgets.shared.responsiveness import BRIEF, NEVER, brief_turns


def test_threads_give_way_sooner_until_all_are_done():
    before, thresholds = sys.getswitchinterval(), gc.get_threshold()
    with brief_turns():
        with brief_turns():
            assert sys.getswitchinterval() == pytest.approx(BRIEF)
        assert sys.getswitchinterval() == pytest.approx(BRIEF)
        assert gc.get_threshold()[2] == NEVER
    assert sys.getswitchinterval() == pytest.approx(before)
    assert gc.get_threshold() == thresholds


def test_libraries_are_loaded_unlooked_at():
    """Their objects are old at once: no search through all objects follows from them."""
    code = """
import gc, sys
from napari_lle.widgets.shared.responsiveness import load_libraries
assert 'torch' not in sys.modules
gc.collect()
before, looks = len(gc.get_objects()), []
gc.callbacks.append(lambda phase, info: looks.append(info['generation']))
load_libraries()
made = len(gc.get_objects()) - before
assert made > 50_000 and not looks, (made, looks)
assert len(gc.get_objects(generation=2)) > before + 0.9 * made
assert gc.isenabled() and not gc.get_freeze_count()
import torch; assert float(torch.ones(3).sum()) == 3
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch is simply imported")
def test_torch_s_library_is_open_before_torch_is_imported():
    code = (
        "import sys; from napari_lle.widgets.shared.responsiveness import _open_torch; "
        "_open_torch(); "
        "assert 'torch' not in sys.modules; "
        "assert 'libtorch_cpu' in open('/proc/self/maps').read(); "
        "import torch; assert float(torch.ones(3).sum()) == 3"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
