import pytest
from qtpy.QtCore import QSettings

from napari_lle.widgets.shared.own_models import OWN


@pytest.fixture(autouse=True)
def own_memory(tmp_path_factory, monkeypatch):
    """What the widgets remember goes to the test's folder, or with the test."""
    monkeypatch.setattr(OWN, "paths", [])
    folder = tmp_path_factory.mktemp("memory")
    form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(form, scope, str(folder))
