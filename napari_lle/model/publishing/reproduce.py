"""A bundle's results once more, compared with those that it was written with."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Generator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..inference.repeating import repeat_steps
from ..io.digests import pixel_digest
from ..io.files import FileError, Output, Picture, read_image
from ..io.metadata import FileRecord
from ..progress import Progress, Steps
from .bundle import BUNDLE_FORMAT, CONTENT, versions_here

DAMAGED = (zipfile.BadZipFile, KeyError, ValueError, EOFError, zipfile.zlib.error)  # type: ignore[attr-defined]


class Reproduced(NamedTuple):
    """One image of a bundle, made again.

    Attributes
    ----------
    name : str
    digest : str
        Of the new result.
    differing : int
        Values that are others than they were.
    largest : float
        By how much at most.
    output : Output
        The new result with its record.
    """

    name: str
    digest: str
    differing: int
    largest: float
    output: Output

    @property
    def same(self) -> bool:
        """Bit for bit."""
        return self.differing == 0


class Bundle:
    """A bundle that was written before.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    images : list of dict
        What it says of each image.

    Raises
    ------
    FileError
        If the file is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise FileError(f"There is no file {path}.")
        try:
            with zipfile.ZipFile(path) as file:
                content = json.loads(file.read(CONTENT))
            known, self.images = content["format"], list(content["images"])
            self.versions: dict[str, str] = content["versions"]
        except DAMAGED:
            raise FileError(f"{path} is not a bundle of napari-lle: is it complete?") from None
        if known != BUNDLE_FORMAT:
            raise FileError(f"{path} was written by a newer version: update napari-lle.")

    def read(self, number: int, what: str) -> Picture | None:
        """The raw pixels or the result of an image, counted from 0; None where they are not in."""
        member = self.images[number]["files"].get(what)
        if member is None:
            return None
        with TemporaryDirectory() as folder, zipfile.ZipFile(self.path) as file:
            copy = Path(folder) / f"{what}.tif"
            copy.write_bytes(file.read(member))
            return read_image(copy)

    def changes(self) -> list[str]:
        """Versions that are others here than they were."""
        now = versions_here()
        return [
            f"{name} {then}, now {now.get(name, 'missing')}"
            for name, then in self.versions.items()
            if now.get(name) != then
        ]


def reproduce_steps(
    bundle: Bundle, inputs: Sequence[Path] = ()
) -> Generator[Progress, None, list[Reproduced]]:
    """Repeat every result of a bundle and compare.

    Parameters
    ----------
    bundle : Bundle
    inputs : sequence of Path
        Files of the raw pixels, one for each image, where these are not in the bundle.

    Raises
    ------
    ValueError
        If raw pixels are missing, or are not those that the bundle is of.
    """
    found = []
    for number, told in enumerate(bundle.images):
        pixels = _raw(bundle, number, inputs)
        steps = Steps(repeat_steps(pixels, told["record"]))
        for done, total, note in steps:
            yield Progress(number * total + done, len(bundle.images) * total, note)
        result = steps.answer
        found.append(_against_bundle(bundle, number, result.reflectance, result.record))
    return found


def _raw(bundle: Bundle, number: int, inputs: Sequence[Path]) -> NDArray[Any]:
    """The pixels that an image of a bundle was made of."""
    told = bundle.images[number]
    if inputs:
        if len(inputs) != len(bundle.images):
            raise ValueError(
                f"Images in {bundle.path}: {len(bundle.images)}, files given: {len(inputs)}. "
                "Give --input once for each image, in the bundle's order."
            )
        picture: Picture | None = read_image(inputs[number])
        name = str(inputs[number])
    else:
        picture, name = bundle.read(number, "raw"), f"The raw image in {bundle.path}"
    if picture is None:
        raise ValueError(
            f"{bundle.path} has the digest of {told['name']} alone: give the file with --input."
        )
    if pixel_digest(picture.pixels) != told["input"]:
        raise ValueError(f"{name} is not the image of {bundle.path}: its digest differs.")
    return np.asarray(picture.pixels)


def _against_bundle(
    bundle: Bundle, number: int, r: NDArray[Any], record: dict[str, Any]
) -> Reproduced:
    told = bundle.images[number]
    digest = pixel_digest(r)
    differing, largest = 0, 0.0
    if digest != told["output"]:
        before = bundle.read(number, "after")
        then = r if before is None else before.pixels
        other = ~((r == then) | (np.isnan(r) & np.isnan(then)))
        differing = max(int(other.sum()), 1)
        with np.errstate(invalid="ignore"):
            gaps = np.abs(r[other].astype(np.float64) - then[other])
        largest = float(np.nanmax(gaps, initial=0.0))
    about = FileRecord.from_dict(told["about"]) if told.get("about") else None
    kept = {**record, **{key: told["record"][key] for key in ("input", "source")}}
    output = Output(r, bool(told["rgb"]), {**kept, "role": "R"}, about)
    return Reproduced(str(told["name"]), digest, differing, largest, output)
