"""What a package of the BioImage Model Zoo says of itself: its description and its page."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..network.checkpoint import Model
from ..preprocessing.levels import BLACK_PERCENTILE, WHITE_PERCENTILE
from ..version import __version__
from .onnx_graph import OPSET

REPOSITORY = "https://github.com/napari-lle/napari-lle"
CITATION = (
    "Jin, Chen, Liang (2023): A lightweight low-light image enhancement network. Proceedings of "
    "the 2023 International Conference on Artificial Life and Robotics (ICAROB2023), Oita."
)
DESCRIPTION_FILE, WEIGHTS_FILE = "rdf.yaml", "weights.onnx"
PAGE, COVER = "README.md", "cover.png"
BATCH = {"type": "batch"}
AS_FLOAT = {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}


class Credits(NamedTuple):
    """Who made the weights, and the SPDX identifier of their licence."""

    author: str
    licence: str


def model_description(model: Model, colours: int, credits: Credits) -> dict[str, Any]:
    """The content of `DESCRIPTION_FILE`, in the format of the installed library."""
    from bioimageio.spec.model.v0_5 import ModelDescr

    inputs = [_image_input(colours)]
    if model.network.config.knows_noise:
        inputs.append(_noise())
    return {
        "type": "model",
        "format_version": ModelDescr.implemented_format_version,
        "name": f"napari-lle {model.name} low-light enhancement",
        "description": purpose(colours),
        "version": __version__,
        "authors": [{"name": credits.author}],
        "license": credits.licence,
        "cite": [{"text": CITATION, "url": REPOSITORY}],
        "git_repo": REPOSITORY,
        "documentation": {"source": PAGE},
        "covers": [{"source": COVER}],
        "tags": ["low-light", "enhancement", "retinex", "2d", "napari", "image-restoration"],
        "inputs": inputs,
        "outputs": [
            _output("reflectance", "The enhanced image; 0..1 is black to white.", colours),
            _output("illumination", "Reflectance times this is the normalised input.", colours),
        ],
        "weights": {"onnx": {"source": WEIGHTS_FILE, "opset_version": OPSET}},
        "config": {
            "bioimageio": {
                "model_parameter_count": model.network.inference_parameters(),
                "reproducibility_tolerance": [
                    {"relative_tolerance": 1e-4, "absolute_tolerance": 1e-4}
                ],
            },
            "napari_lle": {"model": model.name, "digest": model.digest},
        },
    }


def purpose(colours: int) -> str:
    """One sentence on what a model is for."""
    kind = "8-bit colour photographs" if colours == 3 else "images of one channel"
    return f"Enhances dark {kind}: reflectance and illumination, whose product is the input."


def tensor_file(name: str) -> str:
    """The file of an input's or output's example."""
    return f"test_{name}.npy"


def _channels(colours: int) -> dict[str, Any]:
    names = ["red", "green", "blue"] if colours == 3 else ["intensity"]
    return {"type": "channel", "channel_names": names}


def _image_input(colours: int) -> dict[str, Any]:
    """Photographs keep their range; other images are brought to 0..1 by their percentiles."""
    span = {"min": 1, "step": 1}
    by_range: dict[str, Any] = {"id": "scale_linear", "kwargs": {"gain": 1 / 255}}
    if colours == 1:
        percentiles = {"min_percentile": BLACK_PERCENTILE, "max_percentile": WHITE_PERCENTILE}
        axes = ["channel", "y", "x"]
        by_range = {"id": "scale_range", "kwargs": {**percentiles, "axes": axes}}
    return {
        "id": "image",
        "description": "The image as it is stored, as a whole: not in tiles.",
        "axes": [
            BATCH,
            _channels(colours),
            {"type": "space", "id": "y", "size": span},
            {"type": "space", "id": "x", "size": span},
        ],
        "data": {"type": "uint8" if colours == 3 else "float32"},
        "test_tensor": {"source": tensor_file("image")},
        "preprocessing": [AS_FLOAT, by_range, AS_FLOAT],
    }


def _noise() -> dict[str, Any]:
    return {
        "id": "noise",
        "description": "Variance shot * x + floor of the normalised image, its grain and softness.",
        "axes": [BATCH, {"type": "channel", "channel_names": ["shot", "floor", "grain", "soft"]}],
        "data": {"type": "float32"},
        "test_tensor": {"source": tensor_file("noise")},
    }


def _output(name: str, description: str, colours: int) -> dict[str, Any]:
    sizes = {axis: {"tensor_id": "image", "axis_id": axis} for axis in "yx"}
    space = [{"type": "space", "id": axis, "size": size} for axis, size in sizes.items()]
    return {
        "id": name,
        "description": description,
        "axes": [BATCH, _channels(colours), *space],
        "data": {"type": "float32"},
        "test_tensor": {"source": tensor_file(name)},
    }


def page(model: Model, colours: int) -> str:
    """The documentation of a package, as Markdown."""
    levels = (
        "The package divides stored 8-bit values by 255."
        if colours == 3
        else f"The package brings the {BLACK_PERCENTILE} and {WHITE_PERCENTILE} percentiles, black "
        "and white, to 0 and 1."
    )
    parts = [
        f"# napari-lle {model.name}",
        purpose(colours),
        f"The network has {model.network.inference_parameters()} weights. {levels} Statistics of "
        "the whole image are found inside the graph: **give the image as a whole**, for tiles "
        "would each be taken for an image of their own. Any size is possible.",
        "The output `reflectance` is for looking at. `restored = reflectance * illumination * "
        "(white - black) + black`, rounded, is the input again: measure in that, not in the "
        "reflectance.",
        "What the programs of the package's users have to do, and an ONNX file whose tiles equal "
        f"the whole, is described at {REPOSITORY}/blob/main/docs/guide/export.md.",
        f"Trained on: {model.card.get('data', 'not told')}.",
    ]
    if model.network.config.knows_noise:
        parts.insert(
            3,
            "The input `noise` says how noisy the camera is: `shot = 1 / (gain (white - black))` "
            "with the gain in electrons per unit, `floor = (read_noise / (white - black))^2`, and "
            "`grain` is 1 for independent pixels; `soft` is 1 where nothing sharp is to be seen, "
            "and 0 where that is not known.",
        )
    validation = (
        "## Validation\n\nThe graph was run by onnxruntime when it was exported, and differed "
        "from the network by at most 1e-5 of the range of levels. Compare `reflectance` with what "
        f"napari-lle's `enhance(image, model={model.name!r})` returns."
    )
    return "\n\n".join([*parts, validation]) + "\n"
