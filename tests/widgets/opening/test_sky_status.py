import numpy as np
import pytest

fits = pytest.importorskip("astropy.io.fits")
SKY = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 10.0,
    "CRPIX2": 5.0,
    "CRVAL1": 85.25,
    "CRVAL2": -2.5,
    "CDELT1": -1 / 3600,
    "CDELT2": 1 / 3600,
}


def pointed(viewer, layer, row, column):
    """What the status bar says when the mouse is at a pixel of a layer."""
    viewer.cursor.position = layer.data_to_world((row, column))
    viewer.status = layer.get_status(viewer.cursor.position, world=True)
    return viewer.window._qt_window.statusBar()._coordinates.text()


def test_the_status_bar_tells_the_place(tmp_path, make_napari_viewer):
    file = tmp_path / "field.fits"
    fits.PrimaryHDU(np.ones((20, 30), np.float32), fits.Header(SKY)).writeto(file)
    viewer = make_napari_viewer()
    for _ in range(2):  # told once, however many files are opened
        (field,) = viewer.open(file, plugin="napari-lle")
    told = pointed(viewer, field, 4, 9)  # counted from 0
    assert told.count("RA") == 1 and told.endswith("RA 05:41:00.00 Dec -02:30:00.0")
    assert pointed(viewer, field, 14, 9).endswith("RA 05:41:00.00 Dec -02:29:50.0")
    assert "RA" not in pointed(viewer, field, 40, 9)  # beside it
    result = viewer.add_image(np.ones((20, 30)), scale=field.scale, units=field.units)
    assert "RA 05:41:00.00" in pointed(viewer, result, 4, 9)
    viewer.dims.ndisplay = 3
    assert "RA" not in pointed(viewer, result, 4, 9)


def test_an_image_has_no_place_of_another_one(tmp_path, make_napari_viewer):
    file = tmp_path / "field.fits"
    fits.PrimaryHDU(np.ones((20, 30), np.float32), fits.Header(SKY)).writeto(file)
    viewer = make_napari_viewer()
    (field,) = viewer.open(file, plugin="napari-lle")
    other = viewer.add_image(np.ones((40, 50)), scale=field.scale, units=field.units)
    assert "RA" not in pointed(viewer, other, 4, 9)
    rows = field.scale[0], -field.scale[1]  # turned over, in the same place
    turned = viewer.add_image(
        np.ones((20, 30)), scale=rows, translate=(0, 29 * field.scale[1]), units=field.units
    )
    assert "RA" not in pointed(viewer, turned, 4, 9)
    viewer.layers.remove(turned)
    marks = viewer.add_labels(np.ones((20, 30), int), scale=field.scale, units=field.units)
    assert "RA" not in pointed(viewer, marks, 4, 9)  # the other one is seen there
    other.visible = False
    assert "RA 05:41:00.00" in pointed(viewer, marks, 5, 9)
    field.visible = False
    assert "RA" not in pointed(viewer, marks, 6, 9)


def test_without_coordinates_nothing_is_added(tmp_path, make_napari_viewer):
    file = tmp_path / "bench.fits"
    fits.PrimaryHDU(np.ones((20, 30), np.float32)).writeto(file)
    viewer = make_napari_viewer()
    (bench,) = viewer.open(file, plugin="napari-lle")
    told = pointed(viewer, bench, 4, 9)
    assert told and "RA" not in told
    viewer.status = "Ready"
    assert viewer.status == "Ready"
