"""A number for the sources that a kernel calls: numba's cache looks at the kernel's file alone.

numba takes compiled code for current as long as the file of the function itself is, whatever has
changed in the files that it calls: https://github.com/numba/numba/issues/1833. What a function
closes over is a part of the key, though (numba's pull request 6097): so kernels close over this
number. It may go when numba follows calls into other files (its pull request 8396) or takes a key
of one's own (its issue 9304).
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType


@cache
def edition(*modules: ModuleType) -> int:
    """Another number as soon as one of these modules has changed."""
    sources = b"".join(Path(m.__file__ or "").read_bytes() for m in modules)
    return int.from_bytes(sha256(sources).digest()[:6], "big")
