"""VGG16's convolutions (Simonyan and Zisserman 2014), the feature extractor of eq. 7.

No weights are bundled. They come from a file, in either of two conventions that differ in
channel order and scale; the convention is named, never guessed. `official` is torchvision's own
file, fetched once and only by `download`, which nothing calls without the user's consent.
"""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ..io.reasons import reason
from ..runtime.choices import check_choice

# Feature maps by block; "relu{block}_{layer}" names a layer's output.
VGG_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
LAYERS = tuple(
    f"relu{b}_{i}" for b, block in enumerate(VGG_BLOCKS, 1) for i in range(1, len(block) + 1)
)

OFFICIAL = "official"  # stands for the path of torchvision's file
WEIGHTS_ADDRESS = "https://download.pytorch.org/models/vgg16-397923af.pth"
HASH = "397923af"  # the first digits of its SHA-256
MEGABYTES = 528

# (channel order, scale, mean, deviation) that turn RGB 0..1 into what the weights expect.
CONVENTIONS = {
    "torchvision": ((0, 1, 2), 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": ((2, 1, 0), 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
}


class VGG16(nn.Module):
    """Frozen VGG16 up to the deepest layer asked for.

    Parameters
    ----------
    layers : sequence of str
        Outputs to return, ``"relu1_1"`` to ``"relu4_3"``.
    convention : {"torchvision", "caffe"}
        What the weights expect: RGB standardised by ImageNet's mean and deviation, or BGR in
        0..255 minus its mean.

    Raises
    ------
    ValueError
        If a layer or the convention is unknown.
    """

    order: Tensor
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        layers: tuple[str, ...] = ("relu2_2",),
        convention: Literal["torchvision", "caffe"] = "torchvision",
    ) -> None:
        super().__init__()
        unknown = [name for name in layers if name not in LAYERS]
        if unknown or not layers:
            raise ValueError(f"VGG16 layers are {LAYERS[0]} to {LAYERS[-1]}, not {unknown}.")
        check_choice("convention", convention, tuple(CONVENTIONS))
        order, self.scale, mean, deviation = CONVENTIONS[convention]
        self.register_buffer("order", torch.tensor(order), persistent=False)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)
        self.features, self.taps = _build(layers)
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Feature maps of RGB images (N, 3, H, W) in 0..1, shallowest first."""
        x = (x[:, self.order] * self.scale - self.mean) / self.deviation
        maps = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.taps:
                maps.append(x)
        return maps

    def load(self, path: str | Path) -> VGG16:
        """Fill in the weights from torchvision's ``.pth`` or a ``.safetensors`` file.

        ``official`` is torchvision's file where `download` has put it.

        The file names its tensors ``features.<i>.weight`` and ``.bias``; deeper layers than
        needed are passed over. Pickled code is never run.

        Raises
        ------
        ValueError
            If the file is missing, unreadable, or lacks a layer that is needed.
        """
        path = official_path() if path == OFFICIAL else Path(path)
        try:
            if path.suffix == ".safetensors":
                state = load_file(path)
            else:
                state = torch.load(path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise ValueError(f"There is no VGG16 weight file at {path}.") from None
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {reason(error)}.") from None
        except Exception:  # torch names what is no weight file in many ways
            state = None
        if not isinstance(state, dict):
            raise ValueError(f"{path} is not a VGG16 weight file: is it complete?")
        own = self.state_dict()
        missing = [name for name in own if name not in state]
        if missing:
            raise ValueError(f"{path} lacks {missing[0]}: choose shallower layers or another file.")
        wrong = [name for name in own if state[name].shape != own[name].shape]
        if wrong:
            raise ValueError(f"{path}: {wrong[0]} differs in shape from VGG16's.")
        self.load_state_dict({name: state[name] for name in own})
        return self


def official_path() -> Path:
    """Where torchvision's file is kept, or would be: where torchvision itself looks for it."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_ADDRESS.rpartition("/")[2]


def download() -> Path:
    """Fetch torchvision's weights, once; ask the user before.

    Raises
    ------
    ValueError
        If they cannot be fetched, or are not what torchvision published.
    """
    path = official_path()
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:  # to a temporary name, renamed when its hash is right
        torch.hub.download_url_to_file(WEIGHTS_ADDRESS, str(path), HASH)
    except (OSError, HTTPException, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"VGG16's weights could not be fetched from {WEIGHTS_ADDRESS}: {reason}"
        ) from None
    return path


def _build(layers: tuple[str, ...]) -> tuple[nn.Sequential, frozenset[int]]:
    """The convolutions with torchvision's numbering, and the positions of `layers` in them."""
    modules: list[nn.Module] = []
    taps = set()
    channels = 3
    for b, block in enumerate(VGG_BLOCKS, 1):
        for i, width in enumerate(block, 1):
            modules += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
            if f"relu{b}_{i}" in layers:
                taps.add(len(modules) - 1)
            if len(taps) == len(set(layers)):
                return nn.Sequential(*modules), frozenset(taps)
        modules.append(nn.MaxPool2d(2))
    raise AssertionError("layers are checked before")
