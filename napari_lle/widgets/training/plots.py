"""The curves of a training run: loss, and PSNR and SSIM on what it does not learn from."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from qtpy.QtCore import Qt

from ..shared.plots import Plot, Plots

BLUE, ORANGE = "#5aa9e6", "#f5a623"
VALIDATION_CURVES = {  # figure of a validation: plot, colour, name
    "loss": (0, BLUE, "training"),
    "held_out_loss": (0, ORANGE, "validation"),
    "psnr": (1, BLUE, "PSNR, dB"),
    "ssim": (2, ORANGE, "SSIM"),
}
PLOT_TITLES = ("loss: ", "validation ", "validation ")


class TrainPlots(Plots):
    """Three plots below each other; they fill as rows arrive."""

    def __init__(self) -> None:
        self.plots = [Plot(), Plot(), Plot("step")]
        super().__init__(*self.plots)
        names: list[dict[str, str]] = [{}, {}, {}]
        self.curves, self.others = {}, {}
        for figure, (place, colour, name) in VALIDATION_CURVES.items():
            self.curves[figure] = self.plots[place].curve(colour)
            self.others[figure] = self.plots[place].draw(colour)
            self.others[figure].setPen(pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine))
            names[place][name] = colour
        for plot, title, colours in zip(self.plots, PLOT_TITLES, names, strict=True):
            plot.name(title, colours)
        self.clear()

    def clear(self) -> None:
        """Empty the plots for another run."""
        self.rows: list[dict[str, Any]] = []
        for curve in (*self.curves.values(), *self.others.values()):
            curve.setData([], [])

    def add(self, row: dict[str, Any]) -> None:
        """Add the figures of a validation."""
        self.rows.append(row)
        self.unfold()
        _draw(self.curves, self.rows)

    def compare(self, *histories: list[dict[str, Any]]) -> None:
        """Show the figures of one past run, or of two, those of the second as broken lines."""
        self.clear()
        for curves, rows in zip((self.curves, self.others), histories, strict=False):
            self.unfold()
            _draw(curves, rows)


def _draw(curves: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for figure, curve in curves.items():
        known = [r for r in rows if figure in r]
        curve.setData([r["step"] for r in known], [r[figure] for r in known])
