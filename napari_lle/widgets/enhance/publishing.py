"""What goes with the latest result into a paper: a window of texts, and the bundle."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, Label, ProgressBar, PushButton, TextEdit, show_file_dialog
from qtpy.QtWidgets import QApplication, QDialog, QVBoxLayout

from ...model.io.files import FileError
from ...model.io.outputs import check_outputs
from ..shared.file_records import about_layer
from ..shared.forms import HAPPENED, put_message, roomy, row
from ..shared.jobs import Job
from ..shared.layers import METADATA_KEY, files_of, plane_at
from .blending import Turned, blended, reflectance_plane

if TYPE_CHECKING:
    from ...model.publishing.bundle import FigureImage
    from .blending import Live

PUBLISHING_SIZE = (560, 560)  # pixels of the window at first
REMADE_WITH = ("strength", "brightness", "denoise", "source", "model_file")  # of a layer's record
BOX_TITLES = {
    "legend": "For the legend of the figure.",
    "methods": "A paragraph for the methods; confirm or strike what stands in brackets.",
    "statement": "On software and machine learning, as journals ask for it.",
}


def figure_image(live: Live, viewer: Any) -> FigureImage:
    """A result with the pixels that it was made of, as a bundle takes them."""
    from ...model.publishing.bundle import FigureImage

    estimate, layer = live.estimate, live.layer
    straight = not isinstance(estimate, Turned)
    inner = estimate if straight else estimate.estimate
    told = layer.metadata[METADATA_KEY]
    record = {
        **inner.record,
        **{key: told[key] for key in REMADE_WITH if told.get(key) is not None},
    }
    strength = float(told["strength"])
    r = blended(inner, strength, reflectance_plane)
    name = str(told.get("layer", layer.name))
    about = about_layer(layer) if straight else None
    plane = plane_at(layer, viewer.dims.point) if straight else None
    pixels, r = (each[0] if isinstance(each, list) else each for each in (inner.image, r))
    return FigureImage(name, pixels, r, record, bool(inner.rgb), about, plane)


def publish_steps(path: Path, images: Sequence[FigureImage], raw: bool) -> Any:
    """Write a bundle, as a job; whatever is lazy is computed."""
    from ...model.publishing.bundle import bundle_steps

    return bundle_steps(path, images, raw=raw)


def texts_steps(lives: Sequence[Live], viewer: Any) -> Generator[Any, None, Any]:
    """Texts and images of results, as a job."""
    from ...model.inference.repeating import check_repeatable
    from ...model.publishing.texts import figure_texts

    yield 0, 1, ""
    images = [figure_image(live, viewer) for live in lives]
    for image in images:
        check_repeatable(image.record)
    return figure_texts([(image.name, image.record) for image in images]), images


class PublishWindow(QDialog):  # type: ignore[misc]
    """A window with the texts, each to be copied, and the bundle to be saved.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    texts : Texts
    images : sequence of FigureImage
    parent : QWidget, optional
    """

    def __init__(
        self, viewer: Any, texts: Any, images: Sequence[FigureImage], parent: Any = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._images = viewer, images
        self.job: Job | None = None
        names = ", ".join(image.name for image in images)
        self.setWindowTitle(f"Publish {names}")
        self.resize(*PUBLISHING_SIZE)
        layout = QVBoxLayout(self)
        self.boxes = {name: self._box(layout, name, getattr(texts, name)) for name in BOX_TITLES}
        self.raw = CheckBox(
            text="with the raw pixels",
            value=True,
            tooltip="Put the raw pixels into the bundle; otherwise it holds only their digest, "
            "and repeating the image needs the file.",
        )
        self.save = PushButton(
            text="Save bundle…",
            tooltip="Save raw pixels, results, settings, versions, pictures before and after, and "
            "these texts as one ZIP, which napari-lle reproduce repeats bit for bit.",
        )
        self.cancel = PushButton(text="Cancel", enabled=False, tooltip="Stop; no file is left.")
        self.progress = ProgressBar(value=0, min=0, max=1, visible=False, tooltip="Images done.")
        self.status = Label(value="", tooltip=HAPPENED)
        roomy(self.status)
        self._parts = [row(self.raw, self.save, self.cancel), self.progress, self.status]
        for part in self._parts:
            layout.addWidget(part.native)
        self.save.changed.connect(self._choose)
        self.cancel.changed.connect(self._stop)

    def write(self, path: Path) -> None:
        """Write the bundle to a file."""
        try:
            path = _with_suffix(path)
            check_outputs([path], files_of(self._viewer))
        except (OSError, ValueError) as error:
            self._say(str(error))
            return
        self._busy(True)
        self.job = Job(
            publish_steps(path, self._images, self.raw.value),
            on_progress=self._show,
            on_done=lambda _: self._end(f"Saved {path.name}: napari-lle reproduce repeats it."),
            on_error=lambda error: self._end(" ".join(str(error).split())),
            on_cancelled=lambda: self._end("Cancelled: nothing was saved."),
        )

    def release(self) -> None:
        """Let go of a file being written, and close."""
        if self.job is not None:
            self.job.abandon()
        self.close()

    def _box(self, layout: QVBoxLayout, name: str, text: str) -> TextEdit:
        box = TextEdit(value=text, tooltip=BOX_TITLES[name])
        box.native.setReadOnly(True)
        copy = PushButton(text=f"Copy {name}", tooltip=f"Copy: {BOX_TITLES[name]}")
        copy.changed.connect(lambda: QApplication.clipboard().setText(text))
        layout.addWidget(box.native)
        layout.addWidget(copy.native)
        self.__dict__.setdefault("copies", {})[name] = copy
        return box

    def _choose(self) -> None:
        path = show_file_dialog(
            mode="w", caption="Save the bundle", filter="Bundles (*.zip)", parent=None
        )
        if path is not None:
            self.write(Path(str(path)))

    def _stop(self) -> None:
        if self.job is not None:
            self.job.cancel()

    def _show(self, step: Any) -> None:
        self.progress.max, self.progress.value = max(step.total, 1), step.done

    def _end(self, message: str) -> None:
        self._busy(False)
        self._say(message)

    def _busy(self, busy: bool) -> None:
        self.save.enabled, self.cancel.enabled = not busy, busy
        self.progress.visible = busy

    def _say(self, message: str) -> None:
        put_message(self.status, message)


def _with_suffix(path: Path) -> Path:
    """The path with the ending of a bundle; the dialog has not asked about one that is there."""
    from ...model.publishing.bundle import BUNDLE_SUFFIX

    if path.suffix:
        return path
    path = path.with_name(f"{path.name}{BUNDLE_SUFFIX}")
    if path.exists():
        raise FileError(f"{path.name} is there already: choose another name.")
    return path
