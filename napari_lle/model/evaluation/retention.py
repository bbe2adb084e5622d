"""Nothing lost: faint stars and thin filaments on R against a matched filter on the input."""

from __future__ import annotations

import numpy as np

from ..array_types import Array
from .checks import Check, Run, check
from .fields import filament_field
from .photometry import completeness_and_purity, deviation, find_peaks, widths
from .simulate import SKY_ELECTRONS, expose, star_field
from .stretches import FAINT, THRESHOLD

MEASURABLE = (3e3, 3e5)  # of stars whose width is measured
FILAMENT_ELECTRONS = 12.0  # electrons above a sky whose noise is 8
TRIED_THRESHOLDS = np.arange(1.5, 6.0, 0.05)  # among which R may choose its own
FILTER_LENGTH = 15  # pixels along the filter that filaments are looked for with
ANGLES = 12
FILAMENT_REACH = 2  # pixels from a filament's middle
NO_DIFFERENCE = 0.01  # of completeness and purity that is no difference


def faint_stars(run: Run, plain: Run, seeds: int = 16) -> list[Check]:
    """Completeness and purity among stars of 60 to 3,000 electrons."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(300 + seed)
        field = star_field(256, FAINT, rng, SKY_ELECTRONS)
        image, truth = expose(field.light, rng), np.stack([field.rows, field.columns], axis=1)
        views = run(image).reflectance, plain(image).reflectance, image
        peaks = [find_peaks(view) for view in views]
        rows.append(
            [[completeness_and_purity(p.above(t), truth) for t in TRIED_THRESHOLDS] for p in peaks]
        )
    return _missed("faint stars", np.mean(rows, axis=0))


def filaments(run: Run, plain: Run, seeds: int = 8) -> list[Check]:
    """Completeness and purity of the pixels of filaments 2 pixels wide."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(400 + seed)
        light, middle = filament_field(240, FILAMENT_ELECTRONS, SKY_ELECTRONS, rng)
        image = expose(light, rng)
        views = run(image).reflectance, plain(image).reflectance, image
        answers = [line_filter(v) for v in views]
        rows.append([_traced(answer, middle) for answer in answers])
    return _missed("filaments of 2 pixels", np.mean(rows, axis=0))


def _missed(what: str, rows: Array) -> list[Check]:
    """What R lacks where the matched filter, at its threshold, is as pure, or as complete.

    Rows, (3, thresholds, 2), are of R, plain stretch and input; figures are completeness and
    purity. A stretch skews noise, so that one threshold does not mean the same to all.
    """
    known = rows[2, int(np.argmin(np.abs(TRIED_THRESHOLDS - THRESHOLD)))]
    found = []
    for i, figure in enumerate(("completeness", "purity")):
        own, beside = (_best(row, i, known[1 - i]) for row in rows[:2])
        figures = {"R": own, "plain stretch": beside, "matched filter": known[i]}
        name = f"{what}: {figure} below a matched filter's"
        found.append(check(name, known[i] - own, NO_DIFFERENCE, figures))
    return found


def _best(row: Array, figure: int, least: float) -> float:
    """The highest of a figure among thresholds whose other figure is good enough."""
    enough = row[:, 1 - figure] >= least - NO_DIFFERENCE / 2
    return float(row[enough, figure].max()) if enough.any() else 0.0


def line_filter(image: Array) -> Array:
    """The best answer of line filters at `ANGLES` angles, in deviations of its own background."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    image = np.asarray(image, dtype=np.float64)
    height, width = image.shape
    image = np.pad(image - np.median(image), FILTER_LENGTH, mode="reflect")
    shape = [next_fast_len(n + 2 * FILTER_LENGTH, real=True) for n in image.shape]
    spectrum = rfft2(image, shape)
    begin = 2 * FILTER_LENGTH  # of what the padding and the filter's own reach leave
    y, x = np.mgrid[-FILTER_LENGTH : FILTER_LENGTH + 1, -FILTER_LENGTH : FILTER_LENGTH + 1]
    answers = []
    for angle in np.arange(ANGLES) * np.pi / ANGLES:
        across, along = y * np.cos(angle) - x * np.sin(angle), y * np.sin(angle) + x * np.cos(angle)
        kernel = np.exp(-(across**2) / 2) * (np.abs(along) <= FILTER_LENGTH / 2)
        near = np.exp(-(across**2) / 32) * (np.abs(along) <= FILTER_LENGTH / 2)
        kernel = kernel / kernel.sum() - near / near.sum()  # the sky beside it goes away
        answer = irfft2(spectrum * rfft2(kernel, shape), shape)
        answer = answer[begin : begin + height, begin : begin + width]
        answers.append(answer / deviation(answer))
    return np.asarray(np.max(answers, axis=0))


def _traced(answer: Array, middle: Array) -> list[tuple[float, float]]:
    """Completeness and purity of what exceeds each threshold, by lines it is near, or near it."""
    from scipy.ndimage import maximum_filter

    side = 2 * FILAMENT_REACH + 1
    reached = maximum_filter(answer, side)[middle]  # the best answer that is near
    near = maximum_filter(middle, side)
    rows = []
    for threshold in TRIED_THRESHOLDS:
        found = near[answer > threshold]
        rows.append(
            (float((reached > threshold).mean()), float(found.mean()) if found.size else 1.0)
        )
    return rows


def star_widths(run: Run, plain: Run) -> Check:
    """Median full width of stars on R over that on the plain stretch."""
    rng = np.random.default_rng(14)
    field = star_field(384, MEASURABLE, rng, SKY_ELECTRONS)
    image = expose(field.light, rng)
    own, beside, before = (
        float(np.nanmedian(widths(v, field.rows, field.columns)))
        for v in (run(image).reflectance, plain(image).reflectance, image)
    )
    name = "R: median FWHM of stars over that on the plain stretch"
    return check(name, own / beside, 1.1, {"R": own, "plain stretch": beside, "input": before})
