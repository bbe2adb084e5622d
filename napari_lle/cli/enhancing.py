"""What the command `enhance` does with each of its files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.inference.looks import PUBLICATION
from ..model.io.provenance import INPUT, SOURCE
from .console import drain, say_which
from .recording import as_output, file_identity
from .sources import read_for, say_if_made

if TYPE_CHECKING:
    from ..model.inference.estimate import Result
    from ..model.inference.options import EnhanceOptions
    from ..model.io.metadata import Picture
    from .wanted import Wanted

BUNDLE = "bundle"  # among what is made of an image


def enhance_file(source: Path, target: Path, options: EnhanceOptions, wanted: Wanted) -> str | None:
    """Enhance one file; a Zarr is written block by block, by a cluster if there is a scheduler.

    Returns
    -------
    str or None
        What the user is to know beside the names of the files.
    """
    from ..model.io.files import is_zarr

    light = wanted.illumination
    stream = is_zarr(target) and (light is None or is_zarr(light))
    if wanted.scheduler and not stream:
        raise ValueError("--scheduler writes Zarr only: let the outputs end in .zarr.")
    besides = [*wanted.layers, *([BUNDLE] if wanted.bundle else [])]
    if stream and (besides or wanted.other):
        raise ValueError(
            f"--{[*besides, wanted.other][0]} does not go with a Zarr output: let it end in "
            ".tif, or use napari_lle.model in Python."
        )
    if stream:
        _enhance_to_zarr(source, target, options, wanted)
        return None
    files = {"R": target, **({"L": light} if light else {}), **wanted.layers}
    pictures = read_for(source, files.values(), wanted.image)
    for picture in pictures:  # before the work, not after it
        _check_formats(picture, target, wanted)
    made = [_enhanced(p, source, _with_axes(options, p), wanted) for p in pictures]
    from ..model.io.files import write_images

    if wanted.panels is not None:
        wanted.panels[source] = [each.pop(BUNDLE) for each in made]
    for what, path in files.items():
        write_images(path, [each[what] for each in made])
    lost = _lost_alpha(pictures[0], target)
    several = [f"{len(pictures)} images"] if len(pictures) > 1 else []
    return ", ".join(several + lost) or None


def _with_axes(options: EnhanceOptions, picture: Picture) -> EnhanceOptions:
    """The options with what a file says of its axes."""
    axis = None if options.look == PUBLICATION else _channel_axis(picture, options.channels)
    return replace(options, rgb=picture.rgb, channel_axis=axis)


def _check_formats(picture: Picture, target: Path, wanted: Wanted) -> None:
    """Refuse files that cannot hold what is to be written to them."""
    from ..model.io.files import check_format

    axes = picture.pixels.ndim - picture.rgb
    check_format(target, picture.pixels.dtype if wanted.dtype == "same" else "float32", axes)
    if wanted.illumination:
        check_format(wanted.illumination, "float64", axes)
    for path in wanted.layers.values():
        check_format(path, "float32", axes)


def _lost_alpha(picture: Picture, target: Path) -> list[str]:
    """A word on opacity that the format of the output has no place for."""
    from ..model.io.files import holds_alpha

    grey = picture.about is not None and picture.about.alpha is not None
    coloured = picture.rgb and picture.pixels.shape[-1] == 4
    if (grey or coloured) and not holds_alpha(target, grey=grey):
        return [f"without alpha, which {target.suffix} does not hold"]
    return []


def _enhanced(
    picture: Picture, source: Path, options: EnhanceOptions, wanted: Wanted
) -> dict[str, Any]:
    """What each file is to hold of one image, by its role, and what the bundle is to."""
    if wanted.result_alone:
        from ..model.inference.stored import stored_steps  # slow: only once all is well

        steps = stored_steps(picture.pixels, options, wanted.strength, wanted.known)
        pixels, record = _drain(steps, source)
        record = {**record, SOURCE: source.name}
        return {"R": as_output("R", picture, pixels, picture.rgb, record, wanted.dtype)}
    return _enhanced_whole(picture, source, options, wanted)


def _enhanced_whole(
    picture: Picture, source: Path, options: EnhanceOptions, wanted: Wanted
) -> dict[str, Any]:
    """The reflectance with illumination and other layers, as far as they are wanted."""
    from ..model.inference.enhance import estimate_steps
    from ..model.inference.restoring import in_input_dtype
    from ..model.io.digests import pixel_digest

    if wanted.average:
        result = _averaged(picture, source, options, wanted)
    elif wanted.background:
        result = _without_background(picture, source, options, wanted)
    else:
        steps = estimate_steps(picture.pixels, options, wanted.known)
        result = _drain(steps, source).result(wanted.strength, last=True)
    record = {**result.record, SOURCE: source.name, INPUT: pixel_digest(picture.pixels)}
    pixels = in_input_dtype(result) if wanted.dtype == "same" else result.reflectance
    made: dict[str, Any] = {"R": as_output("R", picture, pixels, picture.rgb, record, wanted.dtype)}
    if wanted.illumination:
        light = result.illumination
        coloured = picture.rgb and light.ndim == picture.pixels.ndim
        made["L"] = as_output("L", picture, light, coloured, record, "float")
    if wanted.panels is not None:
        made[BUNDLE] = _bundle_image(picture, source, result)
    for name in wanted.layers:
        figure = _figure(name, result)
        made[name] = as_output(name, picture, figure, picture.rgb, record, "float")
    return made


def _bundle_image(picture: Picture, source: Path, result: Result) -> Any:
    """An image for the bundle."""
    from ..model.publishing.bundle import FigureImage

    name = source.stem if picture.images == 1 else f"{source.stem} {picture.number}"
    record = {**result.record, SOURCE: source.name}
    return FigureImage(name, picture.pixels, result.reflectance, record, picture.rgb, picture.about)


def _enhance_to_zarr(source: Path, target: Path, options: EnhanceOptions, wanted: Wanted) -> None:
    """Enhance into Zarrs, block by block."""
    from ..model.inference.streaming import ZarrOutput, enhance_to_zarr
    from ..model.io.files import read_image

    picture = read_image(source, lazy=True, image=wanted.image or 1)
    say_if_made(source, picture)
    if wanted.image is None:
        say_which(source, picture)
    options = _with_axes(options, picture)
    _check_formats(picture, target, wanted)
    identity = file_identity(source, picture)
    output = ZarrOutput(
        target, wanted.illumination, wanted.dtype, wanted.strength, identity, source.name
    )
    if wanted.scheduler:
        from ..model.inference.remote import enhance_on_cluster

        steps = enhance_on_cluster(
            picture, output, options, file=source, scheduler=wanted.scheduler, known=wanted.known
        )
    else:
        steps = enhance_to_zarr(picture, output, options, wanted.known)
    with _hushed():
        drain(steps, source.name, lambda p: f"{p.done}/{p.total} blocks")


def _averaged(picture: Picture, source: Path, options: EnhanceOptions, wanted: Wanted) -> Result:
    """The result of a picture's moving average along the axis that its file names t or z."""
    from ..model.inference.averaging import averaged_steps, axis_and_window

    if options.channel_axis is not None:
        raise ValueError("--average treats each channel by itself: add --channels per.")
    named = picture.about.axes if picture.about else ""
    axis, window = axis_and_window(str(wanted.average), named)
    steps = averaged_steps(picture.pixels, axis, window, options, wanted.strength)
    result: Result = _drain(steps, source)
    return result


