"""How clear a model makes real noisy frames, judged by long averages of the same fields.

The truth is the average under the one-curve stretch. Every result is first mapped to it by the
best rising curve, so that neither levels nor the shape of a stretch count: only the noise that is
left, the detail that is lost, and what was never there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from ..array_types import Array
from ..data.folders import left_out, matched_files
from ..inference.enhance import enhance
from ..inference.settling import choose_model
from ..io.files import read_image
from ..network.bundled import GLOBAL
from ..progress import Progress
from .baselines import gaussian, non_local_means
from .metrics import psnr

MIDDLE_SIDE = 512  # pixels of the middle that is judged
PAIR_FIGURES = {"psnr": "PSNR", "ssim": "SSIM", "cnr": "CNR"}
NO_NOISE = 1e-6  # of the truth's range: what stands for none in a ratio
GLOBAL_LINEAR = f"linear{GLOBAL}"

PLAIN_METHODS: dict[str, Callable[[Array], Array]] = {
    "plain stretch": lambda x: x,
    "gauss 1": lambda x: gaussian(x, 1),
    "gauss 2": lambda x: gaussian(x, 2),
    "nl-means": lambda x: non_local_means(np.sqrt(x - x.min())),  # counts: their noise evened out
}


def noisy_pairs_steps(
    noisy: str | Path,
    clean: str | Path,
    models: Sequence[str | Path] = ("auto",),
    *,
    device: str = "auto",
) -> Generator[Progress, None, dict[str, Any]]:
    """Score models and what costs nothing on two folders of pairs matched by stem.

    Parameters
    ----------
    noisy, clean : path
        Single frames, and averages of many: grey planes, or colours whose brightest counts.
    models : sequence of str or Path
        As `enhance` takes them.
    device : str

    Yields
    ------
    Progress
        After each pair.

    Returns
    -------
    dict
        ``n``; ``left_out``, a sentence on files without a partner; ``methods``, a dictionary of
        `PAIR_FIGURES` and ``parameters`` for each of `PLAIN_METHODS` and of the models;
        ``per_image``, the same by stem.

    Raises
    ------
    ValueError
        If the folders or files cannot be used.
    """
    files = matched_files(noisy, clean)
    loaded = {str(model): choose_model(model, False, "uint16") for model in models}
    parameters = dict.fromkeys(PLAIN_METHODS, 0)
    parameters |= {k: m.network.inference_parameters() for k, m in loaded.items()}
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for done, (stem, paths) in enumerate(files.items(), 1):
        frame, average = read_frames(*paths)
        truth = np.clip(enhance(average, GLOBAL_LINEAR, device=device).reflectance, 0, 1)
        values = frame.astype(np.float64)
        shown = {name: method(values) for name, method in PLAIN_METHODS.items()}
        shown |= {k: enhance(frame, m, device=device).reflectance for k, m in loaded.items()}
        rows[stem] = {k: clarity(r, truth.astype(np.float64)) for k, r in shown.items()}
        yield Progress(done, len(files))
    methods = {
        name: {
            "parameters": count,
            **{f: float(np.mean([row[name][f] for row in rows.values()])) for f in PAIR_FIGURES},
        }
        for name, count in parameters.items()
    }
    missing = left_out(noisy, clean)
    return {"n": len(rows), "left_out": missing, "methods": methods, "per_image": rows}


def clarity(shown: NDArray[Any], truth: Array) -> dict[str, float]:
    """`PAIR_FIGURES` of an image against its truth in 0..1, after the best rising curve to that.

    PSNR in dB; SSIM of 7 x 7 pixels; contrast to noise, the brightest tenth against the darker
    half of the smoothed truth, over the deviation of the error in both.
    """
    from skimage.metrics import structural_similarity

    y = rising(np.asarray(shown, dtype=np.float64), truth)
    smooth = gaussian(truth, 1)
    high, low = smooth >= np.percentile(smooth, 90), smooth <= np.percentile(smooth, 50)
    error = y - truth
    noise = np.sqrt((error[high].var() + error[low].var()) / 2)
    return {
        "psnr": psnr(y, truth),
        "ssim": float(structural_similarity(truth, y, data_range=1)),
        "cnr": float((y[high].mean() - y[low].mean()) / max(noise, NO_NOISE)),
    }


def rising(shown: Array, truth: Array) -> Array:
    """The rising function of an image's values that comes closest to the truth, of one shape."""
    values, place, counts = np.unique(shown, return_inverse=True, return_counts=True)
    means = np.bincount(place.ravel(), truth.ravel(), len(values)) / counts
    curve = isotonic_regression(means, weights=counts).x
    return np.asarray(curve[place]).reshape(shown.shape)


def read_frames(noisy: Path, clean: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read the middles of a pair, or raise ValueError with what is wrong with it."""
    planes = []
    for path in (noisy, clean):
        picture = read_image(path)
        pixels = picture.pixels[..., :3].max(axis=-1) if picture.rgb else picture.pixels
        planes.append(np.squeeze(pixels))
    if planes[0].ndim != 2 or planes[0].shape != planes[1].shape or min(planes[0].shape) < 7:
        raise ValueError(
            f"{noisy} and {clean} must be planes of one size, 7 pixels or more a side."
        )
    cut = tuple(
        slice(max(n // 2 - MIDDLE_SIDE // 2, 0), n // 2 + MIDDLE_SIDE // 2) for n in planes[0].shape
    )
    return np.ascontiguousarray(planes[0][cut]), np.ascontiguousarray(planes[1][cut])
