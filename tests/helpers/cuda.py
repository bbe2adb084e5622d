"""Networks, images and kernels for the tests of the CUDA path, which need Triton."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from helpers.models import FORMS, random_model
from napari_lle.model import load_model
from napari_lle.model.network.network import pad

pytest.importorskip("triton", reason="needs Triton: pip install 'napari-lle[cuda]'")
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cuda.block import Fused
from napari_lle.model.kernels.cuda.runner import stream

WHERE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ON_DEVICE = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
STATISTICS = torch.tensor([[0.1, 0.2, 0.7, -0.1, 0.2, 0.3, 0.05, 0.08]], device=WHERE)
KINDS = {**{form: {"form": form} for form in FORMS}, "sigmoid": {"positivity": "sigmoid"}}
rng = np.random.default_rng(0)


def model(name, **config):
    made = random_model(**KINDS[name], **config) if name in KINDS else load_model(name)
    made.network.to(WHERE)
    return made


def picture(colours, shape):
    return rng.gamma(2, 0.1, (colours, *shape)).clip(0, 1).astype(np.float32)


def photograph(shape, dtype=np.uint8):
    return (rng.gamma(2, 0.1, shape).clip(0, 1) * np.iinfo(dtype).max).astype(dtype)


def fused(network, colours, block=(32, 64), **options):
    return Fused(forms.layout(network.config, colours), block=block, **options)


def run(path, network, x, shape, dtype=np.float32, size=512):
    out = np.zeros(shape, dtype)
    list(stream(path, network, lambda _: (x, out), 1, STATISTICS, size))
    return out


def by_torch(network, x):
    """The reference, always of the processor."""
    block = deepcopy(network.block).cpu()
    whole = torch.from_numpy(np.broadcast_to(x, (3, *x.shape[1:])).copy())[None]
    with torch.inference_mode():
        light = block(pad(whole, network.radius), STATISTICS.cpu())[0].numpy()
    return np.moveaxis(light, 0, -1) if len(x) == 3 else light.mean(axis=0)
