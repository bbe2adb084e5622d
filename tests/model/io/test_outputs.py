"""Outputs are files of their own, whatever they are called."""

import os
from pathlib import Path

import pytest

from napari_lle.model.io import outputs
from napari_lle.model.io.files import FileError
from napari_lle.model.io.outputs import check_files, check_outputs, folds_case


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.tif").write_text("pixels")
    (tmp_path / "in.zarr" / "0").mkdir(parents=True)
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "raw.tif",
        "./raw.tif",
        "folder/../raw.tif",
        "ABSOLUTE",
        "soft.tif",
        "hard.tif",
        "also/raw.tif",
    ],
)
def test_an_input_by_any_name_is_no_output(here, name):
    (here / "soft.tif").symlink_to("raw.tif")
    os.link("raw.tif", "hard.tif")
    (here / "also").symlink_to(here, target_is_directory=True)
    with pytest.raises(FileError, match="is the input"):
        check_outputs([str(here / "raw.tif") if name == "ABSOLUTE" else name], ["raw.tif"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("new.tif", "new.tif"),
        ("new.tif", "folder/../new.tif"),
        ("new.tif", "leads/to/new.tif"),
        ("dangling.tif", "new.tif"),
        ("folder/new.tif", "also/new.tif"),
    ],
)
def test_outputs_that_do_not_exist_yet_are_told_apart(here, one, other):
    (here / "dangling.tif").symlink_to("new.tif")
    (here / "also").symlink_to("folder", target_is_directory=True)
    (here / "leads").symlink_to(".", target_is_directory=True)
    (here / "to").symlink_to(".", target_is_directory=True)
    with pytest.raises(FileError, match="one file"):
        check_outputs([one, other])


@pytest.mark.parametrize(
    ("output", "source", "sentence"),
    [
        ("in.zarr/new.tif", "in.zarr", "inside the input"),
        ("in.zarr/0/deep/new.tif", "in.zarr", "inside the input"),
        ("in.zarr", "in.zarr/0", "would replace the folder of the input"),
        ("in.zarr", "in.zarr", "the input itself"),
    ],
)
def test_folders_that_are_images_are_not_written_into(here, output, source, sentence):
    with pytest.raises(FileError, match=sentence):
        check_outputs([output], [source])


def test_an_output_does_not_lie_inside_another():
    with pytest.raises(FileError, match="inside the output"):
        check_outputs(["new.zarr", "new.zarr/light.zarr"])


def test_what_is_of_its_own_passes(here):
    check_outputs(["new.tif", "folder/raw.tif", "in.zarr.tif"], ["raw.tif", "in.zarr", "gone.tif"])
    check_outputs(["raw.tif"], ["folder/raw.tif"])  # an old output is replaced


@pytest.mark.parametrize("folds", [True, False])
def test_case_counts_where_the_folder_says_so(here, monkeypatch, folds):
    monkeypatch.setattr(outputs, "folds_case", lambda folder: folds)
    pairs = (["R.tif", "r.TIF"], []), (["CAFÉ.tif"], ["cafe\u0301.tif"])
    for written, read in pairs:
        if folds:
            with pytest.raises(FileError):
                check_outputs(written, read)
        else:
            check_outputs(written, read)


def test_a_folder_tells_whether_it_folds_case(tmp_path):
    def truth(folder):
        (folder / "Probe").touch()
        return (folder / "pROBE").exists()

    empty, full = tmp_path / "empty", tmp_path / "full"
    empty.mkdir()
    full.mkdir()
    assert folds_case(str(empty)) == truth(full) == folds_case(str(full))
    assert folds_case(str(tmp_path / "gone")) == truth(full)


def test_reports_are_refused_before_the_work(here):
    with pytest.raises(FileError, match="is a folder: name a file"):
        check_files([Path("folder")])
    with pytest.raises(FileError, match="There is no folder"):
        check_files([Path("gone/e.json")])
    with pytest.raises(FileError, match="the input itself"):
        check_files([Path("raw.tif"), None], [Path("raw.tif")])
    check_files([Path("folder/e.json"), None], [Path("raw.tif")])
