"""Fit a model's stated interval on simulated fields, and tell what share it holds on others.

    python benchmarks/uncertainty.py linear

Prints k at the knots, then c, as `napari_lle.model.inference.uncertainty` has them. With --card the
constants also go into the model's file, whose digest changes by that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_lle.model.evaluation.interval import JUDGED_SEEDS, coverage, errors, fit_interval
from napari_lle.model.inference.enhance import enhance
from napari_lle.model.network.checkpoint import load_model, save_model


def main(
    model: Annotated[str, typer.Argument(help="A bundled model or a .safetensors file.")],
    card: Annotated[bool, typer.Option(help="Put the constants into the model's file.")] = False,
) -> None:
    """Print the constants, and the shares by number of electrons."""
    loaded = load_model(model)

    def run(image: Any) -> Any:
        return enhance(image, loaded, rgb=False, device="cpu")

    constants = fit_interval(run)
    typer.echo(f"{loaded.name}: {constants}")
    for electrons, share in coverage(errors(run, JUDGED_SEEDS), constants).items():
        typer.echo(f"{electrons:>6} electrons: {100 * share:.1f} % within the 95 % interval")
    if card:
        told = {**loaded.card, "uncertainty": list(constants)}
        save_model(Path(model), loaded.network, told)


if __name__ == "__main__":
    typer.run(main)
