"""The auxiliary block K of one crop and its gradient, see `network.AuxiliaryBlock`.

Planes of a crop: its reflectance with two more pixels on each side, the hidden layer, K. Weights:
taps and biases of the first, then of the second convolution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ..cpu.edition import edition
from ..cpu.lanes import GROUP, LANES
from .heads import NO_FORM, fill_view, put_planes, take_planes
from .planes import (
    activate_back,
    clear_ends,
    conv_line,
    geometry,
    learn,
    learned,
    pack_back,
    pack_taps,
    reordered,
    room,
    row_run,
)
from .stack import total_of

AUXILIARY_HALO = 2


def auxiliary_room(height: int, width: int, channels: int, maps: int) -> tuple[int, int, int]:
    """Numbers that planes, gradients and sums of a crop with its halo take."""
    shape = geometry.py_func(height, width, 1)
    count = room.py_func(2 * channels + maps, shape)
    return count, count, 18 * channels * maps * LANES


@reordered
def _relu(packed: Any, maps: int, channels: int) -> None:
    """Let a packed layer pass nothing that is below zero."""
    place = 0
    for k in range(0, maps, GROUP):
        some = min(GROUP, maps - k)
        packed[place + some : place + 2 * some] = 0
        place += some * (2 + 9 * channels)


def build_auxiliary(*, cache: bool) -> Any:
    """Make the function that fills `out` with K of a crop."""
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def auxiliary(v, weights, maps, kept, out):
        if sources < 0:  # never; mentioned to be a part of the cache's key
            return
        channels = len(v)
        none, near = np.intp(0), np.intp(1)
        shape = geometry(v.shape[1], v.shape[2], near)
        taps = 9 * channels * maps
        packed = np.empty((2, (maps + channels) * (2 + 9 * (maps + channels))), v.dtype)
        pack_taps(weights, maps, channels, weights[taps:], packed[0])
        _relu(packed[0], maps, channels)
        second = weights[taps + maps :]
        pack_taps(second, channels, maps, second[taps:], packed[1])
        fill_view(np.intp(NO_FORM), v, kept, shape, weights)
        line = row_run(shape, near, near, shape[0] - 1)
        conv_line(kept, channels, maps, kept, none, channels, shape, line, near, packed[0])
        clear_ends(kept, channels, maps, shape, near, near)
        line = row_run(shape, near + 1, near + 1, shape[0] - 2)
        conv_line(
            kept, channels + maps, channels, kept, channels, maps, shape, line, near, packed[1]
        )
        take_planes(kept, channels + maps, shape, near + 1, out)

    return auxiliary


def build_auxiliary_back(*, cache: bool) -> Any:
    """Make the function that finds the gradients of K's weights and of what it sees."""
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def auxiliary_back(v, weights, maps, kept, gradients, sums, g_out, g_weights, g_v):
        if sources < 0:
            return
        channels = len(v)
        none, near = np.intp(0), np.intp(1)
        shape = geometry(v.shape[1], v.shape[2], near)
        height, pitch = shape[0], shape[2]
        taps = 9 * channels * maps
        second = taps + maps
        sums[:] = 0
        g_weights[:] = 0
        packed = np.empty((maps + channels) * (2 + 9 * (maps + channels)), v.dtype)
        zeros, unused = np.zeros(maps, v.dtype), np.zeros(maps, v.dtype)
        put_planes(gradients, channels, shape, near + 1, g_out)
        rows = near + 1, height - 2
        total_of(gradients, channels, channels, shape, rows, g_weights[second + taps :])
        learn(sums, taps, gradients, channels, channels, kept, channels, maps, shape, rows, near)
        pack_back(weights[second:], channels, maps, none, packed)
        rows = near, height - 1
        line = rows[0] * pitch, (rows[1] - rows[0]) * pitch
        conv_line(
            gradients, 2 * channels, maps, gradients, channels, channels, shape, line, near, packed
        )
        activate_back(gradients, 2 * channels, kept, channels, maps, shape, rows, zeros, unused,
                      g_weights[taps:])  # fmt: skip
        learn(sums, none, gradients, 2 * channels, maps, kept, none, channels, shape, rows, near)
        learned(sums, none, maps, channels, g_weights)
        learned(sums, taps, channels, maps, g_weights[second:])
        pack_back(weights, maps, channels, none, packed)
        line = none, height * pitch
        conv_line(
            gradients, none, channels, gradients, 2 * channels, maps, shape, line, near, packed
        )
        take_planes(gradients, none, shape, none, g_v)

    return auxiliary_back
