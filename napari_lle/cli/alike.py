"""What is found once of all files of a command whose look treats them alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..model.inference.looks import PUBLICATION

if TYPE_CHECKING:
    from ..model.inference.options import EnhanceOptions
    from ..model.inference.survey import Survey
    from ..model.io.metadata import Picture


def survey_of_files(
    sources: list[Path], options: EnhanceOptions, image: int | None
) -> Survey | None:
    """The levels and the curve that all images of several files share; None where each has its own.

    Raises
    ------
    ValueError
        If the images are not of one kind.
    """
    if options.look != PUBLICATION:
        return None
    pictures = [picture for source in sources for picture in _pictures(source, image)]
    if len(pictures) < 2:
        return None
    from ..model.inference.alike import common_survey

    if len({picture.rgb for picture in pictures}) > 1:
        raise ValueError(
            "The look publication uses one curve for all files, which must be all in colour or "
            "all grey: run the command for each kind."
        )
    arrays: list[Any] = [picture.pixels for picture in pictures]
    return common_survey(arrays, replace(options, rgb=pictures[0].rgb))


def _pictures(source: Path, image: int | None) -> list[Picture]:
    """The images of a file, left where they are if they can be; none where it cannot be read."""
    from ..model.io.files import FileError, read_image

    try:
        first = read_image(source, lazy=True, image=image or 1)
        more = range(2, first.images + 1) if image is None else ()
        return [first, *(read_image(source, lazy=True, image=number) for number in more)]
    except FileError:  # which is told when its turn comes
        return []
