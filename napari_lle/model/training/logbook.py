"""What a run leaves in its folder: state, settings, a table, a summary, a picture, the model.

Every file is written whole from the run's state, never appended to: after a resume there is
nothing to repair.
"""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from ..io.atomic import atomic_path, remove_leftovers
from ..io.files import FileError
from ..io.raster import save_picture
from ..network.checkpoint import save_model
from ..network.network import Network
from .loss_plot import draw_curves
from .run_state import RunState

STATE = "state.pt"
FILES = (STATE, "settings.yaml", "log.csv", "summary.json", "curve.png", "best.safetensors")


class Logbook:
    """Keeper of a run's folder, or of nothing where there is none.

    Parameters
    ----------
    folder : Path or None
    state : RunState
        Looked at whenever something is written.

    Notes
    -----
    ``settings.yaml``, ``log.csv`` (a row for each validation), ``summary.json``, ``curve.png``,
    ``best.safetensors`` when the run is done, and TensorBoard's events where it is installed.
    """

    def __init__(self, folder: Path | None, state: RunState) -> None:
        self.folder = folder
        self.state = state
        self.tensorboard = _tensorboard(folder, state.step) if folder else None

    def __enter__(self) -> Logbook:
        if self.folder:
            for name in FILES:
                remove_leftovers(self.folder / name)  # of a run that was killed while it wrote
            settings = yaml.safe_dump(self.state.settings.to_dict(), sort_keys=False)
            self._text("settings.yaml", settings)
            self.checkpoint()
            self._files("running")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind and self.folder:
            # A disk that was full can be freed: such a run continues.
            failed = isinstance(error, ValueError) and not isinstance(error, FileError)
            with suppress(FileError):
                self._files("failed" if failed else "stopped", str(error) if failed else "")
        if self.tensorboard:
            self.tensorboard.close()

    def checkpoint(self) -> None:
        """Write the state that a resumed run starts from."""
        if self.folder:
            self.state.save(self.folder / STATE)

    def write(self) -> None:
        """Take up the last validation."""
        if not self.folder:
            return
        self._files("running")
        if self.tensorboard:
            row = self.state.history[-1]
            for name, value in row.items():
                if name not in ("step", "verdict"):
                    self.tensorboard.add_scalar(name, value, row["step"])

    def done(self, network: Network, card: dict[str, Any]) -> None:
        """Close a run that went well."""
        if self.folder:
            save_model(self.folder / "best.safetensors", network, card)
            self._files("done", card.get("warning", ""))

    def _files(self, status: str, reason: str = "") -> None:
        """Table, summary and picture, each from the whole history."""
        if not self.folder:
            return
        state, history = self.state, self.state.history
        summary = {
            "status": status,
            "reason": reason,
            "step": state.step,
            "steps": state.expected,
            "seconds": round(state.seconds, 1),
            "best": state.best,
            "last": history[-1] if history else {},
        }
        self._text("summary.json", json.dumps(summary, indent=1) + "\n")
        with atomic_path(self.folder / "log.csv") as temporary, temporary.open("w") as file:
            # A run that an older version began lacks some figures at first.
            names = list(dict.fromkeys(name for row in history for name in row)) or ["step"]
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(history)
        if history:
            with atomic_path(self.folder / "curve.png") as temporary:
                save_picture(draw_curves(history), temporary)

    def _text(self, name: str, text: str) -> None:
        assert self.folder is not None
        with atomic_path(self.folder / name) as temporary:
            temporary.write_text(text)


def _tensorboard(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    # What a killed run wrote after its last state is struck out.
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)
