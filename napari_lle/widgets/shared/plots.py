"""What the plots of the inspector and of the training have in common."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from .folds import Fold

PLOT_WIDTH, PLOT_HEIGHT = 340, 150  # pixels of each plot where there is room
LEAST_HEIGHT = 110  # of its height
LABEL = 24  # more with a label below
TICK_DENSITY = 0.4  # of ticks, in pyqtgraph's measure: at the least height they do not overlap


class Plots(QWidget):  # type: ignore[misc]
    """Plots below each other, in the colours of the viewer's theme, folded while they are empty.

    Parameters
    ----------
    *plots : Plot
        From top to bottom.

    Attributes
    ----------
    fold : Fold
        Holds them, under a title.
    """

    def __init__(self, *plots: Plot) -> None:
        super().__init__()
        self._all = plots
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for plot in plots:
            layout.addWidget(plot)
        self.fold = Fold("Plots", "Show the plots, or hide them.", [], "", self)
        self._filled = False

    def unfold(self) -> None:
        """Open them for the first figures; afterwards the fold is the user's."""
        if not self._filled:
            self._filled = True
            self.fold.expand(animate=False)

    def recolour(self, background: str, text: str) -> None:
        """Follow the viewer's theme."""
        for plot in self._all:
            plot.recolour(background, text)


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot to look at: no menu, no zoom.

    Parameters
    ----------
    bottom, left : str
        Names of the axes.
    """

    def __init__(self, bottom: str = "", left: str = "") -> None:
        super().__init__()
        self.setMinimumHeight(LEAST_HEIGHT)
        self.setMouseEnabled(False, False)
        self.setMenuEnabled(False)
        # Left to Python alone, menus may crash PyQt when it tidies up at the end of a session.
        menu = self.getPlotItem().ctrlMenu
        menu.setParent(self, menu.windowFlags())
        self.hideButtons()
        for side, name in (("bottom", bottom), ("left", left)):
            self.getAxis(side).enableAutoSIPrefix(False)
            if name:
                self.setLabel(side, name)
        self.getAxis("left").setWidth(64 if left else 52)
        if bottom:
            self.getAxis("bottom").setHeight(38)
            self.setMinimumHeight(LEAST_HEIGHT + LABEL)
        # pyqtgraph puts labels 5 pixels beyond their axes, where their edges would be cut off.
        margins = (6 if left else 1, 1, 1, 6 if bottom else 1)
        self.getPlotItem().layout.setContentsMargins(*margins)
        self.getAxis("left").setTickDensity(TICK_DENSITY)
        self.showGrid(y=True, alpha=0.2)
        self._axes()

    def sizeHint(self) -> QSize:
        """Less than the 640 pixels of Qt's own scenes."""
        return QSize(PLOT_WIDTH, PLOT_HEIGHT)

    def wheelEvent(self, event: Any) -> None:
        """Leave the wheel to the scrolling."""
        event.ignore()

    def curve(self, colour: str) -> Any:
        """A line with a dot at each point."""
        return self.draw(colour, symbol="o", symbolSize=5, symbolBrush=colour, symbolPen=None)

    def draw(self, colour: str, **options: Any) -> Any:
        """A line without points yet."""
        item = self.plot(pen=pg.mkPen(colour, width=2), **options)
        item.sigPlotChanged.connect(self._axes)
        return item

    def _axes(self, *_: Any) -> None:
        """Show axes where there is something to read off them."""
        filled = any(x is not None and len(x) > 0 for x in (c.xData for c in self.listDataItems()))
        for side in ("left", "bottom"):
            self.getPlotItem().showAxis(side, filled)

    def recolour(self, background: str, text: str) -> None:
        """Follow the viewer's theme."""
        self.setBackground(background)
        for side in ("left", "bottom"):
            self.getAxis(side).setPen(text)
            self.getAxis(side).setTextPen(text)
        label = self.getPlotItem().titleLabel
        label.setText(label.text, color=text)

    def name(self, title: str, colours: dict[str, str]) -> None:
        """A title that names the curves in their colours: a legend would lie over them."""
        names = (f'<span style="color: {colour}">{name}</span>' for name, colour in colours.items())
        self.setTitle(f"<span style='font-size: 9pt'>{title}{', '.join(names)}</span>")
