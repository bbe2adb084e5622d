"""How good a model is, always beside what a slider would have done."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from ..data.folders import left_out, matched_files
from ..data.pair_check import UNKNOWN
from ..data.pairs import as_photograph
from ..inference.enhance import enhance
from ..io.files import read_image
from ..network.checkpoint import Model, load_model
from ..progress import Progress
from ..runtime.devices import choose_device
from ..runtime.threads import in_order
from .baselines import BASELINES, CONSTANT, auto_gamma
from .metrics import METRICS, Image, Method, eight_bit, figures, noisy, psnr

STOPS = range(1, 7)  # of underexposure in an exposure series


class Case(NamedTuple):
    """One pair of an evaluation, and what was made of it."""

    name: str
    low: Image
    result: Image
    gamma: Image
    reference: Image


def method_of(model: Model, device: str = "auto") -> Method:
    """A model as a method for photographs in 0..1; any number of threads may call it."""
    alone = Lock() if choose_device(device) != "cpu" else nullcontext()

    def method(x: Image) -> Image:
        options = {"black": 0.0, "white": 1.0, "channels": "per", "rgb": True}
        with alone:  # one device is no faster for being asked twice at once
            return enhance(x, model, device=device, **options).reflectance  # type: ignore[arg-type]

    return method


def evaluate_steps(
    low: str | Path,
    reference: str | Path,
    model: str | Path | Model = "photo",
    *,
    device: str = "auto",
    metrics: Collection[str] = METRICS,
) -> Generator[Progress, None, dict[str, Any]]:
    """Score a model and the baselines on two folders of pairs matched by stem.

    As many pairs are at work at once as torch has threads.

    Parameters
    ----------
    low, reference : str or Path
    model : str, Path or Model
    device : str
    metrics : collection of str
        Those of `METRICS` to compute.

    Yields
    ------
    Progress
        At the beginning and after each pair.

    Returns
    -------
    dict
        As ``napari-lle evaluate --json`` writes it: ``model``, ``digest``, ``parameters``, ``n``,
        ``left_out``, a sentence on files without a partner,
        the means of the metrics, ``per_image``, and the same for each of ``baselines``.

    Raises
    ------
    ValueError
        If the folders or files cannot be used, or a metric is unknown.
    """
    unknown = set(metrics) - set(METRICS)
    if unknown:
        wrong = ", ".join(map(repr, sorted(unknown)))
        raise ValueError(f"The metrics are {', '.join(METRICS)}: there is no {wrong}.")
    loaded = load_model(model)
    methods = {"": method_of(loaded, device), **BASELINES}
    files = matched_files(low, reference)

    def scored(stem: str) -> dict[str, dict[str, Any]]:
        x, y = read_pair(*files[stem])
        probed = noisy(x) if "noise_gain" in metrics else None
        return {
            name: {"name": stem, **figures(method, x, y, metrics, probed)}
            for name, method in methods.items()
        }

    found: dict[str, list[dict[str, Any]]] = {name: [] for name in methods}
    yield Progress(0, len(files))
    for i, row in enumerate(in_order(scored, list(files))):
        for name in methods:
            found[name].append(row[name])
        yield Progress(i + 1, len(files))
    return _report(loaded, found, left_out(low, reference))


def _report(
    loaded: Model, found: dict[str, list[dict[str, Any]]], without_partner: str
) -> dict[str, Any]:
    """What `evaluate_steps` returns, from the rows of the model, '', and of the baselines."""
    rows = found[""]
    return {
        "model": loaded.name,
        "digest": loaded.digest,
        "parameters": loaded.network.inference_parameters(),
        "left_out": without_partner,
        "n": len(rows),
        **_mean_scores(rows),
        "per_image": rows,
        "baselines": {
            name: {
                **_mean_scores(scores),
                **({"c": CONSTANT} if name == "constant" else {}),
                "per_image": scores,
            }
            for name, scores in found.items()
            if name
        },
    }


def read_pair(low: Path, reference: Path) -> tuple[Image, Image]:
    """Read a pair of photographs into 0..1, or raise ValueError with what is wrong with it."""
    x, y = map(_read_photograph, (low, reference))
    if x.shape != y.shape or min(x.shape[:2]) < 7:
        raise ValueError(f"{low} and {reference} must be of one size, 7 pixels or more a side.")
    return x, y


def _read_photograph(path: Path) -> Image:
    """An image that is scored, or ValueError where there is too little of it."""
    picture = read_image(path)
    unknown = 1 - float(np.isfinite(picture.pixels).mean()) if picture.pixels.size else 1.0
    if unknown > UNKNOWN:
        raise ValueError(f"{path}: {100 * unknown:.0f} % of the pixels are not numbers.")
    try:
        return as_photograph(picture.pixels, picture.rgb)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def telling_cases(
    report: dict[str, Any],
    low: str | Path,
    reference: str | Path,
    model: str | Path | Model = "photo",
    *,
    device: str = "auto",
) -> list[Case]:
    """The best, the median and the worst pair of an evaluation by SSIM, each once."""
    ranked = sorted(report["per_image"], key=lambda row: -row["ssim"])
    chosen = dict.fromkeys(
        [ranked[0]["name"], ranked[len(ranked) // 2]["name"], ranked[-1]["name"]]
    )
    files = matched_files(low, reference)
    method = method_of(load_model(model), device)
    cases = []
    for name in chosen:
        x, y = read_pair(*files[name])
        cases.append(Case(name, x, method(x), auto_gamma(x), y))
    return cases


def robustness(
    model: str | Path | Model, images: Sequence[Image], *, device: str = "auto"
) -> dict[str, float]:
    """How a model bears what its peers do not.

    Parameters
    ----------
    model : str, Path or Model
    images : sequence of (H, W, 3), 0..1
        Well-exposed photographs.

    Returns
    -------
    dict
        ``grey``: largest chroma made of grey images, in 255ths. ``black``: largest value made of
        black. ``left_alone`` and ``left_alone_worst``: PSNR of well-exposed images to themselves,
        mean and worst. ``series`` and ``series_worst``: relative spread of the medians of results
        over exposures 1 to 6 stops darker, as an 8-bit camera records them. ``tiles``: largest
        difference between tiled and whole, in 255ths.
    """
    method = method_of(load_model(model), device)
    greys = [method(_at_stops(np.repeat(x.mean(-1, keepdims=True), 3, -1), 3)) for x in images]
    alone = [psnr(eight_bit(method(x)), x) for x in images]
    spreads = []
    for x in images:
        medians = [float(np.median(method(_at_stops(x, stops)))) for stops in STOPS]
        spreads.append(max(medians) / max(min(medians), 1e-6) - 1)
    return {
        "grey": 255 * max(float(np.ptp(grey, axis=-1).max()) for grey in greys),
        "black": float(method(np.zeros((64, 64, 3), np.float32)).max()),
        "left_alone": float(np.mean(alone)),
        "left_alone_worst": min(alone),
        "series": float(np.mean(spreads)),
        "series_worst": max(spreads),
        "tiles": 255 * _tile_difference(model, images[0], device),
    }


def _at_stops(image: Image, stops: float) -> Image:
    return np.rint(np.asarray(image, np.float32) * np.float32(255 * 2.0**-stops)) / np.float32(255)


def _tile_difference(model: str | Path | Model, image: Image, device: str) -> float:
    dark = (_at_stops(image, 3) * 255).astype(np.uint8)
    whole, parts = (
        enhance(dark, model, device=device, tile=tile).reflectance for tile in (4096, 64)
    )
    return float(np.abs(whole - parts).max())


def _mean_scores(rows: list[dict[str, Any]]) -> dict[str, float]:
    known = [metric for metric in METRICS if metric in rows[0]]
    return {metric: _mean_of_known([row[metric] for row in rows]) for metric in known}


def _mean_of_known(values: list[float]) -> float:
    """Of those that are numbers."""
    numbers = [value for value in values if not np.isnan(value)]
    return float(np.mean(numbers)) if numbers else float("nan")
