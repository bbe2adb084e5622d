"""Short trainings of tiny networks."""

from napari_lle.model.network.network import NetworkConfig
from napari_lle.model.training.settings import TrainingSettings

TINY = TrainingSettings(
    NetworkConfig("cleaning", dilations=(1, 2), branch_width=1, widths=(4, 4), start=0.7),
    steps=12,
    batch=2,
    crop=24,
    validate_every=5,
)


def told(events):
    """All that events tell but the networks, which are others each time."""
    return [event._replace(network=None) for event in events]


def weights(trained):
    return trained.network.state_dict()


def changed(settings=TINY, **values):
    return TrainingSettings.from_dict({**settings.to_dict(), **values})


PAPER = changed(objective="paper", network={"widths": [4, 4]}, paper={"weights": {"perceptual": 0}})


def idle(qtbot, widget):
    qtbot.waitUntil(lambda: not widget.job.running)


def add_pair(qtbot, widget, viewer, low="dark", reference="bright"):
    form = widget.form
    form.low.value = viewer.layers[low]
    form.reference.value = viewer.layers[reference] if reference else None
    form.add.native.click()
    idle(qtbot, widget)
