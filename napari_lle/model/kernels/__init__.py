"""Fast paths of inference and training, each held equal to `network` by a test.

On a CPU one block runs as a fused kernel that numba compiles (extra ``fast``). Compiling takes some
seconds per layout of network, once per machine, and is never done behind the user's back:
`warm_up` does it and leaves the code on disk; where there is none, torch serves.

On a CUDA device the block runs as kernels that Triton compiles (extra ``cuda``) when they are first
asked for, once per machine; where that fails, torch serves, by CUDA graphs.

Training on a CPU has a kernel of its own, one for all networks: `find_training`.

The environment variable ``NAPARI_LLE_KERNEL=torch`` switches all of it off.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..network.checkpoint import Model
    from ..network.network import Network
    from ..network.weights import Weights
    from ..progress import Progress
    from .cuda.runner import Path
    from .training.network import CompiledNetwork

SWITCH = "NAPARI_LLE_KERNEL"
WINDOWS_FLAGS = ("CREATE_NO_WINDOW", "BELOW_NORMAL_PRIORITY_CLASS")


def available() -> bool:
    """Whether numba is installed and not switched off."""
    return switched_on() and find_spec("numba") is not None


def switched_on() -> bool:
    """Whether anything but plain torch may be used."""
    return os.environ.get(SWITCH, "auto") != "torch"


def find(network: Network | Weights, colours: int, device: str = "cpu") -> Any | None:
    """The kernel of a network for a kind of device, or None where plain torch serves.

    Parameters
    ----------
    network : Network or Weights
        On that device.
    colours : int
        3, or 1 where one illumination serves all channels.
    device : {"cpu", "cuda", "mps"}
        On a CPU, a kernel is found if it is compiled, in this process or on disk.
    """
    if device == "cuda" and switched_on():
        return _on_cuda(network, colours)
    if device != "cpu" or not available():
        return None
    from .cpu.compiled import load_kernel
    from .forms import layout, plain

    return load_kernel(layout(network.config, colours)) if plain(network) else None


def find_training(network: Network) -> CompiledNetwork | None:
    """The same network in training as compiled code, or None where plain torch serves.

    Parameters
    ----------
    network : Network
        What is learned is learned by it, too.
    """
    if not available() or next(network.parameters()).device.type != "cpu":
        return None
    from .forms import trainable
    from .training.compiled import load_training
    from .training.network import CompiledNetwork

    found = load_training() if trainable(network) and network.config.local else None
    return None if found is None else CompiledNetwork(network, found)


def training_kernel(network: Network) -> CompiledNetwork | None:
    """The network itself if `find_training` made it: it has a compiled objective, too."""
    return network if hasattr(network, "paired") else None  # type: ignore[return-value]


_said: set[str] = set()  # of what does not work here


def _on_cuda(network: Any, colours: int) -> Path | None:
    """Triton's kernels or, telling why the first time, torch by graphs."""
    from .cuda.graphs import Graphs
    from .forms import plain

    if not plain(network) or network.grid > 1:
        return None
    note = ""
    try:
        from .cuda.block import tried

        fused = tried(network, colours, next(network.parameters()).device)
        if fused is not None:
            return fused
    except ImportError:
        note = "Triton is not installed: torch works on cuda, which is slower."
    except Exception as error:  # whatever is wrong with a compiler, torch can do without it
        if "out of memory" in str(error):
            return Graphs(colours)  # which says what to do, if there is no memory at all
        reason = (str(error) or type(error).__name__).splitlines()[0]
        note = f"Triton's kernels do not work here ({reason}): torch works on cuda, slower."
    note = "" if note in _said else note
    _said.add(note)
    return Graphs(colours, note)


def name(kernel: Any | None) -> str:
    """Of a kernel that was found, for the record of a run."""
    return "torch" if kernel is None else getattr(kernel, "name", "numba")


def fill(
    kernel: Any,
    network: Any,
    plane: Callable[[int], tuple[Any, NDArray[Any]]],
    count: int,
    statistics: NDArray[np.float32],
    size: int,
) -> Iterator[Progress]:
    """Fill the outputs of planes of one shape by a kernel that was found.

    Parameters
    ----------
    kernel : object
        For the device that the network is on.
    network : Network or Weights
    plane : callable
        Takes an index below `count` and returns a plane, (3, H, W), see `runner.Source`, and the
        array for its illumination, (H, W) or (H, W, 3).
    count : int
    statistics : ndarray, (1, 12)
    size : int
        Longest tile side on a device that has tiles.
    """
    from ..progress import Progress

    if hasattr(kernel, "work"):
        import torch

        from .cuda.runner import stream

        figures = torch.as_tensor(statistics, device=next(network.parameters()).device)
        yield from stream(kernel, network, plane, count, figures, size)
        return
    from .cpu.runner import strips

    for i in range(count):
        x, out = plane(i)
        for done, total in strips(kernel, network, x, statistics, out):
            yield Progress(i * total + done, count * total)


def warm_up(models: Sequence[str | Model] | None = None) -> Iterator[tuple[str, float]]:
    """Compile the kernels of models, yielding (what, seconds) after each.

    Parameters
    ----------
    models : sequence of str or Model, optional
        Bundled names, model files or loaded models, the first of which is wanted soonest; when not
        given, all bundled models, then training, whose kernel is one for all networks.

    Raises
    ------
    ValueError
        If numba is not installed.
    """
    if find_spec("numba") is None:
        raise ValueError("numba is not installed: pip install 'napari-lle[fast]'.")
    from ..network.bundled import MEANT_BY_AUTO, bundled_models
    from ..network.checkpoint import load_model
    from .cpu.compiled import compile_kernel
    from .cpu.counter import compile_counter
    from .forms import layout, plain

    yield "levels", compile_counter()
    usual = sorted(bundled_models(), key=lambda name: (name not in MEANT_BY_AUTO, name))
    done = set()
    for name in usual if models is None else models:
        network, told = load_model(name).source, getattr(name, "name", name)
        for colours, how in ((3, "per channel"), (1, "joint")):
            wanted = layout(network.config, colours)
            if plain(network) and wanted not in done:
                done.add(wanted)
                yield f"{told}, {how}", compile_kernel(wanted)
    if models is None:
        from .training.compiled import compile_training

        yield "training", compile_training()


_background: subprocess.Popen[bytes] | None = None


def warm_up_in_background(first: Sequence[str] = ()) -> None:
    """Let another process compile the kernels of the bundled models, once, where there is numba.

    A process, because compiling holds Python's lock for seconds, which a window would feel, and of
    low priority; no second one while it works, see `alone`. What it leaves on disk is found by the
    next run.

    Parameters
    ----------
    first : sequence of str
        Bundled models that are wanted before all others.
    """
    global _background
    if _background is None and available():
        code = (
            "import os; getattr(os, 'nice', int)(10)\n"  # Windows is told below
            "from napari_lle.model.kernels.alone import compile_alone\n"
            f"compile_alone({list(first)!r})"
        )
        quiet = subprocess.DEVNULL
        _background = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            creationflags=sum(getattr(subprocess, name, 0) for name in WINDOWS_FLAGS),
        )
