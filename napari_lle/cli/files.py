"""Files in, files out: what the commands `enhance` and `restore` do with each of their inputs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from .console import drain, say_which

if TYPE_CHECKING:
    from ..model.inference.estimate import Result
    from ..model.inference.options import EnhanceOptions
    from ..model.io.metadata import Picture


ROLE, INPUT = "role", "input"  # in a file's record: what it is of its run, and of which pixels
NAMES = {
    "R": "reflectance, for looking",
    "L": "illumination",
    "changed": "R less the plain stretch, in units of its noise",
    "uncertainty": "half width of the 95 % interval of R",
}


class Wanted(NamedTuple):
    """What the command `enhance` writes beside and of its output.

    Attributes
    ----------
    illumination : Path, optional
        Where the illumination goes.
    dtype : {"same", "float32"}
        Of the reflectance.
    strength : float
    scheduler : str, optional
        Address of the cluster that does the work.
    image : int, optional
        Which of several images of a file, from 1 on.
    layers : mapping of str to Path
        Files for what follows from the result, by the names of their options.
    average : str, optional
        What neighbours are looked at together, such as ``t:3``.
    """

    illumination: Path | None
    dtype: str
    strength: float
    scheduler: str | None
    image: int | None = None
    layers: Mapping[str, Path] = MappingProxyType({})
    average: str | None = None


def enhance_file(source: Path, target: Path, options: EnhanceOptions, wanted: Wanted) -> None:
    """Enhance one file; a Zarr is written block by block, by a cluster if there is a scheduler."""
    from ..model.io.files import check_format, is_zarr, read_image

    illumination, dtype = wanted.illumination, wanted.dtype
    stream = is_zarr(target) and (illumination is None or is_zarr(illumination))
    if wanted.scheduler and not stream:
        raise ValueError("--scheduler writes Zarr only: let the outputs end in .zarr.")
    if stream and (wanted.layers or wanted.average):
        raise ValueError(
            f"--{[*wanted.layers, 'average'][0]} does not go with a Zarr output: let it end in "
            ".tif, or use napari_lle.model in Python."
        )
    if not stream:
        _check_fits(source, wanted.image or 1)
    picture = read_image(source, lazy=stream, image=wanted.image or 1)
    if wanted.image is None:
        say_which(source, picture)
    axis = _channel_axis(picture, options.channels)
    options = replace(options, rgb=picture.rgb, channel_axis=axis)
    axes = picture.pixels.ndim - picture.rgb
    # Before the work, not after it.
    check_format(target, picture.pixels.dtype if dtype == "same" else "float32", axes)
    if illumination:
        check_format(illumination, "float64", axes)
    for path in wanted.layers.values():
        check_format(path, "float32", axes)
    if stream:
        _stream(picture, source, target, options, wanted)
    elif dtype == "same" and not (illumination or wanted.layers or wanted.average):
        from ..model.inference.stored import stored_steps  # slow: only once all is well

        steps = stored_steps(picture.pixels, options, wanted.strength)
        pixels, record = _drain(steps, source)
        _write("R", target, pixels, picture.rgb, picture.about, record, wanted.dtype)
    else:
        _write_pair(picture, source, target, options, wanted)


def _stream(
    picture: Picture, source: Path, target: Path, options: EnhanceOptions, wanted: Wanted
) -> None:
    """Enhance into Zarrs, block by block."""
    from ..model.inference.streaming import ZarrOutput, enhance_to_zarr

    output = ZarrOutput(
        target, wanted.illumination, wanted.dtype, wanted.strength, _identity(source, picture)
    )
    if wanted.scheduler:
        from ..model.inference.remote import enhance_on_cluster

        steps = enhance_on_cluster(
            picture, output, options, file=source, scheduler=wanted.scheduler
        )
    else:
        steps = enhance_to_zarr(picture, output, options)
    with _hushed():
        drain(steps, source.name, lambda p: f"{p.done}/{p.total} blocks")


def _write_pair(
    picture: Picture, source: Path, target: Path, options: EnhanceOptions, wanted: Wanted
) -> None:
    """Enhance in memory; write the reflectance, and the illumination where it is wanted."""
    from ..model.inference.enhance import estimate_steps
    from ..model.inference.estimate import in_input_dtype

    if wanted.average:
        result = _averaged(picture, source, options, wanted)
    else:
        result = _drain(estimate_steps(picture.pixels, options), source).result(wanted.strength)
    figures = {name: _figure(name, result) for name in wanted.layers}
    record = {**result.record, INPUT: _digest(picture.pixels)}
    pixels = in_input_dtype(result) if wanted.dtype == "same" else result.reflectance
    _write("R", target, pixels, picture.rgb, picture.about, record, wanted.dtype)
    if wanted.illumination:
        light = result.illumination
        coloured = picture.rgb and light.ndim == picture.pixels.ndim
        _write("L", wanted.illumination, light, coloured, picture.about, record, "float")
    for name, path in wanted.layers.items():
        _write(name, path, figures[name], picture.rgb, picture.about, record, "float")


def _averaged(picture: Picture, source: Path, options: EnhanceOptions, wanted: Wanted) -> Result:
    """The result of a picture's moving average along the axis that its file names t or z."""
    from ..model.inference.averaging import averaged_steps, axis_and_window

    if options.channel_axis is not None:
        raise ValueError("--average takes channels one by one: add --channels per.")
    named = picture.about.axes if picture.about else ""
    axis, window = axis_and_window(str(wanted.average), named)
    steps = averaged_steps(picture.pixels, axis, window, options, wanted.strength)
    result: Result = _drain(steps, source)
    return result


