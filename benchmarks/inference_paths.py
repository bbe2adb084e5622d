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
from napari_lle.model.network.network import Network, pad

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
    work = macs(network, 3 if case.rgb else 1)
    options = EnhanceOptions(model=case.model, rgb=case.rgb)
    found: dict[str, tuple[Callable[[], object], int]] = {
        PLAIN: (partial(whole, case, network, torch.contiguous_format), work),
        "torch, channels_last, whole": (partial(whole, case, network, LAST), work),
        "torch, channels_last, tiled": (partial(tiled, case, network, None), work),
        "enhance(), torch": (partial(enhanced, case, "torch"), 0),
        "levels and statistics": (lambda: survey(case.pixels, options), 0),
        **compiled_paths(case, network, work),
        "SCI's shape, channels_last": (partial(rivalled, case, sci()), 243),
        **{name: (call, 0) for name, call in clahe(case).items()},
    }
    if not case.rgb:
        found["NumPy's percentiles and asinh"] = (lambda: by_asinh(case.pixels), 0)
    return found


def compiled_paths(
    case: Case, network: Network, work: int
) -> dict[str, tuple[Callable[[], object], int]]:
    """The same of what needs a kernel; empty where there is none."""
    kernel = kernels.find(network, 3 if case.rgb else 1)
    if kernel is None:
        return {}
    sizes = {1: ""} if network.config.by_channel else SIZES
    found: dict[str, tuple[Callable[[], object], int]] = {
        KERNEL: (partial(tiled, case, network, kernel), work)
    }
    for scale, name in sizes.items():
        found[f"{KERNEL}, {name}integers in and out"] = (partial(pictured, case, scale), 0)
    found["enhance(), kernel"] = (partial(enhanced, case, "auto"), 0)
    for scale, name in sizes.items():
        title = f"enhance_stored(){', ' * bool(name)}{name.strip(', ')}"
        found[title] = (partial(stored, case, scale), 0)
    return found


def whole(case: Case, network: Network, layout: torch.memory_format) -> None:
    """The network on whole planes."""
    with torch.inference_mode():
        for plane in case.planes:
            seen = plane[:1] if network.config.by_channel and not case.rgb else plane
            x = pad(torch.from_numpy(seen)[None], network.radius)
            network.block(x.contiguous(memory_format=layout), case.statistics)


def tiled(case: Case, network: Network, kernel: Any) -> None:
    """The network on tiles, or a kernel on whole planes."""
    for plane in case.planes:
        shape = (*plane.shape[1:], 3) if case.rgb else plane.shape[1:]
        out = np.empty(shape, np.float32)
        list(fill_plane(network, plane, case.statistics, out, AUTO_TILE["cpu"], kernel))


def rivalled(case: Case, rival: torch.nn.Module) -> None:
    with torch.inference_mode():
        for plane in case.planes:
            rival(torch.from_numpy(plane)[None].contiguous(memory_format=LAST))


def enhanced(case: Case, switch: str) -> None:
    os.environ[kernels.SWITCH] = switch
    in_input_dtype(enhance(case.pixels, case.model, rgb=case.rgb, device="cpu"))
    os.environ[kernels.SWITCH] = "auto"


def stored(case: Case, scale: int) -> None:
    options = {"rgb": case.rgb, "device": "cpu", "illumination_scale": scale}
    enhance_stored(case.pixels, case.model, **options)


def pictured(case: Case, scale: int) -> None:
    list(pictures(case.pixels, case.plan(scale)))


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
