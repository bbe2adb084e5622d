"""What can be asked of an enhancement, checked once; out of a record, and into code or a command.

Torch is not needed here: forms and the command line make their options before it is loaded.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from ..network.config import SCALES
from ..runtime.choices import SMALLEST_TILE, DeviceName, check_choice

if TYPE_CHECKING:
    from ..network.checkpoint import Model

ChannelMode = Literal["auto", "per", "joint"]
LevelOption = float | Sequence[float | None] | None
INDENT = " " * 4


class SharedKeywords(TypedDict, total=False):
    """Keywords of `enhance` that `enhance_jointly` has, too."""

    black: LevelOption
    white: LevelOption
    device: str
    tile: int | str
    illumination_scale: int | None


class EnhanceKeywords(SharedKeywords, total=False):
    """Keywords of `enhance`; what they mean stands in `EnhanceOptions`."""

    channels: str
    channel_axis: int | None
    rgb: bool | None


@dataclass(frozen=True, kw_only=True)
class EnhanceOptions:
    """What the network is asked for; the strength comes after it and is none of these.

    Attributes
    ----------
    model : str, Path or Model
        A bundled name or a model file; ``auto`` is ``photo`` for uint8 RGB, else ``linear``. With
        ``:global`` after it, one rising curve for the whole image.
    black, white : float, or one for each of several images, optional
        Levels in the input's units that become 0 and 1; None where they are to be found.
    channels : {"auto", "per", "joint"}
        An illumination for each colour, or one for all; ``auto`` is ``per`` for uint8 RGB.
    channel_axis : int, optional
        Axis of channels, before rows and columns, that share one illumination.
    rgb : bool, optional
        The last axis holds colours; by default, if it has 3 or 4 entries.
    device : {"auto", "cpu", "cuda", "mps"}
    tile : int or "auto"
        Longest tile side in pixels.
    illumination_scale : {1, 2, 4}, optional
        By how much the illumination is found smaller; the model's own by default.

    Raises
    ------
    ValueError
        If a value cannot be used; the message is one sentence for the user.
    """

    model: str | Path | Model = "auto"
    black: LevelOption = None
    white: LevelOption = None
    channels: str = "auto"
    channel_axis: int | None = None
    rgb: bool | None = None
    device: str = "auto"
    tile: int | str = "auto"
    illumination_scale: int | None = None

    def __post_init__(self) -> None:
        check_choice("channels", self.channels, get_args(ChannelMode))
        check_choice("device", self.device, get_args(DeviceName))
        if self.tile != "auto" and (isinstance(self.tile, str) or self.tile < SMALLEST_TILE):
            raise ValueError(
                f"tile is auto or a number of {SMALLEST_TILE} or more, not {self.tile!r}."
            )
        if self.illumination_scale not in (None, *SCALES):
            raise ValueError(f"illumination_scale is 1, 2 or 4, not {self.illumination_scale!r}.")
        for name in ("black", "white"):
            object.__setattr__(self, name, _checked(name, getattr(self, name)))

    def level_pairs(self, count: int) -> list[tuple[float | None, float | None]]:
        """Black and white for each of so many images."""
        blacks, whites = _each("black", self.black, count), _each("white", self.white, count)
        return list(zip(blacks, whites, strict=True))

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> EnhanceOptions:
        """The options that repeat a run, from what is kept with its result.

        Parameters
        ----------
        record : dict
            `Result.record`, or a layer's ``metadata["napari_lle"]``.
        """
        found = record.get("together") or [record["levels"]]
        black, white = (tuple(each[name] for each in found) for name in ("black", "white"))
        shared = "channel_axis" in record
        return cls(
            model=record.get("model_file") or record["model"],
            black=black if shared else black[0],
            white=white if shared else white[0],
            channels=record["channels"],
            channel_axis=record.get("channel_axis"),
            rgb=record["rgb"],
            illumination_scale=record.get("illumination_scale"),
        )

    def as_python(self, strength: float = 1.0) -> str:
        """Code that does so with the array `image`, or with images that share an illumination."""
        if self.channel_axis is None and not isinstance(self.black, tuple):
            return _call("result = enhance", "image", {**self._named(), "strength": strength})
        count = len(self.black) if isinstance(self.black, tuple) else 1
        images = ", ".join(f"image_{i}" for i in range(count)) if count > 1 else "image"
        named = {k: v for k, v in self._named().items() if k not in ("channels", "rgb")}
        axis = named.pop("channel_axis", None)
        named = {"axis": axis, "strength": strength, **named}
        return _call("results = enhance_jointly", f"[{images}]", named)

    def as_command(self, strength: float = 1.0, source: str = "INPUT.tif") -> str:
        """Shell command that does so with a file.

        Raises
        ------
        ValueError
            If several images share an illumination: the command line takes one file at a time.
        """
        if isinstance(self.black, tuple) and len(self.black) > 1:
            raise ValueError(
                "No command enhances separate layers under one illumination: copy as Python, or "
                "save them as one file with an axis C."
            )
        named = {**self._named(), "strength": f"{strength:g}"}
        words = [f"napari-lle enhance {shlex.quote(source)} -o OUTPUT.tif"]
        for name, value in named.items():
            if name not in ("rgb", "channel_axis"):  # which are the file's to tell
                word = str(value[0] if isinstance(value, tuple) else value)
                words.append(f"--{name.replace('_', '-')} {shlex.quote(word)}")
        return " ".join([*words, "--dtype float32"])

    def _named(self) -> dict[str, Any]:
        """The options that differ from what they are by default, as plain values."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        model = self.model
        named["model"] = str(model) if isinstance(model, str | Path) else model.name
        return {f.name: named[f.name] for f in fields(self) if named[f.name] != f.default}


def _call(function: str, images: str, named: dict[str, Any]) -> str:
    lines = [f"{INDENT}{images},", *(f"{INDENT}{name}={value!r}," for name, value in named.items())]
    name = function.split()[-1]
    return "\n".join([f"from napari_lle.model import {name}\n", f"{function}(", *lines, ")\n"])


def _checked(name: str, level: LevelOption) -> LevelOption:
    """A level as it is, several as a tuple."""
    if isinstance(level, list | tuple):
        return tuple(_number(name, value) for value in level)
    return _number(name, level)


def _number(name: str, value: Any) -> float | None:
    if value is None or isinstance(value, Real):
        return value  # type: ignore[return-value]
    raise ValueError(f"{name} is a number, or one for each of several images, not {value!r}.")


def _each(name: str, level: LevelOption, count: int) -> Sequence[float | None]:
    if not isinstance(level, Sequence):
        return [level] * count
    if len(level) != count:
        raise ValueError(f"{name} is one number, or one for each of {count} arrays.")
    return level


DEFAULTS = EnhanceOptions()
