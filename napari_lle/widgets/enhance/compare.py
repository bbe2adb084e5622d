"""Before and after: the input while a key is held, or beside the result along a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QEvent, QObject, Qt
from superqt.utils import QSignalDebouncer

from ..shared.layers import RESTORED, is_result, kind
from ..shared.swipe import Swipe, SwipeError
from .compare_controls import KEY_BEFORE

if TYPE_CHECKING:
    from .compare_controls import CompareControls

REDRAW_DELAY = 20  # ms


class Compare:
    """Shows inputs in the place of what was made of them, as long as it is asked to.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    controls : CompareControls
    sources : callable
        Returns the layers that are looked at as *before*.
    say : callable
        Takes a sentence for the user.
    parent : QWidget
        In which the key is heard, too.
    """

    def __init__(
        self,
        viewer: Any,
        controls: CompareControls,
        sources: Callable[[], list[Image]],
        say: Callable[[str], Any],
        parent: Any,
    ) -> None:
        self._viewer, self._controls, self._sources, self._say = viewer, controls, sources, say
        self._seen: list[tuple[Image, bool]] = []  # before the key was pressed
        self._swiped: list[tuple[Image, bool]] = []  # inputs, before the line was there
        self.swipe: Swipe | None = None
        self._key = HeldKey(self.before, self.after)
        parent.installEventFilter(self._key)
        self.hear()
        button = controls.before.native
        button.pressed.connect(self.before)
        button.released.connect(self.after)
        controls.swipe.changed.connect(self._toggle)
        self._later = QSignalDebouncer()  # what is inserted has a visual, and hides others, soon
        self._later.setTimeout(REDRAW_DELAY)
        self._later.triggered.connect(self._follow)
        for emitter in self._emitters():
            emitter.connect(self._refresh)
        viewer.layers.events.removed.connect(self._forget)

    def release(self) -> None:
        """Let go of the viewer; everything is shown as before."""
        self._later.cancel()
        self._show_again()  # no line: with the window, it may be gone already
        self._stop()
        self.mute()
        for emitter in self._emitters():
            with suppress(ValueError):
                emitter.disconnect(self._refresh)
        with suppress(ValueError):
            self._viewer.layers.events.removed.disconnect(self._forget)

    def hear(self) -> None:
        """Listen to the key."""
        self._viewer.bind_key(KEY_BEFORE, self._held, overwrite=True)

    def mute(self) -> None:
        """Leave the key to others; with it, the viewer lets go of all that shows inputs."""
        self._viewer.bind_key(KEY_BEFORE, None)

    def before(self) -> None:
        """Show the inputs and nothing that was made of them."""
        made = self._made()
        sources = self._inputs(made)
        if self._seen or not sources:
            return
        if self.swipe is not None:
            self.swipe.show([], [])
        self._seen = [(layer, layer.visible) for layer in (*sources, *made)]
        for layer in sources:
            layer.visible = True
        for layer in made:
            layer.visible = False

    def after(self) -> None:
        """Show everything as it was."""
        self._show_again()
        self._follow()

    def _show_again(self) -> None:
        seen, self._seen = self._seen, []
        for layer, visible in [*seen[::-1], *seen]:  # inputs last: results hide theirs
            if layer in self._viewer.layers:
                layer.visible = visible

    def _made(self) -> list[Image]:
        return [layer for layer in self._viewer.layers if is_result(layer) and layer.visible]

    def _inputs(self, made: list[Image]) -> list[Image]:
        """What these are compared with; nothing where it is gone, so that they stay seen."""
        return [layer for layer in self._sources() if layer not in made] if made else []

    def _held(self, _: Any) -> Iterator[None]:
        self.before()
        yield
        self.after()

    def _emitters(self) -> tuple[Any, ...]:
        layers = self._viewer.layers.events
        return layers.inserted, layers.removed, self._viewer.dims.events.ndisplay

    def _toggle(self, on: bool) -> None:
        if not on:
            self._stop()
            return
        try:
            self.swipe = Swipe(self._viewer)
        except SwipeError as error:
            self._controls.swipe.value = False
            self._say(str(error))
            return
        self._follow()

    def _forget(self, event: Any) -> None:
        """Let go of a layer that is gone."""
        self._seen = [each for each in self._seen if each[0] is not event.value]
        self._swiped = [each for each in self._swiped if each[0] is not event.value]

    def _refresh(self, event: Any) -> None:
        if self.swipe is None:
            return
        if event.type == "inserted" and kind(event.value) == RESTORED:  # to be seen, whole
            self._controls.swipe.value = False
        else:
            self._later.throttle()

    def _follow(self) -> None:
        """Lay the line over what is there now."""
        if self.swipe is None or self._seen:
            return
        made = self._made()
        restored = [layer for layer in made if kind(layer) == RESTORED]  # the inputs once more
        made = [layer for layer in made if layer not in restored]
        sources = self._inputs(made)
        aside = restored if made else []
        known = [layer for layer, _ in self._swiped]
        self._swiped += [(each, each.visible) for each in (*sources, *aside) if each not in known]
        for layer in sources:
            layer.visible = True
        for layer in aside:
            layer.visible = False
        self.swipe.show(sources, made if sources else [])

    def _stop(self) -> None:
        swipe, self.swipe = self.swipe, None
        if swipe is not None:
            swipe.close()
        swiped, self._swiped = self._swiped, []
        made = self._made()
        for layer, visible in swiped:
            if layer in self._viewer.layers and made:
                layer.visible = visible


class HeldKey(QObject):  # type: ignore[misc]
    """Hears the key where the canvas does not: in the widget that was clicked last."""

    def __init__(self, press: Callable[[], Any], release: Callable[[], Any]) -> None:
        super().__init__()
        self._slots = {QEvent.Type.KeyPress: press, QEvent.Type.KeyRelease: release}
        self._key = getattr(Qt.Key, f"Key_{KEY_BEFORE}")

    def eventFilter(self, _: QObject, event: Any) -> bool:
        """Take the key, once for each time that it is pressed and let go."""
        slot = self._slots.get(event.type())
        if slot is None or event.key() != self._key or event.modifiers():
            return False
        if not event.isAutoRepeat():
            slot()
        return True
