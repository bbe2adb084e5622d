"""A model file: weights, configuration and training card in one safetensors file.

Nothing in such a file is code; loading one never unpickles, and reads arrays, without torch.
Writing goes to a temporary name first, so that a file is whole or absent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..io.atomic import atomic_path
from ..io.reasons import reason
from .bundled import MODEL_SUFFIX, bundled_models, bundled_path, located
from .config import ConfigError, NetworkConfig, UnknownOption
from .extent import weight_shapes
from .weights import Weights

if TYPE_CHECKING:
    from .network import Network

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
    source : Weights or Network
        What the file holds, or a network in evaluation mode, on the CPU, float32.
    card : dict
        How it was trained: data, licence, command, scores.
    digest : str
        First 12 hexadecimal digits of the file's SHA-256.
    auxiliary : bool
        The file holds the auxiliary block, which only training and the stages after the first need.
    """

    name: str
    source: Weights | Network
    card: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    auxiliary: bool = True

    @property
    def config(self) -> NetworkConfig:
        """Of the network."""
        return self.source.config

    @cached_property
    def network(self) -> Network:
        """The network in torch, which is loaded with it."""
        if not isinstance(self.source, Weights):
            return self.source
        from .network import Network

        return Network.of_weights(self.source)


def save_model(path: str | Path, network: Network, card: dict[str, Any]) -> None:
    """Write weights, configuration and card; an existing file is replaced only when complete."""
    metadata = {
        "format": FORMAT,
        "config": json.dumps(network.config.to_dict()),
        "card": json.dumps(card),  # escaped, for names of files may be no text
    }
    tensors = {k: v.detach().cpu().numpy() for k, v in network.state_dict().items()}
    content = save({k: np.asarray(v, order="C") for k, v in tensors.items()}, metadata)
    with atomic_path(Path(path)) as temporary:
        temporary.write_bytes(content)


def load_model(model: str | Path | Model = "photo") -> Model:
    """Load a bundled model by name or any model by file.

    Parameters
    ----------
    model : str, Path or Model
        A bundled name, the name of one in the folder ``NAPARI_LLE_MODELS`` of the environment, a
        path ending in ``.safetensors``, or a loaded model (returned as it is).

    Raises
    ------
    CheckpointError
        If there is no such model, or the file is damaged or not one of ours.
    """
    if isinstance(model, Model):
        return model
    model = located(model)
    if str(model) in bundled_models():
        with bundled_path(str(model)) as path:
            return _load_file(path, str(model))
    path = Path(model)
    if path.suffix != MODEL_SUFFIX:
        names = ", ".join(bundled_models())
        raise CheckpointError(
            f"There is no model {model!s}: choose {names} or a {MODEL_SUFFIX} file."
        )
    if not path.is_file():
        raise CheckpointError(f"There is no model file at {path}.")
    return _load_file(path, path.stem)


def recent_model(model: str | Path | Model) -> Model:
    """`load_model` for inference: of a file that has not changed, the model that was loaded before.

    Its network is shared: it is not to be trained or moved to a device.
    """
    if isinstance(model, Model):
        return model
    model = located(model)
    if str(model) in bundled_models():
        return _remembered(str(model), ())
    try:
        status = Path(model).stat()
    except OSError:
        return load_model(model)  # which says what is wrong
    return _remembered(str(model), (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=8)
def _remembered(model: str, identity: tuple[int, ...]) -> Model:
    return load_model(model)


def _load_file(path: Path, name: str) -> Model:
    content, metadata, arrays = _read_checkpoint(path)
    _check_format(path, metadata.get("format", ""))
    try:
        config = NetworkConfig.from_dict(json.loads(metadata["config"]))
        card = json.loads(metadata["card"])
    except UnknownOption as error:
        raise CheckpointError(
            f"{path} is of a newer version, with a network option {error.name} that this one does "
            "not know: update napari-lle."
        ) from None
    except (KeyError, ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, ConfigError) else "its description cannot be read."
        raise CheckpointError(f"{path} is damaged: {told}") from None
    auxiliary, shapes = any(key.startswith(AUXILIARY) for key in arrays), weight_shapes(config)
    if not auxiliary:
        silent = {key: shape for key, shape in shapes.items() if key.startswith(AUXILIARY)}
        arrays |= {key: np.zeros(shape, np.float32) for key, shape in silent.items()}
    if shapes != {key: value.shape for key, value in arrays.items()}:
        raise CheckpointError(f"{path} is damaged: its weights are not those of its network.")
    if not isinstance(card, dict):
        raise CheckpointError(f"{path} is damaged: its card holds no names.")
    if not all(np.isfinite(each).all() for each in arrays.values()):
        raise CheckpointError(f"{path} holds weights that are not finite: its training failed.")
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Model(name, Weights(config, arrays), card, digest, auxiliary)


def _read_checkpoint(path: Path) -> tuple[bytes, dict[str, str], dict[str, NDArray[np.float32]]]:
    """Content, metadata and weights of a file."""
    try:
        content = path.read_bytes()
        with safe_open(path, framework="np") as file:
            found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            arrays = {key: value.astype(np.float32) for key, value in found.items()}
            return content, file.metadata() or {}, arrays
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {reason(error)}.") from None
    except (SafetensorError, TypeError):  # of numbers that NumPy does not have
        raise CheckpointError(
            f"{path} is not a readable model file: is it complete, and was it written by "
            "napari-lle?"
        ) from None


def _check_format(path: Path, given: str) -> None:
    """Raise CheckpointError unless this version knows the format."""
    if given == FORMAT:
        return
    kind, _, number = FORMAT.partition("/")
    if given.startswith(f"{kind}/"):
        raise CheckpointError(
            f"{path} was written by a newer version of napari-lle (model format "
            f"{given.removeprefix(f'{kind}/')}, this one reads {number}): update napari-lle."
        )
    raise CheckpointError(f"{path} was not written by napari-lle: choose one of its models.")
