"""Images inside a Zarr: of OME-Zarr, of bioformats2raw's layout, of plates, or bare arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from .errors import FileError

DEEPEST = 4  # groups within groups


class FoundImage(NamedTuple):
    """An image: the place of its group or array, and which of the group's multiscales it is.

    The number is -1 for a bare array.
    """

    place: str
    multiscale: int


def zarr_images(path: Path, node: Any) -> list[FoundImage]:
    """All images of a Zarr, in the order of their series, wells and fields, or of their names."""
    if not _is_group(node):
        return [FoundImage("", -1)]
    found = list(_listed_images(node, "", DEEPEST))
    if not found:
        found = [FoundImage(name, -1) for name in _arrays(node, "", DEEPEST)]
    if not found:
        raise FileError(f"{path} is a group without an image: name a Zarr that holds one.")
    return found


def ome(node: Any) -> dict[str, Any]:
    """Attributes of OME-Zarr 0.5, or 0.4 and earlier."""
    attributes = node.attrs.get("ome", node.attrs)
    return dict(attributes) if hasattr(attributes, "keys") else {}


def _listed_images(group: Any, place: str, depth: int) -> Iterator[FoundImage]:
    """What the metadata of OME-Zarr lists."""
    told = ome(group)
    if told.get("multiscales"):
        for number in range(len(told["multiscales"])):
            yield FoundImage(place, number)
        return
    if "plate" in told:
        names = [well["path"] for well in told["plate"]["wells"]]
    elif "well" in told:
        names = [image["path"] for image in told["well"]["images"]]
    elif "bioformats2raw.layout" in told or "bioformats2raw.layout" in group.attrs:
        names = _series(group)
    elif "labels" in told:
        names = [str(name) for name in told["labels"]]
    else:  # such as a row of a plate, of which nothing is said
        names = _natural(group.group_keys()) if depth else []
    for name in names:
        with suppress(KeyError):  # a well that was not written
            yield from _listed_images(group[name], f"{place}/{name}".lstrip("/"), depth - 1)


def _series(group: Any) -> list[str]:
    """Names of the images of bioformats2raw: as it lists them, else the numbers."""
    with suppress(KeyError):
        listed = ome(group["OME"]).get("series")
        if listed:
            return [str(name) for name in listed]
    return _natural(name for name in group.group_keys() if name.isdigit())


def _arrays(group: Any, place: str, depth: int) -> Iterator[str]:
    for name in _natural(group.array_keys()):
        if group[name].ndim > 1:
            yield f"{place}/{name}".lstrip("/")
    if depth:
        for name in _natural(group.group_keys()):
            yield from _arrays(group[name], f"{place}/{name}".lstrip("/"), depth - 1)


def _natural(names: Any) -> list[str]:
    """2 before 10."""
    return sorted(
        names, key=lambda name: [int(p) if p.isdecimal() else p for p in _path_parts(name)]
    )


def _path_parts(name: str) -> list[str]:
    return re.split(r"(\d+)", name)


def _is_group(node: Any) -> bool:
    return hasattr(node, "group_keys")
