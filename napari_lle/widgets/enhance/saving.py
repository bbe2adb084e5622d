"""Save the latest result as a picture: what is seen of it, at its own resolution."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from magicgui.widgets import show_file_dialog
from napari.layers import Image

from ...model.io.files import FileError, write_image
from ...model.io.outputs import check_outputs
from ..shared.file_records import about_layer
from ..shared.jobs import Job
from ..shared.layers import files_of, pixels, plane_at, shows_planes
from ..shared.pictures import Appearance, mixed, stored

if TYPE_CHECKING:
    from ...model.io.metadata import FileRecord
    from .result_controls import ResultControls

PICTURE_SUFFIX = ".png"  # of a name that has none
Abouts: TypeAlias = "tuple[FileRecord, FileRecord]"  # what to tell of a grey picture, of a coloured


class PictureSaver:
    """The button *Save picture…* and what it does.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    controls : ResultControls
    results : callable
        Returns the layers of the latest run.
    say : callable
        Takes a sentence for the user.
    fail : callable
        Takes the error that ended it.
    """

    def __init__(
        self,
        viewer: Any,
        controls: ResultControls,
        results: Callable[[], Sequence[Image]],
        say: Callable[[str], Any],
        fail: Callable[[Exception], Any],
    ) -> None:
        self._viewer, self._controls = viewer, controls
        self._results, self._say, self._fail = results, say, fail
        self.job: Job | None = None
        controls.picture.changed.connect(self.choose)

    def choose(self) -> None:
        """Ask for a file and write it."""
        path = show_file_dialog(
            mode="w",
            caption="Save the picture",
            filter="Pictures (*.png *.tif *.tiff *.jpg *.jpeg *.webp)",
            parent=None,
        )
        if path is not None:
            self.save(str(path))

    def save(self, path: str) -> None:
        """Write the plane in view of the latest results, as the canvas blends them."""
        file = Path(path)
        try:
            if not file.suffix:
                file = file.with_name(f"{file.name}{PICTURE_SUFFIX}")
                if file.exists():  # the dialog has not asked about this one
                    raise FileError(f"{file.name} is there already: choose another name.")
            check_outputs([file], files_of(self._viewer))
            planes, looks, about = self._seen()
        except (OSError, ValueError) as error:
            self._fail(error)
            return
        self.job = Job(
            picture_steps(file, planes, looks, about, self._controls.bits.value),
            on_done=lambda _: self._say(f"Saved {file.name}, as it is displayed."),
            on_error=self._fail,
        )

    def release(self) -> None:
        """Let go of a file being written."""
        if self.job is not None:
            self.job.abandon()

    def _seen(self) -> tuple[list[Any], list[Appearance], Abouts]:
        """The planes in view, lowest first, how they look, and what the file should tell."""
        results = self._results()
        layers = [layer for layer in self._viewer.layers if layer in results]
        if not layers:
            raise ValueError("Run Enhance first.")
        if not shows_planes(self._viewer.dims):
            raise ValueError("A picture needs the 2-D view of the image's last two axes.")
        point = self._viewer.dims.point
        planes = [pixels(layer)[plane_at(layer, point)] for layer in layers]
        grey, colour = (about_layer(layers[0], 2, rgb) for rgb in (False, True))
        return planes, [Appearance.of(layer) for layer in layers], (grey, colour)


def picture_steps(
    file: Path, planes: list[Any], looks: list[Appearance], about: Abouts, bits: int
) -> Generator[Any, None, None]:
    """Compute a picture and write it, as a job."""
    yield 0, 1, ""
    picture = stored(mixed([np.asarray(plane) for plane in planes], looks), bits)
    rgb = picture.ndim == 3
    write_image(file, picture, rgb=rgb, about=about[rgb])
