"""The intensity report of a result: a window with its curve, and the gain as a layer."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QLabel, QVBoxLayout

from ..shared.layers import METADATA_KEY, illumination_options, spatial
from ..shared.marks import unmarked
from .blending import Turned, blended, turned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...model.evaluation.intensity_report import IntensityReport
    from ...model.inference.estimate import Estimate
    from ..shared.plots import Plot

REPORT_SIZE = (460, 340)  # pixels of the window at first
BAND_COLOUR, LINE_COLOUR = "#7a94b8", "#4c8dff"  # seen on dark and on light
TICKS = (0, 0.25, 0.5, 0.75, 1)
HIGHEST_OUTPUT = 1.25  # of the output drawn: 1 is white, and stars may go far beyond
MOST_PLANES = 8  # of a stack that are looked at


def report_steps(
    estimate: Estimate, strength: float
) -> Generator[Any, None, tuple[IntensityReport, Any]]:
    """The report over some planes, and the gain of all of them, as a job."""
    from ...model.evaluation.intensity_report import intensity_report

    yield 0, 1, ""
    planes = list(np.ndindex(estimate.lead))
    some = planes[:: -(-len(planes) // MOST_PLANES)]
    colours = 3 if estimate.rgb else None
    pairs = [_before_and_after(estimate, index, strength) for index in some]
    before, after = (
        np.stack([each[..., :colours] for each in of]) for of in zip(*pairs, strict=True)
    )
    return intensity_report(before, after), gains(estimate, strength)


def _before_and_after(
    estimate: Any, index: tuple[int, ...], strength: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """One plane before and after; of a lazy one, a chunk of it."""
    if estimate.lazy:
        before, after = estimate.middle(index, strength)
        return before, after
    return np.asarray(estimate.image[index]), estimate.plane(index, strength)


def gains(estimate: Any, strength: float) -> Any:
    """The gain of all pixels in the form of the reflectance: lazy, of several scales."""
    if isinstance(estimate, Turned):
        return turned(gains(estimate.estimate, strength), estimate.back)
    if estimate.lazy:
        scales = getattr(estimate, "estimates", None)
        if scales:
            return [gains(each, strength) for each in scales]
        return estimate.illumination ** np.float32(-strength)
    return blended(estimate, strength, gain_plane)


def gain_plane(estimate: Estimate, index: tuple[int, ...], strength: float) -> NDArray[Any]:
    """By how much each pixel of one plane was multiplied."""
    light = np.asarray(estimate.illumination[index], dtype=np.float32)
    return np.asarray(light**-strength, dtype=np.float32)


def gain_layer(result: Image, estimate: Estimate, gain: Any) -> Image:
    """The gain as a layer over its result."""
    options = illumination_options(result, estimate)
    coarsest = gain[-1] if isinstance(gain, list) else gain
    one = np.asarray(coarsest[(0,) * (result.ndim - 2)])
    limits = float(one.min()), float(one.max())
    return Image(
        gain,
        **{
            **options,
            **spatial(result),
            "name": f"{unmarked(result.name)} gain",
            "contrast_limits": (limits[0], max(limits[1], limits[0] + 1e-6)),
        },
        metadata={METADATA_KEY: {"gain": True}},
    )


def drawn(report: IntensityReport) -> Plot:
    """Output against input: the medians as a line, the 5th to 95th percentiles as a band."""
    import pyqtgraph as pg

    from ..shared.plots import Plot

    first, last = report.inputs[0], report.inputs[-1]
    bend = max(float(np.median(report.inputs)) - first, (last - first) / 1e6, 1e-300)
    spread = np.arcsinh((report.inputs - first) / bend)
    across = spread / (spread[-1] or 1.0)
    plot = Plot("input (asinh scale)", "enhanced")
    low, high = (plot.draw(BAND_COLOUR) for _ in range(2))
    low.setData(across, report.low)
    high.setData(across, report.high)
    plot.addItem(pg.FillBetweenItem(low, high, brush=pg.mkBrush(BAND_COLOUR + "60")))
    plot.draw(LINE_COLOUR).setData(across, report.middle)
    lowest = max(-HIGHEST_OUTPUT, min(0.0, float(report.low.min())))
    plot.setYRange(lowest, min(HIGHEST_OUTPUT, max(1.1 * float(report.middle.max()), 1e-300)))
    values = [(share, first + bend * np.sinh(share * spread[-1])) for share in TICKS]
    names = [(x, np.format_float_positional(v, 3, fractional=False, trim="-")) for x, v in values]
    plot.getAxis("bottom").setTicks([names])
    plot.setToolTip("Line: median output; band: 5 to 95 % of the pixels of one input value.")
    return plot


class ReportWindow(QDialog):  # type: ignore[misc]
    """A window that shows a report and can stay open beside the viewer.

    Parameters
    ----------
    name : str
        Of the result.
    report : IntensityReport
    theme : str
        Of the viewer.
    parent : QWidget, optional
    """

    def __init__(self, name: str, report: IntensityReport, theme: str, parent: Any = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Intensities of {name}")
        self.resize(*REPORT_SIZE)
        self.plot = drawn(report)
        self.text = QLabel("\n".join(report.sentences()))
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.addWidget(self.plot)
        layout.addWidget(self.text)
        self.recolour(theme)

    def recolour(self, theme: str) -> None:
        """Follow the viewer's theme."""
        colours = get_theme(theme)
        self.plot.recolour(colours.background.as_hex(), colours.text.as_hex())
