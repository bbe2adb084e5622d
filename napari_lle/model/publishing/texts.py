"""What has to be said of an enhanced image in print, from its record: legend, methods, statement.

What only its authors can know stands in brackets, for them to confirm or to strike.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from ..inference.standing import ONE_CURVE
from ..io.roles import STANDING
from ..network.bundled import GLOBAL, REMOVERS, STRETCH_PREFIX
from ..network.checkpoint import CheckpointError, Model, load_model
from ..preprocessing.normalizing import AnyLevels, level_text, recorded_levels
from ..version import __version__
from .formulas import formula_words, tone_words

HOMEPAGE = "https://github.com/napari-lle/napari-lle"
PAPER = "Jin, Chen, Liang, ICAROB 2023"
CONFIRM = "[Intensities were measured on the unprocessed images, not on those shown.]"


class Texts(NamedTuple):
    """Texts for a paper.

    Attributes
    ----------
    legend : str
        A sentence or two below the figure.
    methods : str
        A paragraph.
    statement : str
        On software and machine learning.
    """

    legend: str
    methods: str
    statement: str

    def __str__(self) -> str:
        parts = zip(("Legend", "Methods", "Software and machine learning"), self, strict=True)
        return "\n\n".join(f"{title}\n\n{text}" for title, text in parts) + "\n"


def texts_of(record: dict[str, Any], images: int = 1) -> Texts:
    """The texts for an image of a record, or for several that were treated alike.

    Parameters
    ----------
    record : dict
        `Result.record`, or that of a layer or file.
    images : int
        How many the figure shows.
    """
    levels = recorded_levels(record["levels"])
    return Texts(
        _legend(record, levels, images), _methods_text(record, levels, images), _statement(record)
    )


def figure_texts(named: Sequence[tuple[str, dict[str, Any]]]) -> Texts:
    """The texts for the images of a figure, by name and record: one where all are alike."""
    records = [record for _, record in named]
    if all(_treatment(record) == _treatment(records[0]) for record in records):
        return texts_of(_worst_clipped(records), len(records))
    each = [(name, texts_of(record)) for name, record in named]
    apart = ("\n\n".join(f"{name}: {text[i]}" for name, text in each) for i in range(3))
    return Texts(*apart)


def _treatment(record: dict[str, Any]) -> tuple[Any, ...]:
    """What must be equal for one text to hold; curves of networks hang on statistics, too."""
    keys = ("model", "model_digest", "levels", "channels", "strength", "brightness", "statistics")
    return tuple(record.get(key) for key in keys)


def _worst_clipped(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The record of all, with the most that is clipped of any."""
    told = [record["clipped"] for record in records if "clipped" in record]
    if len(told) < len(records):
        return records[0]
    most = {end: max(each[end] for each in told) for end in ("allowed", "below", "above")}
    return {**records[0], "clipped": most}


def _legend(record: dict[str, Any], levels: AnyLevels, images: int) -> str:
    black, white = (level_text(level) for level in (levels.black, levels.white))
    shown = f"black {black}, white {white}"
    if record.get("strength", 1) == 0:
        words = [f"Displayed linearly from black to white ({shown})."]
    elif _by_formula(record):
        many = f"of the {images} images" if images > 1 else "of the image"
        curve = f"Displayed with one non-linear curve for all pixels {many} ({shown}"
        words = [f"{curve}; {formula_words(record).short}; see Methods); no noise was removed."]
    elif record.get(STANDING) == ONE_CURVE:
        words = [f"Displayed with one non-linear curve for all pixels ({shown}; see Methods)."]
    else:
        noise = ", with its noise reduced," if _removes_noise(record) else ""
        words = [
            f"Brightened locally and non-linearly{noise} by a neural network ({record['model']} "
            f"of napari-lle; {shown}; see Methods): brightness cannot be compared between places."
        ]
    return " ".join([*words, *_clipped(record, images)])


def _clipped(record: dict[str, Any], images: int) -> list[str]:
    """What is lost below black and above white, as a sentence."""
    if "clipped" not in record:
        return []
    below, above = (f"{100 * record['clipped'][end]:.3g}" for end in ("below", "above"))
    if below == above == "0":
        return ["No value is clipped."]
    most = "At most " if images > 1 else ""
    return [f"{most}{below} % of the values lie below black and {above} % above white."]


