"""What the command `enhance` is to write, and refusals of what does not go together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..model.inference.survey import Survey


class Wanted(NamedTuple):
    """What the command `enhance` writes beside and of its output.

    Attributes
    ----------
    illumination : Path, optional
        Where the illumination goes.
    dtype : {"same", "float32"}
        Of the reflectance.
    strength : float
    scheduler : str, optional
        Address of the cluster that does the work.
    image : int, optional
        Which of several images of a file, from 1 on.
    layers : mapping of str to Path
        Files for what follows from the result, by the names of their options.
    average : str, optional
        What neighbours are looked at together, such as ``t:3``.
    background : str, optional
        What is done with a smooth background, such as ``subtract:2``.
    known : Survey, optional
        What all files of the command share.
    bundle : Path, optional
        Where all that a paper needs goes.
    raw : bool
        Into that, the raw pixels, too.
    panels : dict, optional
        What goes into it of each source, filled as they are done.
    """

    illumination: Path | None
    dtype: str
    strength: float
    scheduler: str | None
    image: int | None = None
    layers: Mapping[str, Path] = MappingProxyType({})
    average: str | None = None
    background: str | None = None
    known: Survey | None = None
    bundle: Path | None = None
    raw: bool = True
    panels: dict[Path, list[Any]] | None = None

    @property
    def other(self) -> str | None:
        """The option by which something else than the image itself is looked at."""
        given = {"average": self.average, "background": self.background}
        return next((name for name, value in given.items() if value), None)

    def check(self) -> None:
        """Refuse what cannot be done, in the words of the options."""
        if self.dtype not in ("same", "float32"):
            raise ValueError(f"--dtype must be same or float32, not {self.dtype!r}.")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"--strength must be a number from 0 to 1, not {self.strength:g}.")
        if self.average and self.background:
            raise ValueError("--average and --background do not go together: take one of them.")
        if "background-image" in self.layers and not self.background:
            raise ValueError("--background-image goes with --background: say subtract or divide.")
        if self.bundle and self.other:
            raise ValueError(f"--bundle does not go with --{self.other}: leave one of them out.")

    def besides(self) -> dict[str, Path]:
        """Files that are written beside the output, by the names of their options."""
        light = {"illumination": self.illumination} if self.illumination else {}
        return {**light, **self.layers}

    @property
    def result_alone(self) -> bool:
        """Nothing is written but the result, as a picture in the input's data type."""
        return self.dtype == "same" and not (self.besides() or self.other or self.bundle)
