"""From stored pixels to rows of colours, as the strips of a block at full size want them."""

from __future__ import annotations

from typing import Any

from numba import njit

from .edition import edition
from .lanes import whole_registers
from .reduced import FAST, normal


def build_take(*, cache: bool) -> Any:
    """Make the function that fills rows of `planes`, (colours, rows, W), from (H, W, channels).

    `rows` of the pixels go to the `places` in the planes. One plane of three channels is their
    brightest.
    """
    sources = edition(__name__)

    @njit(nogil=True, cache=cache, error_model="numpy", fastmath=FAST)
    def take(pixels, rows, places, black, span, planes):
        whole_registers()
        if sources < 0:  # never: mentioned to be a part of the cache's key, see `edition`
            return
        _, width, channels = pixels.shape
        joint = len(planes) == 1 and channels > 1
        for i in range(len(rows)):
            source = pixels[rows[i]].reshape(width * channels)
            for k in range(len(planes)):
                line = planes[k, places[i]]
                if channels == 1:
                    for x in range(width):
                        line[x] = normal(source[x], black, span)
                elif joint:
                    for x in range(width):
                        p = max(source[x * channels], source[x * channels + 1])
                        line[x] = normal(max(p, source[x * channels + 2]), black, span)
                elif channels == 3:
                    for x in range(width):
                        line[x] = normal(source[3 * x + k], black, span)
                else:
                    for x in range(width):
                        line[x] = normal(source[x * channels + k], black, span)

    return take
