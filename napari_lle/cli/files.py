"""Files in, files out: what the commands `enhance` and `restore` do with each of their inputs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .console import drain, say_which


def enhance_file(
    source: Path,
    target: Path,
    illumination: Path | None,
    dtype: str,
    strength: float,
    options: dict[str, Any],
    scheduler: str | None = None,
    image: int | None = None,
    layers: Mapping[str, Path] = MappingProxyType({}),
) -> None:
    """Enhance one file; a Zarr is written block by block, by a cluster if there is a scheduler.

    `layers` are files for what follows from the result, by the names of their options.
    """
    from ..model.io.files import check_format, is_zarr, read_image

    stream = is_zarr(target) and (illumination is None or is_zarr(illumination))
    if scheduler and not stream:
        raise ValueError("--scheduler writes Zarr only: let the outputs end in .zarr.")
    if stream and layers:
        raise ValueError(
            f"--{next(iter(layers))} is not written beside a Zarr: let the output end in .tif, or "
            "use napari_lle.model in Python."
        )
    if not stream:
        _check_fits(source, image or 1)
    picture = read_image(source, lazy=stream, image=image or 1)
    if image is None:
        say_which(source, picture)
    axis = _channel_axis(picture, options["channels"])
    axes = picture.pixels.ndim - picture.rgb
    # Before the work, not after it.
    check_format(target, picture.pixels.dtype if dtype == "same" else "float32", axes)
    if illumination:
        check_format(illumination, "float64", axes)
    for path in layers.values():
        check_format(path, "float32", axes)
    if stream:
        options = {
            **options,
            "dtype": dtype,
            "strength": strength,
            "source": _identity(source, picture),
        }
        if scheduler:
            from ..model.inference.remote import enhance_on_cluster

            options |= {"file": source, "scheduler": scheduler, "axis": axis}
            written = enhance_on_cluster(picture, target, illumination, **options)
        else:
            from ..model.inference.streaming import enhance_to_zarr

            written = enhance_to_zarr(picture, target, illumination, axis=axis, **options)
        with _hushed():
            drain(written, source.name, lambda p: f"{p.done}/{p.total} blocks")
        return

    if dtype == "same" and axis is None and not illumination and not layers:
        from ..model.inference.stored import stored_steps  # slow: only once all is well

        steps = stored_steps(picture.pixels, rgb=picture.rgb, strength=strength, **options)
        pixels, record = _drain(steps, source)
        _write("R", target, pixels, picture.rgb, picture.about, record, dtype)
        return
    result = _estimate(picture, axis, source, options).result(strength)
    figures = {name: _figure(name, result) for name in layers}
    pixels = result.reflectance
    if dtype == "same":
        from ..model.inference.estimate import in_input_dtype

        pixels = in_input_dtype(result)
    _write("R", target, pixels, picture.rgb, picture.about, result.record, dtype)
    if illumination:
        light = result.illumination
        coloured = picture.rgb and light.ndim == picture.pixels.ndim
        _write("L", illumination, light, coloured, picture.about, result.record, "float")
    for name, path in layers.items():
        _write(name, path, figures[name], picture.rgb, picture.about, result.record, "float")


def _figure(name: str, result: Any) -> Any:
    """What changed, or how uncertain R is, of a result."""
    from ..model.inference.uncertainty import uncertainty, what_changed

    return {"changed": what_changed, "uncertainty": uncertainty}[name](result)


def _estimate(picture: Any, axis: int | None, source: Path, options: dict[str, Any]) -> Any:
    """The estimate of a picture, whose channels along the axis share one illumination."""
    from ..model.inference.enhance import estimate_steps
    from ..model.inference.shared_illumination import joint_steps

    if axis is None:
        return _drain(estimate_steps(picture.pixels, rgb=picture.rgb, **options), source)
    (estimate,) = _drain(joint_steps([picture.pixels], axis=axis, **options), source)
    return estimate


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

    told = {**record, **({"file": about.to_dict()} if about else {})}
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
    if light.record != r.record:
        raise ValueError(f"{reflectance} and {illumination} are not of one run.")
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
    name = {
        "R": "reflectance, for looking",
        "L": "illumination",
        "changed": "R less the plain stretch, in units of its noise",
        "uncertainty": "half width of the 95 % interval of R",
    }[what]
    return (
        f"napari-lle {record['napari_lle']}: {name}; model {record['model']}, "
        f"black {levels['black']:g}, white {levels['white']:g}, strength {record['strength']:g}"
    )
