"""A number for the sources of a kernel: numba's cache looks at the kernel's own file alone.

numba takes compiled code for current as long as the file of the function itself is, whatever has
changed in the files that it calls: https://github.com/numba/numba/issues/1833. What a function
closes over is a part of the key, though (numba's pull request 6097): so kernels close over this
number. It may go when numba follows calls into other files (its pull request 8396) or takes a key
of one's own (its issue 9304).
"""

from __future__ import annotations

import re
import sys
from functools import cache
from hashlib import sha256
from importlib.util import resolve_name
from pathlib import Path

KERNELS = __name__.removesuffix(".cpu.edition")
NETWORK = KERNELS.replace("kernels", "network")  # owns the literals that it shares with kernels
TAKEN = re.compile(r"^from (\.[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


@cache
def edition(kernel: str) -> int:
    """Another number as soon as a kernel's module, or one that it takes from, has changed."""
    text = "".join(_text(module) for module in sorted(sources(kernel)))
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big")


@cache
def sources(module: str) -> frozenset[str]:
    """A module, and those whose functions and numbers it compiles, however far down."""
    found = {module}
    if not module.startswith(KERNELS):
        return frozenset(found)
    for relative, names in TAKEN.findall(_text(module)):
        base = resolve_name(relative, module.rpartition(".")[0])
        within = (f"{base}.{name}" for name in re.findall(r"\w+", names))
        for each in {one if one in sys.modules else base for one in within} - {__name__}:
            if each.startswith((KERNELS, NETWORK)):
                found |= sources(each)
    return frozenset(found)


def _text(module: str) -> str:
    return Path(sys.modules[module].__file__ or "").read_text(encoding="utf-8")
