"""Make the training pairs of the model `science`: real noisy frames, and simulated exposures.

Each pair is a noisy plane, normalised by its own levels as `enhance` would, its expectation on the
same scale, and what the network is told of the whole image: typical brightness, shot noise, read
noise, grain and softness. DATA holds `microscopy/w2s`, `microscopy/excitation` and
`photos/multi-exposure`, each with a noisy or low and a clean or high folder.

    python benchmarks/science_pairs.py DATA -o pairs.npz
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import isotonic_regression

from napari_lle.model.evaluation.fields import cell_field, cosmic_rays, hot_pixels
from napari_lle.model.evaluation.simulate import add_star
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.io.files import read_image

SIDE = 192
KEPT = ("057", "065", "073")  # fields of W2S that only judge
KEPT_EXCITATION = ("t4", "t8", "t10", "t13", "t17", "t21", "t24", "t28", "t31")
SCENES = {
    "frames": 0.18,
    "photographs": 0.17,
    "excitation": 0.1,
    "cells": 0.13,
    "stars": 0.2,
    "filaments": 0.1,
    "flat": 0.12,
}
LIGHTS = (10.0, 6000.0)  # electrons at the white level

TOLD = ("typical", "shot", "floor", "grain", "soft")  # of the statistics

Array = NDArray[np.floating[Any]]
Entry = tuple[Array, Array, Array]


def entry(noisy: NDArray[Any], expected: Array) -> Entry:
    """A pair on the scale of the noisy image's levels, and its figures, (5,)."""
    known = survey(noisy, EnhanceOptions(model="science", rgb=False))
    black, span, figures = known.levels.black, known.levels.span, known.statistics
    x, y = ((a.astype(np.float64) - black) / span for a in (noisy, expected))
    told = np.array([getattr(figures, name) for name in TOLD], np.float32)
    return x.astype(np.float32), y.astype(np.float32), told


def expectation(noisy: Array, clean: Array) -> Array:
    """What noisy pixels are on average where the clean image has a value: a rising curve of it.

    It follows clipping at 0, which shifts the mean of dark pixels, and any gain between the two.
    """
    order = np.argsort(clean.ravel(), kind="stable")
    rising = np.empty(clean.size)
    rising[order] = isotonic_regression(noisy.ravel()[order].astype(np.float64)).x
    _, place, counts = np.unique(clean.ravel(), return_inverse=True, return_counts=True)
    return (np.bincount(place, rising) / counts)[place].reshape(clean.shape)


def read_plane(path: Path) -> Array:
    """A grey plane, the mean of colours where there are some."""
    picture = read_image(path)
    pixels = picture.pixels.astype(np.float64)
    return np.squeeze(pixels[..., :3].mean(axis=-1) if picture.rgb else pixels)


def kept(path: Path) -> bool:
    """Whether a file is of a field that only judges."""
    field = path.stem.split("c")[0]
    return path.name.startswith(KEPT) or field in KEPT_EXCITATION


def real(low: Path, high: Path, contrast: float = 0.0) -> Iterator[Entry]:
    """Squares of real pairs, with the figures of their whole image."""
    for path in sorted(low.iterdir()):
        clean = next(high.glob(f"{path.stem}.*"), None)
        if clean is None or kept(path):
            continue
        noisy = np.squeeze(read_image(path).pixels)
        x, y, told = entry(noisy, expectation(noisy, read_plane(clean)))
        step = SIDE - 32
        for i in range(0, x.shape[0] - SIDE + 1, step):
            for j in range(0, x.shape[1] - SIDE + 1, step):
                part = np.s_[i : i + SIDE, j : j + SIDE]
                if y[part].std() > contrast:
                    yield x[part], y[part], told


