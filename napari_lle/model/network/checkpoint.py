"""A model file: weights, configuration and training card in one safetensors file.

Nothing in such a file is code; loading one never unpickles. Writing goes to a temporary name
first, so that a file is whole or absent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..io.atomic import atomic_path
from .bundled import SUFFIX, bundled_models, bundled_path
from .network import Network, NetworkConfig

FORMAT = "napari-lle/1"
AUXILIARY = "auxiliary."  # how its tensors' names begin


class CheckpointError(ValueError):
    """A model file that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Model:
    """A network ready for inference and where it came from.

    Attributes
    ----------
    name : str
        Bundled name or the file's stem.
    network : Network
        In evaluation mode, on the CPU, float32.
    card : dict
        How it was trained: data, licence, command, scores.
    digest : str
        First 12 hexadecimal digits of the file's SHA-256.
    auxiliary : bool
        The file holds the auxiliary block, which only training and the stages after the first need.
    """

    name: str
    network: Network
    card: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    auxiliary: bool = True


def save_model(path: str | Path, network: Network, card: dict[str, Any]) -> None:
    """Write weights, configuration and card; an existing file is replaced only when complete."""
    metadata = {
        "format": FORMAT,
        "config": json.dumps(network.config.to_dict()),
        "card": json.dumps(card, ensure_ascii=False),
    }
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    content = save(tensors, metadata)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(content)


def load_model(model: str | Path | Model = "photo") -> Model:
    """Load a bundled model by name or any model by file.

    Parameters
    ----------
    model : str, Path or Model
        A bundled name, a path ending in ``.safetensors``, or a loaded model (returned as it is).

    Raises
    ------
    CheckpointError
        If there is no such model, or the file is damaged or not one of ours.
    """
    if isinstance(model, Model):
        return model
    if str(model) in bundled_models():
        with bundled_path(str(model)) as path:
            return _load(path, str(model))
    path = Path(model)
    if path.suffix != SUFFIX:
        names = ", ".join(bundled_models())
        raise CheckpointError(f"There is no model {model!s}: choose {names} or a {SUFFIX} file.")
    if not path.is_file():
        raise CheckpointError(f"There is no model file at {path}.")
    return _load(path, path.stem)


def _load(path: Path, name: str) -> Model:
    try:
        content = path.read_bytes()
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable model file: {error}") from None
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path} was not written by napari-lle: choose one of its models.")
    try:
        network = Network(NetworkConfig.from_dict(json.loads(metadata["config"])))
        auxiliary = any(key.startswith(AUXILIARY) for key in tensors)
        if not auxiliary:
            silent = network.auxiliary.state_dict(prefix=AUXILIARY)
            tensors |= {key: torch.zeros_like(value) for key, value in silent.items()}
        network.load_state_dict(tensors)
        card = json.loads(metadata["card"])
        if not isinstance(card, dict):
            raise ValueError("its card holds no names")
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path} is damaged: {str(error).splitlines()[0]}") from None
    if not all(torch.isfinite(t).all() for t in tensors.values()):
        raise CheckpointError(f"{path} holds weights that are not finite: its training failed.")
    network.requires_grad_(False).eval()
    return Model(name, network, card, hashlib.sha256(content).hexdigest()[:12], auxiliary)
