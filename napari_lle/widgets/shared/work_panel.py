"""A panel that works beside the window: it tells how far it is, how it ended, and what is wrong."""

from __future__ import annotations

from typing import Any

from .forms import put_message
from .jobs import Job
from .panel import Panel


class WorkPanel(Panel):
    """A panel whose form has a bar of progress and a line of status.

    Attributes
    ----------
    form : object
        With `progress` and `status`, laid out by `forms.steady`.
    job : Job or None
        The run under way, or the last one.
    """

    form: Any
    job: Job | None = None

    def cancel(self) -> None:
        """Stop the run under way."""
        if self.job is not None and self.job.running:
            self._say("Cancelling…")
            self.job.cancel()

    def _say(self, message: str) -> None:
        put_message(self.form.status, message)

    def _complain(self, error: Exception) -> None:
        """Say what is wrong."""
        self._say(" ".join(str(error).split()) or type(error).__name__)

    def _fail(self, error: Exception) -> None:
        """End a run that could not be finished."""
        self._end("")
        self._complain(error)

    def _end(self, message: str) -> None:
        self._busy(False)
        self._say(message)

    def _busy(self, busy: bool) -> None:
        """Show the bar while a run is under way; widgets add what may be pressed meanwhile."""
        bar = self.form.progress
        bar.max, bar.value = 1, 0
        bar.visible = busy

    def _progress(self, step: Any) -> None:
        self.form.progress.max = step.total
        self.form.progress.value = step.done
        if step.note:
            self._say(step.note)
