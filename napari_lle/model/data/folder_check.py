"""Pairs of two folders, checked as the training widget checks those of layers."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..io.files import read_image
from ..io.metadata import Picture
from ..progress import Progress
from .folders import few, matched_files
from .pair_check import PairCheck, check_pair


class FolderCheck(NamedTuple):
    """What was found on the pairs of two folders, by stem."""

    checks: dict[str, PairCheck]

    @property
    def unusable(self) -> list[str]:
        """Stems of pairs that cannot be learned from."""
        return [stem for stem, check in self.checks.items() if not check.usable]

    def sentences(self) -> list[str]:
        """What the user is to know: pairs that are left out, then those with lesser issues."""
        wrong = set(self.unusable)
        doubtful = [s for s, check in self.checks.items() if check.problems and s not in wrong]
        told = []
        for stems, kind in ((self.unusable, "are left out"), (doubtful, "have issues")):
            if stems:
                found = few([self._told(stem) for stem in stems], between=" ")
                told.append(f"{len(stems)} of {len(self.checks)} pairs {kind}. {found}")
        return told

    def _told(self, stem: str) -> str:
        return f"{stem}: {' '.join(p.sentence for p in self.checks[stem].problems)}"


def check_folders_steps(
    low: Path, reference: Path, *, brightness: bool = True
) -> Generator[Progress, None, FolderCheck]:
    """Check all pairs of two folders, yielding after each.

    Parameters
    ----------
    low, reference : Path
    brightness : bool
        References are to be brighter; not where they are clearer images of the same exposure.

    Raises
    ------
    ValueError
        If a file cannot be read, or none of the pairs can be learned from.
    """
    files = matched_files(low, reference)
    found = FolderCheck({})
    for stem, both in files.items():
        a, b = map(read_image, both)
        rgb = a.rgb and b.rgb
        dark, bright = _comparable(a, rgb), _comparable(b, rgb)
        try:
            found.checks[stem] = check_pair(dark, bright, rgb, brightness=brightness)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{stem}: {error}") from None
        yield Progress(len(found.checks), len(files))
    if len(found.unusable) == len(files):
        raise ValueError(f"None of the pairs can be trained on. {found.sentences()[0]}")
    return found


def _comparable(picture: Picture, rgb: bool) -> Any:
    """Pixels without alpha; where only one image of a pair is in colour, its mean."""
    if not picture.rgb:
        return np.asarray(picture.pixels)
    colours = np.asarray(picture.pixels)[..., :3]
    return colours if rgb else colours.mean(axis=-1)
