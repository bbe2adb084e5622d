"""What a monkey does in a viewer with the three widgets: anything, in any order, at any moment."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import dask.array as da
import napari
import numpy as np
from napari.layers import Image
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
MOST = 12  # layers: a monkey that only adds would fill the memory
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


class Monkey:
    """A viewer, the widgets in it, and what is done to them by chance.

    Parameters
    ----------
    seed : int
    titles : sequence of str
        Of the widgets that are there.
    make : callable
        Makes a viewer that is shown.

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
    ) -> None:
        self.chance = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.titles, self._make = titles, make
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
        """Close the window, whatever is under way."""
        self.docks = {}
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
        settle(least=self.chance.choices((0, 20, 100, 600), (4, 4, 3, 1))[0])

    def stop(self) -> None:
        """Press whatever ends a run."""
        for panel in self.panels:
            panel.cancel()

    # ---- the widgets

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

    # ---- the viewer

    def pixels(self, *shape: int) -> Any:
        dark = self.noise.gamma(2, 40, shape)
        rows = np.linspace(0.2, 1, shape[-2])[:, None]
        return (100 + dark * rows).astype(np.uint16)

    def add(self) -> str:
        if len(self.viewer.layers) >= MOST:
            return ""
        rows, columns = self.chance.choice(((48, 64), (90, 70), (200, 160)))
        kinds: dict[str, Callable[[], Any]] = {
            "grey": lambda: self.viewer.add_image(self.pixels(rows, columns)),
            "stack": lambda: self.viewer.add_image(self.pixels(4, rows, columns), scale=(2, 1, 1)),
            "series": lambda: self.viewer.add_image(self.pixels(2, 3, rows, columns)),
            "colour": lambda: self.viewer.add_image(self._colour(rows, columns), rgb=True),
            "channels": lambda: self.viewer.add_image(
                self.pixels(3, rows, columns), axis_labels=("c", "y", "x")
            ),
            "split": lambda: self.viewer.add_image(self.pixels(3, rows, columns), channel_axis=0),
            "additive": lambda: self.viewer.add_image(
                self.pixels(rows, columns), blending="additive", colormap="green"
            ),
            "lazy": lambda: self.viewer.add_image(
                da.from_array(self.pixels(3, rows, columns), chunks=(1, rows, columns))
            ),
            "pyramid": lambda: self.viewer.add_image(self._pyramid(), multiscale=True),
            "constant": lambda: self.viewer.add_image(np.full((rows, columns), 7.0)),
            "nothing": lambda: self.viewer.add_image(
                np.full((rows, columns), np.nan), contrast_limits=(0, 1)
            ),
            "labels": lambda: self.viewer.add_labels(np.ones((rows, columns), np.uint8)),
            "shapes": lambda: self.viewer.add_shapes([[[5, 5], [5, 30], [30, 30], [30, 5]]]),
            "points": lambda: self.viewer.add_points([[5, 5], [20, 30]]),
        }
        kind = self.chance.choice(list(kinds))
        kinds[kind]()
        return kind

    def _colour(self, rows: int, columns: int) -> Any:
        return (self.pixels(3, rows, columns) // 4).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)

    def _pyramid(self) -> list[Any]:
        fine = self.pixels(400, 320)
        return [fine, fine[::2, ::2], fine[::4, ::4]]

    def _layer(self, kind: type = object) -> Any:
        layers = [layer for layer in self.viewer.layers if isinstance(layer, kind)]
        return self.chance.choice(layers) if layers else None

    def remove(self) -> str:
        layer = self._layer()
        if layer is None:
            return ""
        self.viewer.layers.remove(layer)
        return layer.name

    def remove_several(self) -> str:
        self.select()
        self.viewer.layers.remove_selected()
        return ""

    def clear(self) -> str:
        self.viewer.layers.clear()
        return ""

    def change_layer(self) -> str:
        layer = self._layer()
        if layer is None:
            return ""
        changes: dict[str, Callable[[], Any]] = {
            "name": lambda: "".join(self.chance.choices("ab c-[]“", k=5)),
            "visible": lambda: not layer.visible,
            "opacity": self.chance.random,
            "blending": lambda: self.chance.choice(("additive", "translucent", "opaque")),
            "scale": lambda: [self.chance.choice((0.5, 1, 2))] * layer.ndim,
            "translate": lambda: [self.chance.choice((0, 10))] * layer.ndim,
        }
        name = self.chance.choice(list(changes))
        setattr(layer, name, changes[name]())
        return f"{name} of {layer.name}"

    def change_data(self) -> str:
        layer = self._layer(Image)
        if layer is None or layer.multiscale or layer.rgb:
            return ""
        shape = layer.data.shape if self.chance.random() < 0.5 else (2, 30, 40)
        if len(shape) != layer.ndim:
            layer.visible = True  # hidden, it would break napari: see napari_hidden.py
        layer.data = self.pixels(*shape)
        return f"{layer.name} {shape}"

    def reorder(self) -> str:
        count = len(self.viewer.layers)
        if count > 1:
            self.viewer.layers.move(self.chance.randrange(count), self.chance.randrange(count))
        return ""

    def select(self) -> str:
        layers = list(self.viewer.layers)
        chosen = self.chance.sample(layers, self.chance.randint(0, min(3, len(layers))))
        self.viewer.layers.selection = set(chosen)
        return str([layer.name for layer in chosen])

    def change_dims(self) -> str:
        dims = self.viewer.dims
        what = self.chance.choices(("step", "ndisplay", "order"), (6, 1, 1))[0]
        if what == "step" and dims.ndim > 2:
            axis = self.chance.randrange(dims.ndim - 2)
            dims.set_current_step(axis, self.chance.randrange(max(int(dims.nsteps[axis]), 1)))
        elif what == "ndisplay":
            dims.ndisplay = 5 - dims.ndisplay
        elif what == "order":
            dims.roll()
        return what

    def look_elsewhere(self) -> str:
        camera = getattr(self.viewer, "scene", self.viewer).camera  # napari 0.9 moved it
        what = self.chance.choice(("zoom", "reset", "cursor", "grid"))
        if what == "zoom":
            camera.zoom = max(camera.zoom, 0.01) * self.chance.choice((0.5, 2, 4))
        elif what == "reset":
            self.viewer.reset_view()
        elif what == "grid":
            grid = getattr(self.viewer, "canvas", self.viewer).grid
            grid.enabled = not grid.enabled
        else:
            canvas = self.viewer.window._qt_viewer.canvas.native
            x, y = (self.chance.randrange(max(n, 1)) for n in (canvas.width(), canvas.height()))
            QTest.mouseMove(canvas, QPoint(x, y))
        return what

    def change_theme(self) -> str:
        self.viewer.theme = "light" if self.viewer.theme == "dark" else "dark"
        return str(self.viewer.theme)
