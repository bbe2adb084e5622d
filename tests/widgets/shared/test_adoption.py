"""Files of results, opened in napari: known for what they are, and restored from there."""

import numpy as np
import pytest
from helpers.command_line import lle
from helpers.running import run
from napari.components import ViewerModel

from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.io.metadata import FileRecord
from napari_lle.widgets.enhance.restore import restore_layer
from napari_lle.widgets.enhance.writer import write_values
from napari_lle.widgets.opening.fits_layers import read_layers
from napari_lle.widgets.shared.adoption import is_bare
from napari_lle.widgets.shared.layers import METADATA_KEY, kind
from napari_lle.widgets.shared.marks import MARK, text_overlay

pytest.importorskip("astropy.io.fits", reason="needs the extra astro")


@pytest.fixture
def run_of(tmp_path, rng, model_file):
    """A raw image and the files that the command line makes of it."""

    def make(suffix, *options):
        raw = tmp_path / f"raw{suffix}"
        write_image(raw, rng.poisson(40, (40, 50)).astype(np.uint16), rgb=False)
        r, light = tmp_path / f"r{suffix}", tmp_path / f"l{suffix}"
        words = ("-o", r, "--illumination", light, "--model", model_file, *options)
        assert not lle("enhance", raw, *words).returncode
        return raw, r, light

    return make


def opened(viewer, file):
    """A layer as napari's own reader makes it."""
    from napari.layers import Image
    from napari.layers._source import layer_source

    with layer_source(path=str(file)):
        layer = Image(read_image(file).pixels, name=file.stem)
    return viewer.add_layer(layer)


def settle(qtbot, widget):
    qtbot.waitUntil(lambda: not any(job.running for job in widget.adopter.jobs))


def restored(qtbot, viewer, layer):
    viewer.layers.selection.active = layer
    count = len(viewer.layers)
    restore_layer(viewer)
    qtbot.waitUntil(lambda: len(viewer.layers) > count)
    return viewer.layers[-1]


def test_layers_of_files_are_marked_and_restored(qtbot, viewer, make, run_of):
    raw, r, light = run_of(".tif")
    layers = {file.stem: opened(viewer, file) for file in (raw, r)}
    widget = make(viewer)
    layers["l"] = opened(viewer, light)
    settle(qtbot, widget)
    assert METADATA_KEY not in layers["raw"].metadata
    assert [kind(layers[name]) for name in "rl"] == ["reflectance", "illumination"]
    assert layers["r"].name == f"r{MARK}" and layers["l"].name == "l"
    assert text_overlay(viewer).text == ""  # the illumination lies over it
    layers["l"].visible = False
    assert "local, non-linear" in text_overlay(viewer).text
    widget.form.image.value = layers["r"]
    assert "a result already, made of raw.tif by random" in widget.form.line.value
    back = restored(qtbot, viewer, layers["r"])
    np.testing.assert_array_equal(back.data, layers["raw"].data)
    assert back.data.dtype == np.uint16 and back.name == "r restored"


def test_an_illumination_is_not_chosen_once_it_is_known(qtbot, viewer, make, run_of):
    _, r, light = run_of(".tif")
    widget = make(viewer)
    widget.form.preview.value = True
    layers = {file.stem: opened(viewer, file) for file in (r, light)}
    assert widget.form.image.value is layers["l"]
    settle(qtbot, widget)
    assert widget.form.image.value is layers["r"]
    qtbot.waitUntil(lambda: widget.preview.layer is None and not widget.preview.busy)
    assert "a result already" in widget.form.line.value
    cells = viewer.add_image(layers["l"].data, name="cells")
    assert widget.form.image.value is cells


def test_a_result_is_neither_previewed_nor_enhanced_again(qtbot, viewer, make, run_of):
    _, r, _ = run_of(".tif")
    layer = opened(viewer, r)
    widget = make(viewer)
    settle(qtbot, widget)
    assert widget.form.image.value is layer and METADATA_KEY in layer.metadata
    widget.form.preview.value = True  # which looks at once
    qtbot.waitUntil(lambda: not widget.preview.busy)  # an abandoned job of before
    assert widget.preview.layer is None
    assert widget.levels.found is None
    widget.form.run.native.click()
    assert "not enhanced again: choose its input" in widget.form.status.value
    assert list(viewer.layers) == [layer]


def test_a_preview_goes_when_a_result_is_chosen(qtbot, viewer, make, run_of):
    raw, r, _ = run_of(".tif")
    layers = {file.stem: opened(viewer, file) for file in (raw, r)}
    widget = make(viewer)
    settle(qtbot, widget)
    widget.form.image.value = layers["raw"]
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    widget.form.image.value = layers["r"]
    qtbot.waitUntil(lambda: widget.preview.layer is None)
    assert set(viewer.layers) == set(layers.values())


def test_fits_are_known_without_a_widget(qtbot, viewer, run_of):
    raw, r, light = run_of(".fits")
    for data, options, _ in read_layers([str(r), str(light)]):
        viewer.add_image(data, **options)
    back = restored(qtbot, viewer, viewer.layers[f"r reflectance{MARK}"])
    np.testing.assert_array_equal(back.data, read_image(raw).pixels)


def test_restore_knows_files_that_no_widget_has_looked_at(qtbot, viewer, run_of):
    raw, *files = run_of(".tif")
    layers = [opened(viewer, file) for file in (raw, *files)]
    viewer.layers.selection.active = layers[1]
    restore_layer(viewer)
    qtbot.waitUntil(lambda: "r restored" in viewer.layers)
    np.testing.assert_array_equal(viewer.layers["r restored"].data, layers[0].data)
    assert METADATA_KEY not in layers[0].metadata


