"""A folder that holds all of a training run: its images, annotations and settings.

``run.yaml`` names them, so that ``napari-lle train --config run.yaml`` does the very run that a
window began, and a run that was killed goes on although its layers are gone.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ..io.atomic import atomic_path, unwritten
from ..io.files import read_image, write_image
from ..preprocessing.levels import find_levels
from . import pair_check as paircheck
from .folders import image_files
from .loading import LEVEL_RANGE, load_images, load_masks, load_pairs, load_series, plane_names
from .pairs import Pair, split_by_scene
from .registration import register
from .splitting import TRAIN, VALIDATE, complete

CONFIG = "run.yaml"
RUN = "run"  # the folder of the run's state within the project's
SCENES = 5  # as many pairs are split as whole scenes, fewer of them each within itself


@dataclass(frozen=True)
class Draft:
    """A dark image, its reference and the user's annotation, as they are in the layers.

    Attributes
    ----------
    name : str
    low : ndarray, (..., Y, X) or (..., Y, X, 3 or 4)
    reference : ndarray or None
        Of the same shape, or to be fixed; None where there is none.
    rgb : bool
    annotation : ndarray of uint8 or None, (Y, X)
        0 ignore, 1 train, 2 validate; for all planes.
    corner : (int, int)
        Row and column of the layer that the first pixel comes from: a fixed pair is a part of it.
    told : str
        What was done to it.
    levels : (float, float) or None
        Black and white of the dark image; found when None.
    """

    name: str
    low: NDArray[Any]
    reference: NDArray[Any] | None = None
    rgb: bool = False
    annotation: NDArray[np.uint8] | None = None
    corner: tuple[int, int] = (0, 0)
    told: str = ""
    levels: tuple[float, float] | None = None

    @cached_property
    def check(self) -> paircheck.PairCheck:
        """See `paircheck.check_pair`; dark images alone are always usable.

        Grey pairs are learned from under common levels, clearer ones as well as brighter ones.
        """
        if self.reference is None:
            return paircheck.PairCheck()
        return paircheck.check_pair(self.low, self.reference, self.rgb, brightness=self.rgb)

    @property
    def extent(self) -> tuple[slice, slice]:
        """Rows and columns of the layer that the pair takes up."""
        sides = self.low.shape[self.low.ndim - 2 - self.rgb :][:2]
        rows, columns = (slice(at, at + n) for at, n in zip(self.corner, sides, strict=True))
        return rows, columns

    def registered(self) -> Draft:
        """The pair with its reference moved into place, both cut to what they have in common."""
        both = register(self.low, np.asarray(self.reference), self.rgb)
        corner = self.corner[0] + both.corner[0], self.corner[1] + both.corner[1]
        cut = replace(self, low=both.low, reference=both.reference, corner=corner, told=both.told)
        if self.annotation is None:
            return cut
        rows, columns = replace(cut, corner=both.corner).extent
        return replace(cut, annotation=self.annotation[rows, columns])

    def swapped(self) -> Draft:
        """The pair with the reference as the dark image."""
        return replace(
            self, low=np.asarray(self.reference), reference=self.low, told="Swapped, as asked."
        )

    @property
    def known(self) -> NDArray[np.bool_]:
        """Pixels that are numbers in all planes and colours of both images, (Y, X)."""
        known = np.isfinite(self.low)
        if self.reference is not None:
            known = known & np.isfinite(self.reference)
        if self.rgb:
            known = known.all(axis=-1)
        found: NDArray[np.bool_] = known.all(axis=tuple(range(known.ndim - 2)))
        return found


@dataclass(frozen=True)
class Project:
    """What `train` needs, read back from the folder."""

    settings: dict[str, Any]
    pairs: list[Pair]
    held_out: list[Pair] = field(default_factory=list)


def masks(drafts: list[Draft], gap: int) -> list[NDArray[np.uint8]]:
    """What of each pair to train on and to judge by: as annotated, as scenes or in blocks.

    Raises
    ------
    ValueError
        If one of the two would be empty.
    """
    if len(drafts) >= SCENES and all(d.annotation is None for d in drafts):
        training, _ = split_by_scene([Pair(d.name, d.low, d.low) for d in drafts])
        names = {p.name for p in training}
        return [
            np.where(d.known, TRAIN if d.name in names else VALIDATE, 0).astype(np.uint8)
            for d in drafts
        ]
    return [complete(d.annotation, d.known, gap) for d in drafts]


def write_project(
    folder: Path, drafts: list[Draft], settings: dict[str, Any], gap: int
) -> dict[str, Any]:
    """Write drafts and settings to a new folder; ``run.yaml`` comes last.

    Parameters
    ----------
    folder : Path
        It must not exist yet.
    drafts : list of Draft
        All with references, or all without; names differ. A dark image that is alone in every
        sense is cut in two.
    settings : dict
        See `TrainingSettings.from_dict`.
    gap : int
        Pixels between training and validation, see `splitting.split_blocks`.

    Returns
    -------
    dict
        What ``run.yaml`` holds.
    """
    paired = drafts[0].reference is not None
    noisy = settings.get("objective") == "noisy"  # parted when it is read
    if not paired and not noisy and len(drafts) == len(_plane_names(drafts[0])) == 1:
        drafts = _cut_in_two(drafts[0], gap)
    parts = masks(drafts, gap) if paired else []
    kinds = ("low", "reference", "masks") if paired else ("images",)
    config = {**settings, "data": {kind: kind for kind in kinds}}
    with _new_folder(folder):
        for kind in kinds:
            (folder / kind).mkdir()
        for i, draft in enumerate(drafts):
            _write_planes(folder / kinds[0], draft, draft.low, draft.levels)
            if draft.reference is not None:
                _write_planes(folder / "reference", draft, draft.reference)
                _write_masks(folder / "masks", draft, parts[i])
        write_config(folder, config)
    return config


@contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """Make a folder; take it away again if what is to fill it fails."""
    try:
        folder.mkdir(parents=True)
        try:
            yield
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise unwritten(folder, error) from None


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Write ``run.yaml``."""
    with atomic_path(folder / CONFIG) as temporary:
        temporary.write_text(yaml.safe_dump(config, sort_keys=False))


