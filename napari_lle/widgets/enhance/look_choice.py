"""The row *look*: recognised from each image, until the user says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ...model.inference.looks import LOOK_MEANINGS, Recognised, recognise
from ...model.preprocessing.channel_levels import measured_colours
from ...model.preprocessing.sampling import sample
from ..shared.layers import pixels
from ..shared.preferences import RECOGNISED, preferences

if TYPE_CHECKING:
    from napari.layers import Image

    from .form import Form

HINT = "The kind of picture to make; it chooses the model and everything else that is left at auto."


def recognised(layer: Image) -> Recognised:
    """What a layer shows, as far as it tells."""
    data = pixels(layer)
    return recognise(
        str(data.dtype),
        bool(layer.rgb),
        name=layer.name,
        file=str(layer.source.path or ""),
        units=[str(unit) for unit in layer.units],
        measured=not (layer.rgb and _within_one(data)),
    )


def _within_one(data: Any) -> bool:
    """Whether colours are known to lie in 0..1; of lazy ones nothing is read for this."""
    if not isinstance(data, np.ndarray) or not data.size:
        return False
    squares = sample(data, rgb=True)
    known = squares[np.isfinite(squares)]
    return known.size > 0 and known.min() >= 0 and not measured_colours(known)


class LookChoice:
    """Keeps the look of a form that of its image.

    Parameters
    ----------
    form : Form
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self._by_hand: WeakKeyDictionary[Image, str] = WeakKeyDictionary()
        form.look.changed.connect(self._note)
        form.image.changed.connect(self.follow)
        self.follow()

    def follow(self, *_: Any) -> None:
        """Show the look of the chosen image, and in the tooltip why it is."""
        layer = self._form.image.value
        if layer is None:
            self._form.look.tooltip = explained(HINT)
            return
        found = recognised(layer)
        preferred = preferences().look
        by_itself = found.look if preferred == RECOGNISED else preferred
        look = self._by_hand.get(layer, by_itself)
        with self._form.look.changed.blocked():
            self._form.look.value = look
        why = f"{found.look}: {found.reason}."
        if layer in self._by_hand:
            why = f"chosen by you; {why}"
        elif preferred != RECOGNISED:
            why = f"set in the preferences; {why}"
        self._form.look.tooltip = explained(why[0].upper() + why[1:])

    def _note(self, look: str) -> None:
        layer = self._form.image.value
        if layer is not None:
            self._by_hand[layer] = look
            self.follow()


def explained(first: str) -> str:
    """A tooltip with what each look is."""
    return "\n".join([first, *(f"{look}: {meaning}." for look, meaning in LOOK_MEANINGS.items())])
