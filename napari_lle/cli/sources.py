"""The images of a file that a command works on: all, one that was chosen, or the first, said so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .console import say, say_which

if TYPE_CHECKING:
    from ..model.io.metadata import Picture


def say_if_made(source: Path, picture: Picture) -> None:
    """Tell the user where an input is a result itself."""
    from ..model.io.roles import word_of

    if picture.record:
        say(f"{source} is {word_of(picture.record)} already: take its input instead.", error=True)


def read_for(source: Path, targets: Iterable[Path], image: int | None) -> list[Picture]:
    """Read what is to be written to `targets`: all images, where each of those can hold several.

    Otherwise it is image number `image`, or the first, and the user is told of the others. What
    is too large to be worked on as a whole is refused before it is read.
    """
    from ..model.io.files import holds_several, read_image, read_images
    from ..model.io.memory import ENHANCE

    picture = read_image(source, image=image or 1, use=ENHANCE)
    say_if_made(source, picture)
    if picture.images == 1 or image is not None:
        return [picture]
    if not all(map(holds_several, targets)):
        say_which(source, picture)
        return [picture]
    return read_images(source, picture, ENHANCE)
