"""Whether an exported graph does what the network does: run by onnxruntime, image by image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from ..array_types import Float32
from ..network.checkpoint import Model
from ..network.network import pad
from ..preprocessing.levels import network_input
from ..preprocessing.sampling import blocks
from ..preprocessing.statistics import Statistics, image_statistics
from .graph import MEASURED_NOISE
from .onnx_graph import GIVEN_STATISTICS, USED_STATISTICS

PARITY_TOLERANCE = 1e-5  # of the range of levels
TRIED_SIZES = ((1, 96, 128), (2, 61, 47), (3, 1, 5), (1, 255, 301))  # images, rows, columns
FOUND = len(Statistics._fields) - MEASURED_NOISE  # figures that a graph finds
TRIED_NOISE = (2e-3, 1e-4, 1.2, 0.3)  # shot, floor, grain and softness of the images


class ExportError(ValueError):
    """A model that cannot be exported; the message is one sentence for the user."""


class Parity(NamedTuple):
    """How far a graph is from the network on some images, of the range of levels.

    Attributes
    ----------
    images, height, width : int
    reflectance : float
        Largest difference of R; relative where R is above 1.
    illumination : float
        The same of the network's R times the graph's L, which is to be the image.
    statistics : float or None
        Largest difference of a figure that the graph finds and tells; None where it does not.
    """

    images: int
    height: int
    width: int
    reflectance: float
    illumination: float
    statistics: float | None

    @property
    def worst(self) -> float:
        """The largest of the differences; NaN counts as infinite."""
        found = np.array([value for value in self[3:] if value is not None])
        return float(np.where(np.isnan(found), np.inf, found).max())


def measure_parity(graph: bytes, model: Model, colours: int) -> Iterator[Parity]:
    """Compare a graph, see `onnx_graph.make_graph`, with the network on images of several sizes.

    Raises
    ------
    ExportError
        If they differ by more than `PARITY_TOLERANCE`.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for images, height, width in TRIED_SIZES:
        image = _texture(rng, (images, colours, height, width))
        noise = TRIED_NOISE if model.network.config.knows_noise else None
        found = run_session(session, image, noise)
        expected = by_network(model, image, noise)
        row = Parity(images, height, width, *_output_differences(image, found, expected))
        if row.worst > PARITY_TOLERANCE:
            raise ExportError(
                f"The exported {model.name} differs from the network by {row.worst:.1e} in an "
                f"image of {height} x {width}, more than the {PARITY_TOLERANCE:g} allowed: nothing "
                "was written."
            )
        yield row


def run_session(
    session: Any, image: Float32, noise: tuple[float, ...] | None
) -> dict[str, Float32]:
    """What a graph makes of an image whose statistics it has to find."""
    inputs = {
        "image": image,
        GIVEN_STATISTICS: np.zeros((0, len(Statistics._fields)), np.float32),
        "noise": np.array([noise or TRIED_NOISE] * len(image), np.float32),
    }
    names = [each.name for each in session.get_outputs()]
    wanted = {each.name: inputs[each.name] for each in session.get_inputs()}
    return dict(zip(names, session.run(names, wanted), strict=True))


def by_network(
    model: Model, image: Float32, noise: tuple[float, ...] | None = None
) -> dict[str, Float32]:
    """What the network makes of normalised images, (N, 1 or 3, H, W), each by itself."""
    each = [_one_by_network(model, one, noise) for one in image]
    return {name: np.stack([one[name] for one in each]) for name in each[0]}


def _one_by_network(
    model: Model, image: Float32, noise: tuple[float, ...] | None
) -> dict[str, Float32]:
    network, seen = model.network, network_input(image)
    figures = image_statistics(blocks(np.moveaxis(seen, 0, -1), 2))
    if noise is not None:
        figures = Statistics(*figures[:FOUND], *noise)
    statistics = torch.tensor([figures], dtype=torch.float32)
    three = torch.from_numpy(np.array(np.broadcast_to(seen, (3, *seen.shape[1:]))))[None]
    with torch.inference_mode():
        light = network.block(pad(three, network.radius), statistics)[0].numpy()
        darkest = network.block.darkest(statistics).numpy()
    light = light if len(image) == 3 else light.mean(axis=0, keepdims=True)
    r = np.maximum(image, darkest) / light
    with np.errstate(all="ignore"):
        exact = image / r
    light = np.where(np.isfinite(exact), exact, light)
    return {"reflectance": r, "illumination": light, USED_STATISTICS: statistics.numpy()[0]}


def _output_differences(
    image: Float32, found: dict[str, Float32], expected: dict[str, Float32]
) -> tuple[float, float, float | None]:
    r = expected["reflectance"]
    apart = np.abs(found["reflectance"] - r) / np.maximum(np.abs(r), 1)
    product = np.abs(r * found["illumination"] - image) / np.maximum(np.abs(image), 1)
    figures = None
    if USED_STATISTICS in found:
        figures = float(np.abs(found[USED_STATISTICS] - expected[USED_STATISTICS])[:, :FOUND].max())
    return float(apart.max()), float(product.max()), figures


def _texture(rng: np.random.Generator, shape: tuple[int, ...]) -> Float32:
    """Dark images with a few bright pixels, some beyond white, and some that are black."""
    image = 0.2 * rng.random(shape, np.float32) ** 3
    image[rng.random(shape) < 0.02] = 1.5
    image[rng.random(shape) < 0.02] = 0
    return image
