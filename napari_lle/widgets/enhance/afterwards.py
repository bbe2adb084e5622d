"""What is had of the latest result: figures as layers, the report, code that repeats the run."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication

from ...model.inference.options import EnhanceOptions
from ..shared.jobs import Job
from ..shared.layers import METADATA_KEY, plane_order
from ..shared.marks import unmarked
from .publishing import PublishWindow, texts_steps
from .report import ReportWindow, gain_layer, report_steps
from .restore import restore_active
from .trust import (
    CHANGED,
    DIFFERENCE,
    MAP_MEANINGS,
    MAP_NAMES,
    UNCERTAINTY,
    trust_layer,
    trust_steps,
)

if TYPE_CHECKING:
    from napari.layers import Image

    from .blending import Live
    from .result_controls import ResultControls
    from .results import Results


class Afterwards:
    """Does what the controls of a result are for.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    controls : ResultControls
    results : Results
    say : callable
        Takes a sentence for the user.
    fail : callable
        Takes the error that ended something.
    parent : QWidget
        In the viewer's window.
    """

    def __init__(
        self,
        viewer: Any,
        controls: ResultControls,
        results: Results,
        say: Callable[[str], Any],
        fail: Callable[[Exception], Any],
        parent: Any,
    ) -> None:
        self._viewer, self._results = viewer, results
        self._say, self._fail, self._parent = say, fail, parent
        self.window: ReportWindow | None = None
        self.publishing: PublishWindow | None = None
        self.job: Job | None = None  # the latest
        self._jobs: list[Job] = []
        controls.report.changed.connect(self.report)
        controls.difference.changed.connect(lambda: self.trust(DIFFERENCE))
        controls.changed.changed.connect(lambda: self.trust(CHANGED))
        controls.uncertain.changed.connect(lambda: self.trust(UNCERTAINTY))
        controls.publish.changed.connect(self.publish)
        controls.restore.changed.connect(self.restore)
        controls.python.changed.connect(lambda: self.copy(self.as_python))
        controls.command.changed.connect(lambda: self.copy(as_command))

    def release(self) -> None:
        """Let go of everything under way."""
        for job in self._jobs:
            job.abandon()
        if self.window is not None:
            self.window.close()
        if self.publishing is not None:
            self.publishing.release()

    def recolour(self) -> None:
        """Follow the viewer's theme."""
        if self.window is not None:
            self.window.recolour(self._viewer.theme)

    def report(self) -> None:
        """Tell what the latest result did to the intensities, and add its gain as a layer."""
        live = self._latest()
        if live is None:
            return

        def done(made: tuple[Any, Any]) -> None:
            report, gain = made
            self._viewer.add_layer(gain_layer(live.layer, live.estimate, gain))
            self.window = ReportWindow(live.layer.name, report, self._viewer.theme, self._parent)
            self.window.show()
            self._say(" ".join(report.sentences()))

        self._start("Making the report", report_steps(live.estimate, strength_of(live)), done, live)

    def trust(self, which: str) -> None:
        """Add a layer that tells of the latest result, see `trust.MAP_NAMES`."""
        live = self._latest()
        if live is None:
            return

        def done(made: tuple[Any, Any]) -> None:
            layer = trust_layer(live.layer, live.estimate, which, *made)
            self._viewer.add_layer(layer)
            self._say(f"Added “{layer.name}”: {MAP_MEANINGS[which]}")

        steps = trust_steps(live.estimate, strength_of(live), which)
        self._start(f"Making the map “{MAP_NAMES[which]}”", steps, done, live)

    def publish(self) -> None:
        """Show the texts for a paper, and offer the bundle."""
        live = self._latest()
        if live is None:
            return

        def done(made: tuple[Any, Any]) -> None:
            if self.publishing is not None:
                self.publishing.release()
            self.publishing = PublishWindow(self._viewer, *made, self._parent)
            self.publishing.show()
            self._say("The texts have a window of their own; it saves all for a figure, too.")

        steps = texts_steps(self._results.lives, self._viewer)
        self._start("Writing the texts", steps, done, live)

    def restore(self) -> None:
        """Add the layer of the original pixel values."""
        live = self._results.latest
        if live is not None:
            self._viewer.layers.selection.active = live.layer
            job = restore_active(self._viewer, tell=self._say, refuse=self._say)
            self._follow(job)

    def copy(self, write: Callable[[EnhanceOptions, dict[str, Any]], str]) -> None:
        """Put the latest run on the clipboard, as code or as a command."""
        try:
            record = self._results.record
            QApplication.clipboard().setText(write(EnhanceOptions.from_record(record), record))
        except ValueError as error:
            self._say(str(error))
            return
        self._say("Copied: paste it into a script or a terminal.")

    def as_python(self, options: EnhanceOptions, record: dict[str, Any]) -> str:
        """Code that repeats a run, and what it calls an image."""
        code = options.as_python(record["strength"], background_of(record))
        return told_images(options.image_names, self._results.sources) + code

    def _latest(self) -> Live | None:
        """The latest result, if its layer still holds it."""
        live = self._results.latest
        if live is not None and live.told:
            self._say(live.told)
            return None
        return live

    def _start(
        self, task: str, steps: Generator[Any, None, Any], done: Callable[[Any], Any], live: Live
    ) -> None:
        self._say(f"{task} …")

        def ended(made: Any) -> None:
            if live.layer not in self._viewer.layers:
                self._say(f"“{unmarked(live.layer.name)}” was deleted meanwhile.")
            elif live.told:  # it was given other values meanwhile
                self._say(live.told)
            else:
                done(made)

        self._follow(Job(steps, on_done=ended, on_error=self._fail, label=task))

    def _follow(self, job: Job | None) -> None:
        """Let go of a job when the widget is closed."""
        if job is not None:
            self.job = job
            self._jobs = [job, *(each for each in self._jobs if each.running)]


def strength_of(live: Live) -> float:
    """The strength at which a result is shown."""
    return float(live.layer.metadata[METADATA_KEY]["strength"])


def told_images(names: list[str], layers: list[Image]) -> str:
    """Where the images of copied code are to be had, as comments: a script has no viewer.

    Nothing where one of the layers is gone.
    """
    if len(names) != len(layers):
        return ""
    lines = [f"{name} = {_in_console(x)}\n" for name, x in zip(names, layers, strict=True)]
    return "".join(f"# In napari's console: {line}" for line in lines)


def _in_console(layer: Image) -> str:
    """An expression for what is enhanced of a layer, its rows and columns last."""
    text = f"viewer.layers[{layer.name!r}].data" + ("[0]" if layer.multiscale else "")
    order = plane_order(layer)
    return text if order == tuple(range(len(order))) else f"{text}.transpose({order})"


def as_command(options: EnhanceOptions, record: dict[str, Any]) -> str:
    """The command that repeats a run on the file that the layer came from."""
    source = record.get("source") or "INPUT.tif"
    return options.as_command(record["strength"], source, background_of(record))


def background_of(record: dict[str, Any]) -> str:
    """What a run did with a background, as the command line says it; empty if nothing."""
    told = record.get("background")
    return f"{told['how']}:{told['degree']}" if told else ""
