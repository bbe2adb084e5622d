"""ICC profiles: which of them describe the colours of an array."""

from __future__ import annotations

from base64 import b64decode, b64encode

SPACES = {b"RGB ": True, b"GRAY": False}


def encode_profile(profile: bytes | None, rgb: bool) -> str:
    """A profile in base64; empty where it is of other colours than those that pixels came to."""
    if not profile or SPACES.get(bytes(profile)[16:20]) is not rgb:
        return ""
    return b64encode(bytes(profile)).decode()


def decode_profile(text: str, rgb: bool) -> bytes:
    """The profile of a base64 text where it fits the pixels, else nothing."""
    profile = b64decode(text)
    return profile if SPACES.get(profile[16:20]) is rgb else b""
