"""The models that come with the package, by name; found without loading torch."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

MODEL_SUFFIX = ".safetensors"
GLOBAL = ":global"  # after a name or file: one curve for the whole image, see `onecurve`
STRETCH_PREFIX = "stretch:"  # before the name of a formula, which stands in the place of a model
FORMULAS = ("mtf", "asinh", "ghs")  # see `curves`
MEANT_BY_AUTO = ("photo", "science", "linear")
REMOVERS = ("linear", "science")  # leave a plain stretch only where they remove noise
MEASURED = "measured"  # what `auto` is for data that are no photographs
SIZE_NAMES = {2: "half", 4: "quarter"}  # of the illumination, in names of models trained for it
OWN_FOLDER = "NAPARI_LLE_MODELS"  # in the environment: where the user's own models are
FOLDER = resources.files("napari_lle.model") / "weights"


def bundled_models() -> list[str]:
    """Names of the bundled models, in alphabetical order."""
    names = (file.name for file in FOLDER.iterdir())
    return sorted(name.removesuffix(MODEL_SUFFIX) for name in names if name.endswith(MODEL_SUFFIX))


def settled_name(model: str, rgb: bool, dtype: str, alone: bool = True) -> str:
    """The name or file that a choice of model stands for; ``:global`` stays.

    ``auto`` stands for ``photo`` where there is 8-bit colour and for `MEASURED` elsewhere, which
    is ``science`` for a channel `alone` and ``linear`` where several have one illumination.
    """
    name = model.removesuffix(GLOBAL)
    mode = model[len(name) :]
    if name == "auto":
        name = "photo" if rgb and dtype == "uint8" else MEASURED
    if name == MEASURED:
        name = "science" if alone and not rgb and not mode else "linear"
    return name + mode


def is_stretch(model: object) -> bool:
    """Whether a model's name is that of a stretch, see `curves`."""
    return isinstance(model, str) and model.startswith(STRETCH_PREFIX)


def own_file(model: str | None) -> list[Path]:
    """The file that a model is in where it is none of the bundled ones; at most one."""
    path = Path(located((model or "").removesuffix(GLOBAL)))
    return [path] if path.suffix == MODEL_SUFFIX else []


def own_models() -> list[Path]:
    """The models in the folder of the user's own, which the environment names."""
    folder = os.environ.get(OWN_FOLDER, "")
    return sorted(Path(folder).glob(f"*{MODEL_SUFFIX}")) if folder else []


def located(model: str | Path) -> str | Path:
    """The file of a model of the user's folder that is named without it; any other as it is."""
    if not isinstance(model, str) or model in bundled_models():
        return model
    return next((file for file in own_models() if file.stem == model), model)


def sized(name: str, scale: int | None) -> str:
    """The sibling of a bundled model that was trained for an illumination of that size, if any."""
    sibling = f"{name}-{SIZE_NAMES.get(scale or 1, '')}"
    return sibling if sibling in bundled_models() else name


def bundled_path(name: str) -> AbstractContextManager[Path]:
    """Offer the file of a bundled model."""
    return resources.as_file(FOLDER / f"{name}{MODEL_SUFFIX}")
