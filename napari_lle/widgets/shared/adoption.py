"""Layers of files that this plugin wrote are known again for what they are, and of which size.

napari's own reader leaves out the scale and the units that an OME-TIFF states.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from napari.layers import Image

from .file_records import ROLE_OF_KIND
from .jobs import Job
from .layers import METADATA_KEY, NOTE, is_result, pixels
from .marks import canvas_mark, marked

if TYPE_CHECKING:
    from ...model.io.metadata import FileRecord

WRITTEN = (".tif", ".tiff", ".zarr", ".fits", ".fit", ".fts", ".gz", ".fz")


def metadata_of_file(record: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a layer of an image of a record."""
    kinds = {role: kind for kind, role in ROLE_OF_KIND.items()}
    role = record.get("role", "R")
    return {METADATA_KEY: {**record, "kind": kinds.get(role, role), "note": NOTE}}


def adopt(layer: Image, record: dict[str, Any]) -> None:
    """Give a layer the metadata and the name of what it is."""
    layer.metadata = {**layer.metadata, **metadata_of_file(record)}
    if record.get("role", "R") == "R":
        layer.name = marked(layer.name, record)


class FileImage(NamedTuple):
    """What the first image of a file is; without a record where it was not written here."""

    record: dict[str, Any] | None = None
    shape: tuple[int, ...] = ()
    dtype: str = ""
    about: FileRecord | None = None


def written_file(layer: Any) -> str:
    """The file of a layer that may be one of results, and is not known as one yet; else empty."""
    path = str(getattr(layer.source, "path", None) or "")
    if not isinstance(layer, Image) or METADATA_KEY in layer.metadata:
        return ""
    return path if Path(path).suffix.lower() in WRITTEN else ""


def record_steps(paths: Sequence[str]) -> Generator[Any, None, list[FileImage]]:
    """What the first images of files are, as a job; pixels stay there."""
    from ...model.io.files import FileError, read_image

    found = []
    for number, path in enumerate(paths):
        yield number, len(paths), ""
        try:
            picture = read_image(path, lazy=True)
        except FileError:  # whoever opened it read it otherwise
            found.append(FileImage())
            continue
        image = picture.pixels
        told = picture.record, tuple(image.shape), str(image.dtype)
        found.append(FileImage(*told, picture.about))
    return found


def adopt_if_alike(layer: Image, found: FileImage) -> bool:
    """Adopt a layer that holds what its file does, if that was written here."""
    data, record = pixels(layer), found.record
    alike = tuple(data.shape) == found.shape or (
        _in_colour(found) and not layer.rgb and sorted(data.shape) == sorted(found.shape)
    )  # napari's own reader of Zarr shows colours as planes
    known = alike and str(data.dtype) == found.dtype
    if not record or "levels" not in record or not known or METADATA_KEY in layer.metadata:
        return False
    adopt(layer, record)
    return True


def _in_colour(found: FileImage) -> bool:
    return found.about is not None and found.about.axes.endswith("S")


def place_adopted(viewer: Any, adopted: Sequence[tuple[Image, FileImage]]) -> None:
    """Give layers the size that their files state where their reader gave them none.

    Not where there are layers of others without one, over which they may lie.
    """
    others = [layer for layer in viewer.layers if not is_result(layer)]
    if any(map(is_bare, others)):
        return
    alike = [(layer, found) for layer, found in adopted if layer.rgb == _in_colour(found)]
    told = [(layer, found.about) for layer, found in alike if found.about is not None]
    sized = [(la, about) for la, about in told if any(about.units) and is_bare(la)]
    for layer, about in sized:
        put_in_place(layer, about)
    if sized and not others:
        viewer.reset_view()


def is_bare(layer: Any) -> bool:
    """Whether nothing is known of the size and the place of a layer's pixels."""
    units = {str(unit) for unit in layer.units}
    return units == {"pixel"} and set(layer.scale) == {1.0} and not np.any(layer.translate)


def put_in_place(layer: Image, about: FileRecord) -> None:
    """Give a layer the size, the place, the units and the axes that its file states."""
    from ...model.io.metadata import UNNAMED

    axes = slice(layer.ndim)
    layer.scale, layer.translate = about.scale[axes], about.translate[axes]
    layer.units = tuple(unit or "pixel" for unit in about.units[axes])
    if not set(about.axes) & set(UNNAMED):
        layer.axis_labels = tuple(about.axes[axes].lower())


class Adopter:
    """Adopts the layers of a viewer that were opened from files of results.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    told : callable
        Called when a layer has been adopted.
    """

    def __init__(self, viewer: Any, told: Callable[[], Any]) -> None:
        self._viewer, self._told = viewer, told
        self.jobs: list[Job] = []
        self._unknown: list[Image] = []
        self._adopted: list[tuple[Image, FileImage]] = []  # while others are unknown
        viewer.layers.events.inserted.connect(self._on_inserted)
        for layer in viewer.layers:
            self._look(layer)

    def release(self) -> None:
        """Let go of the viewer and of files being read."""
        with suppress(ValueError):
            self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        for job in self.jobs:
            job.abandon()

    def _on_inserted(self, event: Any) -> None:
        self._look(event.value)

    def _look(self, layer: Any) -> None:
        path = written_file(layer)
        if not path:
            return

        def done(found: list[FileImage]) -> None:
            self._unknown.remove(layer)
            adopted = adopt_if_alike(layer, found[0])
            if adopted:
                self._adopted.append((layer, found[0]))
            if not self._unknown:
                place_adopted(self._viewer, self._adopted)
                self._adopted = []
            if adopted:
                canvas_mark(self._viewer).refresh()
                self._told()

        self._unknown.append(layer)
        job = Job(record_steps([path]), on_done=done, on_error=lambda _: done([FileImage()]))
        self.jobs = [job, *(each for each in self.jobs if each.running)]
