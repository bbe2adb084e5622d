"""One block of the network in one pass over a strip of the image.

Rows travel through four small rings: image, features, first and second hidden layer. As soon as
a row of one is complete, the row of the next that waited for it is made, so that everything but
the image itself stays in cache and no memory grows with the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..forms import GUIDING
from .edition import edition
from .elementary import compiled, inlined
from .lanes import LARGEST, convolve
from .pointwise import PITCH, copy, end_row, guide, read, view_row, whole_blocks, write

if TYPE_CHECKING:
    from ...network.config import NetworkConfig

ANSWERS = 3  # of H, but for guiding, which has one more
ANSWER_ROWS = 6  # rows of H's answers, and of the pixels' colours


def widest(halo: int) -> int:
    """Longest output row that the rings can hold."""
    return PITCH - 2 * halo - 2 * LARGEST


@inlined
def next_row(out, start, maps, source, y, channels, weights, length):
    """Row y of a hidden layer, or of the last one, from the three rows around it in a ring."""
    above = ((y - 1) % 3) * channels * PITCH
    here = (y % 3) * channels * PITCH
    below = ((y + 1) % 3) * channels * PITCH
    convolve(
        out, start, PITCH, source, above, here, below, PITCH, channels, 1, weights, length, maps
    )


@inlined
def see_row(form, line, pixels, columns, inner, scalars):
    """One colour of a row of the image, with its halo, as the convolutions see it."""
    read(line, pixels, columns, inner)
    view_row(form, line, scalars[0], scalars[1])


@inlined
def splice(features, image, f, slots, colours, branch, dilations, branches, reach, length):
    """Row f of the features: the image's row, then each branch of the rows around it."""
    here = (f % 3) * (colours + branch * len(dilations)) * PITCH
    for k in range(colours):
        copy(
            features[here + k * PITCH :],
            image[((f % slots) * colours + k) * PITCH + reach :],
            length,
        )
    ring = colours * PITCH
    for j in range(len(dilations)):
        step = dilations[j]
        out = here + (colours + j * branch) * PITCH
        above = ((f - step) % slots) * ring + reach - step
        middle = (f % slots) * ring + reach - step
        below = ((f + step) % slots) * ring + reach - step
        convolve(features, out, PITCH, image, above, middle, below, PITCH, colours, step,
                 branches[j], length, branch)  # fmt: skip


def ring_rows(reach, colours, spliced, first, second, outputs):
    """Rows of the image, the features, the hidden layers, and H's answer, in one memory."""
    slots = max(2 * reach + 1, reach + 4)
    return slots * colours, 3 * spliced, 3 * first, 3 * second, outputs


_ring_rows = compiled(ring_rows)


@compiled
def cut_rings(memory, reach, colours, spliced, first, second, outputs):
    """The five rings, one after another in a memory of that size."""
    image, features, hidden1, hidden2, last = _ring_rows(
        reach, colours, spliced, first, second, outputs
    )
    a, b = image * PITCH, (image + features) * PITCH
    c, d = b + hidden1 * PITCH, b + (hidden1 + hidden2) * PITCH
    return memory[:a], memory[a:b], memory[b:c], memory[c:d], memory[d : d + last * PITCH]


@compiled
def new_rings(reach, colours, spliced, first, second, outputs):
    """The same in a memory of their own."""
    image, features, hidden1, hidden2, last = _ring_rows(
        reach, colours, spliced, first, second, outputs
    )
    memory = np.zeros((image + features + hidden1 + hidden2 + last) * PITCH, np.float32)
    return cut_rings(memory, reach, colours, spliced, first, second, outputs)


def ring_memory(config: NetworkConfig, colours: int) -> NDArray[np.float32]:
    """What a strip keeps of one run to the next."""
    count = len(config.dilations)
    rows = ring_rows(max(config.dilations), colours, colours + config.branch_width * count,
                     *config.widths, ANSWER_ROWS)  # fmt: skip
    return np.zeros(sum(rows) * PITCH, np.float32)


