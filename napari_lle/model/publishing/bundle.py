"""One file with all that a published image needs to be believed: a ZIP that can be repeated.

It holds, for each image, the raw pixels or their digest, the result, pictures before and after, and
together the record, the provenance, the versions and the texts for the paper.
"""

from __future__ import annotations

import json
import platform
import zipfile
from collections.abc import Generator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..inference.repeating import check_repeatable
from ..io.atomic import atomic_path
from ..io.digests import pixel_digest
from ..io.files import FileError, write_image
from ..io.metadata import FileRecord
from ..io.provenance import INPUT, SOURCE, Activity, Document
from ..preprocessing.levels import normalized
from ..preprocessing.normalizing import recorded_levels
from ..progress import Progress
from ..version import __version__
from .texts import figure_texts

BUNDLE_FORMAT = "napari-lle bundle/1"
CONTENT, TEXTS, README = "bundle.json", "texts.txt", "README.txt"
BUNDLE_SUFFIX = ".zip"
OF_A_WINDOW = ("layer", "run", "note", "kind")  # in the record of a layer
BUNDLED_LIBRARIES = ("torch", "numpy", "numba", "tifffile")


class FigureImage(NamedTuple):
    """One image of a figure.

    Attributes
    ----------
    name : str
    pixels : array, (..., Y, X) or (..., Y, X, 3 or 4)
        As they were enhanced.
    reflectance : array of float32
    record : dict
    rgb : bool
    about : FileRecord, optional
        What is known of the pixels.
    plane : tuple of int, optional
        The plane that is shown; that in the middle when not given.
    """

    name: str
    pixels: Any
    reflectance: Any
    record: dict[str, Any]
    rgb: bool
    about: FileRecord | None = None
    plane: tuple[int, ...] | None = None


def bundle_steps(
    path: str | Path, panels: Sequence[FigureImage], *, raw: bool = True
) -> Generator[Progress, None, None]:
    """Write a bundle, complete or not at all.

    Parameters
    ----------
    path : path
        Ending in ``.zip``.
    panels : sequence of FigureImage
        Of one figure.
    raw : bool
        Put the raw pixels into it; else their digest alone.

    Raises
    ------
    ValueError
        If the path has another ending, or a result cannot be repeated.
    """
    path = Path(path)
    check_bundle(path)
    for panel in panels:
        check_repeatable(panel.record)
    yield Progress(0, len(panels) + 1)
    with TemporaryDirectory() as folder:
        told = []
        for number, panel in enumerate(panels, 1):
            told.append(_write_panel(Path(folder), panel, number, raw))
            yield Progress(number, len(panels) + 1)
        _write_words(Path(folder), told)
        with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
            for member in sorted(Path(folder).iterdir()):
                file.write(member, member.name, zipfile.ZIP_DEFLATED)
    yield Progress(len(panels) + 1, len(panels) + 1)


def check_bundle(path: Path) -> None:
    """Raise FileError unless a path is one that a bundle can be written to."""
    if path.suffix.lower() != BUNDLE_SUFFIX:
        raise FileError(f"{path.name} is not a name for a bundle: let it end in {BUNDLE_SUFFIX}.")
    if not path.parent.is_dir():
        raise FileError(f"There is no folder {path.parent} to write {path.name} to.")


def _write_panel(folder: Path, panel: FigureImage, number: int, raw: bool) -> dict[str, Any]:
    """Write the files of one image; return what the bundle is to say of it."""
    pixels, r = np.asarray(panel.pixels), np.asarray(panel.reflectance)
    record = {key: value for key, value in panel.record.items() if key not in OF_A_WINDOW}
    source = Path(str(record.get(SOURCE) or panel.name)).name
    record |= {INPUT: pixel_digest(pixels), SOURCE: source}
    files = {name: f"{name}-{number}.tif" for name in (("raw", "after") if raw else ("after",))}
    if raw:
        write_image(folder / files["raw"], pixels, rgb=panel.rgb, about=panel.about)
    write_image(folder / files["after"], r, rgb=panel.rgb, record=record, about=panel.about)
    before = normalized(pixels, recorded_levels(record["levels"]))
    plane = panel.plane or tuple(n // 2 for n in pixels.shape[: pixels.ndim - 2 - panel.rgb])
    for name, values in (("before", before), ("after", r)):
        write_image(folder / f"{name}-{number}.png", _picture(values[plane]), rgb=panel.rgb)
    digest = pixel_digest(r)
    return {
        "name": panel.name,
        "files": files,
        "rgb": panel.rgb,
        "about": panel.about.to_dict() if panel.about else None,
        "input": record[INPUT],
        "output": digest,
        "record": record,
        "provenance": _origin(record, digest, r),
    }


def _origin(record: dict[str, Any], digest: str, r: NDArray[Any]) -> Document:
    return Activity.of_record(record).document(digest, r.shape, r.dtype.name)


def _picture(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """A plane between black and white, with 8 bits."""
    shown = np.clip(np.nan_to_num(plane, posinf=1.0, neginf=0.0), 0, 1)
    return np.rint(shown * 255).astype(np.uint8)


def _write_words(folder: Path, told: list[dict[str, Any]]) -> None:
    """Write the texts, what the bundle says, and what it is."""
    content = {"format": BUNDLE_FORMAT, "versions": versions_here(), "images": told}
    (folder / CONTENT).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    texts = figure_texts([(each["name"], each["record"]) for each in told])
    (folder / TEXTS).write_text(str(texts), encoding="utf-8")
    raw = "raw pixels" if "raw" in told[0]["files"] else "digests of the raw pixels"
    given = "" if "raw" in told[0]["files"] else " --input RAW"
    (folder / README).write_text(
        f"Written by napari-lle {__version__}: settings, versions and provenance ({CONTENT}), "
        f"{raw}, results as float32, pictures before and after, texts for a paper ({TEXTS}).\n\n"
        f"To repeat the results and compare them bit for bit:\n\n"
        f"    napari-lle reproduce BUNDLE.zip{given}\n",
        encoding="utf-8",
    )


def versions_here() -> dict[str, str]:
    """Of what is at work here."""
    found = {"napari-lle": __version__, "python": platform.python_version()}
    found |= {"machine": f"{platform.system()} {platform.machine()}"}
    for name in BUNDLED_LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
