"""The command line: ``napari-lle enhance | restore | stages | train | evaluate | info``.

Torch is imported only by the command that needs it. Whatever is wrong with the input is one line
on standard error and exit code 2.
"""

from __future__ import annotations

import logging

import typer

from .images import calibrate, enhance, restore, stages
from .models import evaluate, info, warmup
from .training import train

# What tifffile logs of damaged files, the one line of the error says.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

app = typer.Typer(
    name="napari-lle",
    help="Enhance dark images, restore them exactly, and train on your own pairs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (enhance, restore, calibrate, stages, train, evaluate, info, warmup):
    app.command()(command)
