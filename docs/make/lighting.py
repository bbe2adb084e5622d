"""Measure the models for photographs under difficult light and write docs/measurements/lighting.md.

    python docs/make/lighting.py

The scenes are lit anew from scikit-image's photographs, see `napari_lle.model.evaluation.lighting`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import typer

from napari_lle.model.evaluation.baselines import auto_gamma
from napari_lle.model.evaluation.contact_sheet import contact_sheet
from napari_lle.model.evaluation.lighting import (
    LIGHTS,
    backlit,
    coloured,
    evenly_dark,
    lamp_in_room,
    well_lit,
    with_window,
)
from napari_lle.model.evaluation.metrics import Image
from napari_lle.model.evaluation.photograph_suite import photograph_suite_steps
from napari_lle.model.evaluation.photographs import Case, method_of
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.preprocessing.statistics import SPARED
from napari_lle.model.progress import finish

DOCS = Path(__file__).parents[1]
MODELS = ("photo", "photo-half", "photo-quarter", "self", "paper")
SHOWN = "photo"


def main() -> None:
    """Write the page and its picture."""
    reports = [finish(photograph_suite_steps(name)) for name in MODELS]
    text = document(reports)
    (DOCS / "measurements" / "lighting.md").write_text(text)
    sheet = contact_sheet(cases())
    sheet.save(DOCS / "images" / "lighting.jpg", quality=80, optimize=True)
    typer.echo(text)


def document(reports: list[dict[str, Any]]) -> str:
    """The page in Markdown."""
    free = list(reports[0]["checks"][0]["beside"])
    names = [*(f"**{r['model']}**" for r in reports), *free]
    lines = []
    for i, told in enumerate(reports[0]["checks"]):
        values = [_cell(r["checks"][i]) for r in reports]
        values += [f"{told['beside'][name]:.3g}" for name in free]
        lines.append(f"| {told['name']} | {told['goal']} | {' | '.join(values)} |")
    failed = ", ".join(f"{r['model']} {r['failed']}" for r in reports)
    return f"""# Difficult light

Written by `python docs/make/lighting.py`; for one model,
`napari-lle evaluate --suite photographs --model {SHOWN}`. Photographs that scikit-image carries,
lit anew, with the noise of photons, 8 bits; the worst of three each. In italics what misses its
goal; checks that fail: {failed}.

| check | goal | {" | ".join(names)} |
|---|---|{"--:|" * len(names)}
{chr(10).join(lines)}

An image is brightened by one curve, made for its shadows where there are highlights beside them;
these keep {SPARED:.0%} of their slope. The curve is the same everywhere, so that there is no halo.

![Twelve scenes: input, {SHOWN}, automatic gamma, the same in good light](../images/lighting.jpg)

Input, `{SHOWN}`, automatic gamma, and the same in good light.
"""


def _cell(told: dict[str, Any]) -> str:
    value = f"{told['value']:.3g}"
    return f"*{value}*" if told["verdict"] == "fail" else value


def cases() -> list[Case]:
    """Faces, fur, metal; noise, grey, backlight, a window, a lamp, lights of colours."""
    method, rng = method_of(load_model(SHOWN)), np.random.default_rng(4)
    face, fur, table = well_lit().values()
    grey = np.repeat(fur.mean(-1, keepdims=True), 3, -1)
    scenes: dict[str, tuple[Image, Image]] = {
        "face, dim": (evenly_dark(face, 0.08, rng), face),
        "face, very dim": (evenly_dark(face, 0.02, rng), face),
        "fur, dim": (evenly_dark(fur, 0.04, rng), fur),
        "grey, dim": (evenly_dark(grey, 0.04, rng), grey),
        "backlit by a tenth": (backlit(face, 0.1, rng).image, face),
        "backlit by two fifths": (backlit(fur, 0.4, rng).image, fur),
        "window": (with_window(table, face, rng).image, table),
        "lamp": (lamp_in_room(table, rng), table),
        **{f"{light} light": (coloured(table, light, rng).image, table) for light in LIGHTS},
    }
    return [Case(n, x, method(x), auto_gamma(x), truth) for n, (x, truth) in scenes.items()]


if __name__ == "__main__":
    typer.run(main)
