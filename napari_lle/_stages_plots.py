"""The plots of the stage inspector: distances of the stages, values at the cursor, histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from ._inspector import KINDS, Finding

WIDTH, HEIGHT = 340, 150  # pixels of each plot where there is room
LEAST = 90  # of its height
MAXIMUM, MEAN, FIRST = "#f5a623", "#5aa9e6", "#909090"


class StagePlots(QWidget):  # type: ignore[misc]
    """Three plots below each other."""

    def __init__(self) -> None:
        super().__init__()
        self.distances = _plot("stage", "distance")
        self.profile = _plot("stage", "value")
        self.histogram = _plot("L", "share of pixels")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for plot in (self.distances, self.profile, self.histogram):
            layout.addWidget(plot)
        self.maximum, self.mean = (_curve(self.distances, c) for c in (MAXIMUM, MEAN))
        self.values = {k: _curve(self.profile, kind.colour) for k, kind in KINDS.items()}
        self.first = _steps(self.histogram, FIRST)
        self.current = _steps(
            self.histogram, MAXIMUM, fillLevel=0, brush=pg.mkBrush(MAXIMUM + "46")
        )
        self.distances.setTitle(_key("|L − L<sub>1</sub>|", max=MAXIMUM, mean=MEAN))
        self._title_profile("at the cursor")
        self.histogram.setTitle(_key("L", stage_1=FIRST, this_stage=MAXIMUM))

    def recolour(self, background: str, text: str) -> None:
        """Follow the viewer's theme."""
        for plot in (self.distances, self.profile, self.histogram):
            plot.setBackground(background)
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(text)
                plot.getAxis(side).setTextPen(text)
            plot.getPlotItem().titleLabel.setText(plot.getPlotItem().titleLabel.text, color=text)

    def show_finding(self, finding: Finding, stage: int) -> None:
        """Draw the distances, and the histogram of a stage."""
        x = np.arange(1, finding.count + 1)
        self.maximum.setData(x, [d.max for d in finding.distances])
        self.mean.setData(x, [d.mean for d in finding.distances])
        ticks = [[(int(t), str(t)) for t in x]]
        for plot in (self.distances, self.profile):
            plot.getAxis("bottom").setTicks(ticks)
            plot.setXRange(0.8, finding.count + 0.2)
        self.show_stage(finding, stage)

    def show_stage(self, finding: Finding, stage: int) -> None:
        """Draw the histogram of another stage."""
        self.first.setData(*finding.histograms[0])
        self.current.setData(*finding.histograms[stage - 1])

    def show_profile(self, profile: dict[str, Any], row: int, column: int) -> None:
        """Draw the values of a pixel through the stages."""
        for kind, curve in self.values.items():
            y = profile[kind]
            curve.setData(np.arange(1, len(y) + 1), y)
        self._title_profile(f"row {row}, column {column}")

    def _title_profile(self, place: str) -> None:
        self.place = place
        self.profile.setTitle(_key(place, **{k: kind.colour for k, kind in KINDS.items()}))


class _Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot that does not ask for the 640 pixels of Qt's own scenes."""

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)


def _plot(bottom: str, left: str) -> Any:
    plot = _Plot()
    plot.setMinimumHeight(LEAST)
    plot.setMouseEnabled(False, False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    plot.setLabel("bottom", bottom)
    plot.setLabel("left", left)
    plot.getAxis("left").enableAutoSIPrefix(False)
    plot.getAxis("bottom").enableAutoSIPrefix(False)
    plot.getAxis("left").setWidth(64)
    plot.getAxis("bottom").setHeight(44)  # or the label loses its descenders
    plot.showGrid(y=True, alpha=0.2)
    return plot


def _curve(plot: Any, colour: str) -> Any:
    return plot.plot(
        pen=pg.mkPen(colour, width=2), symbol="o", symbolSize=6, symbolBrush=colour, symbolPen=None
    )


def _steps(plot: Any, colour: str, **options: Any) -> Any:
    return plot.plot([0, 1], [0], pen=pg.mkPen(colour, width=2), stepMode="center", **options)


def _key(title: str, **colours: str) -> str:
    """A title that names the curves in their colours: a legend would lie over them."""
    names = (
        f'<span style="color: {colour}">{name.replace("_", " ")}</span>'
        for name, colour in colours.items()
    )
    return f"<span style='font-size: 9pt'>{title}: {', '.join(names)}</span>"
