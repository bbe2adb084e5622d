"""What is compiled for training: one crop forward, and back again.

One compiled pair serves all networks: the numbers of maps, branches and colours are arguments.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from ..cpu.edition import edition
from ..cpu.lanes import LANES
from . import stack
from .heads import fill_view, fill_view_back, light, light_back
from .planes import geometry, room
from .stack import CHANNELS, REACH, activate_hidden, backward_stack, forward_stack


def crop_room(height: int, width: int, dilations: Any, sizes: Any) -> tuple[int, int, int, int]:
    """Numbers that planes, hidden layers, gradients and sums of a crop with its halo take."""
    shape = geometry.py_func(height, width, int(sizes[REACH]))
    channels, _, first, second, outs, _ = (int(n) for n in sizes)
    maps = len(dilations) * int(sizes[1])
    kept = channels + 2 * maps + first + second + outs
    back = 3 * channels + outs + second + first + maps
    taps = 9 * (channels * maps + (channels + maps) * first + first * second + second * outs)
    return *(room.py_func(n, shape) for n in (kept, first + second, back)), taps * LANES


def build_forward(*, cache: bool) -> Any:
    """Make the function that fills `out` with L, R or H of a crop, see `heads.light`."""
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def forward(form, divided, v, weights, bias1, bias2, dilations, sizes, scalars, kept, hidden,
                out):  # fmt: skip
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        shape = geometry(v.shape[1], v.shape[2], sizes[REACH])
        fill_view(form, v, kept, shape, scalars)
        forward_stack(kept, hidden, weights, bias1, bias2, dilations, sizes, shape)
        last = stack.plane_numbers(sizes, len(dilations))[4]
        light(form, divided, v, kept, last, shape, sizes[REACH] + 3, scalars, out)

    return forward


def build_backward(*, cache: bool) -> Any:
    """Make the function that finds all gradients of a crop; of V where `g_v` is not empty."""
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy")
    def backward(form, divided, v, weights, dilations, sizes, scalars, kept, hidden, gradients,
                 sums, g_out, g_weights, g_bias1, g_bias2, g_unit, g_v):  # fmt: skip
        if sources < 0:
            return
        shape = geometry(v.shape[1], v.shape[2], sizes[REACH])
        halo = sizes[REACH] + 3
        last = stack.plane_numbers(sizes, len(dilations))[4]
        deep = len(g_v) > 0
        through = deep or len(g_unit) > 0
        sums[:] = 0
        g_weights[:] = 0
        g_bias1[:] = 0
        g_bias2[:] = 0
        g_v[:] = 0
        unit = light_back(form, divided, v, kept, last, shape, halo, scalars, g_out, gradients,
                          2 * sizes[CHANNELS], g_v, deep)  # fmt: skip
        activate_hidden(kept, hidden, weights, len(dilations), sizes, shape)
        backward_stack(kept, hidden, gradients, weights, dilations, sizes, shape, through, sums,
                       g_weights, g_bias1, g_bias2)  # fmt: skip
        if through:
            unit += fill_view_back(form, v, gradients, shape, scalars, g_v, deep)
        if len(g_unit):
            g_unit[0] = unit

    return backward
