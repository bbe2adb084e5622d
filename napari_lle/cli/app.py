"""The command line: ``napari-lle enhance | restore | reproduce | train | evaluate | info ...``.

Torch is imported only by the command that needs it. Whatever is wrong is one line on standard
error and exit code 2, be it the input, the disk, the options or this program.
"""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from .console import reported
from .evaluation import evaluate
from .exporting import export
from .images import calibrate, enhance, restore, stages
from .models import info, warmup
from .reproducing import reproduce
from .training import train

# What tifffile logs of damaged files, the one line of the error says.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)


class Commands(TyperGroup):
    """The commands, none of which ends in a traceback or falls over a name that it prints."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Names of files may be no text at all: print what can be printed of them."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run one of them."""
        with reported():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Commands,
    name="napari-lle",
    help="Enhance dark images, restore them exactly, and train on your own pairs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = (
    enhance,
    restore,
    reproduce,
    calibrate,
    stages,
    train,
    evaluate,
    info,
    export,
    warmup,
)
for command in COMMANDS:
    app.command()(command)
