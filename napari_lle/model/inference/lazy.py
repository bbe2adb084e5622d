"""Results of dask arrays: nothing is computed until it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..network.formulas import SQUARE
from ..preprocessing.levels import AnyLevels, working_dtype
from ..preprocessing.normalizing import recorded_levels
from .estimate import Estimate, Result, check_strength
from .lazy_arrays import as_dask, is_lazy, kept_apart
from .restoring import check_channels, check_shapes
from .restoring import restore as restore_array

if TYPE_CHECKING:
    from .plan import Plan

LARGEST_PLANE = 2048  # planes with a longer side are cut into chunks of at most this


class LazyEstimate:
    """The illumination of a dask array, found where it is looked at; results follow as lazily.

    Parameters
    ----------
    image : dask array, (..., Y, X) or (..., Y, X, 3 or 4)
    plan : Plan
    """

    lazy = True

    def __init__(self, image: Any, plan: Plan) -> None:
        rgb, per = plan.rgb, plan.per
        self.image = _in_planes(image, rgb)
        self.levels, self.rgb = plan.levels, rgb
        self.darkest, self.record = plan.darkest, plan.record
        self.joint = rgb and not per
        self.bounded = plan.bounded
        self._lender = ""  # the name of another image's illumination
        self._axes = tuple(range(image.ndim))
        spatial = self._axes[:-1] if rgb else self._axes
        # An axis of colours that differs from the input's, which may hold alpha.
        self._light_axes = (*spatial, image.ndim) if per else spatial
        self.illumination = self._illuminate(plan, spatial[-2:])

    @property
    def lead(self) -> tuple[int, ...]:
        """Shape of the axes before the plane's."""
        return tuple(self.image.shape[: -3 if self.rgb else -2])

    def result(self, strength: float = 1.0, *, last: bool = False) -> Result:
        """Reflectance and matching illumination, dask arrays; see `Estimate.result`.

        The `last` one is like others: nothing is held whose memory it could take.
        """
        check_strength(strength)
        levels, rgb, darkest = self.levels, self.rgb, self.darkest

        def part(pixels: NDArray[Any], raw: NDArray[np.float32], *channels: Any) -> Estimate:
            chosen = levels.chosen(*channels)
            return Estimate(pixels, raw, chosen, rgb, darkest, bounded=self.bounded)

        def reflect(*block: Any) -> NDArray[np.float32]:
            return part(*block).reflectance(strength)

        def match(*block: Any) -> NDArray[Any]:
            return part(*block).result(strength).illumination

        kind = np.empty(0, working_dtype(levels))
        reflectance = self._blockwise(reflect, self._axes, strength, np.empty(0, np.float32))
        illumination = self._blockwise(match, self._light_axes, strength, kind)
        record = {**self.record, "strength": float(strength)}
        return Result(reflectance, illumination, levels, record)

    def lend(
        self, image: Any, levels: AnyLevels, axis: int | None, record: dict[str, Any]
    ) -> LazyEstimate:
        """The same illumination for a dask array; at `axis` it has one more, of channels."""
        import dask.array as da

        light = self.illumination
        other = copy(self)
        other.image = _in_planes(image, False)
        if axis is not None:
            wide = light[(slice(None),) * axis + (None,)]
            chunks = (*wide.chunks[:axis], other.image.chunks[axis], *wide.chunks[axis + 1 :])
            other.illumination = da.broadcast_to(wide, image.shape, chunks=chunks)
        other.levels, other.darkest, other.record = levels, 0.0, record
        other._axes = other._light_axes = tuple(range(image.ndim))
        other._lender = light.name
        return other

    def glance(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[np.float32]:
        """The middle of one plane of the reflectance, of one chunk at most."""
        return self.middle(index, strength)[1]

    def middle(
        self, index: tuple[int, ...], strength: float = 1.0
    ) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """The middle chunk of one plane: of the input, and of the reflectance."""
        import dask

        before, after = self.image[index], self.result(strength).reflectance[index]
        part = tuple(
            slice(sum(chunks[: len(chunks) // 2]), sum(chunks[: len(chunks) // 2 + 1]))
            for chunks in after.chunks[:2]
        )
        found: tuple[NDArray[Any], NDArray[np.float32]] = dask.compute(before[part], after[part])
        return found

    def _illuminate(self, plan: Plan, plane: tuple[int, ...]) -> Any:
        import dask.array as da

        core, halo = 2 + plan.per, plan.network.radius

        def illuminate(x: NDArray[np.float32]) -> NDArray[np.float32]:
            out = np.empty(x.shape, np.float32)
            for index in np.ndindex(x.shape[: x.ndim - core]):
                out[index] = plan.light(x[index])
            return out

        seen = da.blockwise(
            plan.see,
            self._light_axes,
            *(self.image, self._axes),
            new_axes={self.image.ndim: 3} if plan.per else {},
            concatenate=True,
            name=self._name("seen"),
            meta=np.empty(0, np.float32),
        )
        # At the cuts `Plan.light` mirrors what it is given, like at a border: wrong, and trimmed.
        depth = {
            axis: halo if len(seen.chunks[axis]) > 1 and axis in plane else 0
            for axis in range(seen.ndim)
        }
        return da.map_overlap(
            illuminate,
            seen,
            depth=depth,
            boundary="none",
            name=self._name("illuminate"),
            meta=np.empty(0, np.float32),
        )

    def _blockwise(
        self, function: Callable[..., Any], axes: tuple[int, ...], strength: float, meta: Any
    ) -> Any:
        import dask.array as da

        return da.blockwise(
            function,
            axes,
            *(self.image, self._axes, self.illumination, self._light_axes),
            *numbered(self.image, self.levels),
            concatenate=True,
            name=self._name(function.__name__, strength),
            meta=meta,
        )

    def _name(self, what: str, *more: Any) -> str:
        """Dask cannot tell networks apart; without the strength, it may keep the illumination."""
        from dask.base import tokenize

        return f"{what}-{tokenize(self.image.name, self._lender, self.record, self.rgb, *more)}"


class Scales:
    """The estimates of a multiscale image, finest first; asked for anything else, the finest's."""

    def __init__(self, estimates: list[LazyEstimate]) -> None:
        self.estimates = estimates

    def __getattr__(self, name: str) -> Any:
        return getattr(self.estimates[0], name)


def numbered(image: Any, levels: AnyLevels) -> tuple[Any, ...]:
    """For `da.blockwise`: of which channels a block is, where these have levels of their own."""
    if levels.axis is None or image.numblocks[levels.axis] == 1:
        return ()
    import dask.array as da

    at = levels.axis % image.ndim
    return da.arange(image.shape[at], chunks=(image.chunks[at],)), (at,)


def restore(reflectance: Any, illumination: Any, levels: AnyLevels | dict[str, Any]) -> Any:
    """Multiply R and L and undo the levels; see `estimate.restore`.

    Of dask or Zarr arrays it is a dask array, computed when it is looked at.
    """
    if not (is_lazy(reflectance) or is_lazy(illumination)):
        return restore_array(reflectance, illumination, levels)
    import dask.array as da

    r, light = as_dask(reflectance), as_dask(illumination)
    levels = recorded_levels(levels) if isinstance(levels, dict) else levels
    check_shapes(r.shape, light.shape)
    check_channels(r.shape, levels)
    axes = tuple(range(r.ndim))
    light_axes = axes if light.shape == r.shape else (*axes[:-1], r.ndim)[: light.ndim]
    if light.shape != r.shape:
        r = r.rechunk({r.ndim - 1: -1})
        light = light.rechunk({r.ndim - 1: -1}) if light.ndim == r.ndim else light
    _, (r, light) = da.unify_chunks(r, axes, light, light_axes)
    return da.blockwise(
        lambda a, b, *channels: restore_array(a, b, levels.chosen(*channels)),
        axes,
        *(r, axes, light, light_axes),
        *numbered(r, levels),
        concatenate=True,
        meta=np.empty(0, levels.dtype),
    )


def _in_planes(image: Any, rgb: bool) -> Any:
    """Chunks of one plane each, large planes cut: what one look needs, and no more."""
    image = kept_apart(image)
    at = image.ndim - (3 if rgb else 2)
    chunks: dict[int, Any] = dict.fromkeys(range(at), 1)
    large = max(image.shape[at : at + 2]) > LARGEST_PLANE
    for axis in (at, at + 1):
        chunks[axis] = _cuts(image.shape[axis], image.chunks[axis][0]) if large else -1
    return image.rechunk(chunks | ({at + 2: -1} if rgb else {}))


def _cuts(length: int, chunk: int) -> tuple[int, ...]:
    """Extents along a side: whole chunks of the source while they fit, no sliver at the end.

    Each begins where a square of a reduced illumination, or of a mixture, does.
    """
    step = LARGEST_PLANE // chunk * chunk
    step = step if step and step % SQUARE == 0 else LARGEST_PLANE
    edges = [*range(0, length, step), length]
    if len(edges) > 2 and edges[-1] - edges[-2] < step // 2:
        del edges[-2]
    return tuple(b - a for a, b in pairwise(edges))
