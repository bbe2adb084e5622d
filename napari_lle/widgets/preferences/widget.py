"""The widget of preferences: what napari's own dialog has, with lists to choose from, and devices.

A text field of that dialog asks for names and folders to be typed; both store in the same place.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from ...model.progress import Progress
from ..shared.forms import put_message
from ..shared.jobs import Job
from ..shared.panel import Panel
from ..shared.preferences import (
    apply_preferences,
    kept_settings,
    missing_model,
    prefer,
    set_outside,
)
from .form import PreferencesForm

if TYPE_CHECKING:
    from ...model.kernels.equipment import Part

OLD = (
    "This version of napari does not store preferences of plugins: use 0.9 or newer, or set "
    "NAPARI_LLE_DEVICE etc."
)


class PreferencesWidget(Panel):
    """Edit the preferences, and see what this machine has.

    Parameters
    ----------
    napari_viewer : napari.components.ViewerModel
    """

    def __init__(self, napari_viewer: Any) -> None:
        self.viewer = napari_viewer
        apply_preferences()
        self.form = PreferencesForm()
        super().__init__(self.form.rows())
        self.job: Job | None = None
        self.parts: list[Part] = []
        self._kept = kept_settings()
        self.form.devices.native.setTextFormat(Qt.TextFormat.RichText)
        self.form.devices.native.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._connect()
        self._tell()
        self.look()

    def look(self) -> None:
        """Look for devices and kernels, beside the window: torch takes a second to load."""
        if self.job is not None:
            self.job.abandon()
        put_message(self.form.devices, "Looking for devices…")
        self.job = Job(
            _equipment_steps(),
            on_done=self._show,
            on_error=lambda error: put_message(self.form.devices, str(error)),
        )

    def release(self, *_: Any) -> None:
        """Let go of napari's settings and of the look under way."""
        if self.job is not None:
            self.job.abandon()
        if self._kept is not None:
            with suppress(ValueError):
                self._kept.events.disconnect(self._follow)

    def _connect(self) -> None:
        form = self.form
        for name, control in form.controls.items():
            control.enabled = self._kept is not None
            control.changed.connect(partial(self._keep, name))
        if self._kept is not None:
            self._kept.events.connect(self._follow)
        form.look_again.changed.connect(self.look)
        form.copy.changed.connect(self._copy)
        self.native.destroyed.connect(self.release)

    def _keep(self, name: str, *_: Any) -> None:
        prefer(**{name: self.form.chosen(name)})
        self._tell()
        if name in ("kernel", "threads"):
            self.look()

    def _follow(self, *_: Any) -> None:
        """Show what was changed in napari's own dialog."""
        with suppress(RuntimeError):  # Qt has deleted them
            apply_preferences()
            self.form.show()
            self._tell()

    def _tell(self) -> None:
        told = "Kept by napari; also under File › Preferences."
        outside = " and ".join(set_outside())
        if outside:
            told = f"{outside} in the environment overrides what is chosen here."
        put_message(self.form.status, OLD if self._kept is None else missing_model() or told)

    def _show(self, parts: list[Part]) -> None:
        self.parts = parts
        put_message(self.form.devices, "<br>".join(map(line_on, parts)))
        self.form.copy.visible = any(part.fix for part in parts)

    def _copy(self) -> None:
        command = next((part.fix for part in self.parts if part.fix), "")
        QApplication.clipboard().setText(command)
        put_message(self.form.status, f"Copied: {command}")


def line_on(part: Part) -> str:
    """A device or kernel in a line, and a second one with the command that fixes it."""
    sign = "✓" if part.works else "✗"
    fix = f"<br>&nbsp;&nbsp;<code>{escape(part.fix)}</code>" if part.fix else ""
    return f"{sign} <b>{escape(part.name)}</b>: {escape(part.why)}{fix}"


def _equipment_steps() -> Generator[Progress, None, list[Part]]:
    yield Progress(0, 1)
    from ...model.kernels.equipment import equipment

    return equipment()