class Scenes:
    """Expected light of many kinds, in shares of the white level, (SIDE, SIDE)."""

    def __init__(self, data: Path, rng: np.random.Generator) -> None:
        self.rng = rng
        files = {
            "frames": data / "microscopy" / "w2s" / "clean",
            "photographs": data / "photos" / "multi-exposure" / "high",
            "excitation": data / "microscopy" / "excitation" / "high",
        }
        self.files = {k: [p for p in sorted(f.iterdir()) if not kept(p)] for k, f in files.items()}

    def draw(self) -> Array:
        """One scene of a kind chosen by chance."""
        rng = self.rng
        kind = str(rng.choice(list(SCENES), p=list(SCENES.values())))
        if kind == "stars":
            return self.stars()
        if kind == "flat":
            return self.flat()
        light = {"cells": lambda: cell_field(SIDE, rng), "filaments": self.filaments}.get(
            kind, lambda: self.photographed(kind)
        )()
        peak = max(float(np.percentile(light, 99.9)), 1e-6)
        return np.asarray(light / peak * rng.choice([1, 1, 0.3]))

    def photographed(self, kind: str) -> Array:
        """A square of a real image; what is noisy itself is reduced to half its size first."""
        rng = self.rng
        light = read_plane(self.files[kind][rng.integers(len(self.files[kind]))])
        if kind == "frames":
            light = light - np.percentile(light, rng.choice([0.1, 1, 0]))
        if kind != "frames" or rng.random() < 1 / 3:
            height, width = (n // 2 for n in light.shape)
            light = light[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))
        if kind == "photographs":
            light = (light / 255) ** rng.uniform(1, 3)
        if kind == "excitation":
            light = gaussian_filter(light, 0.6)
        light = np.pad(light, [(0, max(0, SIDE - n)) for n in light.shape], mode="reflect")
        top, left = (int(rng.integers(n - SIDE + 1)) for n in light.shape)
        return np.clip(light[top : top + SIDE, left : left + SIDE], 0, None)

    def stars(self) -> Array:
        """A sky, perhaps a gradient and a galaxy, and 3 to 400 stars of a power law."""
        rng = self.rng
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
        light = np.full((SIDE, SIDE), rng.uniform(10, 100))
        if rng.random() < 0.5:
            light += (rng.uniform(0, 60) * x + rng.uniform(0, 60) * y) / SIDE
        if rng.random() < 0.4:
            row, column = rng.uniform(0, SIDE, 2)
            distance = np.hypot((y - row) * rng.uniform(0.5, 1), x - column)
            light += rng.uniform(20, 600) * np.exp(-distance / rng.uniform(6, 40))
        count = int(10 ** rng.uniform(0.5, 2.6))
        for flux in np.minimum(rng.uniform(30, 200) * (1 - rng.random(count)) ** -1.25, 1.2e6):
            add_star(light, rng.uniform(0, SIDE), rng.uniform(0, SIDE), flux)
        if rng.random() < 0.3:
            light = gaussian_filter(light, rng.uniform(0.3, 1))
        return light / 4000

    def filaments(self) -> Array:
        """Bent lines of many widths and brightnesses."""
        rng = self.rng
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.float64)
        light = np.full((SIDE, SIDE), rng.uniform(0.005, 0.2))
        for _ in range(rng.integers(8, 80)):
            (row, column), angle = rng.uniform(0, SIDE, 2), rng.uniform(0, np.pi)
            across = (y - row) * np.cos(angle) - (x - column) * np.sin(angle)
            along = (y - row) * np.sin(angle) + (x - column) * np.cos(angle)
            across = across + rng.uniform(-0.01, 0.01) * along**2
            ends = np.clip((np.abs(along) - rng.uniform(8, SIDE)) / 2, -30, 30)
            profile = np.exp(-((across / rng.uniform(0.6, 2.5)) ** 2) / 2) / (1 + np.exp(ends))
            light += 10 ** rng.uniform(-2, 0) * profile
        return light / light.max()

    def flat(self) -> Array:
        """Nothing, perhaps shaded to one side, with a few stars."""
        rng = self.rng
        light = np.full((SIDE, SIDE), rng.uniform(0.002, 0.1))
        y, x = np.mgrid[:SIDE, :SIDE]
        if rng.random() < 0.7:
            distance = np.hypot(y - rng.uniform(0, SIDE), x - rng.uniform(0, SIDE))
            light *= 0.25 + 0.75 * np.clip(distance / rng.uniform(30, 200), 0, 1)
        for _ in range(rng.integers(4)):
            add_star(light, rng.uniform(0, SIDE), rng.uniform(0, SIDE), 10 ** rng.uniform(0, 3))
        return np.minimum(light, 1)


