"""Where a kernel is compiled, torch is not even loaded; in fresh processes, as users start them."""

import os
import subprocess
import sys

import numpy as np
import pytest

from napari_lle.model import kernels
from napari_lle.model.io.files import read_image, write_image

pytest.importorskip("numba")
MODELS = ["photo", "linear", "science", "photo-half"]
LOADED = "assert 'torch' not in sys.modules"
IN_PYTHON = f"""
import sys
import numpy as np
from napari_lle.model import enhance, enhance_stored, restore
colours = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3) // 4
grey = np.arange(40 * 60, dtype=np.uint16).reshape(40, 60)
enhance(colours, "photo", device="cpu")
assert "numba.np.arraymath" not in sys.modules, "all that compiling needs is loaded"
for model in ["auto", *{MODELS}]:
    for image in (colours, grey):
        result = enhance(image, model, strength=0.5, device="cpu")
        assert result.record["kernel"] == "numba"
        assert (restore(result.reflectance, result.illumination, result.levels) == image).all()
        enhance_stored(image, model, device="cpu")
{LOADED}
"""


@pytest.fixture(scope="module")
def fresh():
    """Run code in a process of its own, where the kernels lie on the disk."""
    list(kernels.warm_up(MODELS))

    def run(code):
        variables = {**os.environ, kernels.SWITCH: "auto"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    return run


def test_enhance_does_without_torch(fresh):
    fresh(IN_PYTHON)


@pytest.mark.parametrize("outputs", [["out.png"], ["out.tif", "--illumination", "light.tif"]])
def test_so_does_the_command_line(fresh, tmp_path, outputs):
    dark = np.full((30, 40, 3), 12, np.uint8)
    write_image(tmp_path / "in.png", dark, rgb=True)
    words = [word if word.startswith("-") else str(tmp_path / word) for word in outputs]
    words = ["enhance", str(tmp_path / "in.png"), "-o", *words, "--device", "cpu"]
    call = f"import sys; from napari_lle.cli.app import app; app({words}, standalone_mode=False)"
    fresh(f"{call}; {LOADED}")
    assert read_image(tmp_path / outputs[0]).pixels.min() > 0
