"""The controls of the training widget."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import (
    ComboBox,
    Container,
    FloatSpinBox,
    PushButton,
    SpinBox,
)

from ..shared.folds import Fold
from ..shared.forms import HAPPENED, Choices, bar_and_status, device_box, labelled, row
from ..shared.model_choice import ModelChoice
from .cards import Cards
from .plots import TrainPlots
from .quick_settings import AUTO, QUICK, TrainingRequest
from .step_bar import TRAIN_STEP, VERDICT_STEP, StepBar
from .verdict_form import VerdictForm

SCRATCH = "from scratch"


class TrainForm:
    """All controls, in the order in which they are read.

    Parameters
    ----------
    images, annotations : callable
        Take the list widget; return the names and layers that it offers.
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    pages : list of Container
        One for each step.
    steps : StepBar
    verdict : VerdictForm
        The last of the steps.
    plots : TrainPlots
        Of the run under way.
    folds : dict of str to Fold
    below : list of QWidget
        What is below the line of status.
    """

    def __init__(self, images: Choices, annotations: Choices, viewer: Any) -> None:
        self._pairs(images, annotations)
        self._checks()
        self._options()
        self._advanced()
        self._run()
        self.verdict = VerdictForm(viewer)
        self.plots = TrainPlots()
        self.pages = [*map(_page, (self._first(), self._second(), self._third()))]
        for part in (self.folded, self._buttons.native):
            self.pages[TRAIN_STEP].native.layout().addWidget(part)
        self.pages.append(self.verdict.page)
        self.folds = {"Advanced": self.folded, "Past runs": self.verdict.past.fold}
        self.below = [self.plots.fold, self.verdict.past.fold]
        natives = [[page.native] for page in self.pages]
        natives[TRAIN_STEP].append(self.plots.fold)
        natives[VERDICT_STEP].append(self.verdict.past.fold)
        self.steps = StepBar(natives)

    def _pairs(self, images: Choices, annotations: Choices) -> None:
        self.low = ComboBox(label="dark", choices=images, tooltip="The layer that is too dark.")
        self.reference = ComboBox(
            label="reference",
            choices=lambda w: [("none", None), *images(w)],
            tooltip="The same scene, well exposed. Without references, a network learns from dark "
            "images alone.",
        )
        self.annotation = ComboBox(
            label="regions",
            choices=lambda w: [("the whole image", None), *annotations(w)],
            tooltip="Labels or shapes: 0 ignore, 1 train, 2 validate. Their scale may differ from "
            "the image's.",
        )
        self.add = PushButton(text="Add pair", tooltip="Add the layers chosen above as a pair.")
        self.add_selected = PushButton(
            text="Add selected",
            tooltip="Add the two layers selected in the layer list; the less noisy one becomes the "
            "reference, of equally noisy ones the brighter.",
        )
        self.add_folders = PushButton(
            text="Add folders…",
            tooltip="Add pairs from two folders, dark images and references, matched by file name.",
        )
        self.draw = PushButton(
            text="Draw annotation",
            tooltip="Add a labels layer over the dark layer: paint 1 to train, 2 to validate.",
        )

    def _checks(self) -> None:
        self.cards = Cards()
        self.fix = PushButton(
            text="Fix",
            tooltip="Move the reference of the selected pair into place and cut both images to "
            "what they have in common.",
        )
        self.swap = PushButton(
            text="Swap",
            tooltip="Exchange the two images of the selected pair: the reference becomes the dark "
            "or noisy image.",
        )
        self.remove = PushButton(text="Remove", tooltip="Remove the selected pair from the list.")
        self.split = PushButton(
            text="Show split",
            tooltip="Show the training set (green) and the validation set (orange) as layers.",
        )

    def _options(self) -> None:
        self.model = ModelChoice(
            (AUTO, SCRATCH),
            AUTO,
            "start from",
            "The model to continue from, or an untrained network. auto: photo for colour pairs, "
            "the form for science data from scratch for grey ones, self for dark colour images "
            "alone.",
        )
        self.objective = ComboBox(
            label="objective",
            choices=["paired", "noisy", "self", "paper"],
            tooltip="paired: match the references. For images alone: noisy learns to remove the "
            "noise of grey images, self learns from pairs made of the dark images themselves, "
            "paper minimises equations 4 to 6 of the paper.",
        )
        self.minutes = FloatSpinBox(
            label="minutes",
            value=1.0,
            min=0.05,
            max=10_000,
            step=0.5,
            tooltip="Training time in minutes. One minute on a CPU is enough for a single pair.",
        )
        self.device = device_box("Where the training runs.")

    def _advanced(self) -> None:
        self.advanced = {
            "batch": _number("batch", QUICK["batch"], (1, 256), "Number of crops in each step."),
            "crop": _number("crop", QUICK["crop"], (16, 1024), "Side of the crops, in pixels."),
            "learning_rate": FloatSpinBox(
                label="rate",
                value=0,
                min=0,
                max=0.1,
                step=0.001,
                tooltip="Peak learning rate; 0 chooses what suits the starting model.",
            ),
            "validate_every": _number(
                "validate",
                QUICK["validate_every"],
                (1, 100_000),
                "Steps between two validations.",
            ),
            "seed": _number(
                "seed", 0, (0, 2**31 - 1), "Runs with the same seed see the same crops."
            ),
        }
        self.advanced["learning_rate"].native.setDecimals(4)
        rows = [labelled(widget) for widget in self.advanced.values()]
        self.folded = Fold("Advanced", "Settings that few need.", rows, "training/advanced")

    def _run(self) -> None:
        self.train = PushButton(text="Train", tooltip="Train on the pairs in the list.")
        self.pause = PushButton(
            text="Pause", enabled=False, tooltip="Pause the training and free the processor."
        )
        self.stop = PushButton(
            text="Stop",
            enabled=False,
            tooltip="End the training and keep the best weights so far; once more, leave out the "
            "comparison with untrained methods.",
        )
        self.resume = PushButton(
            text="Resume", visible=False, tooltip="Continue a run that was stopped or interrupted."
        )
        self.progress, self.status = bar_and_status("Steps done.", HAPPENED)
        self._buttons = Container(
            widgets=[row(self.train, self.pause, self.stop), self.resume], labels=False
        )
        self._buttons.margins = (0, 0, 0, 0)

    def _first(self) -> list[Any]:
        return [
            *map(labelled, (self.low, self.reference, self.annotation)),
            row(self.add, self.add_selected),
            row(self.add_folders, self.draw),
        ]

    def _second(self) -> list[Any]:
        return [self.cards.widget, row(self.fix, self.swap, self.remove, self.split)]

    def _third(self) -> list[Any]:
        return [*map(labelled, (self.model.widget, self.objective, self.minutes, self.device))]

    def rows(self) -> list[Any]:
        """The pages, of which one is open, and the line of status."""
        return [*self.pages, self.progress, self.status]

    def request(self) -> TrainingRequest:
        """What is chosen."""
        more = {name: widget.value for name, widget in self.advanced.items()}
        if not more["learning_rate"]:
            del more["learning_rate"]
        base = "" if self.model.value == SCRATCH else self.model.value
        return TrainingRequest(
            base, self.objective.value, self.minutes.value, self.device.value, more
        )


def _number(label: str, value: int, span: tuple[int, int], tooltip: str) -> SpinBox:
    return SpinBox(label=label, value=value, min=span[0], max=span[1], tooltip=tooltip)


def _page(rows: list[Any]) -> Container:
    page = Container(widgets=rows, labels=False)
    page.margins = (0, 0, 0, 0)
    return page
