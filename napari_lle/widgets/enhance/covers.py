"""Show one of the layers that show the same scene where together they would add up.

Fluorescence is blended additively: an image below its own result shines through it, and the sum is
what nobody measured. Works on a viewer model, without a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from napari.layers import Image

from ..shared.covering import SEE_THROUGH


class Covers:
    """Hides what a new layer stands for, until it is hidden or gone itself.

    Layers that hide what is below them anyway are left as they are.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._stacks: list[
            tuple[Any, list[Any]]
        ] = []  # a source, if there; it and what stands for it
        viewer.layers.events.removed.connect(self._on_removed)

    def put(self, cover: Any, source: Any) -> None:
        """Let a layer of the viewer stand for another one."""
        if cover.blending not in SEE_THROUGH:
            return
        stack = self._stack(source)
        stack.append(cover)
        cover.events.visible.connect(self._on_visible)
        self._alone(cover, stack)

    def release(self) -> None:
        """Let go of the viewer; what is hidden stays so."""
        for _, stack in self._stacks:
            for layer in stack:
                self._unfollow(layer)
        self._stacks = []
        with suppress(ValueError):
            self._viewer.layers.events.removed.disconnect(self._on_removed)

    def _stack(self, source: Any) -> list[Any]:
        for known, stack in self._stacks:
            if known is source:
                return stack
        stack = [source] if source.visible and source in self._viewer.layers else []
        self._stacks.append((source if source in self._viewer.layers else None, stack))
        return stack

    def _on_visible(self, event: Any) -> None:
        layer = event.source
        for source, stack in self._stacks:
            if layer in stack and layer is not source:
                if layer.visible:
                    self._alone(layer, stack)
                else:
                    self._before(layer, stack)

    def _on_removed(self, event: Any) -> None:
        for _, stack in self._stacks:
            if event.value in stack:
                self._unfollow(event.value)
                self._before(event.value, stack)
                stack.remove(event.value)
        self._stacks = [
            (None if source is event.value else source, stack)
            for source, stack in self._stacks
            if stack
        ]

    def _unfollow(self, layer: Any) -> None:
        with suppress(ValueError):  # a source is not followed
            layer.events.visible.disconnect(self._on_visible)

    @staticmethod
    def _alone(layer: Any, stack: list[Any]) -> None:
        for other in stack:
            if other is not layer:
                other.visible = False

    @staticmethod
    def _before(layer: Any, stack: list[Any]) -> None:
        """Show what a layer stood for that is seen no more, unless another one is shown."""
        others = [other for other in stack if other is not layer]
        if others and not any(other.visible for other in others):
            others[max(stack.index(layer) - 1, 0)].visible = True


def place_over(viewer: Any, sources: Sequence[Any]) -> int:
    """Where to put a layer so that it lies on its sources, and nothing that is opaque on it.

    What marks or mixes with the image, such as labels and other channels, stays above.
    """
    layers = list(viewer.layers)
    places = [layers.index(source) for source in sources if source in layers]
    top = max(places, default=len(layers) - 1)
    for place, layer in enumerate(layers):
        if isinstance(layer, Image) and layer.visible and layer.blending not in SEE_THROUGH:
            top = max(top, place)
    return top + 1
