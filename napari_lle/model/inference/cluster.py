"""A dask.distributed cluster that fills the blocks of a Zarr.

Nothing but names travels with a block. What fills blocks (the open Zarrs, the model, the name of
the input) goes to every worker once; pixels go from the input's file to a worker and from there to
the Zarr. Who loses a worker loses the blocks it was at, and another worker takes them up.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from ..io.zarr_writer import Fill, PlaneBlock
from ..kernels import available
from ..runtime.devices import choose_device
from ..version import __version__

CONNECTING = 10.0  # seconds in which a scheduler answers
LONELY = 60.0  # seconds that a run waits for a worker when all are gone
RETRIES = 2  # of a block that failed, for files on a network have bad moments
AHEAD = 4  # blocks given out for every thread: none of them is ever idle
GONE = "The scheduler is gone: start it and its workers, then run the same command again."


class ClusterError(ValueError):
    """A cluster that cannot do the work; the message is one sentence for the user."""


class Cluster:
    """A connection to a scheduler, closed at the end of the block; the cluster itself stays."""

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ClusterError(
                "A cluster needs dask.distributed: pip install 'napari-lle[distributed]'."
            ) from None
        try:
            self.client = Client(address, timeout=CONNECTING, set_as_default=False)
        except (OSError, ValueError) as error:
            reason = f"{error}".splitlines()[0].rstrip(".")
            raise ClusterError(
                f"No scheduler answers at {address} ({reason}): start one with `dask scheduler`."
            ) from None
        self._sent: tuple[Fill, Any] | None = None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._sent = None
        self.client.close()

    def examine(self, file: Path, folders: list[Path], device: str) -> tuple[str, bool]:
        """See that every worker has our versions and sees our files.

        Returns their kinds of devices, and whether all of them can compile kernels.
        """
        address = self.client.scheduler.address
        if not self._threads():
            raise ClusterError(
                f"{address} has no workers: start some with `dask worker {address}`."
            )
        for folder in folders:
            if not folder.is_dir():
                raise ClusterError(f"There is no folder {folder}.")
        tokens = [tempfile.NamedTemporaryFile(prefix=".seen-", dir=folder) for folder in folders]  # noqa: SIM115
        try:
            names = [Path(token.name) for token in tokens]
            found = self.client.run(look, file, names, device, on_error="return")
        finally:
            for token in tokens:
                token.close()
        devices = set()
        for worker, sight in found.items():
            if isinstance(sight, Exception):
                # What cannot be found while `look` is unpacked comes as text in another error.
                if "ModuleNotFoundError" in repr(sight):
                    raise ClusterError(
                        f"The worker {worker} lacks napari-lle {__version__}, or a part of it: "
                        "pip install 'napari-lle[zarr,distributed]' there."
                    )
                raise ClusterError(f"The worker {worker} cannot help: {sight}")
            if sight.versions != versions():
                other = next(n for n in versions() if sight.versions[n] != versions()[n])
                raise ClusterError(
                    f"The worker {worker} has {other} {sight.versions[other]}, this machine "
                    f"{versions()[other]}: install the same version on both."
                )
            if sight.lacking:
                raise ClusterError(
                    f"The worker {worker} {sight.lacking}: use a folder that all machines share "
                    "under one name."
                )
            devices.add(sight.device)
        return "+".join(sorted(devices)), all(sight.numba for sight in found.values())

    def run(self, fill: Fill, blocks: dict[int, PlaneBlock]) -> Iterator[int]:
        """Fill blocks on the workers; see `zarr_writer.one_by_one`.

        Raises
        ------
        ClusterError
            If all workers or the scheduler are lost, or a block ends one worker after another.
        """
        from concurrent.futures import CancelledError

        from distributed import KilledWorker, wait

        if self._sent is None or self._sent[0] is not fill:
            # The result of a task, not scattered data: it outlives every worker that holds it.
            self._sent = fill, self.client.submit(_as_it_is, fill, pure=False)
        sent = self._sent[1]
        waiting = iter(blocks.items())
        given: dict[Any, int] = {}
        try:
            while True:
                room = max(2, AHEAD * self._threads()) - len(given)
                for number, block in islice(waiting, max(room, 0)):
                    task = self.client.submit(_fill_block, sent, block, pure=False, retries=RETRIES)
                    given[task] = number
                if not given:
                    return
                try:
                    with self.client.as_current():
                        done = wait(list(given), LONELY, return_when="FIRST_COMPLETED").done
                except TimeoutError:
                    if not self._threads():
                        raise ClusterError(
                            "All workers are gone: start some, then run the same command again."
                        ) from None
                    continue
                for task in done:
                    task.result()
                    yield given.pop(task)
        except KilledWorker:
            raise ClusterError(
                "Several workers died on one block: give them more memory, then run the same "
                "command again."
            ) from None
        except CancelledError:
            raise ClusterError(GONE) from None
        finally:
            self.client.cancel(list(given))

    def _threads(self) -> int:
        """Of all workers that are there now."""
        try:
            return sum(self.client.nthreads().values())
        except OSError:
            raise ClusterError(GONE) from None


class Sight(NamedTuple):
    """What a worker has and sees; `lacking` is empty, or the end of a sentence on it."""

    versions: dict[str, str]
    device: str
    numba: bool
    lacking: str


def versions() -> dict[str, str]:
    """What must be equal for results to be."""
    import torch
    import zarr

    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "napari-lle": __version__,
        "torch": torch.__version__.split("+")[0],  # the rest tells of CUDA
        "zarr": zarr.__version__,
    }


def look(file: Path, tokens: list[Path], device: str) -> Sight:
    """Look around, on a worker."""
    lacking = "" if file.exists() else f"cannot see {file}"
    for token in tokens:
        if not token.exists() or not os.access(token.parent, os.W_OK):
            lacking = lacking or f"cannot write to {token.parent}"
    return Sight(versions(), choose_device(device), available(), lacking)


def _as_it_is(fill: Fill) -> Fill:
    return fill


def _fill_block(fill: Fill, block: PlaneBlock) -> None:
    fill(block)