def _methods_text(record: dict[str, Any], levels: AnyLevels, images: int) -> str:
    black, white = (level_text(level) for level in (levels.black, levels.white))
    alike = f"The same levels and curve hold for all {images} images." if images > 1 else ""
    x = f"x = (S − {black}) / ({white} − {black})"
    if levels.axis is not None:
        x = f"x = (S − black) / (white − black), with black {black} and white {white} by channel"
    name = f"the look {record['look']} of " if record.get("look") else ""
    words = [
        f"Images were prepared for display with {name}napari-lle {record['napari_lle']} "
        f"({HOMEPAGE}). Each value S was normalised to {x}.",
        *_clipping_sentences(record),
        _curve_sentence(record),
        *(tone_words(record) if record.get("strength", 1) else []),
        alike,
        *_clipped(record, images),
        _what_is_kept(record),
        CONFIRM,
        "Settings, versions and digests are kept with the image; `napari-lle reproduce` repeats "
        "it from its bundle and compares it bit for bit.",
    ]
    return " ".join(word for word in words if word)


def _clipping_sentences(record: dict[str, Any]) -> list[str]:
    """How far levels that were found lie out."""
    if "clipped" not in record:
        return []
    share = f"{100 * record['clipped']['allowed']:g}"
    return [f"Levels that were not given leave no more than {share} % of the values beyond each."]


def _curve_sentence(record: dict[str, Any]) -> str:
    """What became of x."""
    if record.get("strength", 1) == 0:
        return "x was displayed as it is, linearly."
    if _by_formula(record):
        each = " of each colour" if record.get("rgb") and record["channels"] == "per" else ""
        return f"Each x{each} was replaced by {formula_words(record).full}."
    model = f"the model {record['model'].removesuffix(GLOBAL)} ({PAPER})"
    if record.get(STANDING) == ONE_CURVE:
        return (
            f"Each x was replaced by one rising curve for the whole image, which {model} chose "
            "from figures of the whole image."
        )
    noise = ", and reduces noise" if _removes_noise(record) else ""
    return (
        f"x was divided by an illumination that {model} found from the neighbourhood of each "
        f"pixel; this brightens dark places more than bright ones{noise}."
    )


def _what_is_kept(record: dict[str, Any]) -> str:
    if record.get("strength", 1) == 0:
        return ""
    if _by_formula(record):
        return (
            "The curve rises everywhere, so that the order of values and the equality of equal "
            "ones are kept; ratios of values are not."
        )
    return "Ratios of values, and their order at a distance, are not kept."


def _statement(record: dict[str, Any]) -> str:
    torch = record.get("torch", "")
    software = (
        f"Software: napari-lle {record['napari_lle']} (BSD-3-Clause, {HOMEPAGE}), torch {torch}, "
        f"NumPy {version('numpy')}, Python {platform.python_version()}."
    )
    if record["napari_lle"] != __version__:
        software += f" This statement was written by version {__version__}."
    if _by_formula(record):
        machine = (
            "Machine learning: none was used to make the images shown; the curve is a formula "
            "whose parameters are stated."
        )
    else:
        machine = _on_network(record)
    return f"{software} {machine} No generative artificial intelligence made or changed them."


def _on_network(record: dict[str, Any]) -> str:
    """What there is to say of a network, as far as it can be found."""
    name = str(record["model"]).removesuffix(GLOBAL)
    model = _loaded(str(record.get("model_file") or record["model"]).removesuffix(GLOBAL))
    digest = f", SHA-256 beginning with {record['model_digest']}" if record["model_digest"] else ""
    told = f"Machine learning: the network {name} ({PAPER}{digest}) enhanced the images."
    if model is None or model.digest != record["model_digest"]:
        return told
    data = model.card.get("data")
    return told + (f" It was trained on: {data}." if data else "")


def _loaded(model: str) -> Model | None:
    try:
        return load_model(model)
    except CheckpointError:
        return None


def _by_formula(record: dict[str, Any]) -> bool:
    return str(record["model"]).startswith(STRETCH_PREFIX)


def _removes_noise(record: dict[str, Any]) -> bool:
    bare = str(record["model"])
    return bare in REMOVERS or not (bare.endswith(GLOBAL) or bare.startswith(STRETCH_PREFIX))
