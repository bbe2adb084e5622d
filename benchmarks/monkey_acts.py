"""What a monkey does in a viewer with the three widgets: anything, in any order, at any moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import napari
from monkey_viewer import ViewerActs
from qtpy.QtCore import QEventLoop, QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QTabBar,
    QWidget,
)

from napari_lle.widgets.enhance.histogram import Histogram
from napari_lle.widgets.enhance.restore import restore_layer
from napari_lle.widgets.shared.swipe import SwipeLine

TITLES = ("Enhance", "Stage inspector", "Train on layer pairs")
WINDOW = (1280, 800)
TYPED = ("", "", "100", "3.5", "-7", "1e9", "sky", "100; 200", "1, 2, 3", "abc", "nan", "900")
DIALOGS = (
    "shared.model_choice",
    "enhance.saving",
    "stages.saving",
    "training.widget",
    "training.pairs",
)
LEFT = Qt.MouseButton.LeftButton


def settle(
    condition: Callable[[], bool] = lambda: True, least: int = 0, most: int = 600_000
) -> bool:
    """Let the window work for some ms, and until something is so; whether it came to be."""
    loop, clock, look = QEventLoop(), QTimer(), QTimer()
    clock.setSingleShot(True)
    clock.timeout.connect(loop.quit)
    look.timeout.connect(lambda: loop.quit() if condition() else None)
    clock.start(most)
    QTimer.singleShot(least, lambda: look.start(10))
    loop.exec()
    look.stop()
    return condition()


class Monkey(ViewerActs):
    """A viewer, the widgets in it, and what is done to them by chance.

    Parameters
    ----------
    seed : int
    titles : sequence of str
        Of the widgets that are there.
    make : callable
        Makes a viewer that is shown.
    rests : sequence of int
        How long it may wait after an act, in ms, what it does often first.

    Attributes
    ----------
    viewer : napari.Viewer
    docks : dict of str to (dock, panel)
        The open ones by their title.
    said : list of str
        What was done.
    """

    def __init__(
        self,
        seed: int,
        titles: Sequence[str] = TITLES,
        make: Callable[..., Any] = napari.Viewer,
        rests: Sequence[int] = (0, 20, 100, 600),
    ) -> None:
        super().__init__(seed)
        self.titles, self._make, self._rests = titles, make, rests
        self.said: list[str] = []
        self.docks: dict[str, tuple[Any, Any]] = {}
        self.added = 0
        self.open()

    @property
    def working(self) -> bool:
        """Whether layers of the inspector are still to come or go."""
        return any(getattr(panel, "working", False) for panel in self.panels)

    @property
    def panels(self) -> list[Any]:
        """The open widgets."""
        return [panel for _, panel in self.docks.values()]

    def open(self) -> None:
        """A new window with a layer or two, and the widgets."""
        self.viewer = self._make(show=True)
        self.viewer.window.resize(*WINDOW)
        self.viewer.layers.events.inserted.connect(self._count)
        self.docks = {}
        for title in self.titles:
            self.dock(title)
        self.add()

    def _count(self, _: Any) -> None:
        self.added += 1

    def close(self) -> None:
        """Close the window, whatever is under way.

        Asked, say yes: what is refused here leaves a window that napari has forgotten.
        """
        self.docks = {}
        with patch("napari_lle.widgets.training.close_guard.ask", lambda _: True):
            self.viewer.close()

    def act(self) -> None:
        """Do one thing."""
        acts: dict[Callable[[], str], int] = {
            self.run: 14,
            self.press: 25,
            self.set: 30,
            self.drag: 5,
            self.add: 12 if self.viewer.layers else 200,
            self.remove: 5,
            self.remove_several: 1,
            self.clear: 1,
            self.change_layer: 12,
            self.reorder: 4,
            self.select: 8,
            self.change_dims: 8,
            self.look_elsewhere: 8,
            self.change_data: 3,
            self.toggle_dock: 2,
            self.change_theme: 1,
            self.hold_key: 2,
            self.restore: 2,
        }
        act = self.chance.choices(list(acts), list(acts.values()))[0]
        self.said.append(act.__name__)
        self.said[-1] += f" {act()}"

    def rest(self) -> None:
        """Wait for a moment, sometimes for a longer one."""
        settle(least=self.chance.choices(self._rests, (4, 4, 3, 1))[0])

    def stop(self) -> None:
        """Press whatever ends a run."""
        for panel in self.panels:
            panel.cancel()

    def controls(self, *kinds: type) -> list[QWidget]:
        """Controls of some kinds that a user could take hold of."""
        found: list[QWidget] = []
        for panel in self.panels:
            area = panel.area.widget()
            found += [
                each
                for kind in kinds
                for each in area.findChildren(kind)
                if each.isVisibleTo(area) and each.isEnabled()
            ]
        return found

    def run(self) -> str:
        """What the widgets are for, and its end."""
        forms = [panel.form for panel in self.panels]
        names = ("run", "run", "cancel", "add", "train", "pause", "stop")
        buttons = [getattr(form, name) for form in forms for name in names if hasattr(form, name)]
        button = self.chance.choice(buttons) if buttons else None
        if button is None:
            return ""
        button.native.click()
        return str(button.text)

    def press(self) -> str:
        buttons = self.controls(QAbstractButton)
        button = self.chance.choice(buttons) if buttons else None
        if button is None:
            return ""
        button.click()
        return button.text()

    def set(self) -> str:
        kinds = (QComboBox, QAbstractSlider, QAbstractSpinBox, QLineEdit, QListWidget, QTabBar)
        controls = [each for each in self.controls(*kinds) if "qt_" not in each.objectName()]
        if not controls:
            return ""
        control = self.chance.choice(controls)
        return f"{type(control).__name__} {self._set(control)}"

    def _set(self, control: Any) -> Any:
        if isinstance(control, QComboBox | QTabBar):
            place = self.chance.randrange(max(control.count(), 1))
            control.setCurrentIndex(place)
            return place
        if isinstance(control, QListWidget):
            item = control.item(self.chance.randrange(max(control.count(), 1)))
            if item is not None:
                control.setCurrentItem(item)
                control.itemClicked.emit(item)
            return item and item.text()
        if isinstance(control, QLineEdit):
            text = self.chance.choice(TYPED)
            control.setText(text)
            control.editingFinished.emit()
            return text
        low, high = control.minimum(), control.maximum()
        value = low + (high - low) * self.chance.random() ** 3  # mostly little: few hours' runs
        control.setValue(type(low)(value))
        return value

    def drag(self) -> str:
        """A level in the histogram, or the line on the canvas."""
        canvas = self.viewer.window._qt_viewer.canvas.native
        lines = [line for line in canvas.findChildren(SwipeLine) if line.isVisible()]
        things = [*self.controls(Histogram), *lines]
        if not things:
            return ""
        thing = self.chance.choice(things)
        points = [QPoint(self.chance.randrange(max(thing.width(), 1)), 5) for _ in range(3)]
        QTest.mousePress(thing, LEFT, pos=points[0])
        for point in points[1:]:
            QTest.mouseMove(thing, point)
        QTest.mouseRelease(thing, LEFT, pos=points[-1])
        return type(thing).__name__

    def toggle_dock(self) -> str:
        if not self.titles:
            return ""
        title = self.chance.choice(self.titles)
        if title in self.docks:
            dock, _ = self.docks.pop(title)
            dock.destroyOnClose()
            return f"closed {title}"
        self.dock(title)
        return f"opened {title}"

    def dock(self, title: str) -> None:
        """Open a widget by napari's menu."""
        self.docks[title] = self.viewer.window.add_plugin_dock_widget("napari-lle", title)

    def hold_key(self) -> str:
        canvas = self.viewer.window._qt_viewer.canvas.native
        QTest.keyPress(canvas, Qt.Key.Key_H)
        settle(least=self.chance.choice((0, 50)))
        QTest.keyRelease(canvas, Qt.Key.Key_H)
        return ""

    def restore(self) -> str:
        restore_layer(self.viewer)
        return ""
