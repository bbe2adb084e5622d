"""The look publication on the command line: one curve for all files."""

import numpy as np
import pytest
from helpers.command_line import fails, lle

from napari_lle.model import enhance_alike
from napari_lle.model.io.files import read_image, write_image


@pytest.fixture
def panels(tmp_path, rng):
    made = {
        "a.tif": (100 + rng.gamma(2, 900, (48, 64))).astype(np.uint16),
        "b.tif": (100 + rng.gamma(2, 60, (40, 50))).astype(np.uint16),
    }
    for name, pixels in made.items():
        write_image(tmp_path / name, pixels, rgb=False)
    return made


def test_all_files_have_levels_and_curve_in_common(tmp_path, panels):
    files = [tmp_path / name for name in panels]
    options = ("--look", "publication", "--dtype", "float32")
    done = lle("enhance", *files, "-o", f"{tmp_path}/out/", *options)
    assert done.returncode == 0, done.stderr
    for name, expected in zip(panels, enhance_alike(list(panels.values())), strict=True):
        written = read_image(tmp_path / "out" / name)
        np.testing.assert_array_equal(written.pixels, expected.reflectance)
        assert written.record["clipped"] == expected.record["clipped"]


def test_files_in_colour_and_grey_are_refused(tmp_path, panels):
    write_image(tmp_path / "c.tif", np.zeros((8, 8, 3), np.uint16), rgb=True)
    files = [tmp_path / "a.tif", tmp_path / "c.tif"]
    line = fails("enhance", *files, "-o", f"{tmp_path}/out/", "--look", "publication")
    assert "all in colour or none" in line and not (tmp_path / "out").exists()


def test_the_share_is_an_option_of_every_look(tmp_path, panels):
    out = tmp_path / "out.tif"
    options = ("--clipped", "0", "--dtype", "float32", "--model", "linear")
    assert not lle("enhance", tmp_path / "a.tif", "-o", out, *options).returncode
    assert read_image(out).pixels.max() <= 1
    assert "share" in fails("enhance", tmp_path / "a.tif", "-o", out, "--clipped", "0.7")
