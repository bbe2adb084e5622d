"""Pictures as displayed, and values with all that is known of them, from the window to files."""

import dask.array as da
import numpy as np
import pytest
import tifffile
from helpers.lazy import watched
from helpers.running import run
from napari.layers import Image, Layer

from napari_lle.cli.restoring import restore_file
from napari_lle.model.io.files import read_image, write_image
from napari_lle.widgets.enhance import writer as _writer
from napari_lle.widgets.enhance.writer import write_values
from napari_lle.widgets.opening.fits_layers import read_layers
from napari_lle.widgets.shared.file_records import about_layer
from napari_lle.widgets.shared.layers import METADATA_KEY
from napari_lle.widgets.shared.pictures import Appearance, as_displayed, mixed, stored

fits = pytest.importorskip("astropy.io.fits")
PLACE = {"scale": (2, 0.5, 0.25), "units": ("um",) * 3, "axis_labels": ("z", "y", "x")}


@pytest.fixture
def cells(rng):
    return (100 + rng.gamma(2, 300, (3, 40, 50))).astype(np.uint16)


def saved(qtbot, widget, path):
    widget.saver.save(str(path))
    qtbot.waitUntil(lambda: not widget.saver.job.running)


# --- as displayed


@pytest.mark.parametrize(
    "look",
    [
        {"contrast_limits": (10, 180)},
        {"contrast_limits": (0, 255), "gamma": 0.6, "colormap": "viridis"},
    ],
)
def test_a_picture_is_what_the_canvas_shows(make_napari_viewer, look):
    ramp = np.arange(256, dtype=np.float32).reshape(16, 16)
    viewer = make_napari_viewer(show=True)
    layer = viewer.add_image(ramp, **look)
    canvas = viewer.export_figure(flash=False)
    picture = stored(as_displayed(ramp, Appearance.of(layer)), 8)
    wide = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1)
    assert canvas.shape[:2] == (16, 16)
    assert np.abs(canvas[..., :3].astype(int) - wide).max() <= 2


def test_colours_keep_their_limits_and_gamma(make_napari_viewer, rng):
    values = rng.uniform(-0.2, 1.6, (16, 16, 3)).astype(np.float32)
    viewer = make_napari_viewer(show=True)
    layer = viewer.add_image(values, rgb=True, contrast_limits=(0, 1), gamma=0.8)
    canvas = viewer.export_figure(flash=False)
    picture = stored(as_displayed(values, Appearance.of(layer)), 8)
    assert np.abs(canvas[..., :3].astype(int) - picture).max() <= 2


def test_channels_are_blended_as_on_the_canvas(make_napari_viewer, rng):
    stack = rng.uniform(0, 1, (3, 16, 16)).astype(np.float32)
    viewer = make_napari_viewer(show=True)
    layers = viewer.add_image(stack, channel_axis=0, contrast_limits=(0, 1.5))
    canvas = viewer.export_figure(flash=False)
    picture = stored(mixed(list(stack), [Appearance.of(layer) for layer in layers]), 8)
    assert np.abs(canvas[..., :3].astype(int) - picture).max() <= 3


def test_missing_values_are_dark():
    layer = Image(np.zeros((2, 2)), contrast_limits=(-1, 1))
    shown = as_displayed(np.array([[np.nan, np.inf], [-np.inf, 0]]), Appearance.of(layer))
    assert np.isfinite(shown).all() and shown[0, 1, 0] == 1 and shown[1, 0, 0] == 0


# --- the button


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_the_plane_in_view_is_saved(qtbot, viewer, make, cells, tmp_path, bits, dtype):
    viewer.add_image(cells, name="cells", blending="additive", **PLACE)
    widget = make(viewer)
    assert not widget.form.result.picture.enabled
    run(qtbot, widget)
    assert widget.form.result.picture.enabled
    viewer.dims.set_point(0, 2 * 2.0)
    widget.form.result.bits.value = bits
    saved(qtbot, widget, tmp_path / "seen.tif")
    found = read_image(tmp_path / "seen.tif")
    result = viewer.layers["cells enhanced · not for measuring"]
    expected = np.clip(result.data[2] / result.contrast_limits[1], 0, 1)
    assert found.pixels.dtype == dtype and found.pixels.shape == (40, 50)
    np.testing.assert_allclose(found.pixels / (2**bits - 1), expected, atol=1.01 / (2**bits - 1))
    assert found.about.scale == (0.5, 0.25) and set(found.about.units) == {"micrometer"}
    assert "Saved seen.tif" in widget.form.status.value


def test_channels_are_saved_as_one_picture(qtbot, viewer, make, cells, tmp_path):
    layers = viewer.add_image(cells, channel_axis=0, colormap=["red", "lime", "blue"])
    widget = make(viewer)
    viewer.layers.selection = set(layers)
    widget.form.together.value = True
    run(qtbot, widget)
    saved(qtbot, widget, tmp_path / "all")  # a name without a format is a PNG's
    found = read_image(tmp_path / "all.png")
    assert found.rgb
    for place, layer in enumerate(widget.results.layers):
        number = int(np.argmax(layer.colormap.map([1.0])[0, :3]))
        share = np.clip(layer.data / layer.contrast_limits[1], 0, 1)
        assert np.abs(found.pixels[..., number] - 255 * share).max() <= 1, place


