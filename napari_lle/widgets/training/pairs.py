"""The list of pairs in the training widget: adding, checking, fixing, annotating, splitting."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from magicgui.widgets import show_file_dialog
from napari.layers import Image, Labels, Shapes

from ...model.data.pair_check import REGISTER, SWAP
from ...model.data.project import Draft
from ..shared.jobs import Job
from .cards import Card
from .form import TrainForm
from .pair_steps import (
    Entry,
    Split,
    annotation_steps,
    fixed_steps,
    read_folders_steps,
    read_steps,
    split_steps,
)
from .step_bar import CHECK_STEP

PRESS_FIX = "Press Fix."
Start = Callable[[Generator[Any, None, Any], Callable[[Any], Any], str], None]


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
    suit : callable
        Told of the pair that was added or changed last.
    """

    def __init__(
        self,
        viewer: Any,
        form: TrainForm,
        start: Start,
        say: Callable[[str], None],
        suit: Callable[[Draft], None],
    ) -> None:
        self.viewer, self.form, self.start, self.say, self.suit = viewer, form, start, say, suit
        self.entries: list[Entry] = []
        self.drawing: Job | None = None
        form.add.changed.connect(self.add_chosen)
        form.add_selected.changed.connect(self.add_selected)
        form.add_folders.changed.connect(self.choose_folders)
        form.draw.changed.connect(self.draw_annotation)
        form.fix.changed.connect(self.fix)
        form.swap.changed.connect(self.swap)
        form.remove.changed.connect(self.remove)
        form.split.changed.connect(self.show_split)

    def release(self) -> None:
        """Add nothing more: the window goes away."""
        if self.drawing is not None:
            self.drawing.abandon()

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
        self.start(read_folders_steps(low, reference), self._take, "Reading pairs")

    def draw_annotation(self) -> None:
        """Add an empty annotation to the dark layer, choose it, and take up the brush."""
        layer = self.form.low.value
        if layer is None:
            self.say("Open or choose a dark layer first.")
            return
        # Beside whatever else runs: one may draw while a network is trained.
        self.drawing = Job(annotation_steps(layer), on_done=self._draw)

    def _draw(self, labels: Labels) -> None:
        self.viewer.add_layer(labels)
        labels.mode = "paint"
        self.form.annotation.value = labels
        self.say("Paint regions to train on with 1 and to validate on with 2, then add the pair.")

    def fix(self) -> None:
        """Lay the selected pair's images over each other, cut to what they have in common."""
        entry = self._selected()
        if entry is None:
            return
        name, problems = entry.draft.name, entry.draft.check.problems
        if any(problem.fix == REGISTER for problem in problems):
            self._change(entry, REGISTER, f"Fixing {name}")
        elif any(problem.fix == SWAP for problem in problems):
            self.say(f"{name}: press Swap if the reference is the dark image; nothing was changed.")
        else:
            self.say(f"{name}: there is nothing to fix.")

    def swap(self) -> None:
        """Make the reference of the selected pair its dark image: only ever on request."""
        entry = self._selected()
        if entry is None:
            return
        if entry.draft.reference is None:
            self.say(f"{entry.draft.name} has no reference to swap with.")
            return
        if entry.draft.low.shape != entry.draft.reference.shape:
            self.say(f"{entry.draft.name}: press Fix first, the images differ in size.")
            return
        self._change(entry, SWAP, f"Swapping {entry.draft.name}")

    def _change(self, entry: Entry, fix: str, text: str) -> None:
        place = self.entries.index(entry)
        self.start(fixed_steps(entry, fix), lambda found: self._replace(place, found), text)

    def remove(self) -> None:
        """Take the selected pair off the list."""
        entry = self._selected()
        if entry is not None:
            self.entries.remove(entry)
            self.show()

    def show_split(self) -> None:
        """Show what each pair's layer is trained on and judged by."""
        if not self.entries or self.entries[0].draft.reference is None:
            self.say("Add a pair first: dark images without references are split by image.")
            return
        self.start(
            split_steps(list(self.entries), self.form.request()), self._add_splits, "Splitting"
        )

    def show(self) -> None:
        """Fill the list."""
        cards = [_pair_card(entry) for entry in self.entries]
        self.form.cards.show(cards)
        wrong = sum(card.kind == "wrong" for card in cards)
        self.form.steps.mark(
            CHECK_STEP, f": fix {wrong}" if wrong else f" ({len(cards)})" * bool(cards)
        )

    def _add(
        self,
        low: Image,
        reference: Image | None,
        annotation: Labels | Shapes | None,
        sort: bool = False,
    ) -> None:
        self.start(read_steps(low, reference, annotation, sort), self._take, f"Checking {low.name}")

    def _take(self, found: list[Entry]) -> None:
        for entry in found:
            self.entries.append(_of_its_own_name(entry, self.entries))
        self.show()
        self.form.cards.choose(len(self.entries) - 1)
        self.form.steps.setCurrentIndex(CHECK_STEP)
        last = self.entries[-1].draft
        self.suit(last)
        self.say(f"Added {last.name}. {_doubts(last)}")

    def _replace(self, place: int, entry: Entry) -> None:
        others = [each for i, each in enumerate(self.entries) if i != place]
        self.entries[place] = entry = _of_its_own_name(entry, others)
        self.show()
        self.suit(entry.draft)
        self.say(_doubts(entry.draft))

    def _add_splits(self, found: list[Split]) -> None:
        for split in found:
            if split.layer is None:
                continue
            if split.layer.name in self.viewer.layers:  # shown before
                shown = self.viewer.layers[split.layer.name]
                shown.data, shown.affine = split.layer.data, split.layer.affine
            else:
                self.viewer.add_layer(split.layer)
        share = np.mean([[(s.mask == part).mean() for part in (1, 2)] for s in found], axis=0)
        self.say(
            f"{100 * share[0]:.0f} % to train on, {100 * share[1]:.0f} % to validate on, "
            f"{found[0].gap} pixels apart."
        )

    def _selected(self) -> Entry | None:
        place = self.form.cards.chosen
        if not 0 <= place < len(self.entries):
            self.say("Select a pair in the list first.")
            return None
        return self.entries[place]


