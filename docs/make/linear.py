"""Measure a bundled model for linear data and write its page of docs/measurements.

python docs/make/linear.py --model science --noisy w2s/noisy --clean w2s/clean

Without the folders the page says nothing of real frames. With --card the figures also go into the
model's file, whose digest changes by that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_lle.model.evaluation.linear_suite import linear_suite_steps
from napari_lle.model.evaluation.noisy_pairs import noisy_pairs_steps
from napari_lle.model.evaluation.stretches import STRETCH_FIGURES
from napari_lle.model.network.bundled import bundled_path
from napari_lle.model.network.checkpoint import load_model, save_model
from napari_lle.model.progress import finish

PAGES = Path(__file__).parents[1] / "measurements"


def main(
    model: Annotated[str, typer.Option(help="linear or science.")] = "linear",
    card: Annotated[bool, typer.Option(help="Put the figures into the model's card.")] = False,
    noisy: Annotated[Path | None, typer.Option(help="Folder of noisy frames.")] = None,
    clean: Annotated[Path | None, typer.Option(help="Folder of their averages.")] = None,
) -> None:
    """Write the page of the model."""
    report = measure(model)
    if card:
        loaded = load_model(model)
        suite = {name: report[name] for name in ("checks", "methods", "exposures", "better")}
        with bundled_path(model) as path:
            save_model(path, loaded.network, {**loaded.card, "suite_linear": suite})
        report["digest"] = load_model(model).digest
    real = frames(model, noisy, clean) if noisy and clean else ""
    page = PAGES / f"{model}.md"
    page.write_text(document(report, real))
    typer.echo(page.read_text())


def measure(model: str) -> dict[str, Any]:
    """Run the suite to its report."""
    return finish(linear_suite_steps(model, device="cpu"))


def beside(check: dict[str, Any]) -> str:
    """What others reach, in words."""
    return ", ".join(f"{name} {value:.3g}" for name, value in check.get("beside", {}).items())


def frames(model: str, noisy: Path, clean: Path) -> str:
    """The section on real noisy frames."""
    found = finish(noisy_pairs_steps(noisy, clean, [model], device="cpu"))
    unseen = load_model(model).card["held_out"].get("of", "")
    rows = [
        f"| {name} | {row['parameters']:,} | {row['psnr']:.1f} | {row['ssim']:.3f} | "
        f"{row['cnr']:.1f} |"
        for name, row in found["methods"].items()
    ]
    return f"""## Real noisy frames

`napari-lle evaluate --noisy DIR --clean DIR --model {model}` on {found["n"]} single frames with
their averages of 400 (W2S, Zhou et al. 2020). Each result is mapped to the average's plain stretch
by the best rising curve before it is judged, so that only noise, blur and invention count. {unseen}

| method | parameters | PSNR | SSIM | CNR |
|---|--:|--:|--:|--:|
{chr(10).join(rows)}

"""


def check_rows(checks: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"| {c['name']} | {c['value']:.3g} | {c['goal'].replace('<=', '≤')} | {c['verdict']} | "
        f"{beside(c)} |"
        for c in checks
    )


def exposure_rows(exposures: dict[str, Any], levels: list[str]) -> str:
    return "\n".join(
        f"| {name} | "
        + " | ".join(f"{row[level]['psnr']:.1f} / {row[level]['ssim']:.3f}" for level in levels)
        + " |"
        for name, row in exposures.items()
    )


def method_rows(methods: dict[str, Any]) -> str:
    return "\n".join(
        f"| {name.replace('_', ' ')} | "
        + " | ".join(f"{row[f]:.3f}" for f in STRETCH_FIGURES)
        + " |"
        for name, row in methods.items()
    )


def document(report: dict[str, Any], real: str = "") -> str:
    levels = list(next(iter(report["exposures"].values())))
    better = "\n".join(f"- {sentence}" for sentence in report["better"]) or "- Nothing."
    failed = report["failed"]
    return f"""# Linear data: {report["model"]}

Written by `python docs/make/linear.py --model {report["model"]}`; the same figures come from
`napari-lle evaluate --suite linear --model {report["model"]}`.
Model `{report["model"]}` ({report["digest"]}), {report["parameters"]:,} parameters. Everything is
simulated from fixed seeds: expected electrons of known truth, exposed by a camera with Poisson shot
noise, 5 electrons of Gaussian read noise, an offset of 400 ADU and rounding.

**The reflectance R is for looking.** Fluxes, widths and slopes on it are not the measured ones, as
the warnings show; measure on the restored layer, R times the illumination: the input again.

## Checks

{f"{failed} failed." if failed else "None failed."}

| check | value | goal | verdict | beside |
|---|--:|--:|---|---|
{check_rows(report["checks"])}

A restored layer of integers is the input bit for bit, so that its checks can fail only if `restore`
is broken. A detection is a local maximum above the background of the image smoothed as widely as a
star, which on the input is the matched filter; flat fields are enhanced with their own levels and
with a white level 50 times as far away. With faults of a sensor, detections are counted at 3.5, 4
and 5 deviations, and the worst of these is told. What R lacks of faint stars and filaments is told
at the threshold where it is as pure, or as complete, as a matched filter at 3.5 deviations.

## Exposures of known fields

Stars, cells and filaments at so many electrons for the brightest, 3 electrons of read noise: PSNR
in dB and SSIM of R to what the plain stretch would show without noise. The blurs and non-local
means are of the stretched exposure.

| electrons | {" | ".join(levels)} |
|---|{"--:|" * len(levels)}
{exposure_rows(report["exposures"], levels)}

{real}## Beside stretches

Relative noise of the background after over before, which flatters whatever lifts all to grey;
contrast to noise of discs 6 electrons above a background whose noise is 8, beside bright stars;
completeness and purity of detections at 3.5 deviations among stars of
60 to 3,000 electrons. Means over 6 fields.

| method | {" | ".join(STRETCH_FIGURES.values())} |
|---|{"--:|" * len(STRETCH_FIGURES)}
{method_rows(report["methods"])}

Where something without a network is better by more than 1 %:

{better}
"""


if __name__ == "__main__":
    typer.run(main)
