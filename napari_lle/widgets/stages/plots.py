"""The plots of the stage inspector: distances of the stages, values at the cursor, histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from ..shared.plots import Plot, Plots
from .inspector import KINDS, Finding

MAXIMUM_COLOUR, MEAN_COLOUR, FIRST_COLOUR = "#f5a623", "#5aa9e6", "#909090"


class StagePlots(Plots):
    """Three plots below each other."""

    def __init__(self) -> None:
        self.distances = Plot("stage", "distance")
        self.profile = Plot("stage", "value")
        self.histogram = Plot("L", "share of pixels")
        super().__init__(self.distances, self.profile, self.histogram)
        self.maximum, self.mean = (self.distances.curve(c) for c in (MAXIMUM_COLOUR, MEAN_COLOUR))
        self.values = {k: self.profile.curve(kind.colour) for k, kind in KINDS.items()}
        self.first = self.histogram.draw(FIRST_COLOUR, stepMode="center")
        self.current = self.histogram.draw(
            MAXIMUM_COLOUR, stepMode="center", fillLevel=0, brush=pg.mkBrush(MAXIMUM_COLOUR + "46")
        )
        self.distances.name("|L − L<sub>1</sub>|: ", {"max": MAXIMUM_COLOUR, "mean": MEAN_COLOUR})
        self._title_profile("cursor")
        self.histogram.name("L: ", {"stage 1": FIRST_COLOUR, "this stage": MAXIMUM_COLOUR})

    def show_finding(self, finding: Finding, stage: int) -> None:
        """Draw the distances, and the histogram of a stage."""
        x = np.arange(1, finding.count + 1)
        self.maximum.setData(x, [d.max for d in finding.distances])
        self.mean.setData(x, [d.mean for d in finding.distances])
        ticks = [[(int(t), str(t)) for t in x]]
        for plot in (self.distances, self.profile):
            plot.getAxis("bottom").setTicks(ticks)
            plot.setXRange(0.8, finding.count + 0.2)
        self.unfold()
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
        self._title_profile(f"{row}, {column}")

    def _title_profile(self, place: str) -> None:
        self.place = place
        self.profile.name(f"{place}: ", {k: kind.colour for k, kind in KINDS.items()})