def test_a_file_that_is_open_or_cannot_hold_it_is_refused(qtbot, viewer, make, photo, tmp_path):
    write_image(tmp_path / "night.png", photo, rgb=True)
    viewer.open(str(tmp_path / "night.png"), plugin="napari")
    kept = (tmp_path / "night.png").read_bytes()
    widget = make(viewer)
    run(qtbot, widget)
    widget.saver.save(str(tmp_path / "night.png"))
    assert "night.png" in widget.form.status.value
    widget.form.result.bits.value = 16
    saved(qtbot, widget, tmp_path / "deep.jpg")
    assert ".jpg cannot hold uint16" in widget.form.status.value
    assert (tmp_path / "night.png").read_bytes() == kept
    assert not (tmp_path / "deep.jpg").exists()


# --- napari's own menu


def test_values_keep_scale_units_and_record(qtbot, make_napari_viewer, make, cells, tmp_path):
    """They are files of the command line: what is saved from the window can be restored there."""
    viewer = make_napari_viewer()
    viewer.add_image(cells, name="cells", **PLACE)
    widget = make(viewer)
    widget.form.illumination.value = True
    run(qtbot, widget)
    for name, mark in (("enhanced", " · not for measuring"), ("illumination", "")):
        viewer.layers.selection = {viewer.layers[f"cells {name}{mark}"]}
        path = str(tmp_path / f"{name}.tif")
        assert viewer.layers.save(path, selected=True, plugin="napari-lle") == [path]
    found = read_image(tmp_path / "enhanced.tif")
    np.testing.assert_array_equal(
        found.pixels, viewer.layers["cells enhanced · not for measuring"].data
    )
    assert found.about.axes == "ZYX" and found.about.scale == PLACE["scale"]
    assert set(found.about.units) == {"micrometer"}
    assert found.record["model"] == "random" and found.record["role"] == "R"
    restore_file(
        tmp_path / "enhanced.tif", tmp_path / "illumination.tif", tmp_path / "restored.tif"
    )
    np.testing.assert_array_equal(read_image(tmp_path / "restored.tif").pixels, cells)


def test_an_enhanced_photograph_becomes_a_png(qtbot, make_napari_viewer, make, photo, tmp_path):
    viewer = make_napari_viewer()
    viewer.add_image(photo, name="night", rgb=True)
    widget = make(viewer)
    run(qtbot, widget)
    viewer.layers.selection = {viewer.layers["night enhanced · not for measuring"]}
    viewer.layers.save(str(tmp_path / "night.png"), selected=True, plugin="napari-lle")
    found = read_image(tmp_path / "night.png")
    expected = np.clip(viewer.layers["night enhanced · not for measuring"].data, 0, 1)
    assert found.rgb and found.pixels.dtype == np.uint8
    assert np.abs(found.pixels - 255 * expected).max() <= 1


def test_what_cannot_be_written_is_told_by_a_sentence(make_napari_viewer, cells, tmp_path):
    """napari swallows some errors of writers."""
    viewer = make_napari_viewer()
    viewer.add_image(cells, name="cells")
    with pytest.raises(OSError, match="is a stack"):
        viewer.layers.save(str(tmp_path / "cells.png"), plugin="napari-lle")
    with pytest.raises(OSError, match="There is no folder"):
        viewer.layers.save(str(tmp_path / "none" / "cells.tif"), plugin="napari-lle")
    assert not list(tmp_path.iterdir())


def test_a_layer_without_names_of_axes_is_told_by_its_last_two():
    layer = Image(np.zeros((4, 5, 6, 3), np.uint8), rgb=True, scale=(3, 1, 2))
    about = about_layer(layer)
    assert about.axes[-3:] == "YXS" and about.scale == (3, 1, 2, 1)
    assert about_layer(layer, 2, rgb=False).axes == "YX"
    named = Image(np.zeros((2, 4, 5)), axis_labels=("channel", "y", "x"))
    assert about_layer(named).axes == "CYX"


@pytest.mark.parametrize("first, letter", [("um", "Z"), ("s", "T"), ("pixel", "Q")])
def test_a_leading_axis_is_told_by_its_unit(first, letter):
    units, scale = (first, "um", "um"), (2, 0.5, 0.5)
    layer = Image(np.zeros((3, 4, 5), np.float32), scale=scale, units=units)
    assert about_layer(layer).axes == f"{letter}YX"
    named = Image(layer.data, scale=scale, units=units, axis_labels=("c", "y", "x"))
    assert about_layer(named).axes == "CYX"


