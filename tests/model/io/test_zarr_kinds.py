"""Zarr of every layout: 0.4 and 0.5, bioformats2raw's, plates, sharded, arrays inside groups."""

import errno
import shutil

import numpy as np
import pytest
from helpers.command_line import lle

from napari_lle.model.io import zarr_writer
from napari_lle.model.io.files import FileError, check_format, read_image, write_image
from napari_lle.model.io.names import result_name, stem_of, suffix_of

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")
rng = np.random.default_rng(0)


def counts(*shape):
    return rng.integers(0, 4000, shape).astype("u2")


def told(version, **ome):
    return ome if version == "0.4" else {"ome": {"version": version, **ome}}


def add_image(group, pixels, version, **more):
    group.create_array("0", data=pixels)
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"[-pixels.ndim :]]
    scale = [{"type": "scale", "scale": [0.5] * pixels.ndim}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    image = {"axes": axes, "datasets": datasets, "version": version}
    group.attrs.update(told(version, multiscales=[image], **more))


@pytest.fixture(params=["0.4", "0.5"])
def version(request):
    return request.param


def opened(path, version):
    return zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)


@pytest.mark.parametrize("listed", [False, True])
def test_bioformats2raw(tmp_path, version, listed):
    root = opened(tmp_path / "a.zarr", version)
    root.attrs.update(told(version, **{"bioformats2raw.layout": 3}))
    images = [counts(9, 11 + i) for i in range(11)]
    for i, image in enumerate(images):
        add_image(root.create_group(str(i)), image, version)
    if listed:
        names = [str(i) for i in range(11)]
        root.create_group("OME").attrs.update(told(version, series=names))
    for i, image in enumerate(images):
        picture = read_image(tmp_path / "a.zarr", image=i + 1)
        assert (picture.number, picture.images) == (i + 1, 11)
        assert (picture.pixels == image).all()
        assert picture.about.size("X") == (0.5, "micrometer")
    for inside in ("3", "3/0"):
        assert (read_image(tmp_path / "a.zarr" / inside).pixels == images[3]).all()


def test_plates_are_read_field_by_field(tmp_path, version):
    root = opened(tmp_path / "a.zarr", version)
    wells = [{"path": p} for p in ("A/1", "A/2", "B/1")]
    root.attrs.update(told(version, plate={"wells": wells}))
    images = []
    for well in wells[:2]:  # the last one was not written
        group = root.create_group(well["path"])
        group.attrs.update(told(version, well={"images": [{"path": "0"}, {"path": "1"}]}))
        for field in "01":
            images.append(counts(9, 11))
            add_image(group.create_group(field), images[-1], version)
    for i, image in enumerate(images):
        picture = read_image(tmp_path / "a.zarr", lazy=True, image=i + 1)
        assert picture.images == 4 and (picture.pixels.compute() == image).all()
    assert read_image(tmp_path / "a.zarr" / "A" / "2").images == 2


def test_arrays_inside_a_group(tmp_path, version):
    root = opened(tmp_path / "a.zarr", version)
    root.create_array("line", data=np.arange(5))
    images = [counts(9, 11), counts(3, 9, 11)]
    root.create_array("raw2", data=images[0])
    root.create_group("deep").create_array("raw10", data=images[1])
    for i, image in enumerate(images):
        picture = read_image(tmp_path / "a.zarr", image=i + 1)
        assert picture.images == 2 and (picture.pixels == image).all()
    opened(tmp_path / "none.zarr", version)
    with pytest.raises(FileError, match="is a group without an image"):
        read_image(tmp_path / "none.zarr")


def test_sharded_and_filled_arrays(tmp_path):
    image = counts(32, 32)
    image[:16] = 0
    options = {"chunks": (8, 8), "shards": (16, 16), "fill_value": 0}
    array = zarr.create_array(tmp_path / "a.zarr", shape=(32, 32), dtype="u2", **options)
    array[16:] = image[16:]
    assert (read_image(tmp_path / "a.zarr").pixels == image).all()


@pytest.mark.parametrize(
    ("names", "shape", "axes"),
    [
        (("z", "y", "x"), (5, 9, 4), "ZYX"),
        (("y", "x", "c"), (9, 11, 3), "YXS"),
        (("time", "y", "x"), (5, 9, 3), "TYX"),
        (("y", "x", "c"), (9, 11, 2), "CYX"),
        (None, (5, 9, 3), "YXS"[-3:]),
    ],
)
def test_named_axes_tell_what_is_colour(tmp_path, names, shape, axes):
    image = counts(*shape)
    zarr.create_array(tmp_path / "a.zarr", data=image, dimension_names=names)
    picture = read_image(tmp_path / "a.zarr")
    assert picture.rgb == (axes[-1] == "S") and picture.about.axes == axes
    moved = np.moveaxis(image, -1, 0) if axes == "CYX" else image
    assert (picture.pixels == moved).all()


def test_colours_and_windows_come_back(tmp_path, version):
    root = opened(tmp_path / "a.zarr", version)
    window = {"min": 0, "max": 65535, "start": 100, "end": 900}
    shown = [{"label": "DAPI", "color": "0000FF", "window": window}]
    add_image(root, counts(9, 11), version, omero={"channels": shown})
    picture = read_image(tmp_path / "a.zarr")
    write_image(tmp_path / "o.zarr", picture.pixels, rgb=False, about=picture.about)
    omero = zarr.open(tmp_path / "o.zarr", mode="r").attrs["ome"]["omero"]
    assert omero["channels"][0]["color"] == "0000FF" and omero["channels"][0]["window"] == window


