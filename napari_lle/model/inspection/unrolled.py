"""What each stage sees and makes: L_t, R_t, u_t, E_t and V_t for t = 1..T, for any T.

Training ties T stages together so that inference can do with the first. Here all of them run,
plane by plane and when looked at, as `Network.forward` runs them: each pads its own input.
"""

from __future__ import annotations

from collections.abc import Generator
from threading import Lock
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from ..inference.estimate import Estimate
from ..inference.planes import as_channels, see
from ..inference.survey import Survey
from ..network.checkpoint import Model
from ..network.config import RESIDUAL_FLOOR
from ..network.network import AUXILIARY_RADIUS
from ..network.residual import trim
from ..preprocessing.tiling import tiles, widen
from ..progress import Progress, Steps, finish
from ..version import __version__
from .diagnostics import feature_maps, map_names, noise_gain_steps, tiled
from .trace import SYMBOLS, Trace

T = TypeVar("T")
Window = tuple[tuple[int, int], tuple[int, int]]  # first and one past the last row, and column


class Stages:
    """The stages of an image, computed plane by plane when asked for; made by `look.stages`.

    ``result["L"]`` and so on, see `SYMBOLS`, are lazy dask arrays of float32 with a leading axis of
    T stages; the other axes are as in `Trace`, planes before them.

    Attributes
    ----------
    count : int
        T.
    model : Model
    levels : Levels
    trained : bool
        The model has an auxiliary block that learned something; if not, E = 0.
    record : dict
        How the stages are made, plain values.
    """

    def __init__(
        self,
        image: Any,
        model: Model,
        known: Survey,
        count: int,
        device: torch.device,
        tile: int,
        *,
        rgb: bool,
        per: bool,
    ) -> None:
        self.image, self.model, self.count, self.rgb, self.per = image, model, count, rgb, per
        self.levels = known.levels
        self.trained = not model.network.auxiliary.silent
        self._network = model.network.to(device)
        self._statistics = torch.tensor([known.statistics], dtype=torch.float32, device=device)
        self._darkest = float(self._network.block.darkest(self._statistics))
        self._tile = tile
        self._token = uuid4().hex
        self._lock = Lock()
        self._kept: tuple[tuple[int, ...], Trace] | None = None
        self.record = {
            "napari_lle": __version__,
            "model": model.name,
            "model_digest": model.digest,
            "auxiliary": self.trained,
            "levels": known.levels.as_record(),
            "channels": "per" if per else "joint",
            "rgb": rgb,
            "count": count,
            "device": device.type,
        }

    @property
    def lead(self) -> tuple[int, ...]:
        """Shape of the axes before the plane's."""
        return tuple(self.image.shape[: -3 if self.rgb else -2])

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return tuple(self.image.shape[len(self.lead) : len(self.lead) + 2])

    def radius(self, stage: int = 1) -> int:
        """Pixels around it that a pixel of L_t depends on: the receptive field is twice that + 1.

        From the second stage on, an auxiliary block that learned nothing adds nothing.
        """
        alike = not self.trained and self._network.config.recursion != "literal"
        return self._network.reach(1 if alike else stage)

    def __getitem__(self, kind: str) -> Any:
        import dask.array as da

        tail = self.image.shape[len(self.lead) :][: 3 if self._coloured(kind) else 2]
        tail = (*tail[:2], *(3 for _ in tail[2:]))  # without alpha
        dims = len(self.lead)

        def block(block_id: tuple[int, ...]) -> NDArray[np.float32]:
            values = self.plane(block_id[1 : dims + 1])[kind]
            return values.reshape(self.count, *(1,) * dims, *tail)

        return da.map_blocks(
            block,
            chunks=((self.count,), *((1,) * n for n in self.lead), *((n,) for n in tail)),
            dtype=np.float32,
            meta=np.empty((0,) * (1 + dims + len(tail)), np.float32),
            name=f"stages-{self._token}-{kind}",
        )

    def plane(self, index: tuple[int, ...] = ()) -> Trace:
        """All stages of one plane; the latest is kept."""
        with self._lock:  # dask asks for several kinds at once
            if self._kept is None or self._kept[0] != index:
                self._kept = index, finish(self.steps(index))
            return self._kept[1]

    def steps(
        self, index: tuple[int, ...] = (), part: Window | None = None
    ) -> Generator[Progress, None, Trace]:
        """Compute one plane, or a part of it, yielding `Progress` after every tile.

        A part is read with the halo of all its stages: it equals that part of the whole.
        """
        outer, inner = self._spans(part, self._reach)
        pixels, s = self._read(index, outer)
        total = 2 * self.count * self._tiles(s)
        found = yield from _with_progress(self._unroll(pixels, s), total)
        values = {kind: np.stack([v[inner] for v in found[kind]]) for kind in SYMBOLS}
        return Trace(values)

    def noise_gain(
        self, index: tuple[int, ...] = (), part: Window | None = None
    ) -> Generator[Progress, None, NDArray[np.float32]]:
        """Deviation of R_1 for small noise of deviation 1 in S: (Y, X) or (Y, X, 3)."""
        outer, inner = self._spans(part, self._network.radius)
        s = self._read(index, outer)[1]
        origin = (outer[0].start or 0, outer[1].start or 0)
        walk = noise_gain_steps(
            self._network, s, self._statistics, self._tile, joint=not self.per, origin=origin
        )
        found = yield from _with_progress(walk, self._tiles(s))
        return self._shown(found)[inner]

    def feature_maps(
        self, index: tuple[int, ...] = (), part: Window | None = None
    ) -> Generator[Progress, None, dict[str, NDArray[np.float32]]]:
        """Activations of the dilated branches in the first stage, each (Y, X), by name.

        Raises
        ------
        ValueError
            If the model's block has no branches in use.
        """
        outer, inner = self._spans(part, self._network.radius)
        s = self._read(index, outer)[1]
        walk = feature_maps(self._network, s, self._statistics, self._tile)
        found = yield from _with_progress(walk, self._tiles(s))
        return {name: m[inner] for name, m in zip(map_names(self._network), found, strict=True)}

    @property
    def _reach(self) -> int:
        return self.count * (self._network.radius + AUXILIARY_RADIUS)

    def _coloured(self, kind: str) -> bool:
        return self.rgb and (self.per or kind == "R")

    def _tiles(self, s: NDArray[np.float32]) -> int:
        height, width = s.shape[1:]
        return sum(1 for _ in tiles(height, width, self._tile, 0, self._network.grid))

    def _spans(
        self, part: Window | None, margin: int
    ) -> tuple[tuple[slice, ...], tuple[slice, slice]]:
        """Rows and columns to read, and where the part lies among them."""
        if part is None:
            return (slice(None), slice(None)), (slice(None), slice(None))
        grid = self._network.grid
        outer = tuple(
            slice(*widen(*span, length, margin, grid))
            for span, length in zip(part, self.plane_shape, strict=True)
        )
        rows, columns = (
            slice(first - read.start, last - read.start)
            for read, (first, last) in zip(outer, part, strict=True)
        )
        return outer, (rows, columns)

    def _read(
        self, index: tuple[int, ...], spans: tuple[slice, ...]
    ) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Pixels as they are, (Y, X[, 3]), and what the network sees of them, (3, Y, X)."""
        pixels = np.asarray(self.image[(*index, *spans)])
        pixels = pixels[..., :3] if self.rgb else pixels
        return pixels, as_channels(see(pixels, self.levels, self.rgb, self.per), self.per)

    def _shown(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's (3, H, W) to (H, W, 3), or (H, W) where one serves all channels."""
        return values.transpose(1, 2, 0) if self.per else values.mean(axis=0)

    def _unroll(
        self, pixels: NDArray[Any], s: NDArray[np.float32]
    ) -> Generator[None, None, dict[str, list[NDArray[np.float32]]]]:
        """`Network.forward` in tiles; R as `enhance` makes it, from the pixels as they are."""
        network, statistics, size = self._network, self._statistics, self._tile
        where, floor = statistics.device, np.float32(RESIDUAL_FLOOR)
        dividend = np.maximum(s, np.float32(self._darkest))
        found: dict[str, list[NDArray[np.float32]]] = {kind: [] for kind in SYMBOLS}
        v = s
        for _ in range(self.count):
            light = yield from tiled(
                lambda x: network.block(x, statistics), v, network.radius, size, where, network.grid
            )
            r = np.divide(dividend, np.maximum(light, floor), dtype=np.float32)
            e = yield from tiled(
                lambda x: trim(network.auxiliary(x), AUXILIARY_RADIUS),
                r,
                AUXILIARY_RADIUS,
                size,
                where,
                network.grid,
            )
            for kind, values in (("L", light), ("u", light - v), ("E", e), ("V", v)):
                found[kind].append(self._shown(values))
            divisor = np.maximum(found["L"][-1], floor)
            estimate = Estimate(pixels, divisor, self.levels, self.rgb, self._darkest)
            found["R"].append(estimate.plane(()))
            v = light if network.config.recursion == "literal" else s + e
        return found


def _with_progress(walk: Generator[None, None, T], total: int) -> Generator[Progress, None, T]:
    """Turn ticks into progress; memory that runs out into a sentence."""
    ticks = Steps(walk)
    try:
        for done, _ in enumerate(ticks, 1):
            yield Progress(done, total)
    except RuntimeError as error:
        if "out of memory" not in str(error):  # CUDA and Metal word it alike
            raise
        raise MemoryError("The device has no memory left: choose the device cpu.") from None
    return ticks.answer
