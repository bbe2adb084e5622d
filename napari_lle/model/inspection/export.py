"""All stages of an image as files: float32 TIFF by kind and stage, and the measures as JSON."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..io.atomic import umask, unwritten
from ..io.files import FileError
from ..progress import Progress, Steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .trace import Trace
    from .unrolled import Stages

REPORT = "stages.json"


def write_stages(stages: Stages, folder: str | Path) -> Generator[Progress, None, dict[str, Any]]:
    """Write `L_1.tif`, `R_1.tif` and so on, and `stages.json`; the folder is made where needed.

    Yields progress and returns the report. Nothing appears in the folder before all is written;
    stages of an earlier report there that are not made again are removed.

    Raises
    ------
    FileError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    planes = list(np.ndindex(stages.lead))
    names = _names(stages)
    measures = _Measures(stages.count)
    with _gathered(folder) as temporary:
        offsets: dict[str, int] = {}
        for i, index in enumerate(planes):
            steps = Steps(stages.steps(index))
            for step in steps:
                yield Progress(i * step.total + step.done, len(planes) * step.total)
            trace = steps.answer
            for name in names:
                kind, stage = name.removesuffix(".tif").split("_")
                values = trace[kind][int(stage) - 1]
                if not i:
                    shape = (*stages.lead, *values.shape)
                    offsets[name] = _create(temporary / name, shape, values.ndim == 3)
                _put(temporary / name, offsets[name] + 4 * i * values.size, values)
            measures.add(trace)
        report = {**stages.record, "planes": len(planes), **measures.answer(stages)}
        report["files"] = names
        (temporary / REPORT).write_text(json.dumps(report, indent=1) + "\n")
        _remove_listed(folder, names)
    return report


def stage_files(stages: Stages, folder: str | Path) -> list[Path]:
    """What `write_stages` would make, replace or remove."""
    folder = Path(folder)
    return [
        folder / name for name in dict.fromkeys((*_names(stages), *_listed_stages(folder), REPORT))
    ]


def _names(stages: Stages) -> list[str]:
    from .trace import SYMBOLS

    return [f"{kind}_{t}.tif" for t in range(1, stages.count + 1) for kind in SYMBOLS]


class _Measures:
    """Figures of all planes together, plane by plane."""

    def __init__(self, count: int) -> None:
        self._max = np.zeros(count)
        self._sum = np.zeros(count)
        self._light = np.array([[np.inf, 0.0, -np.inf]] * count)
        self._planes = 0

    def add(self, trace: Trace) -> None:
        away = trace.distances()
        self._max = np.maximum(self._max, [d.max for d in away])
        self._sum += [d.mean for d in away]
        for row, light in zip(self._light, trace["L"], strict=True):
            row[:] = min(row[0], light.min()), row[1] + light.mean(), max(row[2], light.max())
        self._planes += 1

    def answer(self, stages: Stages) -> dict[str, Any]:
        return {
            "stages": [
                {
                    "stage": t + 1,
                    "receptive_field": 2 * stages.radius(t + 1) + 1,
                    "max_difference": float(self._max[t]),
                    "mean_difference": float(self._sum[t]) / self._planes,
                    "illumination_min": float(self._light[t, 0]),
                    "illumination_mean": float(self._light[t, 1]) / self._planes,
                    "illumination_max": float(self._light[t, 2]),
                }
                for t in range(stages.count)
            ]
        }


def _create(path: Path, shape: tuple[int, ...], coloured: bool) -> int:
    """A file of empty pages, for a stack need not fit in memory; return where its values begin."""
    import tifffile

    photometric = "rgb" if coloured else "minisblack"
    tifffile.imwrite(path, shape=shape, dtype=np.float32, photometric=photometric)
    with tifffile.TiffFile(path) as file:
        return int(file.series[0].dataoffset)


def _put(path: Path, offset: int, values: NDArray[np.float32]) -> None:
    """Write a page; through the file, for the memory of a full disk ends the program."""
    with path.open("rb+") as file:
        file.seek(offset)
        file.write(np.ascontiguousarray(values, np.float32).data)


@contextmanager
def _gathered(folder: Path) -> Iterator[Path]:
    """Offer a temporary folder whose files move to `folder` when the block ends without error."""
    if folder.exists() and not folder.is_dir():
        raise FileError(f"{folder} is a file: choose a folder.")
    if not folder.parent.is_dir():
        raise FileError(f"There is no folder {folder.parent} to make {folder.name} in.")
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name[:40]}-", dir=folder.parent))
        try:
            yield temporary
            if not folder.exists():
                temporary.chmod(0o777 & ~umask())
                temporary.rename(folder)
                return
            # The report last: where it is, everything is.
            for file in sorted(temporary.iterdir(), key=lambda f: f.name == REPORT):
                file.replace(folder / file.name)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise unwritten(folder, error) from None


def _remove_listed(folder: Path, names: list[str]) -> None:
    """Remove the stages that an earlier report in the folder lists and this one does not."""
    for name in set(_listed_stages(folder)) - set(names):
        (folder / name).unlink(missing_ok=True)


def _listed_stages(folder: Path) -> list[str]:
    """The stages of an earlier report in the folder."""
    names: list[str] = []
    with suppress(OSError, ValueError, KeyError, TypeError):
        names = [str(name) for name in json.loads((folder / REPORT).read_text())["files"]]
    return [name for name in names if Path(name).name == name and name.endswith(".tif")]
