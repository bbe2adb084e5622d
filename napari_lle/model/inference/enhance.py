"""Images in, results out: enhance any array, in memory or lazy, of one scale or several.

The network runs once and gives the illumination L of a whole image; everything after that is
arithmetic, see `estimate`. `planned_steps` alone decides how an image is worked on.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..network.checkpoint import Model
from ..preprocessing.sampling import as_array
from ..progress import Progress, finish
from .estimate import Estimate, Result, check_strength
from .lazy import LazyEstimate, Scales
from .lazy_arrays import as_dask, is_lazy
from .looks import look_options
from .options import DEFAULTS, EnhanceKeywords, EnhanceOptions, SharedKeywords
from .plan import Plan, make_plan
from .planes import Seen, as_channels, fill_planes
from .settling import as_arrays
from .shared_illumination import brightest, lend
from .survey import Survey
from .tone import NEUTRAL


def enhance(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    strength: float = 1.0,
    **options: Unpack[EnhanceKeywords],
) -> Result:
    """Enhance a dark image by dividing out its illumination.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        Integers, floats or booleans. The last two spatial axes are processed as planes. Of dask
        or Zarr arrays only an excerpt is read now: the result is of dask arrays, which compute
        the planes, or parts of large ones, that are asked for.
    model : str, Path or Model
        A bundled name or a model file; ``auto`` is ``photo`` for uint8 RGB, ``science`` for
        other data of one channel, and ``linear``, which only divides, where several share an
        illumination. With ``:global`` after it, e.g. ``auto:global``, one rising curve for the
        whole image, see `global_curve`. ``stretch:mtf``, ``stretch:asinh`` and
        ``stretch:ghs`` are curves of known formulas, see `network.curves`.
    strength : float
        0 leaves the normalised input, 1 is the full effect: ``R = S / L^strength``.

    Returns
    -------
    Result

    Other Parameters
    ----------------
    black, white : float or sequence of float, optional
        Levels in the input's units that become 0 and 1, for all channels or for each; found when
        not given (0 and 255 for uint8 RGB, else the 0.1 and 99.9 percentiles of the whole array).
        ``black="sky"`` is just below the background.
    levels : {"auto", "linked", "unlinked"}
        One black and one white for all channels, or for each its own, with a neutral background
        where the channels are colours. ``auto`` is ``unlinked`` for `channel_axis` and for float
        RGB beyond 0..1, whose numbers are measured; photographs are linked.
    clipped : float, optional
        Share of the values, at each end, that found levels may leave beyond them.
    sky : float, optional
        Brightness, 0..1, that the background comes to, brighter or darker than it would be; a
        quarter with ``black="sky"``. Of models that stretch: ``linear``, ``science``, ``stretch:``.
    brightness, denoise : float, optional
        Where a quarter is brought to, and how much of the noise removal is kept, see `tone`.
    channels : {"auto", "per", "joint", "luminance"}
        An illumination for each colour, or one for all, which keeps the ratios of colours: that
        of the brightest colour (``joint``), or of their mean (``luminance``). ``auto`` is ``per``
        for uint8 RGB and ``joint`` for everything else.
    clip : {"rescale", "keep"}
        Of ``luminance``, which pure colours exceed: these are divided until the brightest is 1,
        all colours of the pixel alike, or R goes beyond 1 there.
    channel_axis : int, optional
        An axis of channels before Y and X that share one illumination, see `enhance_jointly`.
    device : {"auto", "cpu", "cuda", "mps"}
    tile : int or "auto"
        Longest tile side in pixels; the result does not depend on it.
    rgb : bool, optional
        Whether the last axis holds colours; by default, if it has 3 or 4 entries.
    illumination_scale : {1, 2, 4}, optional
        The illumination is found at 1/1, 1/2 or 1/4 of the size and interpolated, which is
        faster. The model's own when not given. A bundled name stands for its sibling that was
        trained for that size, ``photo-half`` or ``photo-quarter``, which are faster; a loaded
        `Model` keeps its weights, which leave more noise.
    look : {"photograph", "fluorescence", "astronomy", "publication"}, optional
        Chooses the options that are not given, or ``auto``, see `looks`.

    Raises
    ------
    TypeError, ValueError
        If the image or an option cannot be used; the message says what to change.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance, restore
    >>> dark = np.full((8, 8), 10, np.uint8)
    >>> result = enhance(dark, black=0, white=255)
    >>> bool((restore(result.reflectance, result.illumination, result.levels) == dark).all())
    True
    """
    check_strength(strength)
    data = as_array(image)
    estimate = finish(estimate_steps(data, look_options(model=model, **options)))
    result: Result = estimate.result(strength, last=True)
    return result


def enhance_jointly(
    images: Sequence[Any],
    model: str | Path | Model = "auto",
    *,
    axis: int | None = None,
    strength: float = 1.0,
    **options: Unpack[SharedKeywords],
) -> list[Result]:
    """Enhance the channels of one scene with one illumination.

    Parameters
    ----------
    images : sequence of array_like, (..., Y, X)
        Arrays of one shape: one for each channel, or with an axis of channels, or both. All of
        numpy, or all of dask or Zarr.
    model : str, Path or Model
        As of `enhance`.
    axis : int, optional
        The axis of channels in each array, before Y and X.
    strength : float
        0 leaves the normalised input, 1 is the full effect.

    Returns
    -------
    list of Result
        One for each array, of its shape.

    Other Parameters
    ----------------
    black, white : float or sequence of float, optional
        Levels in the input's units, for all arrays or for each; found for each when not given.
    levels, clipped, sky, device, tile, illumination_scale : optional
        As of `enhance`.

    Raises
    ------
    TypeError, ValueError
        If the arrays differ in shape, or an option cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_lle.model import enhance_jointly
    >>> cells = np.arange(128, dtype=np.uint16).reshape(2, 8, 8)
    >>> (result,) = enhance_jointly([cells], axis=0, black=0, white=128)
    >>> result.reflectance.shape
    (2, 8, 8)
    """
    check_strength(strength)
    chosen = EnhanceOptions(model=model, channels="joint", channel_axis=axis, rgb=False, **options)
    estimates = finish(scene_steps(as_arrays(list(images)), chosen))
    return [estimate.result(strength) for estimate in estimates]


def estimate_steps(
    image: Any, options: EnhanceOptions = DEFAULTS, known: Survey | None = None
) -> Generator[Progress, None, Any]:
    """`scene_steps` of one image, which returns its estimate alone."""
    (estimate,) = yield from scene_steps([image], options, known)
    return estimate


def scene_steps(
    images: Sequence[Any], options: EnhanceOptions = DEFAULTS, known: Survey | None = None
) -> Generator[Progress, None, list[Any]]:
    """Find the illumination of an image, or the one that several images of a scene share.

    Closing the generator cancels the work.

    Parameters
    ----------
    images : sequence
        Of arrays, or of lists of arrays, which are the scales of an image, finest first.
    options : EnhanceOptions
    known : Survey, optional
        Of the whole that the images are a part of; the options' levels are passed over then.

    Yields
    ------
    Progress
        After every tile.

    Returns
    -------
    list of Estimate, LazyEstimate or Scales
        One for each image: lazy ones of dask and Zarr arrays, scales of lists.
    """
    if _lazily(images):
        yield Progress(0, 1)  # before what is read of them, which may take a while
    finest = [image[0] if isinstance(image, list) else image for image in images]
    return (yield from planned_steps(images, make_plan(finest, options, known)))


def planned_steps(
    images: Sequence[Any], plan: Plan
) -> Generator[Progress, None, list[Estimate | LazyEstimate | Scales]]:
    """`scene_steps` by a plan: what is lazy stays so, each scale has an estimate of its own."""
    lazily = _lazily(images)
    scales = [image if isinstance(image, list) else [image] for image in images]
    found = []
    for arrays in zip(*scales, strict=True):  # the same scale of each image
        sources = [as_dask(array) for array in arrays] if lazily else arrays
        of_all, seen = plan, sources[0]
        if plan.shared:
            of_all = plan.of_brightest()
            seen = brightest(sources, plan.known.each, plan.options.channel_axis)
        estimate: Any
        if lazily:
            estimate = LazyEstimate(seen, of_all)
        else:
            estimate = yield from _plane_by_plane(seen, of_all)
        found.append(lend(estimate, sources, plan) if plan.shared else [estimate])
    each = zip(*found, strict=True)
    many = isinstance(images[0], list)
    return [Scales(list(estimates)) if many else estimates[0] for estimates in each]


def _lazily(images: Sequence[Any]) -> bool:
    """Dask and Zarr arrays, and scales, are worked on where they are looked at."""
    return any(isinstance(image, list) or is_lazy(image) for image in images)


def _plane_by_plane(image: Any, plan: Plan) -> Generator[Progress, None, Estimate]:
    """The estimate of an array in memory."""
    per = plan.per
    lead = tuple(image.shape[: -3 if plan.rgb else -2])
    shape = image.shape[: len(lead) + 2]
    illumination = np.empty((*shape, 3) if per else shape, np.float32)
    planes = list(np.ndindex(lead))

    def plane(i: int) -> tuple[Seen | NDArray[np.float32], NDArray[np.float32]]:
        pixels = np.asarray(image[planes[i]])
        if plan.luminance:
            return as_channels(plan.see(pixels), False), illumination[planes[i]]
        return Seen(pixels, plan.levels, plan.rgb, per), illumination[planes[i]]

    yield from fill_planes(
        plan.network, plane, len(planes), plan.statistics, plan.size, plan.kernel
    )
    if plan.tone != NEUTRAL:
        typical = plan.known.statistics.typical
        for index in planes:
            x = plan.see(np.asarray(image[index]))
            illumination[index] = plan.tone.of(x, illumination[index], typical, plan.darkest)
    darkest, record = plan.darkest, plan.record
    return Estimate(image, illumination, plan.levels, plan.rgb, darkest, record, plan.bounded)
