"""``napari-lle stages``: as users run it, and what it leaves behind when it cannot."""

import json

import numpy as np
import pytest
import tifffile
from helpers.command_line import fails, lle

from napari_lle.model import enhance, stages
from napari_lle.model.inspection.export import write_stages
from napari_lle.model.inspection.trace import SYMBOLS
from napari_lle.model.io.files import FileError, write_image


@pytest.fixture
def stack(rng):
    return rng.integers(0, 900, (3, 40, 50)).astype(np.uint16)


def write(found, folder):
    for _ in (steps := write_stages(found, folder)):
        pass
    steps.close()
    return json.loads((folder / "stages.json").read_text())


def test_the_command_writes_all_kinds_and_stages(tmp_path, stack, model_file):
    write_image(tmp_path / "in.tif", stack, rgb=False)
    out = ("-o", tmp_path / "out")
    done = lle("stages", tmp_path / "in.tif", *out, "--model", model_file, "--count", 4)
    assert done.returncode == 0, done.stderr
    names = {f"{kind}_{t}.tif" for kind in SYMBOLS for t in (1, 2, 3, 4)}
    assert {f.name for f in (tmp_path / "out").iterdir()} == {*names, "stages.json"}
    pixels = {name: tifffile.imread(tmp_path / "out" / name) for name in names}
    assert all(p.shape == stack.shape and p.dtype == np.float32 for p in pixels.values())
    result = enhance(stack, model_file)
    np.testing.assert_allclose(pixels["R_1.tif"], result.reflectance, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(pixels["L_1.tif"], result.illumination, rtol=1e-6, atol=1e-6)
    for t in (2, 3, 4):
        np.testing.assert_allclose(
            pixels[f"V_{t}.tif"], pixels["V_1.tif"] + pixels[f"E_{t - 1}.tif"], rtol=1e-5, atol=1e-5
        )
        np.testing.assert_allclose(
            pixels[f"L_{t}.tif"], pixels[f"V_{t}.tif"] + pixels[f"u_{t}.tif"], rtol=1e-5, atol=1e-5
        )
    report = json.loads((tmp_path / "out" / "stages.json").read_text())
    assert report["count"] == 4
    assert report["planes"] == 3
    assert set(report["files"]) == names
    for t, row in enumerate(report["stages"], 1):
        away = abs(pixels[f"L_{t}.tif"] - pixels["L_1.tif"])
        assert row["max_difference"] == pytest.approx(away.max())
        assert row["mean_difference"] == pytest.approx(away.mean(dtype=float), rel=1e-5)
        assert row["illumination_mean"] == pytest.approx(pixels[f"L_{t}.tif"].mean(), rel=1e-5)
    assert report["stages"][3]["max_difference"] > 0
    assert "stage 4" in done.stdout


def test_bad_input_is_one_line_and_no_folder(tmp_path, stack):
    write_image(tmp_path / "in.tif", stack, rgb=False)
    for arguments, word in (
        ((tmp_path / "none.tif",), "none.tif"),
        ((tmp_path / "in.tif", "--count", 0), "1 or more"),
        ((tmp_path / "in.tif", "--model", "nobody"), "nobody"),
    ):
        assert word in fails("stages", *arguments, "-o", tmp_path / "out")
    assert "no" in fails("stages", tmp_path / "in.tif", "-o", tmp_path / "no" / "out")
    assert [f.name for f in tmp_path.iterdir()] == ["in.tif"]


def test_a_run_that_is_ended_leaves_nothing(tmp_path, stack, model_file):
    steps = write_stages(stages(stack, model_file), tmp_path / "out")
    for _ in range(4):
        next(steps)
    steps.close()
    assert not list(tmp_path.iterdir())


def test_fewer_stages_replace_more_and_other_files_stay(tmp_path, stack, model_file):
    folder = tmp_path / "out"
    write(stages(stack, model_file, count=3), folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "mine.tif").write_text("mine")
    report = write(stages(stack, model_file, count=1), folder)
    assert report["count"] == 1
    assert {f.name for f in folder.glob("*.*")} == {
        *(f"{kind}_1.tif" for kind in SYMBOLS),
        "stages.json",
        "notes.txt",
        "mine.tif",
    }


def test_colours_are_written_as_colours(tmp_path, photo, model_file):
    write(stages(photo, model_file, channels="joint"), tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out" / "R_1.tif") as file:
        assert file.pages[0].photometric.name == "RGB"
        assert file.asarray().shape == photo.shape
    assert tifffile.imread(tmp_path / "out" / "L_1.tif").shape == photo.shape[:2]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path, stack, model_file):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FileError, match="choose a folder"):
        next(write_stages(stages(stack, model_file), tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "a file"