@inlined
def see_rows(form, image, slot, source, row, columns, inner, colours, scalars):
    """Fill a slot of the image's ring with what H sees of a row, in every colour."""
    length = whole_blocks(len(columns))
    for k in range(colours):
        line = image[(slot * colours + k) * PITCH :][:length]
        see_row(form, line, source[k, row], columns, inner, scalars)


@inlined
def advance(i, reach, width, colours, branch, first, second, outputs, rings, weights):
    """Make what row i of the image completes; whether it completes a row of H, in the last ring."""
    image, features, hidden1, hidden2, last = rings
    dilations, branches, w1, w2, w3 = weights
    slots = len(image) // (colours * PITCH)
    spliced = colours + branch * len(dilations)
    f = i - reach  # row of the features, counted as the image's
    if f < reach:
        return False
    splice(features, image, f, slots, colours, branch, dilations, branches, reach, width + 6)
    g = f - 1
    if g < reach + 1:
        return False
    start = (g % 3) * first * PITCH
    next_row(hidden1, start, first, features, g, spliced, w1, width + 4)
    h = g - 1
    if h < reach + 2:
        return False
    start = (h % 3) * second * PITCH
    next_row(hidden2, start, second, hidden1, h, first, w2, width + 2)
    if h < reach + 4:
        return False
    next_row(last, 0, outputs, hidden2, h - 1, second, w3, width)
    return True


@inlined
def keep_row(out, last, outputs, row, left, width):
    """H's answers of a row, in planes below each other."""
    for k in range(outputs):
        copy(out[k * (len(out) // outputs) + row, left:], last[k * PITCH :], width)


@inlined
def finish_row(form, out, last, source, row, left, width, colours, scalars):
    """The illumination of a row from H, in the first lines of `last`, and the image's pixels."""
    for k in range(3):
        copy(last[(3 + k) * PITCH :], source[min(k, colours - 1), row][left:], width)
    end_row(form, last, whole_blocks(width), scalars)
    write(out[colours * left :], last, width, colours)


def build(
    form: int, colours: int, branch: int, first: int, second: int, reduced: bool, *, cache: bool
) -> Any:
    """Make the strip function of a layout; weights are arguments, so that one serves all models.

    A strip goes through it part by part, for what is between is kept in `memory`: `part` is the
    range of rows to read, counted with the halo from the strip's first; `rows` says where in the
    source they lie, `out` begins with row `corner[0]` of the results.

    Parameters
    ----------
    form : int
        One of `forms`.
    colours : int
        3, or 1 where one illumination serves all.
    branch, first, second : int
        Feature maps of a branch and of the two hidden layers.
    reduced : bool
        Of a smaller image, for which H itself is the answer, in planes below each other; in
        guiding what follows from it, see `guiding`.
    cache : bool
        Keep the compiled code on disk.
    """
    sources = edition(__name__)
    outputs = ANSWERS + 1 if form == GUIDING else ANSWERS
    pitch = PITCH if colours == 3 else 0  # one row of means stands for three

    @njit(nogil=True, cache=cache, error_model="numpy")
    def strip(
        source, rows, part, columns, inner, out, corner, memory,
        dilations, branches, w1, w2, w3, scalars,
    ):  # fmt: skip
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        top, left = corner
        reach = max(dilations)
        halo = reach + 3
        width = len(columns) - 2 * halo
        spliced = colours + branch * len(dilations)
        rings = cut_rings(memory, reach, colours, spliced, first, second, ANSWER_ROWS)
        weights = dilations, branches, w1, w2, w3
        image, last = rings[0], rings[4]
        slots = len(image) // (colours * PITCH)
        for i in range(part[0], part[1]):
            see_rows(form, image, i % slots, source, rows[i], columns, inner, colours, scalars)
            if not advance(
                i, reach, width, colours, branch, first, second, outputs, rings, weights
            ):
                continue
            y = i - 2 * halo - top
            if reduced:
                if form == GUIDING:
                    seen = image[((i - halo) % slots) * colours * PITCH + halo :]
                    guide(last, seen, pitch, whole_blocks(width))
                keep_row(out, last, outputs, y, left, width)
            else:
                row = rows[i - halo]
                finish_row(form, out[y], last, source, row, left, width, colours, scalars)

    return strip
