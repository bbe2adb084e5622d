"""What suits minutes of training on a few images, and what the user asks for beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...model.data.project import Draft

# What suits minutes on a CPU; the names are those of the training settings.
QUICK: dict[str, Any] = {
    "batch": 6,
    "crop": 64,
    "learning_rate": 0.004,
    "betas": [0.9, 0.99],
    "average": 0.99,
    "structure": 1.0,
    "validate_every": 50,
}
FIRST_STAGE = {"auxiliary": 0.0}  # of pairs, later stages learn nothing that the first does not
FROM_SCRATCH = {"learning_rate": 0.012}  # a network that knows nothing yet bears larger steps
SCIENCE_MODEL = "science"  # the bundled model that grey data goes on from
AUTO = "auto"
WITHOUT_REFERENCES = {"relative": 0.0, "smooth": 0.03, "tie": 1000.0}  # the recipe of `paper`


@dataclass(frozen=True)
class TrainingRequest:
    """What the user asks for.

    Attributes
    ----------
    base : str
        A model to start from; empty: a network that knows nothing yet; "auto": see `started`.
    objective : {"paired", "paper", "self", "noisy"}
    minutes : float
    device : str
    more : dict
        Training settings that replace those of `QUICK`.
    """

    base: str = AUTO
    objective: str = "paired"
    minutes: float = 1.0
    device: str = "auto"
    more: dict[str, Any] = field(default_factory=dict)

    def started(self, drafts: Sequence[Draft]) -> TrainingRequest:
        """The same with a start that suits the images, where that is left to them."""
        return (
            replace(self, base=suited_start(self.objective, drafts)) if self.base == AUTO else self
        )

    def settings(self, linear: bool, grey: bool = False) -> dict[str, Any]:
        """Training settings as plain values; `linear` data is not varied as photographs are.

        What is `grey` is learned from as science data is, unless it starts from another model.
        """
        known = self.base in ("", SCIENCE_MODEL)
        if self.objective == "noisy" or (self.objective == "paired" and grey and known):
            return self._science()
        values = {"objective": self.objective, "minutes": self.minutes, **QUICK}
        if self.base:
            values["base"] = self.base
        else:
            values |= {"network": _network(self.objective)}
            values |= FROM_SCRATCH if self.objective == "paired" else {}
        if self.objective == "paired":
            values |= FIRST_STAGE
        if self.objective == "self":
            values |= WITHOUT_REFERENCES
        if self.objective == "paper":
            values["paper"] = {"weights": {"perceptual": 0.0}}
        if self.objective == "self":  # well-lit images are to be left alone
            values["augmentation"] = {"exposure": 0.0}
        elif linear or self.objective != "paired":
            values["augmentation"] = {"exposure": 0.0, "lit": 0.0}
        return {**values, **self.more}

    def _science(self) -> dict[str, Any]:
        """Settings for grey data of one's own; batch and crop of the window count, as they are."""
        from ...model.training.settings import FROM_SCIENCE, SCIENCE

        suited = FROM_SCIENCE if self.base == SCIENCE_MODEL else SCIENCE
        values = {**suited, "objective": self.objective, "minutes": self.minutes}
        if self.base:
            values["base"] = self.base
            values.pop("network", None)
        # What is set as it was at first is not asked for.
        more = {k: v for k, v in self.more.items() if v != QUICK.get(k)}
        return {**values, **more}


def suited_start(objective: str, drafts: Sequence[Draft]) -> str:
    """The model to start from that suits images and objective; empty for none.

    Grey data suit the form for science data, from scratch: in a minute it learns of them what
    `science`, which shows nothing that is not proven in one image, leaves out.
    """
    if objective != "paired":
        return objective if objective == "self" else ""
    return "photo" if any(draft.rgb for draft in drafts) else ""


def _network(objective: str) -> dict[str, Any]:
    """Configuration of a network to train from scratch: that of the bundled model of its kind."""
    from ...model.network.checkpoint import load_model

    if objective == "paper":
        return {}
    model = load_model("photo" if objective == "paired" else "self")
    return model.network.config.to_dict()
