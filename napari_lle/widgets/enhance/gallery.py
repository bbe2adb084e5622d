"""What each model makes of the visible part, as small pictures to choose from."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QFont, QFontInfo, QFontMetrics, QIcon, QImage, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem
from superqt.utils import QSignalDebouncer

from ...model.network.bundled import GLOBAL
from ..shared.jobs import Job
from ..shared.layers import Region, pixels, shows_planes, visible_region
from ..shared.pictures import Appearance, as_displayed, stored
from .blending import Blend
from .preview_part import preview_steps

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from .form import Form
    from .subject import Subject

PICTURE_SIDE = 72  # pixels of a picture
CELL = QSize(PICTURE_SIDE + 6, PICTURE_SIDE + 24)  # at least, with its name
CAPTION_MARGIN = 10  # pixels that Qt leaves beside a name
NAME_SIZE = 0.85  # of the window's letters
GALLERY_PIXELS = 4 * PICTURE_SIDE**2  # pixels of the image that a picture is made of
GALLERY_DELAY = 500  # ms without a change before pictures are made anew
VALUE = Qt.ItemDataRole.UserRole


class ModelPictures(QListWidget):  # type: ignore[misc]
    """A list of pictures with names, as high as they need.

    Signals
    -------
    chosen : str
        The model that was clicked, or chosen by Return.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setIconSize(QSize(PICTURE_SIDE, PICTURE_SIDE))
        self.setUniformItemSizes(True)
        for set_policy in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            set_policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setToolTip("What each model makes of the part in view: click one to use it.")
        self.itemClicked.connect(lambda item: self.chosen.emit(item.data(VALUE)))
        self.itemActivated.connect(lambda item: self.chosen.emit(item.data(VALUE)))

    def name(self, models: list[tuple[str, str]]) -> None:
        """Show these models, names and values, without pictures yet."""
        if [name for name, _ in models] != [self.item(i).text() for i in range(self.count())]:
            self.clear()
            for name, value in models:
                item = QListWidgetItem(QIcon(), name)
                item.setData(VALUE, value)
                self.addItem(item)
        self._fit()

    def show_picture(self, number: int, picture: NDArray[np.uint8] | None, words: str) -> None:
        """Give a model its picture, (Y, X, 3), or none, and the reason as a tooltip."""
        item = self.item(number)
        if item is not None:
            item.setIcon(QIcon() if picture is None else icon_of(picture))
            item.setToolTip(words)

    def mark(self, value: str) -> None:
        """Show which one is taken."""
        for i in range(self.count()):
            self.item(i).setSelected(self.item(i).data(VALUE) == value)

    def resizeEvent(self, event: Any) -> None:
        """Be as high as all rows are at this width."""
        super().resizeEvent(event)
        self._fit()

    def name_font(self) -> QFont:
        """That of names: napari's style sheet has the last word on the list's own."""
        font = QFont(self.font())
        font.setPixelSize(round(NAME_SIZE * QFontInfo(font).pixelSize()))
        return font

    def cell_width(self) -> int:
        """Pixels that a picture and the longest name need."""
        names = [self.item(i).text() for i in range(self.count())]
        longest = max(map(QFontMetrics(self.name_font()).horizontalAdvance, names), default=0)
        return max(CELL.width(), int(longest) + CAPTION_MARGIN)

    def _fit(self) -> None:
        room, least = self.viewport().width(), self.cell_width()
        columns = max(room // least, 1)
        cell = QSize(max(room // columns - 1, least), CELL.height())
        self.setGridSize(cell)
        font = self.name_font()
        for i in range(self.count()):
            self.item(i).setSizeHint(cell)
            self.item(i).setFont(font)
        rows = max(-(-self.count() // columns), 1)
        self.setFixedHeight(rows * cell.height() + 2 * self.frameWidth())


class Gallery:
    """Keeps the pictures of a form those of what is in view, while their fold is open.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    form : Form
    subject : callable
        Takes a layer and a model; returns what is enhanced, or raises ValueError.
    """

    def __init__(self, viewer: Any, form: Form, subject: Callable[[Image, str], Subject]) -> None:
        self._viewer, self._form, self._subject = viewer, form, subject
        self._asked: tuple[Any, ...] = ()
        self._todo: list[tuple[int, Subject]] = []
        self._held: list[Any] = []  # what all models look at, read once
        self.job: Job | None = None
        self._later = QSignalDebouncer()
        self._later.setTimeout(GALLERY_DELAY)
        self._later.triggered.connect(self._start)
        self._fold = form.folds["Compare"]
        self._fold.toggled.connect(self.refresh)
        form.compare.models.chosen.connect(form.model.use)
        for control in (*form.inputs(), *form.tone.all()):
            control.changed.connect(self.refresh)
        for emitter in self._emitters():
            emitter.connect(self.refresh)
        viewer.layers.events.removed.connect(self._on_removed)
        self.refresh()  # the fold may have been left open

    def release(self) -> None:
        """Let go of the viewer and of the picture under way."""
        self._later.cancel()
        self._todo, self._held = [], []
        if self.job is not None:
            self.job.abandon()
        for emitter in self._emitters():
            with suppress(ValueError):
                emitter.disconnect(self.refresh)
        with suppress(ValueError):
            self._viewer.layers.events.removed.disconnect(self._on_removed)

    def refresh(self, *_: Any) -> None:
        """Make the pictures anew soon, if they are in sight."""
        if self._fold.isExpanded():
            self._later.throttle()

    def _emitters(self) -> tuple[Any, ...]:
        camera = getattr(self._viewer, "scene", self._viewer).camera.events  # napari 0.9 moved it
        return camera.center, camera.zoom, self._viewer.dims.events.point

    def _on_removed(self, event: Any) -> None:
        """Let go of a layer that is gone, and of the pictures of it that are still to be made."""
        if self._asked and any(event.value in each.layers for each in self._asked[0]):
            self._asked, self._todo, self._held = (), [], []
            if self.job is not None:
                self.job.abandon()

    def _start(self) -> None:
        form, layer = self._form, self._form.image.value
        models = form.model.offered
        form.compare.models.name(models)
        form.compare.models.mark(form.model.value)
        if layer is None or not shows_planes(self._viewer.dims):
            return
        region = visible_region(layer, self._viewer.dims.point, GALLERY_PIXELS)
        try:
            subjects = [self._subject(layer, value) for _, value in models]
        except ValueError:  # which the line tells
            return
        asked = (subjects, region, id(layer.data), form.tone.blend())
        if asked == self._asked or not subjects[0].straight:
            return
        self._asked = asked
        self._todo, self._held = list(enumerate(subjects)), []
        if self.job is not None:
            self.job.abandon()
        self._next(region)

    def _next(self, region: Region) -> None:
        """Make one picture, and the others after it."""
        if not self._todo:
            self._held = []
            return
        number, subject = self._todo.pop(0)
        model = str(subject.options.model).removesuffix(GLOBAL)

        def show(picture: NDArray[np.uint8] | None, words: str) -> None:
            self._form.compare.models.show_picture(number, picture, words)
            self._next(region)

        self.job = Job(
            picture_of(subject, region, self._form.tone.blend(), self._held),
            on_done=lambda picture: show(picture, f"{model}: click to use it."),
            on_error=lambda error: show(None, str(error)),
        )


def picture_of(
    subject: Subject, region: Region, blend: Blend, held: list[Any]
) -> Generator[Any, None, NDArray[np.uint8]]:
    """What a model makes of a region, as it would be displayed, (Y, X, 3), as a job.

    What levels are found of is put into `held`, so that the next model finds it there.
    """
    from ...model.inference.survey import excerpts_of

    yield 0, 1, ""
    held[:] = [excerpts_of(pixels(layer), subject.options) for layer in subject.layers]
    look = Appearance.of(subject.layers[0])
    part = yield from preview_steps(subject, region, None)
    seen = look._replace(limits=part.limits(blend), gamma=1.0)
    picture = stored(as_displayed(part.plane(blend), seen)[..., :3], 8)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=-1)
    return np.ascontiguousarray(picture)


def icon_of(picture: NDArray[np.uint8]) -> QIcon:
    """A picture, (Y, X, 3), for Qt: its middle, as a square."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    image = QImage(square.tobytes(), side, side, 3 * side, QImage.Format.Format_RGB888)
    smooth = Qt.TransformationMode.SmoothTransformation
    ratio = Qt.AspectRatioMode.KeepAspectRatio
    return QIcon(QPixmap.fromImage(image).scaled(PICTURE_SIDE, PICTURE_SIDE, ratio, smooth))
