"""The look publication on the command line: one curve for all files."""

import json
import zipfile

import numpy as np
import pytest
from helpers.command_line import fails, lle, process

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
    assert "all in colour or all grey" in line and not (tmp_path / "out").exists()


def test_the_share_is_an_option_of_every_look(tmp_path, panels):
    out = tmp_path / "out.tif"
    options = ("--clipped", "0", "--dtype", "float32", "--model", "linear")
    assert not lle("enhance", tmp_path / "a.tif", "-o", out, *options).returncode
    assert read_image(out).pixels.max() <= 1
    assert "share" in fails("enhance", tmp_path / "a.tif", "-o", out, "--clipped", "0.7")


def test_a_figure_is_bundled_and_reproduced(tmp_path, panels):
    files = [tmp_path / name for name in panels]
    bundle, again = tmp_path / "figure.zip", tmp_path / "again.tif"
    options = ("--look", "publication", "--bundle", bundle)
    done = lle("enhance", *files, "-o", f"{tmp_path}/out/", *options)
    assert done.returncode == 0 and "bundle of 2 images" in done.stdout, done.stderr
    done = process("reproduce", bundle, "-o", again)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("reproduced bit for bit, sha256:") == 2
    expected = enhance_alike(list(panels.values()))
    for number, result in enumerate(expected, 1):
        np.testing.assert_array_equal(read_image(again, image=number).pixels, result.reflectance)


def test_a_bundle_that_cannot_be_is_refused_before_the_work(tmp_path, panels):
    out, source = tmp_path / "out.tif", tmp_path / "a.tif"
    words = ("enhance", source, "-o", out, "--bundle")
    assert "let it end in .zip" in fails(*words, tmp_path / "b.tar")
    assert "no folder" in fails(*words, tmp_path / "gone" / "b.zip")
    line = fails(*words, tmp_path / "b.zip", "--background", "subtract")
    assert "does not go with --background" in line
    assert "Zarr" in fails(
        "enhance", source, "-o", tmp_path / "r.zarr", *words[4:], tmp_path / "b.zip"
    )
    assert not out.exists() and not (tmp_path / "b.zip").exists()


def test_another_result_ends_with_a_sentence(tmp_path, panels):
    bundle, raw = tmp_path / "b.zip", tmp_path / "a.tif"
    options = ("--look", "publication", "--bundle", bundle, "--digest-only")
    assert not lle("enhance", raw, "-o", tmp_path / "out.tif", *options).returncode
    assert "give the file with --input" in fails("reproduce", bundle)
    assert "bit for bit" in lle("reproduce", bundle, "--input", raw).stdout
    assert "its digest differs" in fails("reproduce", bundle, "--input", tmp_path / "b.tif")
    with zipfile.ZipFile(bundle) as file:
        content = {name: file.read(name) for name in file.namelist()}
    told = json.loads(content["bundle.json"])
    told["images"][0] |= {
        "output": "sha256:x",
        "record": {**told["images"][0]["record"], "strength": 0.5},
    }
    with zipfile.ZipFile(bundle, "w") as file:
        for name, data in (content | {"bundle.json": json.dumps(told)}).items():
            file.writestr(name, data)
    line = fails("reproduce", bundle, "--input", raw)
    assert "a is not reproduced bit for bit" in line and "values differ" in line
