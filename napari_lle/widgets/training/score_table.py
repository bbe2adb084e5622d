"""A table of methods and their scores, as high as it needs to be."""

from __future__ import annotations

from collections.abc import Sequence

from magicgui.widgets import Table
from qtpy.QtWidgets import QStyledItemDelegate

SHOWN_ROWS = 9  # that are shown without scrolling


class ScoreTable:
    """Rows of words under fixed names.

    Parameters
    ----------
    names : sequence of str
        Of the columns.
    tooltip : str

    Attributes
    ----------
    widget : Table
    rows : list of tuple of str
    """

    def __init__(self, names: Sequence[str], tooltip: str) -> None:
        self.rows: list[tuple[str, ...]] = []
        self.widget = Table(value={name: [] for name in names}, tooltip=tooltip)
        self.widget.read_only = True
        native = self.widget.native
        native.setItemDelegate(QStyledItemDelegate(native))  # magicgui's own adds digits to figures
        native.verticalHeader().hide()
        self.show(names, [])

    def show(self, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
        """Show other rows, under other names."""
        self.rows = list(rows)
        self.widget.value = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        native = self.widget.native
        native.resizeColumnsToContents()
        native.resizeRowsToContents()
        shown = min(native.rowCount(), SHOWN_ROWS)
        height = sum(map(native.rowHeight, range(shown)))
        height = height or native.verticalHeader().defaultSectionSize()
        native.setFixedHeight(native.horizontalHeader().height() + height + 16)


def in_words(psnr: float, ssim: float) -> tuple[str, str]:
    """Two scores in words; empty where one cannot be had."""
    return f"{psnr:.2f} dB", "" if ssim != ssim else f"{ssim:.3f}"
