"""Take the network apart: one command, one table, one figure.

    python benchmarks/ablation.py --low train/low --reference train/high \
      --test-low test/low --test-reference test/high --steps 4000

Every variant is the recipe of ``photo``, of ``paper`` or of the paper's equations with one change,
trained from the same seed on the same split. Figures are kept in ``build/ablation``: what is done
is not done again, and a run that was stopped goes on. Nothing is chosen by the test images.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image, ImageDraw

from napari_lle.model.data.loading import load_pairs
from napari_lle.model.data.pairs import Pair
from napari_lle.model.evaluation.metrics import score
from napari_lle.model.io.atomic import atomic_path
from napari_lle.model.network.network import Network
from napari_lle.model.progress import finish
from napari_lle.model.training.loop import train
from napari_lle.model.training.settings import TrainingError, TrainingSettings

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "napari_lle" / "model" / "weights"

SAME_KERNELS = {"network": {"dilations": [1, 1, 1, 1]}}
LITERAL = {"network": {"recursion": "literal"}}
STAGES = {"auxiliary": 0.1}  # photo trains its first stage alone

# What is changed in the recipe of photo.
PHOTO: dict[str, dict[str, Any]] = {
    "photo": {},
    "three stages, auxiliary block": STAGES,
    "three stages, eq. 2 as printed": {**STAGES, **LITERAL},
    "dilations off (1, 1, 1, 1)": SAME_KERNELS,
    "without Charbonnier": {"absolute": 0.0},
    "without SSIM": {"structure": 0.0},
    "without the error in decibels": {"logarithmic": 0.0},
    "without matched brightness": {"relative": 0.0},
    "S / L, nothing cleaned": {"network": {"reflectance": "division", "start": 0.1}},
    "widths 2, 1": {"network": {"widths": [2, 1]}},
    "widths 3, 3": {"network": {"widths": [3, 3]}},
    "widths 5, 4": {"network": {"widths": [5, 4]}},
    "widths 12, 10": {"network": {"widths": [12, 10]}},
    "widths 16, 12": {"network": {"widths": [16, 12]}},
    "widths 20, 16": {"network": {"widths": [20, 16]}},
}

# What is changed in the recipe of paper, which needs no references.
PAPER: dict[str, dict[str, Any]] = {
    "paper": {},
    "paper, later stages not trained": {"auxiliary": 0.0},
    "paper, dilations off": SAME_KERNELS,
    "paper, 1 stage": {"network": {"stages": 1}},
    "paper, stages not tied": {"tie": 0.0},
    "paper, without Charbonnier": {"absolute": 0.0},
    "paper, without SSIM": {"structure": 0.0},
    "paper, without eq. 6": {"smooth": 0.0},
}

# What is changed in eq. 4 to 7 as they stand, with an anchor for the brightness.
LETTER: dict[str, dict[str, Any]] = {
    "eq. 4 to 7": {},
    "eq. 4 to 7, auxiliary block off": LITERAL,
    "eq. 4 to 7, dilations off": SAME_KERNELS,
    "eq. 4 to 7, 1 stage": {"network": {"stages": 1}},
    "eq. 4 to 7, 2 stages": {"network": {"stages": 2}},
    "eq. 4 to 7, 4 stages": {"network": {"stages": 4}},
    "eq. 4 to 7, without fidelity": {"paper": {"weights": {"fidelity": 0.0}}},
    "eq. 4 to 7, without smoothness": {"paper": {"weights": {"smoothness": 0.0}}},
    "eq. 4 to 7, without perceptual": {"paper": {"weights": {"perceptual": 0.0}}},
    "eq. 4 to 7, without anchor": {"paper": {"weights": {"exposure": 0.0}}},
    "eq. 4 to 7, without agreement": {"paper": {"weights": {"agreement": 0.0}}},
}

# (name, parameters, PSNR, SSIM) of published weights on the 15 test pairs of LOL, measured as here.
PEERS = (
    ("FLIGHT-Net", 25049, 24.96, 0.849),
    ("MobileIE", 4075, 23.63, 0.810),
    ("CPGA-Net+", 60378, 22.55, 0.812),
    ("SGZ", 10561, 16.04, 0.576),
    ("Zero-DCE++", 10561, 15.36, 0.573),
    ("SCI medium", 258, 14.85, 0.527),
)


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with `change` in its place, dictionaries entry by entry."""
    result = dict(base)
    for key, value in change.items():
        inner = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if inner else value
    return result


