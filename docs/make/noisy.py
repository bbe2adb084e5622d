"""Draw docs/images/noisy.jpg: a simulated field of few photons, and what clears it.

python docs/make/noisy.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from napari_lle.model import enhance
from napari_lle.model.evaluation.baselines import gaussian, non_local_means
from napari_lle.model.evaluation.checks import stretch_model
from napari_lle.model.evaluation.exposures import exposed, stretched_truth
from napari_lle.model.evaluation.fields import known_fields

FILE = Path(__file__).parents[1] / "images" / "noisy.jpg"
ELECTRONS, SIDE, ZOOM = 90, 160, 2  # at the brightest; pixels of a field
FIELDS = ("cells", "filaments")


def main() -> None:
    """One row a field; columns are the stretch, a blur, non-local means, science and the truth."""
    rows = []
    for field in FIELDS:
        light = known_fields(SIDE, 31)[field] * ELECTRONS
        image, expected = exposed(light, 5)
        plain = np.clip(enhance(image, stretch_model(), rgb=False).reflectance, 0, 1).astype(float)
        views = {
            "stretched": plain,
            "blurred": gaussian(plain, 1),
            "non-local means": non_local_means(plain),
            "science": enhance(image, "science", rgb=False).reflectance,
            "without noise": stretched_truth(image, expected),
        }
        rows.append(np.hstack([titled(view, name) for name, view in views.items()]))
    Image.fromarray(np.vstack(rows)).save(FILE, quality=92)


def titled(view: np.ndarray, name: str) -> np.ndarray:
    """An 8-bit view, enlarged, with its name in a corner."""
    picture = Image.fromarray(np.rint(255 * np.clip(view, 0, 1)).astype(np.uint8))
    picture = picture.resize((ZOOM * SIDE, ZOOM * SIDE), Image.Resampling.NEAREST)
    ImageDraw.Draw(picture).text((6, 4), name, fill=255, font_size=18)
    return np.asarray(picture)


if __name__ == "__main__":
    main()
