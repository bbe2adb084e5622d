"""The compiled functions of training: one set for all networks, of this process or on disk."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

from numba import boolean, intp

from ..cpu.compiled import INDICES, PLANES, ROW, Piece, compile_functions, load_functions
from .auxiliary import build_auxiliary, build_auxiliary_back
from .crop import build_backward, build_forward
from .paired import build_paired, build_similarity

# form, whether to divide, V, weights, the crop's own biases, dilations, sizes, scalars, planes
FORWARD = (intp, boolean, PLANES, *(ROW,) * 3, INDICES, INDICES, *(ROW,) * 3, PLANES)
BACKWARD = (intp, boolean, PLANES, ROW, INDICES, INDICES, *(ROW,) * 5, PLANES, *(ROW,) * 4)
_lock = Lock()


class Functions(NamedTuple):
    """What is done to one crop, see `crop` and `paired`."""

    forward: Any
    backward: Any
    distance: Any
    similarity: Any
    auxiliary: Any
    auxiliary_back: Any


PARTS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "forward": (build_forward, FORWARD),
    "backward": (build_backward, (*BACKWARD, PLANES)),
    "distance": (build_paired, (PLANES, PLANES, ROW, intp, PLANES)),
    "similarity": (build_similarity, (PLANES, PLANES)),
    "auxiliary": (build_auxiliary, (PLANES, ROW, intp, ROW, PLANES)),
    "auxiliary back": (
        build_auxiliary_back,
        (PLANES, ROW, intp, *(ROW,) * 3, PLANES, ROW, PLANES),
    ),
}


def load_training() -> Functions | None:
    """The kernel of training if it is compiled; never compiles."""
    with _lock:
        found = load_functions(_training_parts(), _training_maker)
        return Functions(*found.values()) if found else None


def compile_training() -> float:
    """Compile the kernel of training unless it is compiled; the seconds that this took."""
    with _lock:
        return compile_functions(_training_parts(), _training_maker)


def _training_parts() -> list[Piece]:
    return [("training", name) for name in PARTS]


def _training_maker(part: Piece) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return PARTS[part[1]]
