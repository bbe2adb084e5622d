"""A package of the BioImage Model Zoo: the graph, what it is, and an image that it is tested on.

Programs that read such packages hand over one image as it is stored. Levels are therefore found by
the package's own preprocessing, and statistics inside the graph.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.typing import NDArray

from ..evaluation.simulate import OFFSET, READ_NOISE, camera, disc_field, expose
from ..io.files import write_image
from ..network.checkpoint import Model
from ..preprocessing.levels import BLACK_PERCENTILE, WHITE_PERCENTILE
from ..preprocessing.noise import Noise
from .description import (
    COVER,
    DESCRIPTION_FILE,
    PAGE,
    REPOSITORY,
    WEIGHTS_FILE,
    Credits,
    model_description,
    page,
    tensor_file,
)
from .parity import ExportError, by_network

EXAMPLE_SIDE = 128  # pixels of the image that a package is tested on
TINT = np.array([1.0, 0.8, 0.6])  # of the light on it


class Example(NamedTuple):
    """An image as it is stored, (1, C, H, W), the same normalised, and its noise, (1, 4)."""

    image: NDArray[Any]
    x: NDArray[np.float32]
    noise: NDArray[np.float32]


def write_package(path: Path, graph: bytes, model: Model, colours: int, credits: Credits) -> None:
    """Write a package that `bioimageio.spec` accepts and `bioimageio.core` runs, or raise.

    Raises
    ------
    ExportError
        If one of them has something against it.
    """
    from bioimageio.spec import InvalidDescr, build_description, save_bioimageio_package_as_folder

    with TemporaryDirectory() as name:
        folder, packed = Path(name, "files"), Path(name, "package")
        folder.mkdir()
        _write_files(folder, graph, model, colours)
        with _offline(folder):
            described = build_description(model_description(model, colours, credits))
            if isinstance(described, InvalidDescr):
                raise ExportError(f"bioimageio.spec rejects the package: {described.get_reason()}")
            save_bioimageio_package_as_folder(described, output_path=packed)
        _run_package(packed / DESCRIPTION_FILE)
        with ZipFile(path, "w", ZIP_DEFLATED) as file:
            for part in sorted(packed.iterdir()):
                file.write(part, part.name)


def make_example(colours: int) -> Example:
    """Faint discs and bright stars, by a camera of known noise."""
    rng = np.random.default_rng(0)
    light = disc_field(EXAMPLE_SIDE, 60)[0]
    if colours == 3:
        photograph = camera(light * TINT[:, None, None], rng, gain=4, offset=2, bits=8)[None]
        x = (photograph / 255).astype(np.float32)
        return Example(photograph, x, np.zeros((1, 4), np.float32))
    image = expose(light, rng)[None, None].astype(np.float32)
    black, white = np.percentile(image, [BLACK_PERCENTILE, WHITE_PERCENTILE])
    shot, floor = Noise(1.0, READ_NOISE, OFFSET).normalized(black, white)
    x = ((image - black) / (white - black)).astype(np.float32)
    return Example(image, x, np.array([[shot, floor, 1, 0]], np.float32))


def _write_files(folder: Path, graph: bytes, model: Model, colours: int) -> None:
    example = make_example(colours)
    noise = tuple(example.noise[0]) if model.network.config.knows_noise else None
    found = by_network(model, example.x, noise)
    tensors = {"image": example.image, "noise": example.noise, **found}
    for name, values in tensors.items():
        np.save(folder / tensor_file(name), values)
    (folder / WEIGHTS_FILE).write_bytes(graph)
    (folder / PAGE).write_text(page(model, colours))
    sides = np.concatenate([example.x, found["reflectance"]], axis=-1)[0]
    picture = np.rint(255 * np.clip(sides, 0, 1)).astype(np.uint8)
    cover = np.broadcast_to(picture, (3, *picture.shape[1:])).transpose(1, 2, 0)
    write_image(folder / COVER, cover, rgb=True)


@contextmanager
def _offline(folder: Path) -> Iterator[None]:
    """Let `bioimageio.spec` look up no address, and keep to itself what it warns of itself."""
    from bioimageio.spec import ValidationContext

    known = {REPOSITORY: None}
    with (
        warnings.catch_warnings(),
        ValidationContext(root=folder, known_files=known, log_warnings=False),
    ):
        warnings.simplefilter("ignore")
        yield


def _run_package(description: Path) -> None:
    """Let `bioimageio.core` run the package on its example."""
    from bioimageio.core import test_model

    with _offline(description.parent):
        summary = test_model(description)
    if summary.status != "passed":
        told = [error.msg for detail in summary.details for error in detail.errors]
        raise ExportError(f"bioimageio.core does not run the package: {'; '.join(told)}")
