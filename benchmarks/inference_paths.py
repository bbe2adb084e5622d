"""Every path of inference on a CPU, and its rivals, as functions of an image."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from image_cases import Case, macs

from napari_lle.model import enhance, enhance_stored, kernels, load_model
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import survey
from napari_lle.model.inference.planes import AUTO_TILE, fill_plane
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.inference.stored import pictures
from napari_lle.model.network.network import pad

PLAIN = "torch, NCHW, whole"
KERNEL = "fused kernel (numba)"
LAST = torch.channels_last
SIZES = {1: "", 2: "half size, ", 4: "quarter size, "}  # of the illumination


def sci() -> torch.nn.Module:
    """A network of the shape of SCI's at inference: three 3x3 convolutions of three maps."""
    layers = [m for _ in range(3) for m in (torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.ReLU())]
    return torch.nn.Sequential(*layers).requires_grad_(False).to(memory_format=LAST)


def paths(case: Case) -> dict[str, tuple[Callable[[], object], int]]:
    """Name -> what to call, and its multiplications per pixel."""
    network = load_model(case.model).network
    rival = sci()
    colours = 3 if case.rgb else 1
    work = macs(network, colours)
    options = EnhanceOptions(model=case.model, rgb=case.rgb)
    sizes = {1: ""} if network.config.by_channel else SIZES

    def whole(layout: torch.memory_format) -> None:
        with torch.inference_mode():
            for plane in case.planes:
                seen = plane[:1] if network.config.by_channel and not case.rgb else plane
                x = pad(torch.from_numpy(seen)[None], network.radius)
                network.block(x.contiguous(memory_format=layout), case.statistics)

    def tiled(kernel: Any) -> None:
        for plane in case.planes:
            shape = (*plane.shape[1:], 3) if case.rgb else plane.shape[1:]
            out = np.empty(shape, np.float32)
            list(fill_plane(network, plane, case.statistics, out, AUTO_TILE["cpu"], kernel))

    def rivalled() -> None:
        with torch.inference_mode():
            for plane in case.planes:
                rival(torch.from_numpy(plane)[None].contiguous(memory_format=LAST))

    def enhanced(switch: str) -> None:
        os.environ[kernels.SWITCH] = switch
        in_input_dtype(enhance(case.pixels, case.model, rgb=case.rgb, device="cpu"))
        os.environ[kernels.SWITCH] = "auto"

    def stored(scale: int) -> None:
        options = {"rgb": case.rgb, "device": "cpu", "illumination_scale": scale}
        enhance_stored(case.pixels, case.model, **options)

    def pictured(scale: int) -> None:
        plan = case.plan(scale)
        list(pictures(case.pixels, plan))

    found: dict[str, tuple[Callable[[], object], int]] = {
        PLAIN: (lambda: whole(torch.contiguous_format), work),
        "torch, channels_last, whole": (lambda: whole(LAST), work),
        "torch, channels_last, tiled": (lambda: tiled(None), work),
        "enhance(), torch": (lambda: enhanced("torch"), 0),
        "levels and statistics": (lambda: survey(case.pixels, options), 0),
    }
    kernel = kernels.find(network, colours)
    if kernel is not None:
        found[KERNEL] = (lambda: tiled(kernel), work)
        for scale, name in sizes.items():
            found[f"{KERNEL}, {name}integers in and out"] = (partial(pictured, scale), 0)
        found["enhance(), kernel"] = (lambda: enhanced("auto"), 0)
        for scale, name in sizes.items():
            found[f"enhance_stored(){', ' * bool(name)}{name.strip(', ')}"] = (
                partial(stored, scale),
                0,
            )
    found["SCI's shape, channels_last"] = (rivalled, 243)
    found.update({name: (call, 0) for name, call in clahe(case).items()})
    if not case.rgb:
        found["NumPy's percentiles and asinh"] = (lambda: by_asinh(case.pixels), 0)
    return found


def by_asinh(pixels: np.ndarray) -> np.ndarray:
    """What a line of NumPy makes of measured values: between percentiles, a curve, integers."""
    low, high = np.percentile(pixels, [0.1, 99.9])
    x = ((pixels - np.float32(low)) / np.float32(high - low)).clip(0, 1)
    shown = np.arcsinh(x / np.float32(0.1)) / np.arcsinh(np.float32(10))
    return (shown * np.float32(high - low) + np.float32(low)).astype(pixels.dtype)


def clahe(case: Case) -> dict[str, Callable[[], object]]:
    from skimage.exposure import equalize_adapthist

    planes = [case.pixels] if case.rgb else list(case.pixels)
    found: dict[str, Callable[[], object]] = {
        "skimage CLAHE": lambda: [equalize_adapthist(plane) for plane in planes]
    }
    try:
        import cv2
    except ModuleNotFoundError:
        return found
    cv2.setNumThreads(torch.get_num_threads())
    equalizer = cv2.createCLAHE(2.0, (8, 8))

    def opencv() -> None:
        for plane in planes:
            if case.rgb:  # as is usual: on the lightness alone
                lab = cv2.cvtColor(plane, cv2.COLOR_RGB2LAB)
                lab[..., 0] = equalizer.apply(np.ascontiguousarray(lab[..., 0]))
                cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
            else:
                equalizer.apply(plane)

    return found | {"OpenCV CLAHE": opencv}
