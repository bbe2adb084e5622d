"""From options to a result whose strength can still be moved, without running the network again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ...model.inference.lazy_arrays import is_lazy
from ..shared.jobs import Job
from ..shared.layers import METADATA_KEY, pixels
from ..shared.marks import unmarked
from .shown_range import FollowedLimits, ShownRange, limits_of

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from ...model.inference.estimate import Estimate
    from ...model.inference.lazy import LazyEstimate, Scales

MOST_HELD = 2**27  # values of an array that is held: half a GB
EAGER = 4_000_000  # values that are blended within some 50 ms; more are blended when looked at


class Made(NamedTuple):
    """One answer of `subject_steps`, with everything slow about showing it already done."""

    estimate: Estimate | LazyEstimate | Scales
    reflectance: Any
    illumination: Any
    shown: ShownRange
    limits: tuple[float, float]


class Blend(NamedTuple):
    """What is asked of an estimate: how much of its effect, and in which tone, see `tone`."""

    strength: float
    brightness: float | None = None
    denoise: float | None = None


def retoned(estimate: Any, blend: Blend) -> Any:
    """The estimate in the tone of a blend, where it takes one."""
    from ...model.inference.flattening import Flattened
    from ...model.inference.tone import Tone, toned

    if isinstance(estimate, Turned):
        inner = retoned(estimate.estimate, blend)
        return estimate if inner is estimate.estimate else Turned(inner, estimate.order)
    if isinstance(estimate, Flattened):
        inner = retoned(estimate.flat, blend)
        return estimate if inner is estimate.flat else replace(estimate, flat=inner)
    return toned(estimate, Tone(blend.brightness, blend.denoise))


def shown(estimate: Any, blend: Blend, illumination: bool) -> Made:
    """Blend an estimate for the first time."""
    seen = ShownRange.of(estimate)
    estimate, strength = retoned(estimate, blend), blend.strength
    light = blended(estimate, strength, light_plane) if illumination else None
    return Made(
        estimate,
        blended(estimate, strength, reflectance_plane),
        light,
        seen,
        limits_of(seen, estimate, strength),
    )


class Turned:
    """The estimate of a layer whose rows and columns are not its last axes.

    Parameters
    ----------
    estimate : Estimate, LazyEstimate or Scales
        Of the layer's data with its axes in another order, rows and columns last.
    order : tuple of int
        That order: as of `transpose`.
    """

    def __init__(self, estimate: Any, order: tuple[int, ...]) -> None:
        self.estimate, self.order = estimate, order
        self.back = tuple(int(i) for i in np.argsort(order))
        levels = estimate.levels
        if levels.axis is not None:  # counted in the layer's own order
            levels = levels.moved(order[levels.axis] - len(order))
        self.levels = levels
        self.record = {**estimate.record, "levels": levels.as_record()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.estimate, name)


def turned(data: Any, order: tuple[int, ...]) -> Any:
    """An array, or each of a list, with its axes in another order; lazy if it is."""
    if isinstance(data, list):
        return [turned(each, order) for each in data]
    if not hasattr(data, "transpose"):  # Zarr
        from ...model.inference.lazy_arrays import as_dask

        data = as_dask(data)
    return data.transpose(order)


def reflectance_plane(estimate: Estimate, index: tuple[int, ...], strength: float) -> NDArray[Any]:
    """``S / L^strength`` of one plane."""
    return estimate.plane(index, strength)


def light_plane(estimate: Estimate, index: tuple[int, ...], strength: float) -> NDArray[Any]:
    """The factor that turns one plane of the reflectance into the input again."""
    return estimate.plane_illumination(index, strength)


def blended(
    estimate: Any,
    strength: float,
    plane: Callable[[Estimate, tuple[int, ...], float], NDArray[Any]],
) -> Any:
    """All planes at a strength: an array, or for a large stack a lazy one, plane by plane.

    Of a multiscale layer, a list of them.
    """
    if isinstance(estimate, Turned):
        return turned(blended(estimate.estimate, strength, plane), estimate.back)
    if estimate.lazy:
        scales = getattr(estimate, "estimates", None)
        results = [each.result(strength) for each in scales or [estimate]]
        name = "reflectance" if plane is reflectance_plane else "illumination"
        arrays = [getattr(result, name) for result in results]
        return arrays if scales else arrays[0]
    if not estimate.lead:
        return plane(estimate, (), strength)
    if np.prod(estimate.image.shape) <= EAGER:
        planes = [plane(estimate, index, strength) for index in np.ndindex(estimate.lead)]
        return np.stack(planes).reshape(*estimate.lead, *planes[0].shape)
    return _lazy(estimate, strength, plane)


def _lazy(
    estimate: Estimate,
    strength: float,
    plane: Callable[[Estimate, tuple[int, ...], float], NDArray[Any]],
) -> Any:
    import dask.array as da

    lead = estimate.lead
    like = plane(estimate, (0,) * len(lead), strength)

    def block(block_id: tuple[int, ...]) -> NDArray[Any]:
        values = plane(estimate, block_id[: len(lead)], strength)
        return values.reshape((1,) * len(lead) + values.shape)

    return da.map_blocks(
        block,
        chunks=(*((1,) * n for n in lead), *((n,) for n in like.shape)),
        dtype=like.dtype,
        meta=np.empty((0,) * (len(lead) + like.ndim), like.dtype),
        name=f"enhanced-{id(estimate):x}-{strength!r}-{plane.__name__}",  # or dask hashes it all
    )


def held_steps(estimate: Any, data: Any) -> Generator[Any, None, Any]:
    """An array that was made of an estimate, held in memory if the image is, block by block.

    What napari computes when it is looked at keeps the window waiting for so long.
    """
    if estimate.lazy or not is_lazy(data) or data.size > MOST_HELD:
        return data
    from dask.array.core import slices_from_chunks

    held, places = np.empty(data.shape, data.dtype), list(slices_from_chunks(data.chunks))
    for done, place in enumerate(places, 1):
        held[place] = data[place].compute()
        yield done, len(places), ""
    return held


_LIVE: WeakKeyDictionary[Image, Live] = WeakKeyDictionary()


def live_of(layer: Image) -> Live | None:
    """What keeps the estimate of a result, as long as its strength can be moved."""
    return _LIVE.get(layer)


class Live:
    """Layers that follow the strength.

    Parameters
    ----------
    estimate : Estimate, LazyEstimate or Scales
    layer : Image
        The reflectance.
    light : Image, optional
        The illumination, kept matching.
    shown : tuple of ShownRange and tuple of float, optional
        What the layer's contrast limits follow, and what they begin with.
    """

    def __init__(
        self,
        estimate: Any,
        layer: Image,
        light: Image | None = None,
        shown: tuple[ShownRange, tuple[float, float]] | None = None,
    ) -> None:
        self.estimate = estimate
        self.layer = layer
        self.light = light
        self._given = pixels(layer)
        self._limits = None if shown is None else FollowedLimits(layer, *shown)
        self._job: Job | None = None
        self._next: Blend | None = None
        _LIVE[layer] = self

    @property
    def told(self) -> str:
        """Why the layer is no longer of this result, as a sentence; empty while it is."""
        if pixels(self.layer) is self._given:
            return ""
        return f"“{unmarked(self.layer.name)}” was given other values: run Enhance again."

    def blend(self, blend: Blend) -> None:
        """Show another blend: at once, or soon for a plane so large that it takes a while.

        Values that somebody else has put into the layer stay.
        """
        if self.told:
            return
        self.estimate = estimate = retoned(self.estimate, blend)
        if estimate.lazy or np.prod(estimate.image.shape) <= EAGER or estimate.lead:
            self._show(blend.strength, *self._blend(estimate, blend.strength))
        elif self._job is not None and self._job.running:
            self._next = blend
        else:
            self._next = None
            steps = self._steps(estimate, blend.strength)
            self._job = Job(steps, on_done=lambda made: self._shown(*made))

    def close(self) -> None:
        """Let go of a blend under way, and of the estimate."""
        _LIVE.pop(self.layer, None)
        if self._job is not None:
            self._job.abandon()

    def _blend(self, estimate: Any, strength: float) -> tuple[Any, Any]:
        light = None if self.light is None else blended(estimate, strength, light_plane)
        return blended(estimate, strength, reflectance_plane), light

    def _steps(
        self, estimate: Any, strength: float
    ) -> Generator[Any, None, tuple[float, Any, Any]]:
        yield 0, 1, ""
        return strength, *self._blend(estimate, strength)

    def _shown(self, strength: float, reflectance: Any, light: Any) -> None:
        if not self.told:
            self._show(strength, reflectance, light)
        if self._next is not None:
            self.blend(self._next)

    def _show(self, strength: float, reflectance: Any, light: Any) -> None:
        if self._limits is not None:
            self._limits.follow(self.estimate, strength)
        for layer, data in ((self.layer, reflectance), (self.light, light)):
            if layer is not None:
                layer.data = data
                self._given = pixels(self.layer)
                told = layer.metadata[METADATA_KEY]
                told["strength"] = strength
                for name in Blend._fields[1:]:
                    told.pop(name, None)
                    if name in self.estimate.record:
                        told[name] = self.estimate.record[name]
