"""Pairs of layers and of files: read, checked, fixed and split, in steps; no window."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from napari.layers import Image, Labels, Shapes
from numpy.typing import NDArray

from ...model.data.project import Draft, masks
from .annotations import annotation_layer, annotation_mask, draft, split_layer
from .quick_settings import TrainingRequest
from .runner import gap

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A pair and the layers that it came from; the annotation is read when training starts."""

    draft: Draft
    layer: Image | None = None
    annotation: Labels | Shapes | None = None

    def annotated(self) -> Draft:
        """The pair as it is to be trained on."""
        if self.annotation is None or self.layer is None:
            return self.draft
        return replace(self.draft, annotation=annotation_mask(self.annotation, self.layer))


class Step(NamedTuple):
    """So many pairs of all are read."""

    done: int
    total: int
    note: str = ""


def read_steps(
    low: Image, reference: Image | None, annotation: Labels | Shapes | None, sort: bool
) -> Generator[Step, None, list[Entry]]:
    """Read a pair of layers and check it; with `sort`, whichever of them is the darker is dark."""
    yield Step(0, 0)
    made = draft(low, reference)
    if sort and reference is not None and _mean(made.low) > _mean(made.reference):
        low, made = reference, draft(reference, low)
    _ = made.check
    yield Step(1, 1)
    return [Entry(made, low, annotation)]


def read_folders_steps(low: str, reference: str) -> Generator[Step, None, list[Entry]]:
    """Read and check the pairs of two folders."""
    from ...model.data.folders import matched_files
    from ...model.io.files import read_image

    yield Step(0, 0)
    files = matched_files(low, reference)
    found = []
    for name, (dark, bright) in files.items():
        a, b = read_image(dark), read_image(bright)
        made = Draft(name, a.pixels, b.pixels, a.rgb)
        _ = made.check
        found.append(Entry(made))
        yield Step(len(found), len(files))
    return found


def fixed_steps(entry: Entry, fix: str) -> Generator[Step, None, Entry]:
    """Fix a pair and check it again."""
    yield Step(0, 0)
    made = entry.draft.fixed(fix)
    _ = made.check
    return replace(entry, draft=made)


class Split(NamedTuple):
    """A pair's mask of training and validation, and the layer that shows it where it has one.

    So many pixels lie between the two kinds at least.
    """

    mask: NDArray[np.uint8]
    layer: Labels | None
    gap: int


def split_steps(
    entries: list[Entry], request: TrainingRequest
) -> Generator[Step, None, list[Split]]:
    """Split all pairs for the network to train.

    Layers of labels take napari seconds to make for the first time.
    """
    yield Step(0, 0)
    apart = gap(request)
    found = masks([entry.annotated() for entry in entries], apart)
    return [
        Split(mask, None if entry.layer is None else split_layer(entry.layer, mask), apart)
        for entry, mask in zip(entries, found, strict=True)
    ]


def annotation_steps(layer: Image) -> Generator[Step, None, Labels]:
    """Make an empty annotation for a layer."""
    yield Step(0, 0)
    return annotation_layer(layer)


def annotated_steps(
    entries: list[Entry], go_on: Callable[[list[Draft]], Generator[Any, None, T]]
) -> Generator[Any, None, T]:
    """Read the annotations of all pairs, then do something with the pairs."""
    yield Step(0, 0)
    return (yield from go_on([entry.annotated() for entry in entries]))


def _mean(image: Any) -> float:
    return float(np.nanmean(image))
