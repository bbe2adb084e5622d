"""What can be asked of an enhancement, checked once; out of a record, and into code or a command.

Torch is not needed here: forms and the command line make their options before it is loaded.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args

from ..network.bundled import GLOBAL
from ..network.config import SCALES
from ..preprocessing.sky import NEAR_SKY
from ..runtime.choices import SMALLEST_TILE, DeviceName, check_choice
from .level_options import (
    LevelOption,
    LevelPair,
    checked_level,
    flat_levels,
    kept_level,
    level_pairs,
)

if TYPE_CHECKING:
    from ..network.checkpoint import Model

ChannelMode = Literal["auto", "per", "joint", "luminance"]
ClipMode = Literal["rescale", "keep"]
LevelMode = Literal["auto", "linked", "unlinked"]
INDENT = " " * 4


class SharedKeywords(TypedDict, total=False):
    """Keywords of `enhance` that `enhance_jointly` has, too."""

    black: LevelOption
    white: LevelOption
    levels: str
    clipped: float | None
    sky: float | None
    brightness: float | None
    denoise: float | None
    device: str
    tile: int | str
    illumination_scale: int | None


class EnhanceKeywords(SharedKeywords, total=False):
    """Keywords of `enhance`; what they mean stands in `EnhanceOptions`."""

    channels: str
    clip: str
    channel_axis: int | None
    rgb: bool | None
    look: str | None


@dataclass(frozen=True, kw_only=True)
class EnhanceOptions:
    """What the network is asked for; the strength comes after it and is none of these.

    Attributes
    ----------
    model : str, Path or Model
        A bundled name or a model file; ``auto`` is ``photo`` for uint8 RGB, ``science`` for one
        channel, ``linear`` for several. With ``:global`` after it, one rising curve for the whole
        image.
    black, white : float, or one for each of several images, optional
        Levels in the input's units that become 0 and 1; None where they are to be found. Black
        may be ``"sky"``: 2.8 deviations of its noise below the background.
    levels : {"auto", "linked", "unlinked"}
        One black and one white for all channels, or for each its own. ``auto`` is ``unlinked``
        for an axis of channels, several images, and float colours beyond 0..1.
    clipped : float, optional
        Share of the values, at each end, that levels which are found may leave beyond them: they
        lie so far out that it holds. What lies beyond is counted, and noted in the record.
    sky : float, optional
        Brightness, 0..1, that the background comes to; a quarter where black is ``"sky"``. For
        models that stretch: ``linear`` and ``science``.
    brightness : float, optional
        Where results of a quarter are brought to, 0..1, and all others along; 0 and 1 stay.
    denoise : float, optional
        How much of the noise removal is kept, 0..1, of ``linear`` and ``science``: at 0 the result
        is a plain stretch. See `tone` for both.
    channels : {"auto", "per", "joint", "luminance"}
        An illumination for each colour, or one for all, that of the brightest colour or of their
        mean; ``auto`` is ``per`` for uint8 RGB.
    clip : {"rescale", "keep"}
        Of ``luminance``, which pure colours exceed: they are divided by as much as it takes to be
        at most 1, all colours of the pixel alike, or stay beyond 1.
    channel_axis : int, optional
        Axis of channels, before rows and columns, that share one illumination.
    rgb : bool, optional
        The last axis holds colours; by default, if it has 3 or 4 entries.
    device : {"auto", "cpu", "cuda", "mps"}
    tile : int or "auto"
        Longest tile side in pixels.
    illumination_scale : {1, 2, 4}, optional
        By how much the illumination is found smaller; the model's own by default.
    look : str, optional
        The look that these options come from, see `looks.look_options`: noted in the record only.

    Raises
    ------
    ValueError
        If a value cannot be used; the message is one sentence for the user.
    """

    model: str | Path | Model = "auto"
    black: LevelOption = None
    white: LevelOption = None
    levels: str = "auto"
    clipped: float | None = None
    sky: float | None = None
    brightness: float | None = None
    denoise: float | None = None
    channels: str = "auto"
    clip: str = "rescale"
    channel_axis: int | None = None
    rgb: bool | None = None
    device: str = "auto"
    tile: int | str = "auto"
    illumination_scale: int | None = None
    look: str | None = None

    def __post_init__(self) -> None:
        check_choice("channels", self.channels, get_args(ChannelMode))
        check_choice("clip", self.clip, get_args(ClipMode))
        check_choice("levels", self.levels, get_args(LevelMode))
        check_choice("device", self.device, get_args(DeviceName))
        if self.tile != "auto" and (isinstance(self.tile, str) or self.tile < SMALLEST_TILE):
            raise ValueError(
                f"tile must be auto or a number of {SMALLEST_TILE} or more, not {self.tile!r}."
            )
        if self.illumination_scale not in (None, *SCALES):
            raise ValueError(
                f"illumination_scale must be 1, 2 or 4, not {self.illumination_scale!r}."
            )
        if self.clipped is not None and not 0 <= self.clipped < 0.5:
            raise ValueError(f"clipped must be a share from 0 to 0.5, not {self.clipped!r}.")
        if self.sky is not None and not 0 < self.sky < 1:
            raise ValueError(f"sky must be a brightness between 0 and 1, not {self.sky!r}.")
        if self.brightness is not None and not 0 < self.brightness < 1:
            raise ValueError(
                f"brightness must be a number between 0 and 1, not {self.brightness!r}."
            )
        if self.denoise is not None and not 0 <= self.denoise <= 1:
            raise ValueError(f"denoise must be a number from 0 to 1, not {self.denoise!r}.")
        for name in ("black", "white"):
            object.__setattr__(self, name, checked_level(name, getattr(self, name)))

    @property
    def near_sky(self) -> bool:
        """Whether a black level is to be near the background."""
        return NEAR_SKY in flat_levels(self.black)

    def level_pairs(self, count: int) -> list[LevelPair]:
        """Black and white for each of so many images, each for all of its channels or for each."""
        return level_pairs((self.black, self.white), count, "arrays")

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> EnhanceOptions:
        """The options that repeat a run, from what is kept with its result.

        Parameters
        ----------
        record : dict
            `Result.record`, or a layer's ``metadata["napari_lle"]``.
        """
        found = record.get("together") or [record["levels"]]
        black, white = (
            tuple(kept_level(each[name]) for each in found) for name in ("black", "white")
        )
        shared = "channel_axis" in record
        return cls(
            model=record.get("model_file") or formula_of(record),
            black=black if shared else black[0],
            white=white if shared else white[0],
            clipped=record.get("clipped", {}).get("allowed"),
            sky=record.get("sky"),
            brightness=record.get("brightness"),
            denoise=record.get("denoise"),
            channels=record["channels"],
            clip=record.get("clip", "rescale"),
            channel_axis=record.get("channel_axis"),
            rgb=record["rgb"],
            illumination_scale=record.get("illumination_scale"),
        )

    @property
    def image_names(self) -> list[str]:
        """What `as_python` calls the images."""
        count = len(self.black) if self._several else 1  # type: ignore[arg-type]
        return [f"image_{i}" for i in range(count)] if count > 1 else ["image"]

    def as_python(self, strength: float = 1.0, background: str = "") -> str:
        """Code that does so with the array `image`, or with images that share an illumination.

        `background` is what is done with a smooth one, such as ``subtract:2``.
        """
        if background:
            how, _, degree = background.partition(":")
            named = {**self._named(), "strength": strength}
            return _call_text("result = enhance_flattened", f"image, {how!r}, {degree}", named)
        if self.channel_axis is None and not self._several:
            return _call_text("result = enhance", "image", {**self._named(), "strength": strength})
        images = ", ".join(self.image_names)
        named = {k: v for k, v in self._named().items() if k not in ("channels", "rgb")}
        axis = named.pop("channel_axis", None)
        named = {"axis": axis, "strength": strength, **named}
        return _call_text("results = enhance_jointly", f"[{images}]", named)

    def as_command(
        self, strength: float = 1.0, source: str = "INPUT.tif", background: str = ""
    ) -> str:
        """Shell command that does so with a file; `background` is that of `as_python`.

        Raises
        ------
        ValueError
            If several images share an illumination: the command line takes one file at a time.
        """
        if self._several and len(self.black) > 1:  # type: ignore[arg-type]
            raise ValueError(
                "No command enhances separate layers under one illumination: copy as Python, or "
                "save them as one file with an axis C."
            )
        named = {**self._named(), "strength": f"{strength:g}"}
        words = [f"napari-lle enhance {shlex.quote(source)} -o OUTPUT.tif"]
        for name, value in named.items():
            if name not in ("rgb", "channel_axis"):  # which are the file's to tell
                word = ",".join(str(one) for one in flat_levels(value))
                words.append(f"--{name.replace('_', '-')} {shlex.quote(word)}")
        words += [f"--background {background}"] * bool(background)
        return " ".join([*words, "--dtype float32"])

    @property
    def _several(self) -> bool:
        """Levels are those of several images, not of colours."""
        return isinstance(self.black, tuple) and not self.rgb

    def _named(self) -> dict[str, Any]:
        """The options that differ from what they are by default, as plain values."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        model = self.model
        named["model"] = str(model) if isinstance(model, str | Path) else model.name
        return {f.name: named[f.name] for f in fields(self) if named[f.name] != f.default}


def formula_of(record: dict[str, Any]) -> str:
    """The model of a record; of a stretch with all that its formula takes, found or given."""
    model = str(record["model"])
    if "stretch" not in record:
        return model
    kind, _, _ = model.removesuffix(GLOBAL).partition(",")
    return ",".join([kind, *(f"{name}={value!r}" for name, value in record["stretch"].items())])


def _call_text(function: str, images: str, named: dict[str, Any]) -> str:
    lines = [f"{INDENT}{images},", *(f"{INDENT}{name}={value!r}," for name, value in named.items())]
    name = function.split()[-1]
    return "\n".join([f"from napari_lle.model import {name}\n", f"{function}(", *lines, ")\n"])


DEFAULTS = EnhanceOptions()