def exposed(light: Array, rng: np.random.Generator) -> Entry:
    """One exposure by a camera of any kind, with the faults that real ones have."""
    electrons = light * np.exp(rng.uniform(*np.log(LIGHTS)))
    if rng.random() < 0.3:
        electrons = electrons + rng.uniform(0, 0.1) * electrons.max()
    read = rng.uniform(0.8, 5)
    noise = rng.poisson(np.minimum(electrons, 1e7)) - electrons
    noise = noise + rng.normal(0, read, electrons.shape)
    if rng.random() < 0.25:  # smeared, as by demosaicking or compression
        noise = gaussian_filter(noise, rng.uniform(0.3, 0.8)) * rng.uniform(1, 1.5)
    if rng.random() < 0.12:  # an offset of its own to each line or column
        lines = rng.uniform(0.2, 0.6) * np.sqrt(np.median(electrons) + read**2)
        shape = (SIDE, 1) if rng.random() < 0.5 else (1, SIDE)
        noise = noise + rng.normal(0, lines, shape)
    noisy, truth = electrons + noise, electrons.copy()
    chance = rng.random()
    if chance < 0.12:  # lone pixels are part of the truth: R shows them
        struck = hot_pixels(np.zeros(noisy.shape), rng).astype(np.float64)
        noisy, truth = noisy + struck, truth + struck
    elif chance < 0.3:
        struck = cosmic_rays(np.zeros(noisy.shape), rng) * 10 ** rng.uniform(-1.3, 0.3)
        noisy, truth = noisy + struck, truth + struck
    elif chance < 0.4:
        noisy = noisy - rng.uniform(100, 3000) * (rng.random(noisy.shape) < 1e-3)
    return digitised(noisy, truth, rng)


def digitised(noisy: Array, truth: Array, rng: np.random.Generator) -> Entry:
    """As 16 bits with an offset, as floats, or as 8 bits clipped at 0."""
    if rng.random() < 0.2:
        gain = rng.uniform(0.7, 1.3) * 255 / max(float(np.percentile(noisy, 99.95)), 5)
        eight = np.clip(np.rint(noisy * gain - rng.uniform(-4, 4)), 0, 255)
        return entry(eight.astype(np.uint8), expectation(eight, np.clip(truth * gain, 0, 255)))
    gain, offset = np.exp(rng.uniform(*np.log((0.2, 3.0)))), rng.uniform(50, 500)
    if rng.random() < 0.1:
        return entry((noisy / gain + offset).astype(np.float32), truth / gain + offset)
    full = 10 ** rng.uniform(4, 5)
    stored = np.clip(np.rint(np.minimum(noisy, full) / gain + offset), 0, 65535)
    return entry(stored.astype(np.uint16), np.minimum(truth, full) / gain + offset)


def main(
    data: Annotated[Path, typer.Argument(help="Folder of microscopy/ and photos/.")],
    output: Annotated[Path, typer.Option("-o", help="The .npz file to write.")],
    exposures: Annotated[int, typer.Option(help="Simulated exposures.")] = 2700,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 11,
) -> None:
    """Write pairs, figures, and which kind each is of: 0 simulated, 1 frames, 2 excitation."""
    rng = np.random.default_rng(seed)
    scenes = Scenes(data, rng)
    rows = [(0, exposed(scenes.draw(), rng)) for _ in range(exposures)]
    folder = data / "microscopy"
    rows += [(1, e) for e in real(folder / "w2s" / "noisy", folder / "w2s" / "clean")]
    excitation = real(folder / "excitation" / "low", folder / "excitation" / "high", 0.02)
    rows += [(2, e) for e in excitation]
    x, y, figures = (np.stack([e[i] for _, e in rows]) for i in range(3))
    np.savez(output, x=x, y=y, figures=figures, kind=np.array([k for k, _ in rows]))
    typer.echo(f"{len(rows)} pairs in {output}")


if __name__ == "__main__":
    typer.run(main)
