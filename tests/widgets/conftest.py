import pytest
from qtpy.QtCore import QSettings

from napari_lle.widgets.shared import preferences
from napari_lle.widgets.shared.own_models import OWN


@pytest.fixture(autouse=True)
def own_memory(tmp_path_factory, monkeypatch, request):
    """What the widgets remember goes to the test's folder, or with the test."""
    if "plugin_settings" not in request.fixturenames:  # which are the test's own
        monkeypatch.setattr(preferences, "kept_settings", lambda: None)
    monkeypatch.setattr(OWN, "paths", [])
    folder = tmp_path_factory.mktemp("memory")
    form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(form, scope, str(folder))