def read_config(file: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """Settings of a YAML file, and the folders that it names, from its own.

    Raises
    ------
    ValueError
        If it holds no settings.
    """
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8 text: save it as UTF-8.") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise ValueError(f"{file} is not YAML{where}: write lines of `name: value`.") from None
    if not isinstance(values, dict) or not isinstance(values.get("data", {}), dict):
        raise ValueError(f"{file} holds no settings: write lines of `name: value`.")
    folders = {str(k): file.parent / str(v) for k, v in values.pop("data", {}).items()}
    unknown = set(folders) - {"low", "reference", "masks", "images"}
    if unknown:
        raise ValueError(f"{file}: data has low, reference, masks and images, not {unknown.pop()}.")
    return values, folders


def read_data(
    folders: dict[str, Path], settings: dict[str, Any], without: Collection[str] = ()
) -> tuple[list[Pair], list[Pair]]:
    """Pairs or dark images of the named folders, and those to judge by, if masks say so.

    Pairs whose stems are among `without` are left out.
    """
    if "images" in folders and settings.get("objective") == "noisy":
        return load_series(list(image_files(folders["images"]).values())), []
    if "images" in folders:
        return load_images(folders["images"]), []
    common = settings.get("levels") == "common"
    pairs = load_pairs(folders["low"], folders["reference"], common, without)
    return load_masks(folders["masks"], pairs) if "masks" in folders else (pairs, [])


def open_project(folder: Path) -> Project:
    """Read a project back."""
    settings, folders = read_config(folder / CONFIG)
    return Project(settings, *read_data(folders, settings))


def digest(folder: Path) -> str:
    """First 12 hexadecimal digits of the SHA-256 of a project's images and annotations."""
    _, folders = read_config(folder / CONFIG)
    found = hashlib.sha256()
    for kind in sorted(folders):
        for name, file in image_files(folders[kind]).items():
            found.update(f"{kind}/{name}".encode())
            found.update(read_image(file).pixels.tobytes())
    return found.hexdigest()[:12]


def _cut_in_two(draft: Draft, gap: int) -> list[Draft]:
    """Three quarters to train on and the rest to judge by, with levels of the whole."""
    width = draft.low.shape[draft.low.ndim - 1 - draft.rgb]
    levels = find_levels(draft.low, rgb=draft.rgb)
    parts = {"train": slice(0, 3 * width // 4 - gap), "validate": slice(3 * width // 4, width)}
    if width // 4 < gap:
        raise ValueError(f"{draft.name} is too small to be cut in two: add another image.")
    return [
        replace(
            draft,
            name=f"{draft.name}-{name}",
            low=draft.low[..., part, :] if draft.rgb else draft.low[..., part],
            levels=(levels.black, levels.white),
        )
        for name, part in parts.items()
    ]


def _plane_names(draft: Draft) -> list[tuple[str, tuple[int, ...]]]:
    """Names and indices of the planes of a draft."""
    return plane_names(draft.name, draft.low.shape[: -3 if draft.rgb else -2])


def _write_planes(
    folder: Path, draft: Draft, image: NDArray[Any], known: tuple[float, float] | None = None
) -> None:
    """One file a plane, with the levels of all of them."""
    found = find_levels(image, rgb=draft.rgb) if known is None else None
    levels = known if found is None else (found.black, found.white)
    for name, index in _plane_names(draft):
        record = {LEVEL_RANGE: levels}
        write_image(folder / f"{name}.tif", image[index], rgb=draft.rgb, record=record)


def _write_masks(folder: Path, draft: Draft, mask: NDArray[np.uint8]) -> None:
    for name, _ in _plane_names(draft):
        write_image(folder / f"{name}.tif", mask, rgb=False)
