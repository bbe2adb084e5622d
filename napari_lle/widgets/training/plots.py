"""The curves of a training run: loss, and PSNR and SSIM on what it does not learn from."""

from __future__ import annotations

from typing import Any

from ..shared.plots import Plot, Plots

BLUE, ORANGE = "#5aa9e6", "#f5a623"
CURVES = {  # figure of a validation: plot, colour, name
    "loss": (0, BLUE, "training"),
    "held_out_loss": (0, ORANGE, "validation"),
    "psnr": (1, BLUE, "PSNR, dB"),
    "ssim": (2, ORANGE, "SSIM"),
}
TITLES = ("loss: ", "validation ", "validation ")


class TrainPlots(Plots):
    """Three plots below each other; they fill as rows arrive."""

    def __init__(self) -> None:
        self.plots = [Plot(), Plot(), Plot("step")]
        super().__init__(*self.plots)
        names: list[dict[str, str]] = [{}, {}, {}]
        self.curves = {}
        for figure, (place, colour, name) in CURVES.items():
            self.curves[figure] = self.plots[place].curve(colour)
            names[place][name] = colour
        for plot, title, colours in zip(self.plots, TITLES, names, strict=True):
            plot.name(title, colours)
        self.clear()

    def clear(self) -> None:
        """Empty the plots for another run."""
        self.rows: list[dict[str, Any]] = []
        for curve in self.curves.values():
            curve.setData([], [])

    def add(self, row: dict[str, Any]) -> None:
        """Add the figures of a validation."""
        self.rows.append(row)
        self.unfold()
        for figure, curve in self.curves.items():
            rows = [r for r in self.rows if figure in r]
            curve.setData([r["step"] for r in rows], [r[figure] for r in rows])