def test_what_it_was_made_of_is_named_where_the_illumination_lacks(
    qtbot, viewer, run_of, monkeypatch
):
    told = []
    monkeypatch.setattr("napari_lle.widgets.enhance.restore.show_error", told.append)
    _, r, _ = run_of(".tif")
    viewer.layers.selection.active = opened(viewer, r)
    restore_layer(viewer)
    qtbot.waitUntil(lambda: bool(told))
    assert "enhance “raw.tif” again" in told[0] and told[0].replace("\n", " ") == viewer.status


def test_a_fits_result_is_marked_on_the_canvas_when_it_is_opened(viewer, run_of, monkeypatch):
    _, r, _ = run_of(".fits")
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    for data, options, _ in read_layers(str(r)):
        viewer.add_image(data, **options)
    assert "local, non-linear" in text_overlay(viewer).text


@pytest.fixture
def saved_stack(tmp_path, rng):
    """A file of a result as it is saved from napari: OME-TIFF with scale and units."""
    about = FileRecord("ZYX", (2.0, 0.5, 0.25), (0.0,) * 3, ("micrometer",) * 3)
    record = {"levels": {"black": 0.0, "white": 1.0, "dtype": "uint16"}, "role": "R"}
    file = tmp_path / "stack.tif"
    pixels = rng.random((3, 8, 9)).astype(np.float32)
    write_image(file, pixels, rgb=False, record={**record, "model": "photo"}, about=about)
    return file


def test_a_result_has_the_size_that_its_file_states(qtbot, viewer, make, saved_stack):
    """napari's own reader leaves it out."""
    viewer.add_image(np.zeros((3, 8, 9)), scale=(2, 0.5, 0.25), units=("um",) * 3)
    layer = opened(viewer, saved_stack)
    assert is_bare(layer)
    settle(qtbot, make(viewer))
    np.testing.assert_array_equal(layer.scale, (2, 0.5, 0.25))
    assert {str(unit) for unit in layer.units} == {"micrometer"}
    assert layer.axis_labels == ("z", "y", "x")


@pytest.mark.parametrize("by_command", [False, True])
def test_results_that_are_opened_together_get_their_size(
    qtbot, viewer, make, saved_stack, monkeypatch, by_command
):
    layers = [opened(viewer, saved_stack) for _ in range(2)]
    if by_command:
        told = []
        monkeypatch.setattr("napari_lle.widgets.enhance.restore.show_error", told.append)
        viewer.layers.selection.active = layers[0]
        restore_layer(viewer)
        qtbot.waitUntil(lambda: bool(told))  # there is no illumination; both are known by then
    else:
        settle(qtbot, make(viewer))
    for layer in layers:
        np.testing.assert_array_equal(layer.scale, (2, 0.5, 0.25))


@pytest.mark.parametrize("kind_of_file", ["labels", "image of a file"])
def test_a_result_stays_over_layers_that_have_no_size(
    qtbot, viewer, make, saved_stack, tmp_path, kind_of_file
):
    if kind_of_file == "labels":
        viewer.add_labels(np.zeros((3, 8, 9), np.uint8))
    else:
        write_image(tmp_path / "raw.tif", np.zeros((3, 8, 9), np.uint16), rgb=False)
        opened(viewer, tmp_path / "raw.tif")
    layer = opened(viewer, saved_stack)
    settle(qtbot, make(viewer))
    assert METADATA_KEY in layer.metadata and is_bare(layer)


def test_rounded_results_and_other_runs_are_refused(qtbot, viewer, make, run_of, monkeypatch):
    told = []
    monkeypatch.setattr("napari_lle.widgets.enhance.restore.show_error", told.append)
    _, r, _ = run_of(".tif", "--dtype", "same")
    widget = make(viewer)
    layer = opened(viewer, r)
    settle(qtbot, widget)
    viewer.layers.selection.active = layer
    assert restore_layer(viewer) is None and "holds rounded uint16" in told[0]


def test_other_pixels_than_those_of_the_file_are_not_taken_for_it(qtbot, make, run_of):
    _, r, _ = run_of(".tif")
    viewer = ViewerModel()
    widget = make(viewer)
    layer = opened(viewer, r)
    layer.data = np.zeros((3, 4), np.float32)
    settle(qtbot, widget)
    assert METADATA_KEY not in layer.metadata


def test_colours_that_are_shown_as_planes_are_known_and_not_restored(
    qtbot, viewer, make, rng, tmp_path, monkeypatch
):
    """As napari's own reader shows an OME-Zarr in colour."""
    pytest.importorskip("zarr", reason="needs the extra zarr")
    viewer.add_image(rng.integers(0, 60, (24, 32, 3)).astype(np.uint8), name="night", rgb=True)
    widget = make(viewer)
    run(qtbot, widget)
    result = widget.results.latest.layer
    (file,) = write_values(str(tmp_path / "r.ome.zarr"), [result.as_layer_data_tuple()])
    viewer.layers.clear()
    from napari.layers import Image
    from napari.layers._source import layer_source

    with layer_source(path=file):
        layer = Image(np.moveaxis(np.asarray(result.data), -1, 0), name="r", rgb=False)
    viewer.add_layer(layer)
    settle(qtbot, widget)
    assert layer.name == f"r{MARK}" and kind(layer) == "reflectance"
    told = []
    monkeypatch.setattr("napari_lle.widgets.enhance.restore.show_error", told.append)
    viewer.layers.selection.active = layer
    restore_layer(viewer)
    assert "shown as planes" in told[0].replace("\n", " ")
