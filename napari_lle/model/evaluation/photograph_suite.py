"""What may be asked of a model for photographs, measured on scenes of known truth, see `lighting`.

No files are needed. Each figure has a goal, a verdict, and what methods without a network reach.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inference.settling import choose_model
from ..network.checkpoint import Model
from ..progress import Progress
from .baselines import BASELINES
from .checks import Check, check, least, suite_report
from .lighting import LIGHTS, SHARES, Scene, at_lamp, backlit, coloured, well_lit, with_window
from .metrics import Image, Method, eight_bit, psnr
from .photographs import method_of

VISIBLE = 0.25  # mean of R from which a dark part is visible
KEPT_CONTRAST = 0.5  # of a window's contrast
BURNT = 0.01  # of a window's pixels, that may become white
TURNED = 5.0  # degrees of hue
HALO_BESIDE_LAMP = 0.05  # relative difference of a wall beside a lamp
UNTOUCHED = 35.0  # dB of well-lit photographs to themselves
NEARLY_WHITE_8BIT, NEARLY_BLACK_8BIT = 254.5 / 255, 0.5 / 255
PATCH = 10  # pixels a side of the patches whose hue is compared: noise has hues of its own
COLOURED = 0.1  # saturation from which a patch has a hue

Measure = Callable[[Method], float]


def photograph_suite_steps(
    model: str | Path | Model = "photo", *, device: str = "auto"
) -> Generator[Progress, None, dict[str, Any]]:
    """Measure a model on photographs under difficult light.

    Parameters
    ----------
    model : str, Path or Model
    device : str

    Yields
    ------
    Progress
        After each check.

    Returns
    -------
    dict
        ``suite``, ``model``, ``digest``, ``parameters``, ``failed`` and ``checks``, each with
        ``name``, ``value``, ``goal``, ``verdict`` and ``beside``.
    """
    loaded = choose_model(model, True, "uint8")
    method = method_of(loaded, device)
    checks: list[Check] = []
    measures = _measures()
    for done, (name, (measure, goal, at_least)) in enumerate(measures.items(), 1):
        beside = {free.replace("_", " "): measure(each) for free, each in BASELINES.items()}
        judge = least if at_least else check
        checks.append(judge(name, measure(method), goal, beside))
        yield Progress(done, len(measures))
    return suite_report("photographs", loaded, checks)


def _measures() -> Mapping[str, tuple[Measure, float, bool]]:
    """Each with its goal, and whether that is the least or the most."""
    photographs = list(well_lit().values())
    rng = np.random.default_rng(0)
    found: dict[str, tuple[Measure, float, bool]] = {}
    for share in SHARES:
        scenes = [backlit(x, share, rng) for x in photographs]
        name = f"mean of the dark part, {share:.0%} of the frame bright, darkest"
        found[name] = (_over(scenes, _brightness, min), VISIBLE, True)
    windows = [with_window(x, y, rng) for x, y in pairwise(photographs)]
    found["contrast kept in a window, least"] = _over(windows, _contrast, min), KEPT_CONTRAST, True
    found["share of a window burnt, most"] = _over(windows, _burnt, max), BURNT, False
    for light in LIGHTS:
        scenes = [coloured(x, light, rng) for x in photographs]
        name = f"hue shift in {light} light, degrees, most"
        found[name] = _over(scenes, _hue_shift, max), TURNED, False
    found["wall beside a lamp, relative to far away"] = _lamp, HALO_BESIDE_LAMP, False
    alone = [Scene(x, np.ones(x.shape[:2], bool)) for x in photographs]
    found["well-lit photographs to themselves, dB, least"] = (
        _over(alone, _alone, min),
        UNTOUCHED,
        True,
    )
    return found


def _over(
    scenes: list[Scene], figure: Callable[[Image, Scene], float], worst: Callable[..., float]
) -> Measure:
    """The worst of some scenes."""
    return lambda method: worst(figure(np.asarray(method(s.image)), s) for s in scenes)


def _brightness(r: Image, scene: Scene) -> float:
    return float(r[scene.part].mean())


def _contrast(r: Image, scene: Scene) -> float:
    """Standard deviation of the greys, against what was recorded."""
    return float(r.mean(-1)[scene.part].std() / scene.image.mean(-1)[scene.part].std())


def _burnt(r: Image, scene: Scene) -> float:
    return float((r[scene.part] >= NEARLY_WHITE_8BIT).mean())


def _alone(r: Image, scene: Scene) -> float:
    return min(psnr(eight_bit(r), scene.image), 99.0)


def _lamp(method: Method) -> float:
    scene, far = at_lamp()
    r = np.asarray(method(scene.image))
    return float(abs(r[scene.part].mean() / max(r[far].mean(), NEARLY_BLACK_8BIT) - 1))


def _hue_shift(r: Image, scene: Scene) -> float:
    """Mean distance of hues of patches that have one, weighted by their chroma."""
    (before, chroma, value), (after, _, _) = (_hues(_patch_colours(x)) for x in (scene.image, r))
    weight = np.where(chroma > COLOURED * value, chroma, 0)
    apart = np.abs((after - before + 180) % 360 - 180)
    return float((apart * weight).sum() / weight.sum())


def _patch_colours(image: Image) -> Image:
    height, width = (n // PATCH for n in image.shape[:2])
    squares = image[: height * PATCH, : width * PATCH].reshape(height, PATCH, width, PATCH, 3)
    return np.asarray(squares.mean((1, 3)))


def _hues(x: Image) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Hue in degrees, chroma and value of the hexcone model (Smith 1978, SIGGRAPH)."""
    from skimage.color import rgb2hsv

    hsv = rgb2hsv(np.clip(x, 0, 1))
    return 360 * hsv[..., 0], hsv[..., 1] * hsv[..., 2], hsv[..., 2]
