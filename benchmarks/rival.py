"""A network three times as large, trained as ours are: how near do 1,300 parameters come?

    python benchmarks/rival.py --low parted/train/low --reference parted/train/high \
      --held-low parted/held/low --held-reference parted/held/high \
      --runs runs --steps 12000 --seed 0 --seed 1 --seed 2

The shape is MobileIE's (Yan et al., "MobileIE: An Extremely Lightweight and Effective ConvNet for
Real-Time Image Enhancement on Mobile Devices", ICCV 2025), written from its description: 4,075
parameters once its branches are folded; with ``--channels 6``, 1,357. Pairs come from
`benchmarks/scenes.py`; losses, the drawing of crops and the averaging of weights are those of
`photo.yaml`. The last weights are judged, and nothing is chosen by the held-out pairs. A run that
was stopped goes on.
"""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Annotated, Any

import numpy as np
import torch
import typer
import yaml
from torch import Tensor, nn
from torch.nn import functional as F

from napari_lle.model.data.crops import Augmentation, draw_batch
from napari_lle.model.data.loading import load_pairs
from napari_lle.model.evaluation.metrics import Image, score
from napari_lle.model.io.atomic import atomic_path
from napari_lle.model.losses import functional as losses

RECIPE = Path(__file__).parent.parent / "napari_lle/model/weights/photo.yaml"
EXPANSION = 4  # of what a convolution's branches have together
BATCH, CROP = 2, 160  # as many pixels as 6 crops of 96; the gate sees more of each image
RATE = 0.004  # .002 and .008 were worse after 1,500 steps
KEEP_EVERY = 500  # steps from one state on disk to the next


class FoldedConv(nn.Module):
    """Branches of several shapes, concatenated and mixed by a 1x1 convolution; one once folded.

    The kernels are folded before each use: the arithmetic is that of one convolution.
    """

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.side = side
        shapes = {(side, side), (1, 1), (side, 1), (1, side)}
        wide = EXPANSION * outputs
        self.convolutions = [nn.Conv2d(inputs, wide, shape) for shape in sorted(shapes)[::-1]]
        self.branches = nn.ModuleList(self.convolutions)
        self.mix = nn.Linear(wide * len(shapes), outputs)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Kernel (outputs, inputs, side, side) and bias (outputs,)."""
        kernels = []
        for branch in self.convolutions:
            rows, columns = ((self.side - n) // 2 for n in branch.weight.shape[-2:])
            kernels.append(F.pad(branch.weight, (columns, columns, rows, rows)))
        kernel = torch.einsum("oc,cikl->oikl", self.mix.weight, torch.cat(kernels))
        bias = self.mix(torch.cat([x.bias for x in self.convolutions if x.bias is not None]))
        return kernel, bias

    def forward(self, x: Tensor) -> Tensor:
        kernel, bias = self.folded()
        return F.conv2d(x, kernel, bias, padding=self.side // 2)


class Product(nn.Module):
    """The feature's product with itself: ``w1 w2 x^2 + b``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.ones(())), nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.w1 * self.w2 * x * x + self.bias


