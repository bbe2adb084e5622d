"""``napari-lle info`` and ``warmup``: what a model is, and made ready for this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .console import reported, say
from .describing import describe_images, is_image_file
from .json_files import write_json


def info(
    model: Annotated[
        str, typer.Argument(help="A bundled model, a .safetensors file, or an image file.")
    ] = "photo",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the answer to this file.")
    ] = None,
) -> None:
    """Show a model's card and the devices of this machine, or how an image came about."""
    from ..model.io.outputs import check_files
    from ..model.network.bundled import bundled_models, own_file
    from ..model.network.checkpoint import load_model
    from ..model.runtime.devices import devices

    if is_image_file(model):
        with reported():
            check_files((json_file,), [Path(model)])
            write_json(json_file, {"images": describe_images(Path(model))})
        return
    with reported():
        check_files((json_file,), own_file(model))
        loaded = load_model(model)
        answer = {
            "name": loaded.name,
            "digest": loaded.digest,
            "parameters": loaded.network.inference_parameters(),
            "receptive_field": loaded.network.receptive_field,
            "network": loaded.network.config.to_dict(),
            "card": loaded.card,
            "devices": devices(),
            "bundled": bundled_models(),
        }
        write_json(json_file, answer)
    _tell_model(answer)


def _tell_model(answer: dict[str, Any]) -> None:
    """Print what a model is, and what this machine has to run it on."""
    card, field = answer["card"], answer["receptive_field"]
    say(f"{answer['name']} ({answer['digest']}): {answer['parameters']} parameters at inference,")
    say(f"receptive field {field} x {field} pixels")
    for key, value in card.items():
        if not isinstance(value, list | dict):
            say(f"  {key}: {value}")
    held_out = card.get("held_out")
    for key, value in held_out.items() if isinstance(held_out, dict) else ():
        say(f"  validation {key}: {value}")
    for device in answer["devices"]:
        fix = f"; {device['fix']}" if device["fix"] else ""
        say(f"{device['name']}: {'' if device['available'] else 'no, '}{device['why']}{fix}")
    say(f"bundled models: {', '.join(answer['bundled'])}")


def warmup(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Bundled models or .safetensors files; all bundled ones by default."),
    ] = None,
) -> None:
    """Compile the fast kernels for this machine, once; needs the extra `fast`."""
    from ..model.kernels import warm_up

    with reported():
        say("Compiling takes some seconds per kernel, once on this machine.")
        for what, seconds in warm_up(models):
            say(f"{what}: {seconds:.1f} s")