def variants(options: argparse.Namespace) -> dict[str, TrainingSettings]:
    photo = yaml.safe_load((WEIGHTS / "photo.yaml").read_text())
    paper = yaml.safe_load((WEIGHTS / "paper.yaml").read_text())
    reading = {"vgg": options.vgg, "convention": options.convention}
    reading = reading if options.vgg else {"weights": {"perceptual": 0.0}}
    letter = {"objective": "paper", "paper": reading}
    changes = {n: merged(photo, c) for n, c in PHOTO.items()}
    changes |= {n: merged(paper, c) for n, c in PAPER.items()}
    changes |= {n: merged(letter, c) for n, c in LETTER.items()}
    length = {"steps": options.steps, "validate_every": max(1, options.steps // 2)}
    settings = {n: TrainingSettings.from_dict({**c, **length}) for n, c in changes.items()}
    distinct: dict[str, TrainingSettings] = {}
    for name, chosen in settings.items():  # without VGG's weights one paper variant is the recipe
        if chosen not in distinct.values():
            distinct[name] = chosen
    return distinct


def run_variant(
    settings: TrainingSettings, pairs: list[Pair], test: list[Pair], folder: Path, device: str
) -> dict[str, Any]:
    """Train and score on the test pairs; a collapse is a result too."""
    parameters = Network(settings.network).inference_parameters()
    events = train(pairs, settings, run=folder, device=device)
    try:
        network, card = finish(events)
    except TrainingError as error:
        return {"parameters": parameters, "failed": str(error)}
    rows = [score(enhanced(network, pair), pair.reference) for pair in test]
    means = {metric: float(np.mean([row[metric] for row in rows])) for metric in rows[0]}
    return {
        "parameters": parameters,
        **card["held_out"],
        **means,
    }


def enhanced(network: Network, pair: Pair) -> np.ndarray:
    with torch.inference_mode():
        low = torch.from_numpy(pair.low.transpose(2, 0, 1).copy())[None]
        stage = network(low, torch.from_numpy(pair.statistics)[None], stages=1)[0]
    return stage.reflectance[0].numpy().transpose(1, 2, 0)


def table(results: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| variant | params | PSNR | SSIM | PSNR GT-mean | max abs(L_t - L_1) | mean | u varies |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, r in results.items():
        if "failed" in r:
            lines.append(f"| {name} | {r['parameters']:,} | {r['failed']} | | | | | |")
            continue
        lines.append(
            f"| {name} | {r['parameters']:,} | {r['psnr']:.2f} | {r['ssim']:.3f} "
            f"| {r['psnr_gt_mean']:.2f} | {r['agreement_max']:.4f} | {r['agreement_mean']:.5f} "
            f"| {100 * r['variation']:.0f} % |"
        )
    return "\n".join(lines)


def document(results: dict[str, dict[str, Any]], steps: int, n: int, test: int) -> str:
    return f"""# What each part is worth

Every row is a recipe with one change, trained for {steps:,} steps from one seed on the training
pairs of LOL ({n} pairs, a fifth of them held out in whole scenes to choose the step) and scored
on {test} test pairs. Outputs are rounded to 8 bits; SSIM is scikit-image's. It is one seed: small
differences prove nothing. The stages are compared on held-out images; "u varies" is the relative
spatial deviation of the residual, 0 for a constant curve.

{table(results)}

![Quality against parameters](ablation.png)

Ours in blue (`photo` and its sizes) and green (`paper`), published weights of others in orange,
measured on the same 15 test pairs.

This page is written by

```
python benchmarks/scenes.py lol/train --table lol/scenes.csv -o parted
python benchmarks/ablation.py --low parted/train/low --reference parted/train/high \\
  --test-low lol/eval15/low --test-reference lol/eval15/high --steps {steps}
```
"""


SIZE, MARGIN = (760, 420), 56
OURS, SELF, THEIRS = (31, 119, 180), (44, 160, 44), (255, 127, 14)


def figure(results: dict[str, dict[str, Any]]) -> Image.Image:
    """PSNR and SSIM against parameters, one panel each; drawn with Pillow, as training's curves."""
    done = {n: r for n, r in results.items() if "failed" not in r and n not in LETTER}
    points = [
        (
            name if name in ("photo", "paper") else "",
            r["parameters"],
            (r["psnr"], r["ssim"]),
            colour,
        )
        for name, r in done.items()
        for colour in [SELF if name in PAPER else OURS]
    ]
    points += [(name, n, (p, s), THEIRS) for name, n, p, s in PEERS]
    picture = Image.new("RGB", (2 * SIZE[0], SIZE[1]), "white")
    for i, label in enumerate(("PSNR, dB", "SSIM")):
        panel(ImageDraw.Draw(picture), points, i, label)
    return picture


def panel(draw: ImageDraw.ImageDraw, points: list[Any], metric: int, label: str) -> None:
    values = [p[2][metric] for p in points]
    low, high = min(values), max(values)
    pad = 0.05 * (high - low) + 1e-3
    low, high = low - pad, high + pad
    left, right = metric * SIZE[0] + MARGIN, (metric + 1) * SIZE[0] - 90
    top, bottom = 34, SIZE[1] - 40

    def place(parameters: float, value: float) -> tuple[float, float]:
        across = np.log10(parameters / 200) / np.log10(1e5 / 200)
        return left + (right - left) * across, bottom - (bottom - top) * (value - low) / (
            high - low
        )

    draw.text((left, 8), f"{label}, against parameters at inference", fill="black")
    for n in (300, 1000, 3000, 10000, 30000, 100000):
        x, _ = place(n, low)
        draw.line([(x, top), (x, bottom)], fill=(225, 225, 225))
        draw.text((x - 14, bottom + 8), f"{n:,}", fill="black")
    for i in range(5):
        value = low + (high - low) * i / 4
        _, y = place(200, value)
        draw.line([(left, y), (right, y)], fill=(225, 225, 225))
        draw.text((left - 46, y - 6), f"{value:.3g}", fill="black")
    for name, n, scores, colour in points:
        x, y = place(n, scores[metric])
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
        draw.text((x + 7, y - 6), name, fill=colour)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("low", "reference", "test-low", "test-reference"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--steps", type=int, default=4000, help="per variant")
    parser.add_argument("--only", nargs="*", help="names of variants; all when not given")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--vgg", help="VGG16's weights, for the perceptual term of paper")
    parser.add_argument(
        "--convention", default="torchvision", help="of these: torchvision or caffe"
    )
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "ablation")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs" / "measurements")
    options = parser.parse_args()
    chosen = variants(options)
    unknown = set(options.only or ()) - set(chosen)
    if unknown:
        raise SystemExit(f"There is no variant {unknown.pop()!r}: choose from {', '.join(chosen)}.")
    pairs = load_pairs(options.low, options.reference)
    test = load_pairs(options.test_low, options.test_reference)
    alone = [Pair(p.name, p.low, p.low) for p in pairs]
    results = {}
    for name, settings in chosen.items():
        if options.only and name not in options.only:
            continue
        digest = hashlib.sha256(json.dumps(settings.to_dict()).encode()).hexdigest()[:12]
        folder = options.cache / digest
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "result.json"
        if not done.exists():
            data = alone if settings.objective == "paper" else pairs
            result = run_variant(settings, data, test, folder, options.device)
            with atomic_path(done) as temporary:
                temporary.write_text(json.dumps({"name": name, **result}, indent=1) + "\n")
        results[name] = json.loads(done.read_text())
        print(table({name: results[name]}).splitlines()[-1], flush=True)
    options.docs.mkdir(parents=True, exist_ok=True)
    with atomic_path(options.docs / "ablation.md") as temporary:
        temporary.write_text(document(results, options.steps, len(pairs), len(test)))
    with atomic_path(options.docs / "ablation.png") as temporary:
        figure(results).save(temporary)


if __name__ == "__main__":
    main()
