"""The bundle that the command `enhance` writes of all its files: one figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .console import drain, say

if TYPE_CHECKING:
    from .batch import BatchPlan
    from .wanted import Wanted


def check_bundle_apart(batch: BatchPlan, wanted: Wanted) -> None:
    """Raise ValueError where a bundle cannot be written, or would be another file in play."""
    if wanted.bundle is None:
        return
    from ..model.io.outputs import check_outputs
    from ..model.publishing.bundle import check_bundle

    check_bundle(wanted.bundle)
    sources, targets = zip(*batch.pairs, strict=True)
    check_outputs([*targets, *wanted.besides().values(), wanted.bundle], sources)


def write_bundle(sources: list[Path], wanted: Wanted) -> None:
    """Write what has been gathered of the sources, in their order."""
    if wanted.bundle is None or wanted.panels is None:
        return
    from ..model.publishing.bundle import bundle_steps

    panels = [panel for source in sources for panel in wanted.panels[source]]
    steps = bundle_steps(wanted.bundle, panels, raw=wanted.raw)
    drain(steps, wanted.bundle.name, lambda p: f"{p.done}/{p.total}")
    several = f" of {len(panels)} images" if len(panels) > 1 else ""
    say(f"{wanted.bundle}: bundle{several}, see napari-lle reproduce")
