"""Pieces that the forms of all widgets are laid out with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from magicgui.widgets import ComboBox, Container, Label, ProgressBar
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QLabel, QSizePolicy

from .preferences import preferred_device

FORM_WIDTH = 298  # pixels that every widget gets along with, a scroll bar among them
LABEL_WIDTH = 84
MESSAGE_LINES = 2  # of a message
HAPPENED = "What happened, or what to do next."  # the tooltip of a line of status
RULER = "ruler"  # name of the label that heights are read from

Choices = Callable[[Any], list[tuple[str, Any]]]  # what a list offers: names and what they mean


def device_choices() -> list[str]:
    """Devices that this kind of machine can have; whether it has them, torch knows."""
    return ["auto", "cpu", "mps" if sys.platform == "darwin" else "cuda"]


def device_box(tooltip: str) -> ComboBox:
    """A list of devices, of which the preferred one is chosen."""
    choices = device_choices()
    return ComboBox(
        label="device", choices=choices, value=preferred_device(choices), tooltip=tooltip
    )


def bar_and_status(counted: str, status: str) -> tuple[ProgressBar, Label]:
    """The bar and the line of status, which keep their room; with a tooltip each."""
    progress = ProgressBar(value=0, min=0, max=1, tooltip=counted)
    label = Label(value="", tooltip=status)
    steady(progress, label)
    return progress, label


def labelled(widget: Any, *more: Any) -> Container:
    """A row of label and control; magicgui's own labels align for its own font only."""
    label = Label(value=widget.label, tooltip=widget.tooltip)
    label.min_width = label.max_width = LABEL_WIDTH
    if not widget.native.toolTip():  # a slider tells it without the number beside it
        widget.native.setToolTip(widget.tooltip)
    return row(label, widget, *more)


def enable(control: Any, on: bool) -> None:
    """Let a control be used or not, all of it: magicgui leaves out the number of a slider."""
    control.enabled = on
    control.native.setEnabled(on)


def row(*widgets: Any) -> Container:
    """Widgets side by side."""
    made = Container(widgets=widgets, layout="horizontal", labels=False)
    made.margins = (0, 0, 0, 0)
    return made


def steady(progress: ProgressBar, status: Label) -> None:
    """Keep the room of a bar that is hidden and of a message, so that nothing below them moves."""
    policy = progress.native.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    progress.native.setSizePolicy(policy)
    roomy(status)


def roomy(label: Label) -> None:
    """Let a label have lines as a message needs them, and never a width of its own."""
    text = label.native
    text.setWordWrap(True)
    policy = text.sizePolicy()
    policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)  # a long message makes nothing wider
    text.setSizePolicy(policy)
    text.setAlignment(Qt.AlignmentFlag.AlignTop)
    _make_room(text)
    text.installEventFilter(_Lines(text))


def put_message(label: Label, message: str) -> None:
    """Put a message into a label that is `roomy`."""
    label.value = message
    _make_room(label.native)


class _Lines(QObject):  # type: ignore[misc]
    """Makes room for more lines when a label gets narrower, which Qt forgets: it would cut them."""

    def eventFilter(self, label: QObject, event: Any) -> bool:
        if event.type() == QEvent.Type.Resize and event.size().width() != event.oldSize().width():
            _make_room(label)
        return False


def _make_room(text: Any) -> None:
    text.setMinimumHeight(0)  # Qt counts it in the height that a text needs
    needed = text.heightForWidth(text.width())
    text.setMinimumHeight(max(needed, _least(text)))  # what is below a short one does not move


def _least(text: Any) -> int:
    """The height of `MESSAGE_LINES` of a message, as the theme draws them in a label like this."""
    ruler = text.findChild(QLabel, RULER)
    if ruler is None:
        ruler = QLabel("\n".join("x" * MESSAGE_LINES), text)
        ruler.setObjectName(RULER)
        ruler.hide()
    ruler.ensurePolished()
    return int(ruler.sizeHint().height())