class Rival(nn.Module):
    """5x5 and 3x3 convolutions, two products, a gate from the mean of all pixels and of each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        c = channels
        self.head = nn.Sequential(FoldedConv(3, c, 5), nn.PReLU(c), FoldedConv(c, c, 3), Product(c))
        self.body = nn.Sequential(FoldedConv(c, c, 3), Product(c))
        self.whole, self.local = nn.Linear(c, c), nn.Linear(1, c)
        self.tail = FoldedConv(c, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(self.head(x))
        whole = self.whole(features.mean(dim=(2, 3))).sigmoid()[..., None, None]
        strongest = (whole * features).amax(dim=1)[..., None]
        local = self.local(strongest).sigmoid().movedim(-1, 1)
        return self.tail(whole * local * features)

    def inference_parameters(self) -> int:
        """Of the folded network."""
        convolutions = [m for m in self.modules() if isinstance(m, FoldedConv)]
        inside = {id(p) for m in convolutions for p in m.parameters()}
        rest = sum(p.numel() for p in self.parameters() if id(p) not in inside)
        return rest + sum(sum(t.numel() for t in m.folded()) for m in convolutions)


def loss_of(result: Tensor, reference: Tensor, recipe: dict[str, Any]) -> Tensor:
    """That of `photo.yaml`."""
    weights = {name: recipe[name] for name in ("structure", "relative", "logarithmic")}
    return losses.paired_objective(result, reference, **weights)


class Run:
    """One training, kept in a file.

    Attributes
    ----------
    network, averaged : Rival
        The average of the weights is what is judged.
    """

    def __init__(self, file: Path, channels: int, seed: int, steps: int) -> None:
        torch.manual_seed(seed)
        self.file, self.steps, self.step = file, steps, 0
        self.rng = np.random.default_rng(seed)
        self.network, self.averaged = Rival(channels), Rival(channels)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), RATE, betas=(0.9, 0.99))
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, RATE, steps, pct_start=0.05, cycle_momentum=False
        )
        if file.exists():
            self._resume()

    def _parts(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("network", "averaged", "optimizer", "schedule")
        }

    def keep(self) -> None:
        """Write the state, whole or not at all."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"step": self.step, "rng": self.rng.bit_generator.state}
        with atomic_path(self.file) as path:
            torch.save(state, path)

    def _resume(self) -> None:
        state = torch.load(self.file, weights_only=False)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.step, self.rng.bit_generator.state = state["step"], state["rng"]

    def go_on(self, pairs: list[Any], recipe: dict[str, Any]) -> None:
        """Train to the end."""
        augmentation = Augmentation(**recipe["augmentation"])
        while self.step < self.steps:
            batch = draw_batch(pairs, self.rng, BATCH, CROP, 0, augmentation)
            low, reference = (torch.from_numpy(x) for x in (batch.low, batch.reference))
            loss = loss_of(self.network(low), reference, recipe)
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()
            self.schedule.step()
            with torch.no_grad():
                for kept, new in zip(
                    self.averaged.parameters(), self.network.parameters(), strict=True
                ):
                    kept.lerp_(new, 1 - recipe["average"])
            self.step += 1
            if self.step % KEEP_EVERY == 0 or self.step == self.steps:
                self.keep()
                typer.echo(f"step {self.step}, loss {loss.item():.4f}, {process_time():.0f} s")


def judged(network: Rival, pairs: list[Any]) -> dict[str, float]:
    """Means of `metrics.score` over pairs."""

    def method(x: Image) -> Image:
        with torch.inference_mode():
            found = network(torch.from_numpy(x.transpose(2, 0, 1)[None].copy()))
        return found[0].numpy().transpose(1, 2, 0)

    rows = [score(method(pair.low), pair.reference) for pair in pairs]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def main(
    low: Annotated[Path, typer.Option(help="Folder of dark images.")],
    reference: Annotated[Path, typer.Option(help="Folder of references.")],
    held_low: Annotated[Path, typer.Option(help="Dark images that judge.")],
    held_reference: Annotated[Path, typer.Option(help="Their references.")],
    runs: Annotated[Path, typer.Option(help="Folder for the runs.")],
    seed: Annotated[list[int], typer.Option(help="A seed; give several.")],
    steps: Annotated[int, typer.Option(help="Steps of each run.")] = 12000,
    channels: Annotated[int, typer.Option(help="Feature maps of each layer.")] = 12,
    varied: Annotated[bool, typer.Option(help="Vary inputs as photo.yaml does.")] = True,
) -> None:
    """Train with each seed, and print what the last weights score."""
    recipe = yaml.safe_load(RECIPE.read_text())
    if not varied:
        recipe["augmentation"] = {"exposure": 0.0, "lit": 0.0, "backlit": 0.0}
    runs.mkdir(parents=True, exist_ok=True)
    pairs, held = load_pairs(low, reference), load_pairs(held_low, held_reference)
    typer.echo(f"{Rival(channels).inference_parameters():,} parameters, {len(pairs)} pairs")
    for one in seed:
        run = Run(runs / f"rival-{channels}-{one}.pt", channels, one, steps)
        run.go_on(pairs, recipe)
        found = judged(run.averaged, held)
        typer.echo(f"seed {one}: " + ", ".join(f"{k} {v:.4f}" for k, v in found.items()))


if __name__ == "__main__":
    typer.run(main)
