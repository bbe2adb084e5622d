"""A list of models to choose from: bundled ones and the user's own files."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox, show_file_dialog

from ...model.network.bundled import MODEL_SUFFIX, STRETCH_PREFIX, bundled_models
from .own_models import OWN
from .preferences import apply_preferences

CHOOSE_FILE = "choose a file…"


class ModelChoice:
    """A list of bundled models and of the user's own files.

    Parameters
    ----------
    first : sequence of str
        Names that stand before the bundled models.
    chosen : str
        What is chosen at first.
    formulas : sequence of str
        Stretches that stand after them.

    Attributes
    ----------
    widget : ComboBox
    """

    def __init__(
        self,
        first: Sequence[str] = ("auto",),
        chosen: str = "auto",
        label: str = "model",
        tooltip: str = "The network. auto: photo for 8-bit RGB, science for one channel, "
        "linear for several. You can also choose a model of your own, a .safetensors file.",
        formulas: Sequence[str] = (),
    ) -> None:
        apply_preferences()  # which may name a folder of own models
        self._bundled = [*bundled_models(), *(f"{STRETCH_PREFIX}{name}" for name in formulas)]
        self._names = [*first, *self._bundled]
        self._last = chosen
        self.widget = ComboBox(label=label, choices=self._choices, value=chosen, tooltip=tooltip)
        self.widget.changed.connect(self._changed)
        OWN.added.connect(self._offer)

    @property
    def value(self) -> str:
        """One of the first names, a bundled name or a path."""
        return self._last

    @property
    def offered(self) -> list[tuple[str, str]]:
        """Bundled models, formulas and the user's own models: names and values."""
        own = [(Path(path).stem, path) for path in OWN.paths]
        return [*((name, name) for name in self._bundled), *own]

    def use(self, model: str) -> None:
        """Choose a name of the list or a file."""
        self._last = model
        if model not in self._names:
            OWN.add(model)
            self._offer()
        self.widget.value = model

    def _offer(self, _: str = "") -> None:
        """Take up the user's new models, keeping the choice."""
        with suppress(RuntimeError), self.widget.changed.blocked():  # Qt may have deleted the list
            self.widget.reset_choices()

    def _choices(self, *_: Any) -> list[tuple[str, str]]:
        names = [*((n, n) for n in self._names), *((Path(n).stem, n) for n in OWN.paths)]
        return [*names, (CHOOSE_FILE, CHOOSE_FILE)]

    def _changed(self, value: str) -> None:
        if value != CHOOSE_FILE:
            self._last = value
            return
        path = show_file_dialog(
            mode="r", caption="Choose a model", filter=f"Models (*{MODEL_SUFFIX})", parent=None
        )
        if path is not None:
            self.use(str(path))
        else:
            self.widget.value = self._last
