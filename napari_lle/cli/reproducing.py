"""``napari-lle reproduce``: the results of a bundle once more, compared bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import complain, drain, reported, say

if TYPE_CHECKING:
    from ..model.publishing.reproduce import Bundle, Reproduced


def reproduce(
    bundle: Annotated[Path, typer.Argument(help="A .zip that enhance --bundle has written.")],
    inputs: Annotated[
        list[Path] | None,
        typer.Option("--input", help="The raw image, if the bundle holds only its digest."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Also write the repeated result.")
    ] = None,
) -> None:
    """Repeat the results of a bundle and compare them; exit with 2 where they differ."""
    with reported():
        from ..model.io.files import write_images
        from ..model.io.outputs import check_files
        from ..model.publishing.reproduce import Bundle, reproduce_steps

        check_files((output,), [bundle, *(inputs or [])])
        written = Bundle(bundle)
        steps = reproduce_steps(written, inputs or [])
        found = drain(steps, bundle.name, lambda p: f"{p.done}/{p.total} tiles")
        if output:
            write_images(output, [each.output for each in found])
    for each in found:
        _tell_outcome(each, written)
    if not all(each.same for each in found):
        raise typer.Exit(2)


def _tell_outcome(found: Reproduced, bundle: Bundle) -> None:
    """Say how one image came out."""
    if found.same:
        say(f"{found.name}: reproduced bit for bit, {found.digest}")
        return
    changes = "; ".join(bundle.changes())
    reason = f" Changed since then: {changes}." if changes else ""
    complain(
        f"{found.name} is not reproduced bit for bit: {found.differing} of "
        f"{found.output.pixels.size} values differ, by {found.largest:.2g} at most.{reason}"
    )
