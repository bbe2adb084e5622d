"""Segmentations beside an image of OME-Zarr: found, and copied beside a result."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from .zarr_images import ome

LABELS = "labels"
VERSION = "0.5"  # of OME-Zarr, as results are written


def labels_of(path: Path, place: str, node: Any) -> Path | None:
    """The group of segmentations of an image, where there is one."""
    group = hasattr(node, "group_keys") and LABELS in node and hasattr(node[LABELS], "group_keys")
    return path / place / LABELS if group else None


def copy_labels(source: Path, folder: Path) -> None:
    """Copy a group of segmentations into the OME-Zarr in a folder, whatever version it is of.

    A bare array has no room for any.
    """
    import zarr

    target = zarr.open(folder, mode="r+")
    if isinstance(target, zarr.Group):
        _copy_group(zarr.open_group(source, mode="r"), target.create_group(LABELS, overwrite=True))


def _copy_group(source: Any, target: Any) -> None:
    told = ome(source)
    if told:
        for image in told.get("multiscales", ()):
            image.pop("version", None)  # which OME-Zarr 0.4 had there
        target.attrs["ome"] = {**told, "version": VERSION}
    for name, node in source.members():
        if hasattr(node, "group_keys"):
            _copy_group(node, target.create_group(name))
        else:
            _copy_array(node, target, name)


def _copy_array(source: Any, group: Any, name: str) -> None:
    """Chunk by chunk, for segmentations can be as large as their image."""
    copy = group.create_array(
        name,
        shape=source.shape,
        dtype=source.dtype.newbyteorder("="),
        chunks=source.chunks,
        dimension_names=getattr(source.metadata, "dimension_names", None),
        attributes=dict(source.attrs),
    )
    steps = source.shards or source.chunks
    for start in product(*map(range, (0,) * source.ndim, source.shape, steps)):
        part = tuple(slice(a, a + n) for a, n in zip(start, steps, strict=True))
        copy[part] = source[part]