def _figure(name: str, result: Any) -> Any:
    """What changed, or how uncertain R is, of a result."""
    from ..model.inference.uncertainty import uncertainty, what_changed

    return {"changed": what_changed, "uncertainty": uncertainty}[name](result)


def _drain(steps: Any, source: Path) -> Any:
    return drain(steps, source.name, lambda p: f"{p.done}/{p.total} tiles")


def _write(
    what: str,
    target: Path,
    pixels: Any,
    rgb: bool,
    about: Any,
    record: dict[str, Any],
    dtype: str,
) -> None:
    from ..model.io.files import write_image

    told = {**record, ROLE: what, **({"file": about.to_dict()} if about else {})}
    history = _history(what, record)
    if dtype != "same" and about:
        about = replace(about, windows=())  # those are on the scale of the input
    write_image(target, pixels, rgb=rgb, about=about, history=history, record=told)


def restore_file(reflectance: Path, illumination: Path, output: Path) -> str:
    """Multiply a pair of files into a third; return what it holds, for the user."""
    from ..model.io.files import FileRecord, check_format, is_zarr, read_image, write_image

    stream = is_zarr(output)
    r, light = (read_image(path, lazy=stream) for path in (reflectance, illumination))
    if not r.record or "levels" not in r.record:
        raise ValueError(f"{reflectance} is not of napari-lle: its levels are unknown.")
    if r.pixels.dtype != "float32":
        raise ValueError(
            f"{reflectance} holds rounded {r.pixels.dtype}: enhance with --dtype float32."
        )
    _check_roles(reflectance, r, illumination, light)
    kept = r.record.get("file")
    about = FileRecord.from_dict(kept) if kept else r.about
    if about and r.about:
        about = replace(about, alpha=r.about.alpha)
    dtype = r.record["levels"]["dtype"]
    check_format(output, dtype, r.pixels.ndim - r.rgb)
    from ..model.preprocessing.levels import Levels, rounded

    levels, largest = Levels(**r.record["levels"]), 0.0
    if stream:
        from ..model.inference.streaming import restore_to_zarr

        steps = restore_to_zarr(r, light, levels, output, about)
        drain(steps, output.name, lambda p: f"{p.done}/{p.total} blocks")
    else:
        from ..model.inference.estimate import restore
        from ..model.version import __version__

        pixels = restore(r.pixels, light.pixels, levels)
        largest = float(pixels.max(initial=0)) if pixels.dtype.kind in "ui" else 0.0
        history = f"napari-lle {__version__}: restored from {reflectance.name}"
        write_image(output, pixels, rgb=r.rgb, about=about, history=history)
    told = f"{output}: {dtype}, {' x '.join(map(str, r.pixels.shape))}"
    return f"{told}; values beyond 2^50 are rounded" if rounded(levels, largest) else told


def _check_roles(reflectance: Path, r: Picture, illumination: Path, light: Picture) -> None:
    """Refuse what is not the reflectance and the illumination of one run on one input."""
    first, second = dict(r.record or {}), dict(light.record or {})
    # Files of older versions do not know which of the two they are.
    for path, record, role in ((reflectance, first, "R"), (illumination, second, "L")):
        is_it = record.pop(ROLE, role)
        if is_it != role:
            wanted = "the reflectance" if role == "R" else "the illumination"
            raise ValueError(
                f"{path} is not {wanted} of a run ({NAMES.get(is_it, is_it)}): "
                "give the reflectance first, then the illumination."
            )
    if first != second:
        raise ValueError(f"{reflectance} and {illumination} are not of one run.")


def _digest(pixels: Any) -> str:
    """First 16 hexadecimal digits of a hash of an image's values."""
    import hashlib

    import numpy as np

    return hashlib.blake2b(np.ascontiguousarray(pixels).data).hexdigest()[:16]


def _check_fits(source: Path, image: int) -> None:
    """Refuse, before anything is read, what is too large to be enhanced as a whole."""
    from ..model.io.files import count_values
    from ..model.io.memory import check_memory, enhancing

    needed = enhancing(*count_values(source, image))
    check_memory(source, needed, "write to a .zarr, which is made block by block")


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


def _identity(source: Path, picture: Any) -> str:
    """Another text where a file has changed, or another of its images is meant."""
    status = source.stat()
    return f"{source.resolve()} {status.st_mtime_ns} {status.st_size} {picture.number}"


def _history(what: str, record: dict[str, Any]) -> str:
    levels = record["levels"]
    name = NAMES[what]
    return (
        f"napari-lle {record['napari_lle']}: {name}; model {record['model']}, "
        f"black {levels['black']:g}, white {levels['white']:g}, strength {record['strength']:g}"
    )
