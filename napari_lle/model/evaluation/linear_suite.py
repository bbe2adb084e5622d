"""What may be trusted of a model for linear data, measured on simulated fields of known truth.

No files are needed. Each check has a goal and a verdict; what can only be told, such as how far
fluxes on the reflectance are from the measured ones, is a warning. See `scenes` for the camera.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np

from ..array_types import Array
from ..inference.enhance import enhance, estimate_steps
from ..inference.estimate import Result
from ..inference.options import EnhanceOptions
from ..inference.plan import survey
from ..inference.restoring import restore
from ..inference.settling import choose_model
from ..inference.uncertainty import known_constants
from ..network.checkpoint import Model
from ..network.global_curve import one_curve
from ..progress import Progress, finish
from . import (
    black_pixels,
    clipped_fields,
    interval,
    invention,
    residual_noise,
    retention,
    soft_fields,
)
from .checks import Check, Run, check, stretch_model, suite_report, warning
from .exposures import exposures
from .fields import far_white
from .photometry import detect, fluxes, widths
from .simulate import OFFSET, camera, expose, star_field
from .star_rings import dark_ring, noisy_ring
from .stretches import beside_stretches, sentences

FLAT_FIELDS = (3.0, 30.0, 300.0)  # electrons of the flat fields
GAINS = (1e-3, 0.1, 7.0, 1e3)  # k of k S + c


def linear_suite_steps(
    model: str | Path | Model = "linear", *, device: str = "auto", seeds: int = 20
) -> Generator[Progress, None, dict[str, Any]]:
    """Measure a model on simulated linear data.

    Parameters
    ----------
    model : str, Path or Model
    device : str
    seeds : int
        Flat fields at each light level.

    Yields
    ------
    Progress
        After each part.

    Returns
    -------
    dict
        ``suite``, ``model``, ``digest``, ``parameters``, ``checks`` (each with ``name``,
        ``value``, ``goal`` and ``verdict``: pass, fail or warning; most with ``beside``, what
        costs nothing), ``methods`` (a dictionary of figures for each), ``exposures``, see there,
        and ``better``: what a method without a network does better.
    """
    loaded = choose_model(model, False, "uint16")

    def run(image: Array, **levels: Any) -> Any:
        return enhance(image, loaded, device=device, rgb=False, **levels)

    stretch = stretch_model()

    def plain(image: Array, **levels: Any) -> Any:
        return enhance(image, stretch, device=device, rgb=False, **levels)

    parts = _check_parts(run, plain, loaded, device, seeds)
    checks: list[Check] = []
    total = len(parts) + 2
    for done, part in enumerate(parts, 1):
        checks += part()
        yield Progress(done, total)
    methods = beside_stretches(loaded.name, lambda image: run(image).reflectance)
    yield Progress(total - 1, total)
    table = exposures(loaded.name, run)
    yield Progress(total, total)
    return {
        **suite_report("linear", loaded, checks),
        "methods": methods,
        "exposures": table,
        "better": sentences(loaded.name, methods),
    }


def _check_parts(
    run: Run, plain: Run, loaded: Model, device: str, seeds: int
) -> list[Callable[[], list[Check]]]:
    """The checks, in the parts that progress is counted by."""
    return [
        *(lambda light=light: invented(run, light, seeds) for light in FLAT_FIELDS),
        *(lambda light=light: invention.detections(run, light) for light in FLAT_FIELDS),
        lambda: [invention.hot_neighbours(run, plain), invention.faint_rays(run, plain)],
        lambda: retention.faint_stars(run, plain) + retention.filaments(run, plain),
        lambda: soft_fields.soft_fields(run, plain),
        lambda: clipped_fields.clipped_fields(run, plain),
        lambda: [retention.star_widths(run, plain), *photometry(run)],
        lambda: dark_ring(loaded, device) + noisy_ring(run),
        *(
            lambda light=light: residual_noise.texture(run, plain, light)
            for light in FLAT_FIELDS[1:]
        ),
        lambda: residual_noise.specks(run, plain),
        lambda: [*black_pixels.pepper(run, plain), black_pixels.noisy_sky(run, plain)],
        lambda: [*flicker(run), steadiness(run, plain), *bleaching(run)],
        lambda: [invariance(run), *stretch_checks(loaded, device)],
        lambda: interval.stated(run, known_constants(loaded)),
    ]


def invented(run: Run, light: float, seeds: int) -> list[Check]:
    """Detections on flat noise that the enhancement adds, in the worst of the fields.

    Once with automatic levels, which leave little to brighten, and once with a white level as a
    bright object elsewhere in the series would set it, so that the noise is stretched hard.
    """
    added = []
    for seed in range(seeds):
        field = expose(np.full((192, 192), light), np.random.default_rng(seed))
        before = len(detect(field))
        shown = run(field).reflectance, run(field, **far_white(field)).reflectance
        added += [len(detect(each)) - before for each in shown]
    return [check(f"detections added to flat noise, {light:g} e-, worst of {seeds}", max(added), 1)]


def photometry(run: Run) -> list[Check]:
    """Stars on the restored layer, which must not change, and on the reflectance, which do."""
    rng = np.random.default_rng(5)
    field = star_field(384, (3e3, 3e5), rng)
    image = expose(field.light, rng)
    result = run(image)
    places = field.rows, field.columns
    before, after, seen = (
        (fluxes(a, *places), widths(a, *places))
        for a in (image, _restored(result), result.reflectance)
    )
    ratio = seen[0] / before[0]
    slope = np.polyfit(np.log(before[0]), np.log(np.maximum(seen[0], 1e-9)), 1)[0]
    return [
        check(
            "restored: largest relative error of star flux",
            np.abs(after[0] / before[0] - 1).max(),
            1e-6,
        ),
        check("restored: largest change of FWHM, px", np.abs(after[1] - before[1]).max(), 1e-6),
        warning(
            "R: flux of the brightest stars against the faintest, 1 = linear",
            _edge(ratio, before[0]),
        ),
        warning("R: slope of log flux against log true flux, 1 = linear", slope),
    ]


def _edge(ratio: Array, flux: Array) -> float:
    order = np.argsort(flux)
    tenth = max(len(order) // 10, 1)
    return float(np.median(ratio[order[-tenth:]]) / np.median(ratio[order[:tenth]]))


def flicker(run: Run) -> list[Check]:
    """A constant scene in noise: the frames' brightness after against before, levels locked."""
    rng = np.random.default_rng(7)
    light = star_field(128, (300, 3e4), rng).light
    # At many ADU an electron, so that rounding does not make the medians equal.
    series = np.stack([camera(light, rng, gain=0.02, full_well=1e4) for _ in range(24)])
    result = run(series)
    before = (series.astype(np.float64) - result.levels.black) / result.levels.span
    spread = [np.log(np.median(a, axis=(1, 2))).std() for a in (result.reflectance, before)]
    return [check("flicker: spread of log median, after over before", spread[0] / spread[1], 1.2)]


