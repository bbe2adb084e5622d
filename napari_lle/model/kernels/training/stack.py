"""H of one crop and the gradient of all that it is made of, band by band.

Planes of a crop, in this order: what H sees, the activated branches, the branches and the two
hidden layers before activation, and H. The weights are one line of numbers: taps of all branches,
their biases and slopes; taps and slopes of the two layers, whose biases are the crop's own; taps
and biases of the last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .planes import (
    CACHED_ROWS,
    activate,
    activate_back,
    clear_ends,
    conv_line,
    learn,
    learned,
    pack_back,
    pack_taps,
    reordered,
    row_run,
)

CHANNELS, WIDTH, FIRST, SECOND, OUTS, REACH = range(6)  # places in `sizes`


@reordered
def offsets(sizes: Any, branches: int) -> tuple[int, ...]:
    """Where in the line of weights things begin, and its length.

    Taps of branches, their biases, slopes, taps 1, slopes 1, taps 2, slopes 2, taps 3, biases 3.
    """
    maps = branches * sizes[WIDTH]
    spliced = sizes[CHANNELS] + maps
    bias = 9 * sizes[CHANNELS] * maps
    slopes = bias + maps
    taps1 = slopes + maps
    slopes1 = taps1 + 9 * spliced * sizes[FIRST]
    taps2 = slopes1 + sizes[FIRST]
    slopes2 = taps2 + 9 * sizes[FIRST] * sizes[SECOND]
    taps3 = slopes2 + sizes[SECOND]
    bias3 = taps3 + 9 * sizes[SECOND] * sizes[OUTS]
    return bias, slopes, taps1, slopes1, taps2, slopes2, taps3, bias3, bias3 + sizes[OUTS]


@reordered
def plane_numbers(sizes: Any, branches: int) -> tuple[int, ...]:
    """First planes of the activated branches, of all before activation, of H, and their number."""
    maps = branches * sizes[WIDTH]
    branch = sizes[CHANNELS]
    one = branch + 2 * maps
    two = one + sizes[FIRST]
    last = two + sizes[SECOND]
    return branch, branch + maps, one, two, last, last + sizes[OUTS]


@reordered
def forward_stack(planes: Any, hidden: Any, weights: Any, bias1: Any, bias2: Any, dilations: Any,
                  sizes: Any, shape: Any) -> None:  # fmt: skip
    """Fill all planes after the first ones; `hidden` has room for both hidden layers, activated."""
    count, width, reach = len(dilations), sizes[WIDTH], sizes[REACH]
    channels, first, second, outs = sizes[CHANNELS], sizes[FIRST], sizes[SECOND], sizes[OUTS]
    maps, height = count * width, shape[0]
    spliced = channels + maps
    _, slopes, _, slopes1, _, slopes2, _, _, _ = offsets(sizes, count)
    none, near = np.intp(0), np.intp(1)  # literal numbers would compile everything anew
    branch, before, one, two, last, _ = plane_numbers(sizes, count)
    each = width * (2 + 9 * channels)
    packed = np.empty((count + 3, max(each, _largest(sizes, spliced))), planes.dtype)
    _pack(weights, bias1, bias2, sizes, count, packed)
    for top in range(reach, height - reach, CACHED_ROWS):
        bottom = min(top + CACHED_ROWS, height - reach)
        line = row_run(shape, reach, top, bottom)
        for j in range(count):
            target = before + j * width
            conv_line(planes, target, width, planes, none, channels, shape, line, dilations[j],
                      packed[j])  # fmt: skip
        activate(planes, branch, planes, before, maps, shape, line, weights[slopes:])
        if bottom - 1 <= reach + 1:
            continue
        line = row_run(shape, reach + 1, max(top - 1, reach + 1), bottom - 1)
        conv_line(planes, one, first, planes, none, spliced, shape, line, near, packed[count])
        activate(hidden, none, planes, one, first, shape, line, weights[slopes1:])
        if bottom - 2 <= reach + 2:
            continue
        line = row_run(shape, reach + 2, max(top - 2, reach + 2), bottom - 2)
        conv_line(planes, two, second, hidden, none, first, shape, line, near, packed[count + 1])
        activate(hidden, first, planes, two, second, shape, line, weights[slopes2:])
        if bottom - 3 <= reach + 3:
            continue
        line = row_run(shape, reach + 3, max(top - 3, reach + 3), bottom - 3)
        conv_line(planes, last, outs, hidden, first, second, shape, line, near, packed[count + 2])
    clear_ends(planes, branch, 2 * maps, shape, reach, reach)
    clear_ends(planes, one, first, shape, reach + 1, reach)
    clear_ends(planes, two, second, shape, reach + 2, reach)


@reordered
def _pack(weights: Any, bias1: Any, bias2: Any, sizes: Any, count: int, packed: Any) -> None:
    """The branches, and the three layers after them, one in each line of `packed`."""
    channels, width, first = sizes[CHANNELS], sizes[WIDTH], sizes[FIRST]
    second, outs, spliced = sizes[SECOND], sizes[OUTS], channels + count * width
    bias, _, taps1, _, taps2, _, taps3, bias3, _ = offsets(sizes, count)
    for j in range(count):
        own = weights[j * width * 9 * channels :]
        pack_taps(own, width, channels, weights[bias + j * width :], packed[j])
    pack_taps(weights[taps1:], first, spliced, bias1, packed[count])
    pack_taps(weights[taps2:], second, first, bias2, packed[count + 1])
    pack_taps(weights[taps3:], outs, second, weights[bias3:], packed[count + 2])


@reordered
def _pack_back(weights: Any, sizes: Any, count: int, skip: int, packed: Any) -> None:
    """The three layers on the way back, the last one first; the first one from `skip` inputs on."""
    first, second, outs, none = sizes[FIRST], sizes[SECOND], sizes[OUTS], np.intp(0)
    _, _, taps1, _, taps2, _, taps3, _, _ = offsets(sizes, count)
    pack_back(weights[taps3:], outs, second, none, packed[0])
    pack_back(weights[taps2:], second, first, none, packed[1])
    pack_back(weights[taps1:], first, sizes[CHANNELS] + count * sizes[WIDTH], skip, packed[2])


@reordered
def _places_of_sums(sizes: Any, count: int) -> tuple[int, int, int]:
    """Where the sums of the three layers begin, after those of the branches."""
    maps = count * sizes[WIDTH]
    one = 9 * sizes[CHANNELS] * maps
    two = one + 9 * (sizes[CHANNELS] + maps) * sizes[FIRST]
    return one, two, two + 9 * sizes[FIRST] * sizes[SECOND]


@reordered
def _learn_taps(sums: Any, sizes: Any, count: int, g_weights: Any) -> None:
    """The gradients of all taps from their sums."""
    channels, width, first = sizes[CHANNELS], sizes[WIDTH], sizes[FIRST]
    second, outs, spliced = sizes[SECOND], sizes[OUTS], channels + count * width
    _, _, taps1, _, taps2, _, taps3, _, _ = offsets(sizes, count)
    nine1, nine2, nine3 = _places_of_sums(sizes, count)
    for j in range(count):
        at = 9 * channels * width * j
        learned(sums, at, width, channels, g_weights[at:])
    learned(sums, nine1, first, spliced, g_weights[taps1:])
    learned(sums, nine2, second, first, g_weights[taps2:])
    learned(sums, nine3, outs, second, g_weights[taps3:])


@reordered
def _largest(sizes: Any, spliced: int) -> int:
    """Numbers of the largest of the packed layers, either way."""
    wide = max(sizes[FIRST], sizes[SECOND], sizes[OUTS], spliced)
    return wide * (2 + 9 * wide)


@reordered
def backward_stack(planes: Any, hidden: Any, gradients: Any, weights: Any, dilations: Any,
                   sizes: Any, shape: Any, deep: bool, sums: Any, g_weights: Any, g_bias1: Any,
                   g_bias2: Any) -> None:  # fmt: skip
    """Gradients of weights and biases from that of H; of what H sees if `deep`.

    Planes of `gradients`: those of what H sees, as many to work with, of H, of the second and the
    first hidden layer, of what H sees past the branches, and of these. What lies beside the pixels
    of the last four is 0, and stays so.
    """
    count, width, reach = len(dilations), sizes[WIDTH], sizes[REACH]
    channels, first, second, outs = sizes[CHANNELS], sizes[FIRST], sizes[SECOND], sizes[OUTS]
    maps, height = count * width, shape[0]
    spliced = channels + maps
    bias, slopes, _, slopes1, _, slopes2, _, bias3, _ = offsets(sizes, count)
    none, near = np.intp(0), np.intp(1)
    _, before, one, two, _, _ = plane_numbers(sizes, count)
    skip = none if deep else channels
    packed = np.empty((3, _largest(sizes, spliced)), planes.dtype)
    _pack_back(weights, sizes, count, skip, packed)
    g_last, g_two = 2 * channels, 2 * channels + outs
    g_one, g_past = g_two + second, g_two + second + first
    g_branch = g_past + channels
    nine1, nine2, nine3 = _places_of_sums(sizes, count)
    for top in range(reach + 2, height - reach + 2, CACHED_ROWS):
        bottom = min(top + CACHED_ROWS, height - reach + 2)
        rows = max(top, reach + 3), min(bottom, height - reach - 3)
        if rows[0] < rows[1]:
            learn(sums, nine3, gradients, g_last, outs, hidden, first, second, shape, rows, near)
            total_of(gradients, g_last, outs, shape, rows, g_weights[bias3:])
        rows = max(top, reach + 2), min(bottom, height - reach - 2)
        if rows[0] < rows[1]:
            line = rows[0] * shape[2], (rows[1] - rows[0]) * shape[2]
            conv_line(
                gradients, g_two, second, gradients, g_last, outs, shape, line, near, packed[0]
            )
            activate_back(gradients, g_two, planes, two, second, shape, rows, weights[slopes2:],
                          g_weights[slopes2:], g_bias2)  # fmt: skip
            learn(sums, nine2, gradients, g_two, second, hidden, none, first, shape, rows, near)
        rows = max(top - 1, reach + 1), min(bottom - 1, height - reach - 1)
        if rows[0] < rows[1]:
            line = rows[0] * shape[2], (rows[1] - rows[0]) * shape[2]
            conv_line(
                gradients, g_one, first, gradients, g_two, second, shape, line, near, packed[1]
            )
            activate_back(gradients, g_one, planes, one, first, shape, rows, weights[slopes1:],
                          g_weights[slopes1:], g_bias1)  # fmt: skip
            learn(sums, nine1, gradients, g_one, first, planes, none, spliced, shape, rows, near)
        rows = max(top - 2, reach), bottom - 2
        if rows[0] < rows[1]:
            line = rows[0] * shape[2], (rows[1] - rows[0]) * shape[2]
            conv_line(gradients, g_past + skip, spliced - skip, gradients, g_one, first, shape,
                      line, near, packed[2])  # fmt: skip
            activate_back(gradients, g_branch, planes, before, maps, shape, rows, weights[slopes:],
                          g_weights[slopes:], g_weights[bias:])  # fmt: skip
            for j in range(count):
                learn(sums, 9 * channels * width * j, gradients, g_branch + j * width, width,
                      planes, none, channels, shape, rows, dilations[j])  # fmt: skip
    _learn_taps(sums, sizes, count, g_weights)
    if deep:
        _through_branches(gradients, g_past, weights, dilations, sizes, shape)


@reordered
def total_of(planes: Any, plane: int, count: int, shape: Any, rows: Any, totals: Any) -> None:
    """Add the sums of planes' rows."""
    pitch, stride, lead = shape[2], shape[3], shape[4]
    for k in range(count):
        line = planes[lead + (plane + k) * stride + rows[0] * pitch :][
            : (rows[1] - rows[0]) * pitch
        ]
        total = totals[k]
        for x in range(len(line)):
            total += line[x]
        totals[k] = total


