"""The preferences: kept by napari, edited here and in its dialog, honoured by the widgets."""

import os

import numpy as np
import pytest
import torch
import yaml
from helpers.models import random_model
from helpers.places import ROOT
from napari.settings import get_plugin_settings
from npe2 import PluginManifest

from napari_lle.model.kernels.equipment import Part
from napari_lle.model.network.checkpoint import save_model
from napari_lle.widgets.enhance.widget import EnhanceWidget
from napari_lle.widgets.preferences.widget import PreferencesWidget, line_on
from napari_lle.widgets.shared.own_models import OWN
from napari_lle.widgets.shared.preferences import (
    Preferences,
    apply_preferences,
    missing_model,
    prefer,
    preferences,
    set_outside,
)
from napari_lle.widgets.stages.widget import StagesWidget

MACHINE = ("NAPARI_LLE_KERNEL", "NAPARI_LLE_THREADS", "NAPARI_LLE_MODELS", "NAPARI_LLE_DEVICE")


@pytest.fixture(autouse=True)
def kept(plugin_settings, npe2pm, monkeypatch):
    """Settings in the test's folder, and an environment that says nothing."""
    npe2pm.register(PluginManifest.from_file(ROOT / "napari_lle" / "napari.yaml"))
    for name in MACHINE:
        monkeypatch.delenv(name, raising=False)
    yield lambda: get_plugin_settings("napari-lle")
    for name in Preferences._fields:
        prefer(**{name: Preferences._field_defaults[name]})


@pytest.fixture
def folder(tmp_path):
    """A folder with a model of one's own."""
    save_model(tmp_path / "mine.safetensors", random_model().network, {})
    return tmp_path


def test_the_manifest_declares_them_as_they_are_by_default(kept):
    assert preferences() == Preferences()
    assert set(type(kept().lle).model_fields) == set(Preferences._fields)


def test_what_is_chosen_is_kept_in_napari_s_own_file(qtbot, viewer, keep, kept, folder):
    widget = keep(PreferencesWidget(viewer))
    form = widget.form
    form.look.value, form.threads.value, form.models.value = "astronomy", 3, folder
    form.preview.value = 4.0
    written = yaml.safe_load(kept().config_path.read_text())["lle"]
    assert written == {
        "look": "astronomy",
        "threads": 3,
        "models": str(folder),
        "preview": 4.0,
    }
    assert "Kept by napari" in form.status.value
    assert ("mine", str(folder / "mine.safetensors")) in form.model.offered
    kept().lle.look = "fluorescence"  # as napari's dialog does
    assert form.look.value == "fluorescence"


def test_widgets_begin_with_what_is_preferred(qtbot, viewer, keep, folder):
    prefer(models=str(folder), device="cpu", look="astronomy")
    prefer(model="mine")
    viewer.add_image(np.arange(64, dtype=np.uint16).reshape(8, 8))
    inspector = keep(StagesWidget(viewer))
    assert inspector.form.model.value == str(folder / "mine.safetensors")
    assert inspector.form.device.value == "cpu"
    enhance = keep(EnhanceWidget(viewer))
    assert enhance.form.look.value == "astronomy"
    assert enhance.form.look.tooltip.startswith("Set in the preferences; fluorescence")
    enhance.form.look.value = "publication"  # what is chosen goes before
    assert enhance.form.options().look == "publication"


def test_a_preferred_model_that_is_gone_is_said(qtbot, viewer, keep):
    prefer(model="gone")
    widget = keep(PreferencesWidget(viewer))
    assert "“gone” was not found" in widget.form.status.value
    assert widget.form.model.value == "auto" and preferences().model == "gone"
    assert missing_model()


def test_the_environment_goes_before_and_is_given_back(monkeypatch):
    prefer(kernel="torch", threads=2)
    assert os.environ["NAPARI_LLE_KERNEL"] == "torch" and os.environ["NAPARI_LLE_THREADS"] == "2"
    prefer(kernel="auto", threads=0)
    assert not {*MACHINE} & {*os.environ}
    monkeypatch.setenv("NAPARI_LLE_THREADS", "1")
    prefer(threads=2)
    assert os.environ["NAPARI_LLE_THREADS"] == "1" and set_outside() == ["NAPARI_LLE_THREADS"]
    monkeypatch.delenv("NAPARI_LLE_THREADS")
    apply_preferences()
    assert os.environ["NAPARI_LLE_THREADS"] == "2"


def test_the_own_folder_is_read_without_restart(qtbot, viewer, keep, folder):
    inspector = keep(StagesWidget(viewer))
    prefer(models=str(folder))
    assert str(folder / "mine.safetensors") in OWN.paths
    assert str(folder / "mine.safetensors") in inspector.form.model.widget.choices


def test_the_panel_tells_what_is_there_and_what_fixes_it(qtbot, viewer, keep, monkeypatch):
    monkeypatch.setenv("NAPARI_LLE_THREADS", "3")
    widget = keep(PreferencesWidget(viewer))
    qtbot.waitUntil(lambda: bool(widget.parts))
    cpu = next(part for part in widget.parts if part.name == "cpu")
    assert cpu.works and cpu.why == "3 threads"  # told by a job: torch counts each thread's apart
    cuda = next(part for part in widget.parts if part.name == "cuda")
    assert cuda.works == torch.cuda.is_available() and "cuda" in widget.form.devices.value
    widget._show([Part("compiled kernel, cpu", False, "not <there>", "pip install 'x[fast]'")])
    assert line_on(widget.parts[0]).count("<code>") == 1 and "&lt;there&gt;" in line_on(
        widget.parts[0]
    )
    widget.form.copy.native.click()
    assert "pip install 'x[fast]'" in widget.form.status.value


def test_it_fits_into_300_pixels(qtbot, viewer, keep):
    widget = keep(PreferencesWidget(viewer))
    qtbot.waitUntil(lambda: bool(widget.parts))
    command = "pip install --force-reinstall torch --index-url https://example.org/whl/cu128"
    widget._show([Part("cuda", False, "this torch is built without CUDA", command)])
    widget.native.resize(300, 800)
    widget.native.show()
    qtbot.waitExposed(widget.native)
    assert widget.native.width() == 300
    assert widget.area.horizontalScrollBar().maximum() == 0


def test_every_control_has_a_tooltip(viewer, keep):
    form = keep(PreferencesWidget(viewer)).form
    controls = [*form.controls.values(), form.status, form.devices, form.look_again, form.copy]
    assert all(control.tooltip for control in controls)
    assert all(control.native.toolTip() for control in controls)  # of a slider's number, too
