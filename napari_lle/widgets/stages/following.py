"""When the inspector looks again: another plane is in view, the model or the values are others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from superqt.utils import QSignalDebouncer

from ..shared.layers import visible_region

if TYPE_CHECKING:
    from .form import StagesForm

PLANE_DELAY = 250  # ms without a change before another plane is inspected


class Following:
    """Keeps what is inspected that which is in view, after the first inspection.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    form : StagesForm
    inspect : callable
        Inspects what is in view.
    outdated : callable
        Called at once when the inspected image gets other values, perhaps of other axes.
    """

    def __init__(
        self,
        viewer: Any,
        form: StagesForm,
        inspect: Callable[[], Any],
        outdated: Callable[[], Any],
    ) -> None:
        self._viewer, self._form = viewer, form
        self._inspect, self._outdated = inspect, outdated
        self.layer: Image | None = None  # what was asked for last
        self._asked: tuple[Any, ...] | None = None  # its plane, and the model
        self._soon = QSignalDebouncer()
        self._soon.setTimeout(PLANE_DELAY)
        self._soon.triggered.connect(self._look)
        viewer.dims.events.point.connect(self.refresh)
        form.model.widget.changed.connect(self.refresh)

    def ask(self, layer: Image, plane: tuple[int, ...], model: str) -> None:
        """Note what is inspected now."""
        self.forget()
        self.layer, self._asked = layer, (plane, model)
        layer.events.data.connect(self._start_over)

    def forget(self) -> None:
        """Follow nothing until something is inspected."""
        layer, self.layer, self._asked = self.layer, None, None
        if layer is not None:
            with suppress(ValueError):
                layer.events.data.disconnect(self._start_over)

    def refresh(self, *_: Any) -> None:
        """Look soon whether something else is in view."""
        if self.layer is not None:
            self._soon.throttle()

    def release(self) -> None:
        """Let go of the viewer."""
        self.forget()
        with suppress(ValueError):
            self._viewer.dims.events.point.disconnect(self.refresh)
        with suppress(RuntimeError):  # where Qt has deleted it before
            self._soon.cancel()

    def _start_over(self, *_: Any) -> None:
        self._outdated()
        self._asked = None
        self.refresh()

    def _look(self) -> None:
        if self.layer is None or self.layer is not self._form.image.value:
            return
        plane = visible_region(self.layer, self._viewer.dims.point, 2**62).plane
        if (plane, self._form.model.value) != self._asked:
            self._inspect()
