"""The folders of training runs: where they are, a new one, and those that can be resumed."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

from platformdirs import user_data_path

from ...model.data.project import CONFIG, RUN

OPEN = ("running", "stopped")  # in a run's summary: it can go on


def runs_folder() -> Path:
    """Where runs are kept, for the user of this machine."""
    return user_data_path("napari-lle", appauthor=False) / "runs"


def new_folder(name: str) -> Path:
    """A path for a new run that tells when it began and of what it is; nothing is made yet."""
    words = re.sub(r"\W+", "-", name).strip("-")[:40]
    began = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    folder = runs_folder() / f"{began}_{words}"
    return folder if not folder.exists() else folder.with_name(f"{folder.name}_{id(folder)}")


def unfinished() -> list[Path]:
    """Runs that were stopped or killed, the latest first."""
    found = [f.parent for f in runs_folder().glob(f"*/{CONFIG}") if _status(f.parent) in OPEN]
    return sorted(found, reverse=True)


def progress(folder: Path) -> str:
    """How far a run has come, in words."""
    summary = _summary(folder)
    return f"step {summary.get('step', 0)} of {summary.get('steps', '?')}"


def _status(folder: Path) -> str:
    return str(_summary(folder).get("status", ""))


def _summary(folder: Path) -> dict[str, object]:
    try:
        summary: dict[str, object] = json.loads((folder / RUN / "summary.json").read_text())
    except (OSError, ValueError):
        return {}
    return summary
