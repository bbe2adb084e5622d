"""The folders of training runs: where they are, a new one, and those that can be resumed."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_data_path

from ...model.data.project import CONFIG, RUN
from ...model.io.atomic import atomic_path

VERDICT_FILE = "verdict.json"  # in a run's folder
UNFINISHED = ("running", "stopped")  # in a run's summary: it can be continued


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
    found = [f.parent for f in runs_folder().glob(f"*/{CONFIG}") if _status(f.parent) in UNFINISHED]
    return sorted(found, reverse=True)


def progress(folder: Path) -> str:
    """How far a run has come, in words."""
    summary = _summary(folder)
    return f"step {summary.get('step', 0)} of {summary.get('steps', '?')}"


class PastRun(NamedTuple):
    """A run that has ended: its story in words, PSNR and SSIM by method, a row per validation."""

    told: str
    scores: dict[str, tuple[float, float]]
    history: list[dict[str, float]]


def finished() -> list[Path]:
    """Runs with a verdict, the latest first."""
    return sorted((file.parent for file in runs_folder().glob(f"*/{VERDICT_FILE}")), reverse=True)


def title(folder: Path) -> str:
    """When a run began, which is what tells runs apart in a narrow list, and its images."""
    date, _, rest = folder.name.partition("_")
    time, _, name = rest.partition("_")
    return f"{date} {time.replace('-', ':')}, {name}" if name else folder.name


def note_verdict(folder: Path, scores: Sequence[Any], verdict: str, about: str) -> None:
    """Keep what a run was worth, with what it was in a few words."""
    figures = {score.name: [score.psnr, score.ssim] for score in scores}
    kept = {"about": about, "verdict": verdict, "scores": figures}
    with atomic_path(folder / VERDICT_FILE) as temporary:
        temporary.write_text(json.dumps(kept, indent=1) + "\n")


def read_run(folder: Path) -> PastRun:
    """What is left of a run; what is damaged or gone is left out."""
    kept: dict[str, Any] = {}
    history: list[dict[str, float]] = []
    with suppress(OSError, ValueError):
        kept = json.loads((folder / VERDICT_FILE).read_text())
    with suppress(OSError, ValueError), (folder / RUN / "log.csv").open() as file:
        history += map(_figures, csv.DictReader(file))
    scores = {name: (float(a), float(b)) for name, (a, b) in kept.get("scores", {}).items()}
    words = [title(folder) + ":", kept.get("about", ""), kept.get("verdict", "")]
    return PastRun(" ".join(word for word in words if word), scores, history)


def _figures(row: dict[str, str]) -> dict[str, float]:
    """The numbers of a row of a log."""
    return {name: float(value) for name, value in row.items() if name != "verdict" and value}


def _status(folder: Path) -> str:
    return str(_summary(folder).get("status", ""))


def _summary(folder: Path) -> dict[str, object]:
    try:
        summary: dict[str, object] = json.loads((folder / RUN / "summary.json").read_text())
    except (OSError, ValueError):
        return {}
    return summary
