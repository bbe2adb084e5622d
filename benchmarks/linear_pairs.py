"""Make the training pairs of the model `linear`: exposures and the stretch of their truth.

Clean fluorescence images, and stars and cells simulated from scratch, are exposed by the camera
model of the samples at several light levels. The reference of an exposure is the automatic screen
stretch, found on the noisy exposure, of the expectation without noise: what the stretch would show
if there were no noise.

    python benchmarks/linear_pairs.py --clean w2s/clean --clean stacks -o pairs
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from napari_lle.model.data.folders import image_files
from napari_lle.model.data.pairs import as_photograph
from napari_lle.model.evaluation.simulate import camera, star_light
from napari_lle.model.inference.plan import survey
from napari_lle.model.io.files import read_image, write_image
from napari_lle.model.network.network import Network, NetworkConfig
from napari_lle.model.preprocessing.levels import find_levels, normalize
from napari_lle.samples import cell_light

PEAKS = (4000, 600, 90)  # electrons at the white level of a clean image
SMALLEST = 0.02  # a pixel of a clean image that is this far above black is not only background


def clean_images(folders: list[Path]) -> Iterator[tuple[str, np.ndarray]]:
    """Planes of images in 0..1, named after their files; stacks by some of their planes."""
    for folder in folders:
        for stem, file in image_files(folder).items():
            if "noisy" in stem:
                continue
            picture = read_image(file)
            planes = picture.pixels.reshape(-1, *picture.pixels.shape[-2:])
            if picture.pixels.ndim == 3 and picture.pixels.shape[-1] in (3, 4):
                planes = np.moveaxis(picture.pixels, -1, 0)
            levels = find_levels(planes)
            for i in range(0, len(planes), max(1, len(planes) // 3)):
                plane = np.clip(normalize(planes[i], levels), 0, 1)
                if plane.mean() > SMALLEST:
                    yield f"{folder.parent.name}-{stem}-{i}", plane[:512, :512]


def simulated(count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Star fields and cells in electrons over their own peak scale."""
    for seed in range(count):
        rng = np.random.default_rng(1000 + seed)
        yield f"stars-{seed}", star_light((256, 320), rng) / 4000
        yield f"cells-{seed}", cell_light((5, 192, 192), rng)[2] / 2000


def expose(light: np.ndarray, peak: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One exposure, uint16, and its reference, uint8 RGB."""
    rng = np.random.default_rng(seed)
    gain, offset = float(rng.uniform(0.3, 2.0)), float(rng.uniform(50, 500))
    noise = float(rng.uniform(1.0, 5.0))
    low = camera(peak * light, rng, gain=gain, read_noise=noise, offset=offset, full_well=1e5)
    low = low.astype(np.uint16)
    known = survey(low)
    truth = normalize(peak * light / gain + offset, known.levels)
    x = torch.from_numpy(np.clip(truth, 0, 1).astype(np.float32))[None, None].expand(1, 3, -1, -1)
    statistics = torch.tensor([known.statistics], dtype=torch.float32)
    stretch = Network(NetworkConfig("stretching", local=0.0))
    with torch.inference_mode():
        target = stretch(x, statistics, stages=1)[0].reflectance[0]
    return low, np.rint(target.numpy().transpose(1, 2, 0) * 255).astype(np.uint8)


def main(
    clean: Annotated[list[Path], typer.Option(help="Folders of clean fluorescence images.")],
    output: Annotated[Path, typer.Option("-o", help="Folder for low/ and reference/.")],
    fields: Annotated[int, typer.Option(help="Simulated star fields, and as many cells.")] = 12,
) -> None:
    """Write pairs of TIFF exposures and PNG references, matched by stem."""
    for name in ("low", "reference"):
        (output / name).mkdir(parents=True, exist_ok=True)
    count = 0
    for name, light in (*clean_images(clean), *simulated(fields)):
        for peak in PEAKS:
            low, reference = expose(light, peak, seed=count)
            assert as_photograph(low).shape == reference.shape
            write_image(output / "low" / f"{name}-{peak}.tif", low, rgb=False)
            write_image(output / "reference" / f"{name}-{peak}.png", reference, rgb=True)
            count += 1
    typer.echo(f"{count} pairs in {output}")


if __name__ == "__main__":
    typer.run(main)