def test_a_stack_with_a_scale_is_saved_as_ome(viewer, rng, tmp_path):
    stack = rng.normal(size=(3, 8, 9)).astype(np.float32)
    viewer.add_image(stack, scale=(2, 0.5, 0.25), units=("um",) * 3)
    file = tmp_path / "stack.ome.tif"
    assert write_values(str(file), [viewer.layers[0].as_layer_data_tuple()]) == [str(file)]
    with tifffile.TiffFile(file) as written:
        pixels = tifffile.xml2dict(written.ome_metadata)["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "ZYX"] == [2, 0.5, 0.25]
    assert read_image(file).about.scale == (2, 0.5, 0.25)
    np.testing.assert_array_equal(read_image(file).pixels, stack)


@pytest.mark.parametrize("unit", ["arcsecond", "degree", "candela", "um"])
@pytest.mark.parametrize("name", ["field.fits", "field.ome.tif", "field.zarr"])
def test_any_unit_of_napari_can_be_saved(viewer, rng, tmp_path, name, unit):
    frame = rng.normal(size=(8, 9)).astype(np.float32)
    viewer.add_image(frame, scale=(0.5, 0.25), units=(unit, unit))
    file = tmp_path / name
    write_values(str(file), [viewer.layers[0].as_layer_data_tuple()])
    found = read_image(file)
    np.testing.assert_array_equal(found.pixels, frame)
    if unit == "um" or (unit, name) == ("arcsecond", "field.fits"):
        assert found.about.scale == (0.5, 0.25)
        assert found.about.units == (("micrometer",) * 2 if unit == "um" else ("arcsecond",) * 2)


def test_a_result_keeps_the_header_and_the_sky_of_its_image(qtbot, viewer, make, rng, tmp_path):
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "OBJECT": "M 13"})
    header.update({"CRPIX1": 10.0, "CRPIX2": 5.0, "CRVAL1": 250.4, "CRVAL2": 36.5, "GAIN": 1.5})
    header.update({"CDELT1": -2e-4, "CDELT2": 2e-4})
    raw = tmp_path / "raw.fits"
    fits.writeto(raw, rng.poisson(500, (40, 50)).astype(np.uint16), header)
    for data, options, _ in read_layers(str(raw)):
        viewer.add_image(data, **options)
    widget = make(viewer)
    widget.form.illumination.value = True
    run(qtbot, widget)
    widget.form.result.restore.native.click()
    qtbot.waitUntil(lambda: "raw restored" in viewer.layers)
    for layer in (widget.live.layer, viewer.layers["raw illumination"], viewer.layers[-1]):
        file = tmp_path / f"{layer.metadata[METADATA_KEY]['kind']}.fits"
        write_values(str(file), [layer.as_layer_data_tuple()])
        (again,) = [Layer.create(*made) for made in read_layers(str(file))]
        sky = again.metadata["wcs"].pixel_to_world(9, 4)
        assert (sky.ra.deg, sky.dec.deg) == pytest.approx((250.4, 36.5))
        np.testing.assert_allclose(again.scale, 0.72)
        saved = fits.getheader(file)
        assert saved["OBJECT"] == "M 13" and ("GAIN" in saved) == (layer is viewer.layers[-1])
    np.testing.assert_array_equal(fits.getdata(file), fits.getdata(raw))


def test_where_napari_refuses_a_result_the_widget_says_what_to_do(
    qtbot, make_napari_viewer, make, photo, tmp_path
):
    viewer = make_napari_viewer()
    source = viewer.add_image(photo, name="night", rgb=True)
    other = viewer.add_image(photo / 255, name="of others", rgb=True)
    widget = make(viewer)
    widget.form.image.value = source
    run(qtbot, widget)
    viewer.layers.selection = {other}
    said = widget.form.status.value
    viewer.layers.save(str(tmp_path / "other.png"), selected=True)
    assert not (tmp_path / "other.png").exists() and widget.form.status.value == said
    viewer.layers.selection = {widget.live.layer}
    viewer.layers.save(str(tmp_path / "night.png"), selected=True)
    assert not (tmp_path / "night.png").exists()
    assert "press Save picture…" in widget.form.status.value
    widget.release()
    widget.form.status.value = ""
    viewer.layers.save(str(tmp_path / "night.png"), selected=True)
    assert not widget.form.status.value


def test_a_large_lazy_result_is_written_block_by_block(rng, tmp_path, monkeypatch):
    pytest.importorskip("zarr", reason="needs the extra zarr")
    source, stack = watched(rng.random((5, 40, 50)).astype(np.float32), (1, 40, 50))
    layer = Image(stack, name="cells", contrast_limits=(0, 1), axis_labels=("z", "y", "x"))
    monkeypatch.setattr(_writer, "HELD", 0)
    monkeypatch.setattr(da.Array, "__array__", _small(da.Array.__array__, 40 * 50))  # one plane
    (file,) = write_values(str(tmp_path / "r.ome.zarr"), [layer.as_layer_data_tuple()])
    np.testing.assert_array_equal(read_image(file).pixels, source.values)


def _small(convert, largest):
    """As dask does it, of arrays up to a size."""

    def converted(array, *args, **kwargs):
        assert array.size <= largest
        return convert(array, *args, **kwargs)

    return converted
