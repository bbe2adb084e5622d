"""The stage inspector of a viewer."""

import pytest

from napari_lle.widgets.stages.widget import StagesWidget


@pytest.fixture
def make(keep, calm_file):
    """Build a widget for a viewer, with its layers over each other until a test wants a grid."""

    def build(viewer):
        widget = keep(StagesWidget(viewer))
        widget.form.grid.value = False
        widget.form.model.use(str(calm_file))
        return widget

    return build
