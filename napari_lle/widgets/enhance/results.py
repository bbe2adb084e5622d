"""The layers that the Enhance widget added last, which follow its strength."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from napari.layers import Image

from ...model.network.bundled import GLOBAL, MODEL_SUFFIX
from ..shared.layers import (
    ILLUMINATION,
    METADATA_KEY,
    REFLECTANCE,
    header_of,
    illumination_options,
    metadata,
    result_options,
)
from ..shared.marks import canvas_mark, free_name, marked
from .blending import Blend, Live, Made
from .covers import Covers, place_over

PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")


class Origin(NamedTuple):
    """What is known of a layer when it is enhanced; it may be gone at the end."""

    layer: Image
    look: dict[str, Any]
    source: dict[str, Any]
    header: dict[str, Any]

    @classmethod
    def of(cls, layer: Image) -> Origin:
        """Note down a layer's look and where it came from."""
        source = {"layer": layer.name, "source": layer.source.path}
        return cls(layer, result_options(layer), source, header_of(layer))


class Shown(NamedTuple):
    """The layers that a run shows of a source."""

    source: Image
    layer: Image | None = None  # none yet
    light: Image | None = None


class Results:
    """The results of the latest run.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    covers : Covers
        Told what stands for what.
    """

    def __init__(self, viewer: Any, covers: Covers) -> None:
        self._viewer = viewer
        self._covers = covers
        self._lives: list[Live] = []
        self._shown: list[Shown] = []

    @property
    def latest(self) -> Live | None:
        """The result of the chosen layer, while it is in the viewer."""
        return self._lives[0] if self._lives else None

    @property
    def lives(self) -> list[Live]:
        """All results of the latest run that are in the viewer, with what they are made of."""
        return list(self._lives)

    @property
    def layers(self) -> list[Image]:
        """All results of the latest run that are in the viewer."""
        return [live.layer for live in self._lives]

    @property
    def sources(self) -> list[Image]:
        """The inputs of the latest run."""
        return [each.source for each in self._shown if each.layer in self.layers]

    def selected(self, layer: Image) -> list[Any]:
        """The selected layers, from below, as a run on a layer takes them.

        napari selects what a run adds: a result stands for all inputs of its run, if `layer` is
        one of them, so that the run can be repeated.
        """
        chosen = set(self._viewer.layers.selection)
        if layer in self.sources and not chosen.isdisjoint(self.layers):
            chosen.update(self.sources)
        return [each for each in self._viewer.layers if each in chosen]

    @property
    def record(self) -> dict[str, Any]:
        """How it was made."""
        if self.latest is None:
            raise ValueError("Run Enhance first.")
        return dict(self.latest.layer.metadata[METADATA_KEY])

    def add(
        self,
        origins: list[Origin],
        made: list[Made],
        model: str,
        strength: float,
        replace: bool = True,
    ) -> None:
        """Show the results of a run, and their illumination where asked for.

        With `replace`, in the layers of the run before on the same images.
        """
        self.close()
        own = model.removesuffix(GLOBAL).endswith(MODEL_SUFFIX)
        file = {"model_file": str(Path(model).absolute())} if own else {}
        below = [origin.layer for origin in origins]
        below += [each.layer for each in self._shown if each.source in below]
        place = place_over(self._viewer, below)
        shown: dict[int, Shown] = {}
        for number in self._from_below(origins):
            origin, one = origins[number], made[number]
            about = metadata(
                one.estimate.record,
                **{**origin.source, **file, "strength": strength},
                kind=REFLECTANCE,
                run=uuid4().hex,
            )
            about |= origin.header
            before = self._before(origin) if replace else Shown(origin.layer)
            count = len(self._viewer.layers)
            shown[number] = self._show(before, origin, one, about, place)
            place += len(self._viewer.layers) - count
        canvas_mark(self._viewer).refresh()
        self._lives = [
            Live(one.estimate, *shown[number][1:], (one.shown, one.limits))
            for number, one in enumerate(made)
        ]

    def blend(self, blend: Blend) -> None:
        """Show another strength and tone."""
        for live in self._lives:
            live.blend(blend)

    def forget(self, layer: Any) -> None:
        """Follow a layer no more that was removed from the viewer."""
        shown = [each for each in self._shown if layer not in (each.source, each.layer)]
        self._shown = [e._replace(light=None) if e.light is layer else e for e in shown]
        for live in list(self._lives):
            if layer is live.light:
                live.light = None
            if layer is live.layer:
                live.close()
                self._lives.remove(live)

    def close(self) -> None:
        """Let go of the layers and their estimates."""
        for live in self._lives:
            live.close()
        self._lives = []

    def _from_below(self, origins: list[Origin]) -> list[int]:
        """Numbers of the sources in the order in which they lie, so that their results do, too."""
        layers = list(self._viewer.layers)
        places = [layers.index(o.layer) if o.layer in layers else -1 for o in origins]
        return sorted(range(len(origins)), key=lambda number: places[number])

    def _before(self, origin: Origin) -> Shown:
        """What an earlier run shows of a source, as far as another one can be shown in it."""
        for each in reversed(self._shown):
            if each.source is origin.layer and each.layer in self._viewer.layers:
                light = each.light if each.light in self._viewer.layers else None
                return Shown(each.source, each.layer, light)
        return Shown(origin.layer)

    def _show(
        self, before: Shown, origin: Origin, made: Made, about: dict[str, Any], place: int
    ) -> Shown:
        light = None
        if made.illumination is not None:
            options = {
                **illumination_options(origin.layer, made.estimate),
                **{key: origin.look[key] for key in PLACE},
                "metadata": {**about, METADATA_KEY: {**about[METADATA_KEY], "kind": ILLUMINATION}},
            }
            light = self._put(before.light, made.illumination, options, place)
            place += light is not before.light
        elif before.light is not None:
            self._viewer.layers.remove(before.light)  # it would be that of another result
        options = {**origin.look, "contrast_limits": made.limits, "metadata": about}
        name = origin.look["name"]
        known = before.layer.name if before.layer else free_name(name, self._viewer.layers)
        options["name"] = marked(known, about[METADATA_KEY])
        layer = self._put(before.layer, made.reflectance, options, place)
        layer.name = options["name"]
        layer.visible = True
        self._viewer.layers.selection.active = layer
        if layer is not before.layer:
            self._covers.put(layer, origin.layer)
        shown = Shown(origin.layer, layer, light)
        if origin.layer in self._viewer.layers:
            self._shown = [*(each for each in self._shown if each.layer is not layer), shown]
        return shown

    def _put(self, layer: Image | None, data: Any, options: dict[str, Any], place: int) -> Image:
        """Give a layer other values, where it can bear them, or insert one that has them."""
        if layer is not None:
            if is_alike(layer, options):
                renew(layer, data, options)
                return layer
            self._viewer.layers.remove(layer)
            place = min(place, len(self._viewer.layers))
        layer = Image(data, **options)
        self._viewer.layers.insert(place, layer)
        return layer


def is_alike(layer: Image, options: dict[str, Any]) -> bool:
    """Whether a layer can become one with these options."""
    same = all(bool(getattr(layer, key)) == options[key] for key in ("rgb", "multiscale"))
    return same and layer.ndim == len(options["scale"])


def renew(layer: Image, data: Any, options: dict[str, Any]) -> None:
    """Put values of another run into a layer, in its place, and leave the look to the user."""
    layer.data = data
    layer.metadata = options["metadata"]
    for key in PLACE:
        setattr(layer, key, options[key])
