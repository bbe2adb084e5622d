"""``napari-lle export``: a model into a file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import drain, reported, say

IMAGE_WORDS = {"per": "3 colours", "joint": "1 channel"}


def export(
    model: Annotated[str, typer.Argument(help="A bundled model or a .safetensors file.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="The file to write: .onnx, or .zip for a bioimage.io package."
        ),
    ],
    format: Annotated[
        str | None,
        typer.Option(help="onnx or bioimageio; by default, the file extension decides."),
    ] = None,
    channels: Annotated[
        str,
        typer.Option(
            help="per (3 colours), joint (1 channel) or auto, which depends on the model."
        ),
    ] = "auto",
    author: Annotated[
        str | None,
        typer.Option(help="Author to name in a bioimage.io package, for a model of your own."),
    ] = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of that model, as an SPDX identifier.")
    ] = None,
) -> None:
    """Write a model for other programs, compared with the network; needs the extra `export`."""
    from ..model.io.outputs import check_files
    from ..model.network.bundled import own_file

    with reported():
        check_files((output,), own_file(model))
        from ..model.exporting.api import export_steps

        steps = export_steps(
            model, output, format, channels=channels, author=author, licence=licence
        )
        done = drain(steps, output.name, lambda p: f"{p.done}/{p.total} parts")
    say("largest differences between onnxruntime and the network, of the range of levels:")
    say(f"{'images':>6}{'height':>8}{'width':>7}{'R':>10}{'L':>10}{'statistics':>12}")
    for row in done.parity:
        figures = "-" if row.statistics is None else f"{row.statistics:.1e}"
        sizes = f"{row.images:>6}{row.height:>8}{row.width:>7}"
        say(f"{sizes}{row.reflectance:>10.1e}{row.illumination:>10.1e}{figures:>12}")
    say(f"{done.path}: {model}, for images of {IMAGE_WORDS[done.channels]}")
