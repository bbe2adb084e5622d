"""The curves of a training run: loss, and PSNR and SSIM on what it does not learn from."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

WIDTH, HEIGHT, LEAST = 340, 150, 90  # pixels of a plot, and the least of its height
BLUE, ORANGE = "#5aa9e6", "#f5a623"
CURVES = {  # figure of a validation: plot, colour, name
    "loss": (0, BLUE, "training"),
    "held_out_loss": (0, ORANGE, "held out"),
    "psnr": (1, BLUE, "PSNR, dB"),
    "ssim": (2, ORANGE, "SSIM"),
}


class TrainPlots(QWidget):  # type: ignore[misc]
    """Three plots below each other; they fill as rows arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.plots = [_plot() for _ in range(3)]
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        titles: list[list[str]] = [[], [], []]
        self.curves = {}
        for figure, (place, colour, name) in CURVES.items():
            self.curves[figure] = self.plots[place].plot(
                pen=pg.mkPen(colour, width=2), symbol="o", symbolSize=5, symbolBrush=colour
            )
            titles[place].append(f'<span style="color: {colour}">{name}</span>')
        for plot, names in zip(self.plots, titles, strict=True):
            prefix = "loss: " if plot is self.plots[0] else "held-out "
            plot.setTitle(f"<span style='font-size: 9pt'>{prefix}{', '.join(names)}</span>")
            layout.addWidget(plot)
        self.plots[-1].setLabel("bottom", "step")
        self.clear()

    def clear(self) -> None:
        """Empty the plots for another run."""
        self.rows: list[dict[str, Any]] = []
        for curve in self.curves.values():
            curve.setData([], [])

    def add(self, row: dict[str, Any]) -> None:
        """Add the figures of a validation."""
        self.rows.append(row)
        for figure, curve in self.curves.items():
            rows = [r for r in self.rows if figure in r]
            curve.setData([r["step"] for r in rows], [r[figure] for r in rows])

    def recolour(self, background: str, text: str) -> None:
        """Follow the viewer's theme."""
        for plot in self.plots:
            plot.setBackground(background)
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(text)
                plot.getAxis(side).setTextPen(text)
            label = plot.getPlotItem().titleLabel
            label.setText(label.text, color=text)


class _Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot that does not ask for the 640 pixels of Qt's own scenes."""

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)


def _plot() -> Any:
    plot = _Plot()
    plot.setMinimumHeight(LEAST)
    plot.setMouseEnabled(False, False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    for side in ("left", "bottom"):
        plot.getAxis(side).enableAutoSIPrefix(False)
    plot.getAxis("left").setWidth(52)
    plot.showGrid(y=True, alpha=0.2)
    return plot
