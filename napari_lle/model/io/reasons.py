"""Why the system refused something, in half a sentence that a user can act on."""

from __future__ import annotations

import errno

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is used up",
    errno.EFBIG: "the disk takes no file of that size",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "you have no permission",
    errno.EPERM: "you have no permission",
    errno.ENOENT: "it or its folder is gone",
    errno.ENOTDIR: "its folder is a file",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ELOOP: "its links lead in a circle",
    **dict.fromkeys(
        (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT),
        "the disk does not answer",
    ),
}


def reason(error: OSError) -> str:
    """Why, as far as the error tells."""
    known = REASONS.get(error.errno or 0)
    return known or (error.strerror or str(error) or type(error).__name__).strip(".").lower()