def steadiness(run: Run, plain: Run) -> Check:
    """Flicker of a constant scene after means of 8 x 8 pixels, over that of the input's.

    "The input's" is that of the plain stretch, so that the curve is the same.
    """
    rng = np.random.default_rng(10)
    light = star_field(96, (300, 3e4), rng, sky=100.0).light
    series = np.stack([expose(light, rng) for _ in range(32)])
    result = run(series)
    levels = {"black": result.levels.black, "white": result.levels.white}
    own, beside = (
        float(np.median(_square_means(r).std(axis=0)))
        for r in (result.reflectance, plain(series, **levels).reflectance)
    )
    name = "flicker of means of 8 x 8 pixels, over the plain stretch's"
    return check(name, own / beside, 1.0, {"plain stretch": 1.0})


def _square_means(series: Array) -> Array:
    frames, height, width = series.shape
    return np.asarray(series).reshape(frames, height // 8, 8, width // 8, 8).mean(axis=(2, 4))


def bleaching(run: Run) -> list[Check]:
    """A series that fades by 30 %: its slope on the restored layer, and on the reflectance."""
    rng = np.random.default_rng(8)
    light = star_field(128, (300, 3e4), rng, sky=400.0).light
    left = np.linspace(1, 0.7, 16)
    series = np.stack([expose(share * light, rng) for share in left])
    result = run(series)
    before, after, seen = (
        np.polyfit(left, a.mean(axis=(1, 2)), 1)[0] / a[0].mean()
        for a in (series - OFFSET, _restored(result) - OFFSET, result.reflectance)
    )
    return [
        check(
            "bleaching by 30 %: relative error of its slope, restored",
            abs(after / before - 1),
            0.01,
        ),
        warning("R: slope of bleaching over the true one", seen / before),
    ]


def invariance(run: Run) -> Check:
    """Largest difference of R for k S + c from R for S, over R's largest value."""
    rng = np.random.default_rng(9)
    image = expose(star_field(192, (300, 3e5), rng).light, rng).astype(np.float64)
    first = run(image).reflectance
    worst = max(
        np.abs(run(k * image + c).reflectance - first).max() for k in GAINS for c in (-50.0, 1e3)
    )
    return check("k S + c, k from 1e-3 to 1e3: largest change of R", worst / first.max(), 1e-5)


def stretch_checks(loaded: Model, device: str) -> list[Check]:
    """A stretching block without local departure against the midtones transfer function."""
    if loaded.network.config.reflectance != "stretching":
        return []
    ramp = np.linspace(0, 1, 64 * 64).reshape(64, 64) ** 4
    options = EnhanceOptions(
        model=one_curve(loaded), black=0.0, white=1.0, rgb=False, device=device
    )
    known = survey(ramp, options)
    result = finish(estimate_steps(ramp, options, known))
    b = min(max(known.statistics.typical, 1e-3), 0.24)
    m = b * 0.75 / (b + 0.25 - 0.5 * b)
    expected = (m - 1) * ramp / ((2 * m - 1) * ramp - m)
    name = "local strength 0 against the midtones transfer function"
    return [check(name, np.abs(result.reflectance() - expected).max(), 1e-6)]


def _restored(result: Result) -> Array:
    return restore(result.reflectance, result.illumination, result.levels)
