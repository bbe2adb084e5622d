"""A figure of all stages, a row each, as PNG or SVG: drawn once by Qt, for either of them.

matplotlib would be one more dependency, and Qt is there.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtCore import QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter
from qtpy.QtSvg import QSvgGenerator

from ...model.io.atomic import atomic_path
from ...model.io.errors import FileError
from ...model.progress import Progress
from ..shared.pictures import Appearance, as_displayed, stored
from .inspector import INPUT_KEY, KINDS, Finding
from .sentence import two_digits

if TYPE_CHECKING:
    from numpy.typing import NDArray

PNG, SVG = FIGURE_SUFFIXES = (".png", ".svg")
SYMBOL_ORDER = ("V", "u", "L", "R", "E")  # of computation
CELL_SIDE = 280  # of a cell; all lengths are in pixels of the figure
TALLEST = 420
PNG_DENSITY = 2  # pixels of a picture, and of the PNG, for each of them
FIGURE_MARGIN, CELL_GAP = 16, 8
GUTTER, TEXT_LINE = 64, 20  # for "stage 3", and for a line of text
TEXT, TITLE = 12, 14  # sizes of letters
TEXT_COLOUR = QColor("#202020")


class Column(NamedTuple):
    """One quantity through the stages.

    Attributes
    ----------
    title : str
    pictures : list of QImage
        One, of the input, or one for each stage.
    bar : QImage or None
        Its colours from low to high; None for what is in colour itself.
    limits : (float, float)
        What the ends of the bar stand for.
    """

    title: str
    pictures: list[QImage]
    bar: QImage | None
    limits: tuple[float, float]


def figure_steps(
    path: Path, finding: Finding, looks: Mapping[str, Appearance], title: str, told: str
) -> Generator[Progress, None, Path]:
    """Draw the input and the kinds that `looks` names, and write them.

    Parameters
    ----------
    path : Path
        Ends in ``.png`` or ``.svg``.
    looks : mapping of str to Appearance
        How `INPUT_KEY` and the kinds are displayed.
    title, told : str
        What is above them: of what the figure is, and what it shows.

    Raises
    ------
    FileError
        If the name tells no format, or the file cannot be written.
    """
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise FileError(
            f"{path.name} has no known ending: choose a name that ends in .png or .svg."
        )
    keys = [INPUT_KEY, *(key for key in SYMBOL_ORDER if key in looks)]
    total = 1 + finding.count * (len(keys) - 1)
    columns: list[Column] = []
    for key in keys:
        pictures: list[QImage] = []
        for stage in range(1, 2 if key == INPUT_KEY else finding.count + 1):
            pictures.append(image_of(finding.map(key, stage), looks[key]))
            yield Progress(sum(len(c.pictures) for c in columns) + len(pictures), total)
        name = INPUT_KEY if key == INPUT_KEY else f"{key}: {KINDS[key].word}"
        columns.append(Column(name, pictures, bar_of(looks[key]), looks[key].limits))
    write_sheet(path, Sheet(columns, finding.count, title, told))
    return path


def image_of(values: Any, look: Appearance) -> QImage:
    """A plane as it is displayed, no larger than a figure shows it."""
    picture = stored(as_displayed(values, look)[..., :3], 8)
    image = _as_image(picture if picture.ndim == 3 else np.stack([picture] * 3, axis=-1))
    room = QSize(PNG_DENSITY * CELL_SIDE, PNG_DENSITY * TALLEST)
    if image.width() <= room.width() and image.height() <= room.height():
        return image
    smooth = Qt.TransformationMode.SmoothTransformation
    return image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, smooth)


def bar_of(look: Appearance) -> QImage | None:
    """The colours that stand for values, from left to right."""
    if look.colours is None:
        return None
    ramp = np.linspace(0, 1, 256) ** look.gamma * (len(look.colours) - 1)
    colours = look.colours[np.rint(ramp).astype(int)]
    return _as_image(np.rint(255 * colours).astype(np.uint8)[None])


class Sheet:
    """Where everything lies.

    Parameters
    ----------
    columns : list of Column
    count : int
        Of stages.
    title, told : str
    """

    def __init__(self, columns: list[Column], count: int, title: str, told: str) -> None:
        self._columns, self._count, self._title, self._told = columns, count, title, told
        first = columns[0].pictures[0]
        tall = CELL_SIDE * first.height() / first.width()
        share = min(1.0, TALLEST / tall)
        self._cell = round(CELL_SIDE * share), round(tall * share)
        width = GUTTER + len(columns) * (self._cell[0] + CELL_GAP) - CELL_GAP
        lines = 1 + len(told) * TEXT // (2 * width)  # a letter is about half as wide as high
        self._top = FIGURE_MARGIN + TEXT_LINE + lines * TEXT_LINE + TEXT_LINE // 2
        height = self._top + TEXT_LINE + count * (self._cell[1] + CELL_GAP) + 2 * TEXT_LINE
        self.size = QSize(2 * FIGURE_MARGIN + width, height + FIGURE_MARGIN)

    def draw(self, painter: QPainter) -> None:
        """Draw all of it on white."""
        width = self.size.width() - 2 * FIGURE_MARGIN
        painter.fillRect(QRect(0, 0, self.size.width(), self.size.height()), QColor("white"))
        painter.setPen(TEXT_COLOUR)
        _letters(painter, TITLE, bold=True)
        _write_text(painter, QRectF(FIGURE_MARGIN, FIGURE_MARGIN, width, TEXT_LINE), self._title)
        _letters(painter, TEXT)
        told = QRectF(
            FIGURE_MARGIN, FIGURE_MARGIN + TEXT_LINE, width, self._top - FIGURE_MARGIN - TEXT_LINE
        )
        painter.drawText(told, Qt.TextFlag.TextWordWrap.value, self._told)
        for stage in range(self._count):
            box = QRectF(FIGURE_MARGIN, self._row(stage), GUTTER - CELL_GAP, self._cell[1])
            _write_text(painter, box, f"stage {stage + 1}")
        for i, column in enumerate(self._columns):
            self._draw_column(
                painter, FIGURE_MARGIN + GUTTER + i * (self._cell[0] + CELL_GAP), column
            )

    def _draw_column(self, painter: QPainter, left: float, column: Column) -> None:
        width, height = self._cell
        _write_text(painter, QRectF(left, self._top, width, TEXT_LINE), column.title)
        for stage, picture in enumerate(column.pictures):
            painter.drawImage(QRectF(left, self._row(stage), width, height), picture)
        if column.bar is not None:
            below = self._row(len(column.pictures))
            painter.drawImage(QRectF(left, below, width, TEXT_LINE / 2), column.bar)
            box = QRectF(left, below + TEXT_LINE / 2, width, TEXT_LINE)
            low, high = (two_digits(end) if end > 0 else f"{end:.2g}" for end in column.limits)
            _write_text(painter, box, low)
            _write_text(painter, box, high, Qt.AlignmentFlag.AlignRight)

    def _row(self, stage: int) -> float:
        return self._top + TEXT_LINE + stage * (self._cell[1] + CELL_GAP)


def write_sheet(path: Path, sheet: Sheet) -> None:
    """Write a sheet, whole or not at all."""
    with atomic_path(path) as temporary:
        if path.suffix.lower() == SVG:
            drawing = QSvgGenerator()
            drawing.setFileName(str(temporary))
            drawing.setSize(sheet.size)
            drawing.setViewBox(QRect(0, 0, sheet.size.width(), sheet.size.height()))
            drawing.setTitle("Stages of a network, by napari-lle")
            _paint_sheet(sheet, drawing, 1)
            return
        image = QImage(PNG_DENSITY * sheet.size, QImage.Format.Format_RGB32)
        _paint_sheet(sheet, image, PNG_DENSITY)
        if not image.save(str(temporary), "PNG"):
            raise OSError(f"{path} cannot be written: is there room on the disk?")


def _paint_sheet(sheet: Sheet, device: Any, scale: int) -> None:
    painter = QPainter()
    if not painter.begin(device):
        raise OSError("The figure cannot be drawn: choose another folder.")
    painter.scale(scale, scale)
    sheet.draw(painter)
    painter.end()


def _letters(painter: QPainter, size: int, bold: bool = False) -> None:
    font = QFont("sans-serif")
    font.setPixelSize(size)
    font.setBold(bold)
    painter.setFont(font)


def _write_text(
    painter: QPainter,
    box: QRectF,
    text: str,
    side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> None:
    """A line of text, cut where the box ends."""
    metrics = painter.fontMetrics()
    text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(box.width()))
    painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, text)


def _as_image(picture: NDArray[np.uint8]) -> QImage:
    """(Y, X, 3) for Qt."""
    height, width = picture.shape[:2]
    held = np.ascontiguousarray(picture).tobytes()
    return QImage(held, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
