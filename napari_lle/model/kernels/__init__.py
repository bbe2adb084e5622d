"""Fast paths of inference, each held equal to `network` by a test.

On a CPU one block runs as a fused kernel that numba compiles (extra ``fast``). Compiling takes some
seconds per layout of network, once per machine, and is never done behind the user's back:
`warm_up` does it and leaves the code on disk; where there is none, torch serves. The environment
variable ``NAPARI_LLE_KERNEL=torch`` switches the kernels off.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..network import Network

SWITCH = "NAPARI_LLE_KERNEL"


def available() -> bool:
    """Whether numba is installed and not switched off."""
    return os.environ.get(SWITCH, "auto") != "torch" and find_spec("numba") is not None


def find(network: Network, colours: int) -> Any | None:
    """The kernel of a network if it is compiled, in this process or on disk.

    Parameters
    ----------
    network : Network
    colours : int
        3, or 1 where one illumination serves all channels.
    """
    if not available():
        return None
    from .compiled import load
    from .forms import layout, plain

    return load(layout(network.config, colours)) if plain(network) else None


def warm_up(models: list[str] | None = None) -> Iterator[tuple[str, float]]:
    """Compile the kernels of models, yielding (what, seconds) after each.

    Parameters
    ----------
    models : list of str, optional
        Bundled names or model files; all bundled models when not given.

    Raises
    ------
    ValueError
        If numba is not installed.
    """
    if find_spec("numba") is None:
        raise ValueError("numba is not installed: pip install 'napari-lle[fast]'.")
    from ..bundled import bundled_models
    from ..checkpoint import load_model
    from .compiled import compile_kernel
    from .forms import layout

    done = set()
    for colours in (3, 1):
        for name in bundled_models() if models is None else models:
            wanted = layout(load_model(name).network.config, colours)
            if wanted not in done:
                done.add(wanted)
                seconds = compile_kernel(wanted)
                yield f"{name}, {'per channel' if colours == 3 else 'joint'}", seconds


_background: subprocess.Popen[bytes] | None = None


def warm_up_in_background() -> None:
    """Let another process compile the kernels of the bundled models, once, where there is numba.

    A process, because compiling holds Python's lock for seconds, which a window would feel. What
    it leaves on disk is found by the next run.
    """
    global _background
    if _background is None and available():
        code = "from napari_lle.model.kernels import warm_up; list(warm_up())"
        quiet = subprocess.DEVNULL
        _background = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # of Windows
        )