def _without_background(
    picture: Picture, source: Path, options: EnhanceOptions, wanted: Wanted
) -> Result:
    """The result of a picture without its smooth background."""
    from ..model.inference.flattening import flattened_steps, how_and_degree

    how, degree = how_and_degree(str(wanted.background))
    steps = flattened_steps(picture.pixels, how, degree, options, wanted.strength)
    result: Result = _drain(steps, source)
    return result


def _figure(name: str, result: Any) -> Any:
    """What changed, how uncertain R is, or the background of a result."""
    if name == "background-image":
        from ..model.preprocessing.background import Background

        return Background.of_record(result.record["background"]).surface().astype("float32")
    from ..model.inference.uncertainty import uncertainty, what_changed

    return {"changed": what_changed, "uncertainty": uncertainty}[name](result)


def _drain(steps: Any, source: Path) -> Any:
    return drain(steps, source.name, lambda p: f"{p.done}/{p.total} tiles")


def _channel_axis(picture: Any, channels: str) -> int | None:
    """The axis that the file names C, unless each channel is to have its own illumination."""
    letters = picture.about.axes if picture.about else ""
    if picture.rgb or channels == "per" or len(letters) != picture.pixels.ndim:
        return None
    place = letters.find("C")
    return place if 0 <= place < len(letters) - 2 and picture.pixels.shape[place] > 1 else None


@contextmanager
def _hushed() -> Iterator[None]:
    """Without the log of dask.distributed, whose tracebacks would bury our one sentence."""
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
