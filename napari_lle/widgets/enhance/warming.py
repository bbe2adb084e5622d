"""Which kernels are compiled first: those that the open image is going to need."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ...model.network.bundled import GLOBAL, bundled_models
from .line import settled_model

if TYPE_CHECKING:
    from .form import Form


def needed_models(form: Form) -> list[str]:
    """The bundled model that the chosen image would be enhanced with; no files and formulas."""
    name = ""
    if form.image.value is not None:
        with suppress(ValueError):  # which the widget tells elsewhere
            name = settled_model(form).removesuffix(GLOBAL)
    return [name] if name in bundled_models() else []