def test_names_inside_and_outside(tmp_path):
    place = tmp_path / "a.zarr" / "A" / "1"
    place.mkdir(parents=True)
    assert suffix_of(place) == ".zarr" and result_name(place) == "a_A_1.zarr"
    assert suffix_of(tmp_path / "b.FITS.gz") == ".fits.gz"
    assert stem_of(tmp_path / "b.fits.gz") == "b"
    with pytest.raises(FileError, match="lies inside a Zarr: write a result beside it"):
        check_format(place, "u2")


def test_what_failed_is_removed_although_zarr_still_writes_into_it(tmp_path, monkeypatch):
    tries = []

    def refused(folder):
        tries.append(folder)
        if len(tries) < 3:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        shutil.rmtree(folder)

    (tmp_path / "a").mkdir()
    monkeypatch.setattr(zarr_writer, "_remove", refused)
    monkeypatch.setattr(zarr_writer, "ATTEMPT_PAUSE", 0)
    zarr_writer._abandon(tmp_path / "a")
    assert len(tries) == 3 and not (tmp_path / "a").exists()


def test_segmentations_go_with_results_and_come_back(tmp_path, version):
    root = opened(tmp_path / "in.zarr", version)
    add_image(root, counts(40, 50), version)
    group = root.create_group("labels")
    group.attrs.update(told(version, labels=["cells"]))
    cells = rng.integers(0, 9, (40, 50)).astype(">u4" if version == "0.4" else "u4")
    colours = [{"label-value": 1, "rgba": [255, 0, 0, 255]}]
    label = {"colors": colours, "source": {"image": "../../"}}
    add_image(group.create_group("cells"), cells, version, **{"image-label": label})
    r, light = tmp_path / "r.ome.zarr", tmp_path / "l.ome.zarr"
    words = ("--illumination", light, "--device", "cpu")
    assert lle("enhance", tmp_path / "in.zarr", "-o", r, *words).returncode == 0
    assert lle("restore", r, light, "-o", tmp_path / "back.ome.zarr").returncode == 0
    for file in (r, tmp_path / "back.ome.zarr"):
        found = zarr.open_group(file, mode="r")["labels"]
        assert found.attrs["ome"]["labels"] == ["cells"]
        assert found["cells"].attrs["ome"]["image-label"] == label
        np.testing.assert_array_equal(found["cells/0"][:], cells)
        again = read_image(file / "labels" / "cells")
        assert again.about.units == ("micrometer",) * 2 and again.about.scale == (0.5, 0.5)
    assert "labels" not in zarr.open_group(light, mode="r")


def test_a_part_of_a_plate_holds_its_images_not_their_levels(tmp_path, version):
    root = opened(tmp_path / "p.zarr", version)
    wells = [f"{row}/{column}" for row in "AB" for column in "12"]
    root.attrs.update(told(version, plate={"wells": [{"path": well} for well in wells]}))
    for well in wells:
        group = root.create_group(well)
        group.attrs.update(told(version, well={"images": [{"path": "0"}, {"path": "1"}]}))
        for name in "01":
            image = group.create_group(name)
            add_image(image, counts(20, 30), version)
            image.create_array("1", data=counts(10, 15))
    for part, images in (("", 8), ("B", 4), ("B/2", 2), ("B/2/1", 1)):
        picture = read_image(tmp_path / "p.zarr" / part)
        assert (picture.images, picture.about.axes) == (images, "YX"), part
        assert picture.about.units == ("micrometer",) * 2


def test_the_group_of_segmentations_holds_one_image_for_each(tmp_path, version):
    root = opened(tmp_path / "a.zarr", version)
    add_image(root, counts(20, 30), version)
    group = root.create_group("labels")
    group.attrs.update(told(version, labels=["cells"]))
    cells = group.create_group("cells")
    add_image(cells, counts(20, 30), version)
    cells.create_array("1", data=counts(10, 15))
    assert read_image(tmp_path / "a.zarr" / "labels").images == 1


def test_hidden_channels_stay_hidden(tmp_path, version):
    root = opened(tmp_path / "in.zarr", version)
    window = {"min": 0, "max": 4095, "start": 10, "end": 900}
    channels = [
        {"label": name, "color": "FF0000", "window": window, "active": name == "GFP"}
        for name in ("DAPI", "GFP")
    ]
    omero = {"name": "mine", "rdefs": {"model": "color", "defaultZ": 3}, "channels": channels}
    pixels = counts(2, 20, 30)
    root.create_array("0", data=pixels)
    axes = [
        {"name": n, "type": k} for n, k in zip("cyx", ("channel", "space", "space"), strict=True)
    ]
    scale = [{"type": "scale", "scale": [1.0] * 3}]
    image = {"axes": axes, "version": version}
    image["datasets"] = [{"path": "0", "coordinateTransformations": scale}]
    root.attrs.update(told(version, multiscales=[image], omero=omero))
    files = [tmp_path / f"{name}.ome.zarr" for name in ("r", "l", "back")]
    words = ("-o", files[0], "--illumination", files[1], "--device", "cpu")
    assert lle("enhance", tmp_path / "in.zarr", *words).returncode == 0
    assert lle("restore", *files[:2], "-o", files[2]).returncode == 0
    for file in (files[0], files[2]):
        found = zarr.open_group(file, mode="r").attrs["ome"]["omero"]
        assert [c["active"] for c in found["channels"]] == [False, True]
        assert found["rdefs"] == omero["rdefs"] and found["name"] == "mine"
    assert found["channels"] == channels
