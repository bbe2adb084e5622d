"""The list of pairs in the training widget: adding, checking, mending, annotating, splitting."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from magicgui.widgets import show_file_dialog
from napari.layers import Image, Labels, Shapes

from ._annotations import annotation_layer, annotation_mask, draft, split_layer
from ._train_form import TrainForm
from ._trainer import RECEPTIVE_FIELD
from .model.project import Draft, masks

Start = Callable[[Generator[Any, None, Any], Callable[[Any], Any], str], None]


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


class Pairs:
    """The pairs of a training widget.

    Parameters
    ----------
    viewer : ViewerModel
    form : TrainForm
    start : callable
        Runs a generator beside the window: takes it, what to do with its result, and a text.
    say : callable
        Tells the user a sentence.
    """

    def __init__(
        self, viewer: Any, form: TrainForm, start: Start, say: Callable[[str], None]
    ) -> None:
        self.viewer, self.form, self.start, self.say = viewer, form, start, say
        self.entries: list[Entry] = []
        self._folder: str | None = None
        form.add.changed.connect(self.add_chosen)
        form.add_selected.changed.connect(self.add_selected)
        form.add_folders.changed.connect(self.choose_folders)
        form.draw.changed.connect(self.draw_annotation)
        form.mend.changed.connect(self.mend)
        form.remove.changed.connect(self.remove)
        form.split.changed.connect(self.show_split)

    def add_chosen(self) -> None:
        """Add the layers of the lists."""
        form = self.form
        if form.low.value is None:
            self.say("Open or choose a dark layer first.")
            return
        self._add(form.low.value, form.reference.value, form.annotation.value)

    def add_selected(self) -> None:
        """Add the two selected layers, whichever is the dark one."""
        layers = [la for la in self.viewer.layers if la in self.viewer.layers.selection]
        if len(layers) != 2 or not all(isinstance(layer, Image) for layer in layers):
            self.say("Select two image layers, a dark one and its reference.")
            return
        self._add(layers[0], layers[1], self.form.annotation.value, sort=True)

    def choose_folders(self) -> None:
        """Ask for two folders and add their pairs."""
        chosen = [
            show_file_dialog(mode="d", caption=f"Choose the folder of {what}", parent=None)
            for what in ("dark images", "references")
        ]
        if None not in chosen:
            self.add_folders(*map(str, chosen))

    def add_folders(self, low: str, reference: str) -> None:
        """Add the pairs of two folders, matched by file stem."""
        self.start(_read_folders(low, reference), self._take, "Reading pairs")

    def draw_annotation(self) -> None:
        """Add an empty annotation to the dark layer, choose it, and take up the brush."""
        layer = self.form.low.value
        if layer is None:
            self.say("Open or choose a dark layer first.")
            return
        labels = annotation_layer(layer)
        self.viewer.add_layer(labels)
        labels.mode = "paint"
        self.form.annotation.value = labels
        self.say("Paint what to train on with 1 and what to judge by with 2, then add the pair.")

    def mend(self) -> None:
        """Mend what can be mended in the selected pair."""
        entry = self._selected()
        if entry is None:
            return
        mends = [p.mend for p in entry.draft.check.problems if p.mend]
        if not mends:
            self.say(f"{entry.draft.name}: there is nothing that a click could mend.")
            return
        place = self.entries.index(entry)
        self.start(
            _mended(entry, mends[0]),
            lambda found: self._replace(place, found),
            f"Mending {entry.draft.name}",
        )

    def remove(self) -> None:
        """Take the selected pair off the list."""
        entry = self._selected()
        if entry is not None:
            self.entries.remove(entry)
            self.show()

    def show_split(self) -> None:
        """Show what each pair's layer is trained on and judged by."""
        if not self.entries or self.entries[0].draft.reference is None:
            self.say("Add a pair first: dark images alone are split by image.")
            return
        self.start(_split(list(self.entries)), self._add_splits, "Splitting")

    def show(self) -> None:
        """Fill the table."""
        self.form.show_pairs([_row(entry.draft) for entry in self.entries])

    def _add(
        self,
        low: Image,
        reference: Image | None,
        annotation: Labels | Shapes | None,
        sort: bool = False,
    ) -> None:
        self.start(_read(low, reference, annotation, sort), self._take, f"Checking {low.name}")

    def _take(self, found: list[Entry]) -> None:
        for entry in found:
            names = {e.draft.name for e in self.entries}
            name, i = entry.draft.name, 1
            while name in names:
                name, i = f"{entry.draft.name} {i}", i + 1
            self.entries.append(replace(entry, draft=_renamed(entry.draft, name)))
        self.show()
        last = self.entries[-1].draft
        problems = " ".join(p.sentence for p in last.check.problems)
        self.say(f"Added {last.name}. {problems}")

    def _replace(self, place: int, entry: Entry) -> None:
        self.entries[place] = entry
        self.show()
        self.say(" ".join(p.sentence for p in entry.draft.check.problems) or "Mended.")

    def _add_splits(self, found: list[tuple[Entry, Any]]) -> None:
        for entry, mask in found:
            if entry.layer is None:
                continue
            made = split_layer(entry.layer, mask)
            if made.name in self.viewer.layers:
                self.viewer.layers.remove(made.name)
            self.viewer.add_layer(made)
        share = np.mean([[(mask == part).mean() for part in (1, 2)] for _, mask in found], axis=0)
        self.say(
            f"{100 * share[0]:.0f} % to train on, {100 * share[1]:.0f} % to judge by, "
            f"{RECEPTIVE_FIELD} pixels apart."
        )

    def _selected(self) -> Entry | None:
        place = self.form.table.native.currentRow()
        if not 0 <= place < len(self.entries):
            self.say("Select a pair in the table first.")
            return None
        return self.entries[place]


def _mean(image: Any) -> float:
    return float(np.nanmean(image))


def _row(draft: Draft) -> tuple[str, ...]:
    """What the table tells of a pair."""
    size = " x ".join(map(str, draft.low.shape[: draft.low.ndim - draft.rgb]))
    if draft.reference is None:
        return (draft.name, size, "", "", "", "dark image alone")
    check = draft.check
    says = " ".join(p.sentence for p in check.problems) or "good"
    shift = f"{np.hypot(*check.shift):.1f}"
    return (draft.name, size, shift, f"{check.stops:+.1f}", f"{check.correlation:.2f}", says)


def _renamed(draft: Draft, name: str) -> Draft:
    if name == draft.name:
        return draft
    other = replace(draft, name=name)
    other.__dict__["check"] = draft.check  # it does not depend on the name
    return other


def _read(
    low: Image, reference: Image | None, annotation: Labels | Shapes | None, sort: bool
) -> Generator[Step, None, list[Entry]]:
    yield Step(0, 0)
    made = draft(low, reference)
    if sort and reference is not None and _mean(made.low) > _mean(made.reference):
        low, made = reference, draft(reference, low)
    _ = made.check
    yield Step(1, 1)
    return [Entry(made, low, annotation)]


def _read_folders(low: str, reference: str) -> Generator[Step, None, list[Entry]]:
    from .model.data import matched_files
    from .model.files import read_image

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


def _mended(entry: Entry, mend: str) -> Generator[Step, None, Entry]:
    yield Step(0, 0)
    made = entry.draft.mended(mend)
    _ = made.check
    return replace(entry, draft=made)


def _split(entries: list[Entry]) -> Generator[Step, None, list[tuple[Entry, Any]]]:
    yield Step(0, 0)
    drafts = [entry.annotated() for entry in entries]
    return list(zip(entries, masks(drafts, RECEPTIVE_FIELD), strict=True))