@reordered
def _through_branches(gradients: Any, past: int, weights: Any, dilations: Any, sizes: Any,
                      shape: Any) -> None:  # fmt: skip
    """Fill the first planes: what reaches the input of H past its branches and through them."""
    height, _, pitch, stride, lead = shape
    channels, width = sizes[CHANNELS], sizes[WIDTH]
    packed = np.empty(channels * (2 + 9 * width), gradients.dtype)
    for j in range(len(dilations)):
        pack_back(weights[9 * channels * width * j :], width, channels, np.intp(0), packed)
        branch = past + channels + j * width
        for top in range(0, height, CACHED_ROWS):
            bottom = min(top + CACHED_ROWS, height)
            line = top * pitch, (bottom - top) * pitch
            conv_line(gradients, channels, channels, gradients, branch, width, shape, line,
                      dilations[j], packed)  # fmt: skip
            for k in range(channels):
                total = gradients[lead + k * stride + line[0] :][: line[1]]
                before = gradients[lead + (k if j else past + k) * stride + line[0] :][: line[1]]
                more = gradients[lead + (channels + k) * stride + line[0] :][: line[1]]
                for x in range(line[1]):
                    total[x] = before[x] + more[x]


@reordered
def activate_hidden(
    planes: Any, hidden: Any, weights: Any, branches: int, sizes: Any, shape: Any
) -> None:
    """Fill `hidden` again, from the layers before activation."""
    height, reach = shape[0], sizes[REACH]
    _, _, _, slopes1, _, slopes2, _, _, _ = offsets(sizes, branches)
    _, _, one, two, _, _ = plane_numbers(sizes, branches)
    first, second = sizes[FIRST], sizes[SECOND]
    rows = reach + 1, height - reach - 1
    line = rows[0] * shape[2] - reach, (rows[1] - rows[0]) * shape[2] + 2 * reach
    activate(hidden, np.intp(0), planes, one, first, shape, line, weights[slopes1:])
    activate(hidden, first, planes, two, second, shape, line, weights[slopes2:])
