import gc
import subprocess
import sys

import pytest

from napari_lle._turns import BRIEF, brief_turns


def test_threads_give_way_sooner_until_all_are_done():
    before = sys.getswitchinterval()
    with brief_turns():
        with brief_turns():
            assert sys.getswitchinterval() == pytest.approx(BRIEF)
        assert sys.getswitchinterval() == pytest.approx(BRIEF)
        assert gc.get_freeze_count()
    assert sys.getswitchinterval() == pytest.approx(before)
    assert not gc.get_freeze_count()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch is simply imported")
def test_torch_s_library_is_open_before_torch_is_imported():
    code = (
        "import sys; from napari_lle._turns import load_torch; load_torch(); "
        "assert 'torch' not in sys.modules; "
        "assert 'libtorch_cpu' in open('/proc/self/maps').read(); "
        "import torch; assert float(torch.ones(3).sum()) == 3"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
