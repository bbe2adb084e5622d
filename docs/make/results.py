"""Measure every bundled model and write docs/measurements/results.md.

    python docs/make/results.py --low lol/eval15/low --reference lol/eval15/high

The contact sheet shows the bundled photograph only: the test pictures may not be passed on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from skimage.data import coffee

from napari_lle.model.data.folders import image_files
from napari_lle.model.data.pairs import as_photograph
from napari_lle.model.evaluation.baselines import auto_gamma
from napari_lle.model.evaluation.contact_sheet import contact_sheet
from napari_lle.model.evaluation.metrics import METRICS
from napari_lle.model.evaluation.photographs import Case, evaluate_steps, method_of, robustness
from napari_lle.model.io.files import read_image
from napari_lle.model.network.bundled import sized
from napari_lle.model.network.checkpoint import load_model
from napari_lle.model.network.config import SCALES
from napari_lle.model.progress import finish
from napari_lle.samples import photograph

DOCS = Path(__file__).parents[1]
MODELS = ["photo", "photo-half", "photo-quarter", "self", "paper", "linear"]  # of colours
LIGHTS = (0.15, 0.05, 0.02)  # shares of light left in the contact sheet's rows
DIGITS = (2, 3, 2, 3, 1, 2, 1, 2)

PAPER = """| method | parameters | PSNR | SSIM |
|---|--:|--:|--:|
| MBLLEN | 5,952,700 | 16.88 | 0.719 |
| EnlightenGAN | 8,636,000 | 14.04 | 0.667 |
| the paper's own | 1,300 | 17.02 | 0.732 |"""

# Measured with the weights that their authors publish: 8-bit outputs, RGB, scikit-image's SSIM.
PEERS = """| method | trained on | PSNR | SSIM |
|---|---|--:|--:|
| FLIGHT-Net | pairs | 24.96 | .849 |
| LYT-Net | pairs | 24.13 | .842 |
| MobileIE | pairs | 23.63 | .810 |
| IAT | pairs | 23.38 | .806 |
| CPGA-Net+ | pairs | 22.55 | .812 |
| PairLIE | pairs of dark images | 19.52 | .730 |
| MBLLEN | pairs | 18.76 | .810 |
| RetinexNet (port) | pairs | 17.61 | .642 |
| RUAS | dark images | 16.45 | .505 |
| SGZ | dark images | 16.04 | .576 |
| Zero-DCE++ | dark images | 15.36 | .573 |
| SCI medium | dark images | 14.85 | .527 |"""

FAULTS = {
    "grey": "3 to 14",
    "black": "MobileIE lifts it",
    "left_alone": "6 to 14; CLAHE over 20",
    "left_alone_worst": "",
    "series": "SCI stays black at 1 %",
    "series_worst": "",
    "tiles": "MobileIE, FLIGHT 12; CPGA 21",
}
MEANING = {
    "grey": "grey in: largest chroma out, /255",
    "black": "black in: largest value out",
    "left_alone": "well-exposed in: PSNR to itself, mean, dB",
    "left_alone_worst": "the same, worst image, dB",
    "series": "−1 to −6 stops: spread of medians, mean",
    "series_worst": "the same, worst image",
    "tiles": "tiles against the whole, /255",
}


def main(
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references, matched by file name.")],
    data: Annotated[str, typer.Option(help="What they are.")] = "the test pairs of LOL v1",
) -> None:
    """Write docs/measurements/results.md and docs/images/contact_sheet.jpg."""
    reports = [finish(evaluate_steps(low, reference, name)) for name in MODELS]
    pictures = [read_image(file) for file in image_files(reference).values()]
    images = [as_photograph(p.pixels, p.rgb) for p in pictures]
    robust = {name: robustness(name, images) for name in MODELS}
    reduced = table_of_scales(low, reference)
    text = document(reports, robust, reduced, f"{reports[0]['n']} pairs, {data}")
    (DOCS / "measurements" / "results.md").write_text(text)
    sheet = contact_sheet(samples())
    sheet.save(DOCS / "images" / "contact_sheet.jpg", quality=90, optimize=True)
    typer.echo(text)


