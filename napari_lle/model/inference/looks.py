"""Looks: what an image is shown as, and the options that this takes.

`LOOKS` alone says what is behind a look, for the window, Python and the command line. Torch is not
needed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..network.bundled import GLOBAL, MEASURED, STRETCH_PREFIX
from ..preprocessing.sky import NEAR_SKY
from ..runtime.choices import check_choice
from .options import EnhanceOptions

PHOTOGRAPH, FLUORESCENCE, ASTRONOMY, PUBLICATION = LOOK_NAMES = (
    "photograph",
    "fluorescence",
    "astronomy",
    "publication",
)
FIGURE_CLIPPED = 0.001  # share of the values of a published figure, at each end
LEFT_OPEN = ("auto", None)  # of an option: what leaves it to the look

# Fields of `EnhanceOptions`. A further option of a look is a further entry here.
LOOKS: Mapping[str, Mapping[str, Any]] = {
    PHOTOGRAPH: {"model": "photo", "channels": "per"},
    FLUORESCENCE: {"model": MEASURED, "channels": "joint"},
    ASTRONOMY: {"model": MEASURED, "channels": "joint", "black": NEAR_SKY, "levels": "unlinked"},
    PUBLICATION: {
        "model": f"{STRETCH_PREFIX}mtf",
        "levels": "linked",
        "channels": "per",
        "clipped": FIGURE_CLIPPED,
    },
}
LOOK_MEANINGS = {
    PHOTOGRAPH: "also removes noise; each colour by itself",
    FLUORESCENCE: "removes noise, not structure; several channels keep their ratios",
    ASTRONOMY: "removes noise, not structure; the sky becomes dark grey",
    PUBLICATION: "one rising curve of a known formula, the same for all selected layers; no "
    "noise is removed, no more than 1 value in 1000 clipped at each end",
}

ASTRONOMY_FILES = (".fits", ".fit", ".fts", ".xisf", ".fits.gz", ".fits.fz")
ASTRONOMY_UNITS = ("arcsecond", "arcminute", "degree", "radian")
# Whole words: neither starved cells nor starch. M1 and M2 are macrophages, and IC50 is a dose.
ASTRONOMY_WORDS = re.compile(
    r"(?<![a-z])(?:(?:m ?(?:\d{2}|1[01]\d)|ngc[ _-]?\d+|ic ?\d{3,4})(?![a-z\d])"
    r"|(?:star[- _]?field|stars?(?!-)|sky(?![ -]?blue)|nebula[es]?|galax(?:y|ies)|horsehead)"
    r"(?![a-z]))",
    re.IGNORECASE,
)
MICROSCOPE_UNITS = ("nanometer", "micrometer", "micron", "millimeter")


class Recognised(NamedTuple):
    """A look, and what tells it, in words for the user."""

    look: str
    reason: str


def look_options(look: str | None = None, **given: Any) -> EnhanceOptions:
    """Options of a look; what is given wins, unless it is ``auto`` or None.

    A model that is given to the look of one curve is taken in that mode.

    Parameters
    ----------
    look : {"photograph", "fluorescence", "astronomy", "publication"}, optional
        Without one, what is given is all.
    **given
        Fields of `EnhanceOptions`.

    Raises
    ------
    ValueError
        If there is no such look, or as `EnhanceOptions`.
    """
    if look is None:
        return EnhanceOptions(**given)
    check_choice("look", look, LOOK_NAMES)
    behind = LOOKS[look]
    chosen = {**behind, **{name: value for name, value in given.items() if value not in LEFT_OPEN}}
    curve = look == PUBLICATION
    model = chosen.get("model")
    if curve and isinstance(model, str | Path) and not _of_one_curve(str(model)):
        chosen["model"] = f"{model}{GLOBAL}"
    return EnhanceOptions(**chosen, look=look)


def _of_one_curve(model: str) -> bool:
    return model.endswith(GLOBAL) or model.startswith(STRETCH_PREFIX)


def recognise(
    dtype: str,
    rgb: bool,
    *,
    name: str = "",
    file: str = "",
    units: Sequence[str] = (),
    measured: bool = True,
) -> Recognised:
    """What an image is, as far as its layer or file tells.

    Parameters
    ----------
    dtype : str
        NumPy's name.
    rgb : bool
        The last axis holds colours.
    name, file : str
        Of the layer, and of the file that it came from.
    units : sequence of str
        Of the axes.
    measured : bool
        Floating-point colours are or may be measured values; not where all lie in 0..1.
    """
    if rgb and dtype == "uint8":
        return Recognised(PHOTOGRAPH, "it has colours of 8 bits")
    if file.lower().endswith(ASTRONOMY_FILES):
        return Recognised(ASTRONOMY, f"it comes from a {Path(file).suffix} file")
    found = [unit for unit in units if unit in ASTRONOMY_UNITS]
    if found:
        return Recognised(ASTRONOMY, f"its pixels are measured in {found[0]}s")
    found = [unit for unit in units if unit in MICROSCOPE_UNITS]
    if found:
        return Recognised(FLUORESCENCE, f"its pixels are measured in {found[0]}s")
    if word := ASTRONOMY_WORDS.search(name):
        return Recognised(ASTRONOMY, f"its name says “{word.group()}”")
    if not rgb:
        return Recognised(FLUORESCENCE, "it is grey, and nothing says that it shows the sky")
    if np.dtype(dtype).kind == "f":
        if measured:
            return Recognised(ASTRONOMY, "it has colours of floating point")
        return Recognised(PHOTOGRAPH, "its colours are numbers from 0 to 1")
    return Recognised(PHOTOGRAPH, f"it has colours of {8 * np.dtype(dtype).itemsize} bits")
