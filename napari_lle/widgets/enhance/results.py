"""The layers that the Enhance widget added last, which follow its strength."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from napari.layers import Image

from ...model.network.bundled import GLOBAL, SUFFIX
from ..shared.layers import (
    ILLUMINATION,
    KEY,
    REFLECTANCE,
    illumination_options,
    metadata,
    result_options,
)
from .blending import Live, Made


class Origin(NamedTuple):
    """What is known of a layer when it is enhanced; it may be gone at the end."""

    layer: Image
    look: dict[str, Any]
    source: dict[str, Any]

    @classmethod
    def of(cls, layer: Image) -> Origin:
        """Note down a layer's look and where it came from."""
        source = {"layer": layer.name, "source": layer.source.path}
        return cls(layer, result_options(layer), source)


class Results:
    """The results of the latest run.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._lives: list[Live] = []

    @property
    def latest(self) -> Live | None:
        """The result of the chosen layer, while it is in the viewer."""
        return self._lives[0] if self._lives else None

    @property
    def record(self) -> dict[str, Any]:
        """How it was made."""
        if self.latest is None:
            raise ValueError("Run Enhance first.")
        return dict(self.latest.layer.metadata[KEY])

    def add(self, origins: list[Origin], made: list[Made], model: str, strength: float) -> None:
        """Show the results of a run, and their illumination where asked for."""
        self.close()
        own = model.removesuffix(GLOBAL).endswith(SUFFIX)
        file = {"model_file": str(Path(model).absolute())} if own else {}
        lives = [
            self._show(origin, one, {**origin.source, **file, "strength": strength})
            for origin, one in zip(origins, made, strict=True)
        ]
        self._lives = lives

    def blend(self, strength: float) -> None:
        """Show another strength."""
        for live in self._lives:
            live.blend(strength)

    def forget(self, layer: Any) -> None:
        """Follow a layer no more that was removed from the viewer."""
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

    def _show(self, origin: Origin, made: Made, told: dict[str, Any]) -> Live:
        about = metadata(made.estimate.record, **told, kind=REFLECTANCE, run=uuid4().hex)
        light = None
        if made.illumination is not None:
            light = Image(
                made.illumination,
                **illumination_options(origin.layer, made.estimate),
                metadata={KEY: {**about[KEY], "kind": ILLUMINATION}},
            )
            self._viewer.add_layer(light)
        layer = Image(made.reflectance, **origin.look, contrast_limits=made.limits, metadata=about)
        self._viewer.add_layer(layer)
        return Live(made.estimate, layer, light)