def table_of_scales(low: Path, reference: Path) -> str:
    """PSNR/SSIM of models by the size of their illumination."""
    lines = ["| model | full size | half | quarter |", "|---|--:|--:|--:|"]
    for name in ("photo", "self", "paper", "linear"):
        own = load_model(name)
        kinds = {name: [replace(own, source=own.source.at_scale(s)) for s in SCALES]}
        siblings = [load_model(sized(name, scale)) for scale in SCALES]
        if {m.name for m in siblings} != {name}:
            kinds = {f"{name}, trained for each": siblings, f"{name}, as it is": kinds[name]}
        for label, models in kinds.items():
            scores = [finish(evaluate_steps(low, reference, model)) for model in models]
            cells = " | ".join(f"{s['psnr']:.2f}/{s['ssim']:.3f}" for s in scores)
            lines.append(f"| {label} | {cells} |")
    return "\n".join(lines)


def score_rows(reports: list[Any]) -> str:
    """The models, then what has no parameters."""
    rows = [(f"**{r['model']}**", f"{r['parameters']:,}", r) for r in reports]
    baselines = reports[0]["baselines"]
    rows += [(name.replace("_", " "), "0", scores) for name, scores in baselines.items()]
    return "\n".join(
        f"| {name} | {parameters} | "
        + " | ".join(f"{r[c]:.{d}f}" for c, d in zip(METRICS, DIGITS, strict=True))
        + " |"
        for name, parameters, r in rows
    )


def check_rows(reports: list[Any], robust: dict[str, dict[str, float]]) -> str:
    """What each model is checked for, and what was measured on peers."""
    return "\n".join(
        f"| {meaning} | "
        + " | ".join(f"{robust[r['model']][key]:.3g}" for r in reports)
        + f" | {FAULTS[key]} |"
        for key, meaning in MEANING.items()
    )


def document(
    reports: list[Any], robust: dict[str, dict[str, float]], reduced: str, data: str
) -> str:
    constant = reports[0]["baselines"]["constant"]["c"]
    return f"""# Results

Written by `python docs/make/results.py --low lol/eval15/low --reference lol/eval15/high`.

## Pictures

{data}. Outputs are clipped and rounded to 8 bits; RGB; scikit-image's SSIM (7x7). *gt*: after
scaling to the reference's mean. *LOE*: share of pairs of pixels whose order of lightness changes.
*Noise*: noise gain over brightness gain. *Cast*: largest shift of a channel's mean, /255.
*Sharp*: share of the reference's finest octave, without noise. The
constant curve is S / (S + {constant:g}), fitted on the training pairs. The models
were trained and chosen on other pairs; `linear` is for linear data, here for completeness.

| method | parameters | PSNR | SSIM | PSNR gt | SSIM gt | LOE, % | noise | cast | sharp |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
{score_rows(reports)}

The peers on the same 15 pairs, measured with the weights that their authors publish (trained on all
of LOL or on larger sets; `photo` on 199 of its pairs, of other scenes, and 115 exposure brackets;
`self` on 199 dark images of other scenes):

{PEERS}

What the paper itself reports, on the 100 test pairs of LOL-v2 (its tables 1 and 2):

{PAPER}

![Three light levels: input, photo, automatic gamma, reference](../images/contact_sheet.jpg)

The bundled photograph with {", ".join(f"{100 * light:g} %" for light in LIGHTS)} of the light left:
input, `photo`, automatic gamma, reference.

## Illumination at reduced size

`illumination_scale` of `enhance` and of a model: H sees a smaller image, see [speed](speed.md) for
what that saves. PSNR/SSIM on the same pairs. What is lost is above all the removal of noise, which
needs each pixel's neighbours. `photo-half` and `photo-quarter` win it back by their form: they also
find how much of the finest detail is to stay. `photo` as it is stays sharp and noisy:
`enhance(image, load_model("photo"), illumination_scale=4)`.

{reduced}

## Robustness

On the references of the same pairs, darkened where it says so. The last column is what was measured
on peers (SCI, RUAS, Zero-DCE++, MobileIE, FLIGHT-Net, CPGA-Net).

| check | {" | ".join(r["model"] for r in reports)} | peers |
|---|{"--:|" * len(reports)}---|
{check_rows(reports, robust)}
"""


def samples() -> list[Case]:
    """The bundled photograph at several light levels."""
    reference = np.asarray(coffee(), np.float32) / 255
    method = method_of(load_model("photo"))
    cases = []
    for light in LIGHTS:
        x = as_photograph(photograph(light))
        name = f"{100 * light:g} % of the light"
        cases.append(Case(name, x, method(x), auto_gamma(x), reference))
    return cases


if __name__ == "__main__":
    typer.run(main)
