"""Arrays in, arrays out: enhance any image, and restore it exactly.

The network runs once and gives the illumination L of a whole image (`Estimate`). Everything
after that is arithmetic: reflectance at any strength, and the product that is the input again.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from .bundled import automatic_model
from .checkpoint import Model, load_model
from .devices import choose_device
from .network import Network
from .normalization import Levels, denormalize, find_levels, network_input, sample
from .statistics import Statistics, image_statistics
from .tiling import tiles
from .version import __version__

CHANNELS = ("auto", "per", "joint")
AUTO_TILE = {"cpu": 512, "cuda": 4096, "mps": 2048}  # on a CPU the activations stay in cache
SMALLEST_TILE = 32


class Survey(NamedTuple):
    """What is found once for a whole layer and holds for every plane and part of it."""

    levels: Levels
    statistics: Statistics


class Progress(NamedTuple):
    """One step of a long job: `done` of `total`, and at times something to tell the user."""

    done: int
    total: int
    note: str = ""


@dataclass(frozen=True)
class Result:
    """An enhanced image: S = R L, with S normalised by the levels.

    Attributes
    ----------
    reflectance : ndarray, the input's shape, float32
        For looking at; never clipped. The alpha of RGBA is carried along as 0..1.
    illumination : ndarray
        The input's shape without alpha; without the colour axis where one illumination serves
        all channels. float64 for inputs that float32 cannot hold exactly.
    levels : Levels
        Black, white and dtype of the input; `restore` needs them.
    record : dict
        How the result was made; plain values, enough to repeat it.
    """

    reflectance: NDArray[np.float32]
    illumination: NDArray[Any]
    levels: Levels
    record: dict[str, Any]


@dataclass(frozen=True)
class Estimate:
    """The illumination of an image, from which results of any strength follow at once.

    Attributes
    ----------
    image : array-like
        The input, as it came.
    illumination : ndarray of float32
        What the network found, > 0; see `Result.illumination` for its shape.
    levels : Levels
    rgb : bool
        The last axis of the image holds colours.
    darkest : float
        Normalised value that darker pixels are taken for by a model that cleans; at strength 0
        they are what they are.
    record : dict
    """

    image: Any
    illumination: NDArray[np.float32]
    levels: Levels
    rgb: bool
    darkest: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)

    def reflectance(self, strength: float = 1.0) -> NDArray[np.float32]:
        """``S / L^strength`` of the whole image: 0 is the normalised input, 1 the full effect."""
        result = np.empty(self.image.shape, np.float32)
        for index in np.ndindex(self.lead):
            result[index] = self.plane(index, strength)
        return result

    def plane(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[np.float32]:
        """One plane of `reflectance`: (Y, X) or (Y, X, C)."""
        pixels = np.asarray(self.image[index])
        x = _normalized(pixels[..., :3] if self.rgb else pixels, self.levels)
        light = torch.from_numpy(self._light(index, x.dtype))
        clean = torch.from_numpy(x)
        if self.darkest and not self.joint:  # joint colours keep their ratios instead
            lifted = clean + strength * (self.darkest - clean)
            clean = torch.where((clean >= 0) & (clean < self.darkest), lifted, clean)
        r = (clean / light.pow(strength)).numpy().astype(np.float32, copy=False)
        if self.rgb and pixels.shape[-1] == 4:
            return np.concatenate([r, _alpha(pixels)], axis=-1)
        return r

    def result(self, strength: float = 1.0) -> Result:
        """Reflectance and matching illumination at a strength of 0..1.

        Raises
        ------
        ValueError
            If the strength is not a number from 0 to 1.
        """
        if not 0 <= strength <= 1:
            raise ValueError(f"strength is a number from 0 to 1, not {strength}.")
        reflectance = np.empty(self.image.shape, np.float32)
        dtype = _working_dtype(self.levels.dtype)
        illumination = np.empty(self.illumination.shape, dtype)
        for index in np.ndindex(self.lead):
            reflectance[index] = r = self.plane(index, strength)
            illumination[index] = self._matching(index, r, strength)
        record = {**self.record, "strength": float(strength)}
        return Result(reflectance, illumination, self.levels, record)

    @property
    def lead(self) -> tuple[int, ...]:
        """Shape of the axes before the plane's."""
        return tuple(self.image.shape[: -3 if self.rgb else -2])

    @property
    def joint(self) -> bool:
        """One illumination serves several channels."""
        return self.rgb and self.illumination.ndim < len(self.image.shape)

    def _light(self, index: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        light = self.illumination[index].astype(dtype, copy=False)
        return light[..., None] if self.joint else light

    def plane_illumination(self, index: tuple[int, ...], strength: float = 1.0) -> NDArray[Any]:
        """What one plane of the reflectance times is the normalised input.

        It is L^strength corrected for the rounding of R, so that the product is the input to the
        last bit; where one illumination serves several channels there is no such freedom.
        """
        return self._matching(index, self.plane(index, strength), strength)

    def _matching(
        self, index: tuple[int, ...], r: NDArray[np.float32], strength: float
    ) -> NDArray[Any]:
        pixels = np.asarray(self.image[index])
        x = _normalized(pixels[..., :3] if self.rgb else pixels, self.levels)
        light = self._light(index, x.dtype) ** x.dtype.type(strength)
        if self.joint:
            return light[..., 0]
        r = r[..., :3] if self.rgb else r
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            exact = x / r
        return np.where(np.isfinite(exact), exact, light)


def enhance(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    strength: float = 1.0,
    black: float | None = None,
    white: float | None = None,
    channels: str = "auto",
    device: str = "auto",
    tile: int | str = "auto",
    rgb: bool | None = None,
) -> Result:
    """Enhance a dark image by dividing out its illumination.

    Parameters
    ----------
    image : array_like, (..., Y, X) or (..., Y, X, 3 or 4)
        Integers, floats or booleans. The last two spatial axes are processed as planes.
    model : str, Path or Model
        A bundled name or a model file; ``auto`` is ``photo`` for uint8 RGB and ``linear``, which
        only divides, for everything else.
    strength : float
        0 leaves the normalised input, 1 is the full effect: ``R = S / L^strength``.
    black, white : float, optional
        Levels in the input's units that become 0 and 1; found when not given (0 and 255 for
        uint8 RGB, else the 0.1 and 99.9 percentiles of the whole array).
    channels : {"auto", "per", "joint"}
        An illumination for each colour, or one for all, which keeps the ratios of colours.
        ``auto`` is ``per`` for uint8 RGB and ``joint`` for everything else.
    device : {"auto", "cpu", "cuda", "mps"}
    tile : int or "auto"
        Longest tile side in pixels; the result does not depend on it.
    rgb : bool, optional
        Whether the last axis holds colours; by default, if it has 3 or 4 entries.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        If the image or an option cannot be used; the message says what to change.

    Examples
    --------
    >>> import numpy as np
    >>> dark = np.full((8, 8), 10, np.uint8)
    >>> result = enhance(dark, black=0, white=255)
    >>> bool((restore(result.reflectance, result.illumination, result.levels) == dark).all())
    True
    """
    steps = estimate_steps(
        image,
        model,
        black=black,
        white=white,
        channels=channels,
        device=device,
        tile=tile,
        rgb=rgb,
    )
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            estimate: Estimate = stop.value
            return estimate.result(strength)


def restore(
    reflectance: ArrayLike, illumination: ArrayLike, levels: Levels | dict[str, Any]
) -> NDArray[Any]:
    """Multiply R and L and undo the levels: the measured values again.

    Parameters
    ----------
    reflectance, illumination : array_like
        As in `Result`.
    levels : Levels or dict
        As in `Result`, or its fields as a dictionary.

    Returns
    -------
    ndarray
        The input of `enhance`, in its dtype: bit for bit for integers of up to 32 bits, within
        2e-7 relative for floats.

    Raises
    ------
    ValueError
        If the two arrays do not belong together.
    """
    r, light = np.asarray(reflectance), np.asarray(illumination)
    levels = levels if isinstance(levels, Levels) else Levels(**levels)
    if r.shape == light.shape:
        return denormalize(r.astype(np.float64) * light, levels)
    if r.ndim > 2 and r.shape[-1] in (3, 4) and light.shape == r.shape[:-1]:
        light = light[..., None]
    elif r.shape[-1:] != (4,) or light.shape != (*r.shape[:-1], 3):
        raise ValueError(
            f"Reflectance of shape {r.shape} and illumination of shape {light.shape} do not belong "
            "together: give the pair that one run made."
        )
    colours = denormalize(r[..., :3].astype(np.float64) * light, levels)
    if r.shape[-1] == 3:
        return colours
    return np.concatenate([colours, _stored_alpha(r, colours.dtype)], axis=-1)


def in_input_dtype(result: Result) -> NDArray[Any]:
    """The reflectance on the input's own scale: black to white level, rounded, in its dtype."""
    r = result.reflectance
    if r.shape[-1] == 4 and result.illumination.shape != r.shape:
        colours = denormalize(r[..., :3], result.levels)
        return np.concatenate([colours, _stored_alpha(r, colours.dtype)], axis=-1)
    return denormalize(r, result.levels)


def estimate_steps(
    image: ArrayLike,
    model: str | Path | Model = "auto",
    *,
    black: float | None = None,
    white: float | None = None,
    channels: str = "auto",
    device: str = "auto",
    tile: int | str = "auto",
    rgb: bool | None = None,
    known: Survey | None = None,
) -> Generator[Progress, None, Estimate]:
    """Find the illumination, yielding `Progress` after every tile and returning an `Estimate`.

    The parameters are those of `enhance`, and `known`, the survey of the whole that the image is
    a part of, which replaces levels of its own. Closing the generator cancels the work.
    """
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    rgb = looks_rgb(data.shape) if rgb is None else rgb
    _check(data, rgb, channels, tile)
    if known is None:
        known = survey(data, channels=channels, black=black, white=white, rgb=rgb)
    levels = known.levels
    loaded = choose_model(model, rgb, levels.dtype)
    where = choose_device(device)
    size = AUTO_TILE[where.type] if tile == "auto" else int(tile)
    per = _per_channel(channels, rgb, levels.dtype)
    network = loaded.network.to(where)
    statistics = torch.tensor([known.statistics], dtype=torch.float32, device=where)
    lead = tuple(data.shape[: -3 if rgb else -2])
    height, width = data.shape[len(lead) : len(lead) + 2]
    illumination = np.empty(
        (*lead, height, width, 3) if per else (*lead, height, width), np.float32
    )
    planes = list(np.ndindex(lead))
    for i, index in enumerate(planes):
        pixels = np.asarray(data[index])
        x = network_input(_normalized(pixels[..., :3] if rgb else pixels, levels))
        steps = _plane(network, _as_channels(x, per), statistics, illumination[index], size)
        for step in steps:
            size = step.size
            yield Progress(i * step.total + step.done, len(planes) * step.total, step.note)
    record = {
        "napari_lle": __version__,
        "torch": torch.__version__,
        "model": loaded.name,
        "model_digest": loaded.digest,
        "levels": {"black": levels.black, "white": levels.white, "dtype": levels.dtype},
        "statistics": known.statistics._asdict(),
        "channels": "per" if per else "joint",
        "rgb": rgb,
        "device": where.type,
    }
    darkest = float(network.block.darkest(statistics))
    return Estimate(data, illumination, levels, rgb, darkest, record)


def choose_model(model: str | Path | Model, rgb: bool, dtype: str) -> Model:
    """Load a model; ``auto`` stands for the one that suits the image."""
    return load_model(automatic_model(rgb, dtype) if model == "auto" else model)


def survey(
    image: ArrayLike,
    *,
    channels: str = "auto",
    black: float | None = None,
    white: float | None = None,
    rgb: bool | None = None,
) -> Survey:
    """Levels and statistics of a whole layer; the parameters are those of `enhance`."""
    data: Any = image if hasattr(image, "shape") else np.asarray(image)
    rgb = looks_rgb(data.shape) if rgb is None else rgb
    levels = find_levels(data, rgb=rgb, black=black, white=white)
    x = network_input(_normalized(sample(data, rgb=rgb), levels))
    if not _per_channel(channels, rgb, levels.dtype):
        grey = x.max(axis=-1) if rgb else x
        x = np.broadcast_to(grey[..., None], (*grey.shape, 3))
    return Survey(levels, image_statistics(x))


def looks_rgb(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape is taken for colour: three axes or more, 3 or 4 at the end."""
    return len(shape) > 2 and shape[-1] in (3, 4)


def _per_channel(channels: str, rgb: bool, dtype: str) -> bool:
    """Each colour has an illumination of its own: asked for, or a photograph."""
    return rgb and (channels == "per" or (channels == "auto" and dtype == "uint8"))


class _Step(NamedTuple):
    done: int
    total: int
    size: int
    note: str = ""


def _plane(
    network: Network,
    x: NDArray[np.float32],
    statistics: torch.Tensor,
    out: NDArray[np.float32],
    size: int,
) -> Generator[_Step, None, None]:
    """Fill `out`, (H, W) or (H, W, 3), from `x`, (3, H, W); halve the tile when memory runs out."""
    height, width = x.shape[-2:]
    device = statistics.device
    note = ""
    while True:
        parts = list(tiles(height, width, size, network.radius))
        try:
            for done, part in enumerate(parts, 1):
                patch = x[:, part.rows[:, None], part.columns]
                light = _run(network, patch, statistics)  # (3, h, w)
                out[part.out] = light.transpose(1, 2, 0) if out.ndim == 3 else light.mean(axis=0)
                yield _Step(done, len(parts), size, note)
                note = ""
            return
        except RuntimeError as error:
            if "out of memory" not in str(error):  # CUDA and Metal word it alike
                raise
            if size <= SMALLEST_TILE:
                raise MemoryError(
                    f"{device.type} has no memory left even for small tiles: close other programs "
                    "or choose the device cpu."
                ) from None
            size = max(size // 2, SMALLEST_TILE)
            note = f"Out of memory on {device.type}: going on with tiles of {size} pixels."
            if device.type == "cuda":
                torch.cuda.empty_cache()


def _run(
    network: Network, patch: NDArray[np.float32], statistics: torch.Tensor
) -> NDArray[np.float32]:
    """One block on one padded tile."""
    with torch.inference_mode():
        batch = torch.from_numpy(patch)[None]
        batch = batch.to(statistics.device, memory_format=torch.channels_last)
        return network.block(batch, statistics)[0].cpu().numpy()


def _as_channels(x: NDArray[np.float32], per: bool) -> NDArray[np.float32]:
    """(H, W[, 3]) to the network's (3, H, W).

    Jointly treated colours enter as their maximum: L then bounds every channel, R stays <= 1.
    """
    if per:
        return np.ascontiguousarray(x.transpose(2, 0, 1))
    grey = x.max(axis=-1) if x.ndim == 3 else x
    return np.broadcast_to(grey, (3, *grey.shape))


def _check(data: Any, rgb: bool, channels: str, tile: int | str) -> None:
    if channels not in CHANNELS:
        raise ValueError(f"channels is one of {', '.join(CHANNELS)}, not {channels!r}.")
    if tile != "auto" and (isinstance(tile, str) or tile < SMALLEST_TILE):
        raise ValueError(f"tile is auto or a number of {SMALLEST_TILE} or more, not {tile!r}.")
    if data.ndim < (3 if rgb else 2):
        raise ValueError(f"An image has two spatial axes; this array's shape is {data.shape}.")
    if rgb and data.shape[-1] not in (3, 4):
        raise ValueError(f"The last axis of RGB data has 3 or 4 entries, not {data.shape[-1]}.")


def _working_dtype(name: str) -> np.dtype[Any]:
    """float32 where it restores integers exactly, float64 for everything wider."""
    dtype = np.dtype(name)
    narrow = dtype.kind == "b" or (dtype.kind in "ui" and dtype.itemsize <= 2)
    return np.dtype(np.float32 if narrow else np.float64)


def _normalized(pixels: NDArray[Any], levels: Levels) -> NDArray[Any]:
    dtype = _working_dtype(levels.dtype)
    black, span = dtype.type(levels.black), dtype.type(levels.span)
    return (pixels.astype(dtype) - black) / span


def _alpha_range(dtype: np.dtype[Any]) -> float:
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0


def _alpha(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """The last of four channels as napari shows it: 0..1."""
    return (pixels[..., 3:] / _alpha_range(pixels.dtype)).astype(np.float32)


def _stored_alpha(r: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    alpha = r[..., 3:].astype(np.float64) * _alpha_range(dtype)
    return (np.rint(alpha) if dtype.kind in "ui" else alpha).astype(dtype)
