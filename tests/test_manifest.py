from importlib import import_module

import pytest
from helpers.places import ROOT
from npe2 import PluginManager, PluginManifest

from napari_lle.model.inference.looks import LOOK_NAMES
from napari_lle.model.kernels import SWITCH
from napari_lle.model.network.bundled import OWN_FOLDER
from napari_lle.model.runtime.devices import DEVICE
from napari_lle.model.runtime.threads import THREADS

FILE = ROOT / "napari_lle" / "napari.yaml"


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(FILE)


def test_commands_exist(manifest):
    manifest.validate_imports()
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize(
    ("name", "menu"), [("Enhance", "filter"), ("Stage inspector", "visualize")]
)
def test_widgets_are_in_the_layers_menu(manifest, name, menu):
    (widget,) = [w for w in manifest.contributions.widgets if w.display_name == name]
    items = manifest.contributions.menus[f"napari/layers/{menu}"]
    assert widget.command in [item.command for item in items]


def test_restore_is_in_the_layers_menu(manifest):
    items = manifest.contributions.menus["napari/layers/filter"]
    assert "napari-lle.restore" in [item.command for item in items]


def test_writers_take_what_results_are_saved_as(manifest):
    taken = {suffix for w in manifest.contributions.writers for suffix in w.filename_extensions}
    assert {".png", ".jpg", ".tif", ".fits", ".zarr"} <= taken
    assert {".ome.tif", ".ome.tiff"} <= taken


@pytest.mark.parametrize("own_first", [True, False])
def test_writers_take_no_file_from_those_of_napari(manifest, own_first):
    """However npe2 finds the plugins: what others save stays as it is without this one."""
    napari = PluginManifest.from_distribution("napari")
    manager = PluginManager()
    for each in (manifest, napari) if own_first else (napari, manifest):
        manager.register(each)

    def chosen(name):
        return manager.get_writer(name, ["image"])[0].command

    assert chosen("a.png") == chosen("a.tif") == chosen("a.JPG") == "napari.write_image"
    assert chosen("a.ome.tif") == chosen("a.b.OME.TIFF") == "napari-lle.write_values"
    assert chosen("a.fits") == chosen("a.zarr") == "napari-lle.write_values"
    assert chosen("a.webp") == "napari-lle.write_displayed"


def test_a_reader_takes_fits(manifest):
    (reader,) = manifest.contributions.readers
    assert {"*.fits", "*.fts", "*.fit.gz", "*.fits.fz"} <= set(reader.filename_patterns)


def test_older_npe2_can_read_it():
    text = FILE.read_text()
    assert "default_dock_area" not in text
    assert "tabify" not in text
    assert "keybindings" not in text


def test_samples_open_by_name(manifest):
    keys = {s.key for s in manifest.contributions.sample_data}
    assert keys == {"photograph", "cells", "stars"}


def test_preferences_have_the_names_of_the_environment(manifest):
    """napari takes NAPARI_<category>_<property> for them, as Python and the command line do."""
    (category,) = manifest.contributions.configurations
    names = {f"NAPARI_{category}_{name}".upper() for name in preferences(manifest)}
    assert {SWITCH, THREADS, DEVICE, OWN_FOLDER} <= names


def test_preferred_looks_are_those_that_there_are(manifest):
    assert preferences(manifest)["look"].enum == ["recognised", *LOOK_NAMES]


def preferences(manifest):
    return manifest.contributions.configurations["lle"].properties


def test_the_link_beside_the_readme_is_the_same_file():
    link = FILE.parent.parent / "napari.yaml"
    assert link.resolve() == FILE.resolve()
