"""The stage inspector of a viewer."""

import pytest

from napari_lle.widgets.stages.widget import StagesWidget


@pytest.fixture
def make(keep, calm_file):
    """Build a widget for a viewer."""

    def build(viewer):
        widget = keep(StagesWidget(viewer))
        widget.form.model.use(str(calm_file))
        return widget

    return build