def _of_its_own_name(entry: Entry, others: list[Entry]) -> Entry:
    """A pair under a name that no other has: with a number where it must be."""
    taken = {other.draft.name for other in others}
    name, i = entry.draft.name, 1
    while name in taken:
        name, i = f"{entry.draft.name} {i}", i + 1
    return entry.renamed(name)


def _pair_card(entry: Entry) -> Card:
    """What the list tells of a pair."""
    draft = entry.draft
    size = " x ".join(map(str, draft.low.shape[: draft.low.ndim - draft.rgb])) + " pixels"
    if draft.reference is None:
        return Card(draft.name, (size,), "dark image alone", pictures=entry.pictures)
    check, figures = draft.check, [size]
    noise = "noise {:.0f} % and {:.0f} %".format(*(100 * share for share in check.noise))
    figures.append(f"{check.stops:+.1f} EV, {noise}")
    if check.levels is not None:  # else the two could not be laid over each other yet
        figures[0] += ", levels {:.4g} to {:.4g}".format(*check.levels)
        shift = f"shift {np.hypot(*check.shift):.1f} px"
        figures.append(f"{shift}, similarity {100 * check.correlation:.0f} %")
    kind = "wrong" if not check.usable else "doubtful" if check.problems else "good"
    return Card(draft.name, tuple(figures), _doubts(draft) or "good", kind, entry.pictures)


def _doubts(draft: Draft) -> str:
    """What was done to a pair and what is wrong with it."""
    problems = draft.check.problems
    mend = [PRESS_FIX] if any(p.fix == REGISTER for p in problems) else []
    return " ".join([draft.told, *(p.sentence for p in problems), *mend]).strip()
