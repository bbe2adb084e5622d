import pytest
from qtpy.QtCore import QSettings


@pytest.fixture(autouse=True)
def own_memory(tmp_path_factory):
    """What the widgets remember goes to the test's folder."""
    folder = tmp_path_factory.mktemp("memory")
    form, scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    QSettings.setPath(form, scope, str(folder))
