"""Enhance the bundled samples, write them side by side, and open napari where there is a screen."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from napari_lle.model import enhance, restore
from napari_lle.model.inference.estimate import Result
from napari_lle.model.io.files import write_image
from napari_lle.samples import ARRAYS

OUT = Path(__file__).parents[2] / "build" / "demo"


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, make in ARRAYS.items():
        image = make()
        start = time.perf_counter()
        result = enhance(image)
        seconds = time.perf_counter() - start
        exact = (restore(result.reflectance, result.illumination, result.levels) == image).all()
        path = OUT / f"{name}.png"
        write_image(path, side_by_side(image, result), rgb=True)
        levels = result.levels
        before, after = np.median(as_seen(image, result)), np.median(result.reflectance)
        print(f"{name}: {image.dtype}, {' x '.join(map(str, image.shape))}, {seconds:.2f} s")
        print(f"  model {result.record['model']}, levels {levels.black:g} to {levels.white:g}")
        print(f"  median {before:.3f} -> {after:.3f}")
        print(f"  {'restored bit for bit' if exact else 'NOT RESTORED'}")
        print(f"  {path.relative_to(OUT.parents[1])}")
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        show()
    else:
        print("No screen here: look at the pictures, or run this where napari can open.")


def as_seen(image: np.ndarray, result: Result) -> np.ndarray:
    """The input on the same scale as the reflectance: black level 0, white level 1."""
    return (image - result.levels.black) / result.levels.span


def side_by_side(image: np.ndarray, result: Result) -> np.ndarray:
    """Input and result as 8-bit RGB; stacks by their middle plane."""
    pair = [as_seen(image, result), result.reflectance]
    if image.ndim == 3 and image.shape[-1] != 3:
        pair = [part[len(part) // 2] for part in pair]
    if pair[0].ndim == 2:
        pair = [np.repeat(part[..., None], 3, axis=-1) for part in pair]
    gap = np.ones((pair[0].shape[0], 8, 3))
    return np.rint(np.clip(np.hstack([pair[0], gap, pair[1]]), 0, 1) * 255).astype(np.uint8)


def show() -> None:
    """Open the samples and the Enhance widget."""
    import napari

    viewer = napari.Viewer(title="napari-lle")
    for sample in ("stars", "cells", "photograph"):
        viewer.open_sample("napari-lle", sample)
        viewer.layers[-1].visible = sample == "photograph"
    viewer.window.add_plugin_dock_widget("napari-lle", "Enhance")
    napari.run()


if __name__ == "__main__":
    main()
