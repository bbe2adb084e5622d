"""The record of a result as code and as a command that repeat the run."""

from __future__ import annotations

import shlex
from typing import Any


def as_python(record: dict[str, Any]) -> str:
    """Python that repeats a run on the array `image`, or on `images` that share an illumination."""
    levels = record["levels"]
    if "channel_axis" in record:
        return _as_joint_python(record)
    options = {
        "model": record.get("model_file") or record["model"],
        "strength": record["strength"],
        "black": levels["black"],
        "white": levels["white"],
        "channels": record["channels"],
        "rgb": record["rgb"],
    }
    lines = "".join(f"    {name}={value!r},\n" for name, value in options.items())
    return f"from napari_lle.model import enhance\n\nresult = enhance(\n    image,\n{lines})\n"


def _as_joint_python(record: dict[str, Any]) -> str:
    levels = record.get("together") or [record["levels"]]
    options = {
        "model": record.get("model_file") or record["model"],
        "axis": record["channel_axis"],
        "strength": record["strength"],
        "black": [each["black"] for each in levels],
        "white": [each["white"] for each in levels],
    }
    images = ", ".join(f"image_{i}" for i in range(len(levels))) if len(levels) > 1 else "image"
    lines = "".join(f"    {name}={value!r},\n" for name, value in options.items())
    return (
        "from napari_lle.model import enhance_jointly\n\n"
        f"results = enhance_jointly(\n    [{images}],\n{lines})\n"
    )


def as_command(record: dict[str, Any]) -> str:
    """Shell command that repeats a run on the file that the layer came from.

    Raises
    ------
    ValueError
        If several layers shared an illumination: the command line takes one file at a time.
    """
    if record.get("together"):
        raise ValueError(
            "No command enhances separate layers under one illumination: copy as Python, or save "
            "them as one file with an axis C."
        )
    levels = record["levels"]
    words = [
        *("napari-lle", "enhance", record.get("source") or "INPUT.tif", "-o", "OUTPUT.tif"),
        *("--model", record.get("model_file") or record["model"]),
        *("--strength", f"{record['strength']:g}"),
        *("--black", repr(levels["black"]), "--white", repr(levels["white"])),
        *("--channels", record["channels"], "--dtype", "float32"),
    ]
    return shlex.join(words)
