"""Pairs of layers and of files: read, checked, fixed and split, in steps; no window."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
from napari.layers import Image, Labels, Shapes
from numpy.typing import NDArray

from ...model.data.pair_check import SWAP
from ...model.data.project import Draft, masks
from ..shared.regions import extent
from .annotations import annotation_layer, annotation_mask, draft, split_layer
from .quick_settings import TrainingRequest
from .runner import gap
from .thumbnails import thumbnail

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A pair and the layers that it came from; the annotation is read when training starts.

    `other` is the name of the reference, where it has one of its own.
    """

    draft: Draft
    layer: Image | None = None
    annotation: Labels | Shapes | None = None
    other: str = ""

    def swapped(self) -> Entry:
        """The two the other way round, under the name of what is the dark image now."""
        before = self.draft.name
        made = replace(self.draft.swapped(), name=self.other or before)
        return replace(self, draft=made, other=before)

    @cached_property
    def pictures(self) -> tuple[NDArray[np.uint8], ...]:
        """Of the dark image and its reference, small; made where the pair is checked."""
        both = (self.draft.low, self.draft.reference)
        return tuple(thumbnail(np.asarray(x), self.draft.rgb) for x in both if x is not None)

    def checked(self) -> Entry:
        """The same, with all measured that its card tells: this may take a while."""
        _ = self.draft.check, self.pictures
        return self

    def renamed(self, name: str) -> Entry:
        """The same under another name, on which nothing that was measured depends."""
        if name == self.draft.name:
            return self
        other = replace(self, draft=replace(self.draft, name=name))
        other.draft.__dict__["check"] = self.draft.check
        other.__dict__["pictures"] = self.pictures
        return other

    def annotated(self) -> Draft:
        """The pair as it is to be trained on."""
        if self.annotation is None or self.layer is None:
            return self.draft
        mask = annotation_mask(self.annotation, self.layer)
        return replace(self.draft, annotation=mask[self.draft.extent])


class Step(NamedTuple):
    """So many pairs of all are read."""

    done: int
    total: int
    note: str = ""


def read_steps(
    low: Image, reference: Image | None, annotation: Labels | Shapes | None, sort: bool
) -> Generator[Step, None, list[Entry]]:
    """Read a pair of layers and check it.

    With `sort`, the noisier of the two is the dark image, and where they are equally noisy the
    darker one.
    """
    yield Step(0, 0)
    made = draft(low, reference)
    if sort and reference is not None:
        if not made.check.in_order:
            low, reference = reference, low
            made = draft(low, reference)
        why = "less noisy" if made.check.clearer else "the brighter one"
        made = replace(made, told=f"{reference.name} is the reference: it is {why}.")
    other = "" if reference is None else reference.name
    found = Entry(made, low, annotation, other).checked()
    yield Step(1, 1)
    return [found]


def read_folders_steps(low: str, reference: str) -> Generator[Step, None, list[Entry]]:
    """Read and check the pairs of two folders."""
    from ...model.data.folders import matched_files
    from ...model.io.files import read_image

    yield Step(0, 0)
    files = matched_files(low, reference)
    found = []
    for name, (dark, bright) in files.items():
        a, b = read_image(dark), read_image(bright)
        found.append(Entry(Draft(name, a.pixels, b.pixels, a.rgb)).checked())
        yield Step(len(found), len(files))
    return found


def fixed_steps(entry: Entry, fix: str) -> Generator[Step, None, Entry]:
    """Lay a pair's images over each other, or swap them, and check it again."""
    yield Step(0, 0)
    if fix == SWAP:
        return entry.swapped().checked()
    return replace(entry, draft=entry.draft.registered()).checked()


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
    drafts = [entry.annotated() for entry in entries]
    apart = gap(request.started(drafts), grey=not any(draft.rgb for draft in drafts))
    found = masks(drafts, apart)
    return [
        Split(mask, _split_layer(entry, mask), apart)
        for entry, mask in zip(entries, found, strict=True)
    ]


def _split_layer(entry: Entry, mask: NDArray[np.uint8]) -> Labels | None:
    """A pair's mask over the layer that it is of, if it is of one."""
    if entry.layer is None:
        return None
    whole = np.zeros(extent(entry.layer), np.uint8)
    whole[entry.draft.extent] = mask
    return split_layer(entry.layer, whole)


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
