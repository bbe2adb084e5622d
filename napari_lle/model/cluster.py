"""The blocks of a Zarr filled by the workers of a dask.distributed cluster.

Nothing but names travels with a block. What fills blocks (the open Zarrs, the model, the name of
the input) goes to every worker once; pixels go from the input's file to a worker and from there to
the Zarr. Who loses a worker loses the blocks it was at, and another worker takes them up.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Generator, Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .checkpoint import Model
from .devices import choose_device
from .estimate import check_strength
from .filerecord import Picture
from .files import read_image
from .inference import Survey, choose_model, make_plan
from .lazy import as_dask, is_lazy
from .statistics import Statistics
from .stream import Enhancer, find_targets
from .version import __version__
from .zarr_writer import Block, Fill, Written, write_steps

CONNECTING = 10.0  # seconds in which a scheduler answers
LONELY = 60.0  # seconds that a run waits for a worker when all are gone
RETRIES = 2  # of a block that failed, for files on a network have bad moments
AHEAD = 4  # blocks given out for every thread: none of them is ever idle
GONE = "The scheduler is gone: start it and its workers, then the same command again."


class ClusterError(ValueError):
    """A cluster that cannot do the work; the message is one sentence for the user."""


def enhance_on_cluster(
    picture: Picture,
    path: Path,
    illumination: Path | None = None,
    *,
    file: Path,
    scheduler: str,
    model: str | Path | Model = "auto",
    dtype: str = "same",
    strength: float = 1.0,
    device: str = "auto",
    source: str = "",
    **options: Any,
) -> Generator[Written, None, None]:
    """Do as `stream.enhance_to_zarr` does, with the workers of a cluster.

    Levels and statistics are found here. Closing the generator cancels the run; what is done
    stays, and the next run goes on there.

    Parameters
    ----------
    picture : Picture
        What `file` holds.
    path, illumination : Path
        Zarrs to write, where every worker can write.
    file : Path
        The input, where every worker can read.
    scheduler : str
        Address of the cluster's scheduler, such as ``tcp://host:8786``.
    model, dtype, strength, source, **options
        As in `stream.enhance_to_zarr`.
    device : {"auto", "cpu", "cuda", "mps"}
        Chosen by each worker for itself.

    Raises
    ------
    ClusterError
        If there is no such scheduler, it has no workers, or one of them has other versions or
        cannot see the files.
    """
    check_strength(strength)
    file, path = file.absolute(), path.absolute()
    illumination = illumination and illumination.absolute()
    outputs = [path] if illumination is None else [path, illumination]
    with Cluster(scheduler) as cluster:
        devices = cluster.examine(file, [output.parent for output in outputs], device)
        image, rgb = picture.pixels, picture.rgb
        image = as_dask(image) if is_lazy(image) else image
        loaded = choose_model(model, rgb, image.dtype.name)
        plan = make_plan(image, loaded, rgb=rgb, device="cpu", **options)
        plan = plan._replace(record={**plan.record, "device": devices})
        targets = find_targets(picture, plan, path, illumination, dtype, strength)
        known = Survey(plan.levels, Statistics(*plan.statistics[0].tolist()))
        options |= {"known": known, "rgb": rgb, "device": device}
        enhancer = RemoteEnhancer(file, loaded, options, dtype, strength, len(targets))
        yield from write_steps(targets, enhancer, source, cluster.run)


class RemoteEnhancer:
    """An `Enhancer` that opens its file and settles on a device where it is used."""

    def __init__(
        self,
        file: Path,
        model: Model,
        options: dict[str, Any],
        dtype: str,
        strength: float,
        parts: int,
    ) -> None:
        self.file, self.model, self.options = file, model, options
        self.dtype, self.strength, self.parts = dtype, strength, parts

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_here"}

    def __call__(self, *place: Any) -> tuple[NDArray[Any], ...]:
        """The blocks of a part of one plane."""
        return self._here(*place)

    @cached_property
    def _here(self) -> Enhancer:
        image = read_image(self.file, lazy=True).pixels
        image = Pixels(as_dask(image)) if is_lazy(image) else image
        plan = make_plan(image, self.model, **self.options)
        return Enhancer(image, plan, self.dtype, self.strength, self.parts)


class Pixels:
    """A dask array that is computed in the thread which asks, not by the cluster it runs on."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.shape, self.dtype, self.ndim = image.shape, image.dtype, image.ndim

    def __getitem__(self, key: Any) -> NDArray[Any]:
        return np.asarray(self.image[key].compute(scheduler="synchronous"))


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

    def examine(self, file: Path, folders: list[Path], device: str) -> str:
        """See that every worker has our versions and sees our files; return their devices."""
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
        return "+".join(sorted(devices))

    def run(self, fill: Fill, blocks: dict[int, Block]) -> Iterator[int]:
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
            self._sent = fill, self.client.submit(_same, fill, pure=False)
        sent = self._sent[1]
        waiting = iter(blocks.items())
        given: dict[Any, int] = {}
        try:
            while True:
                room = max(2, AHEAD * self._threads()) - len(given)
                for number, block in islice(waiting, max(room, 0)):
                    task = self.client.submit(_call, sent, block, pure=False, retries=RETRIES)
                    given[task] = number
                if not given:
                    return
                try:
                    with self.client.as_current():
                        done = wait(list(given), LONELY, return_when="FIRST_COMPLETED").done
                except TimeoutError:
                    if not self._threads():
                        raise ClusterError(
                            "All workers are gone: start some, and the same command again."
                        ) from None
                    continue
                for task in done:
                    task.result()
                    yield given.pop(task)
        except KilledWorker:
            raise ClusterError(
                "One block has ended several workers: give them more memory, then start the same "
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
    return Sight(versions(), choose_device(device).type, lacking)


def _same(fill: Fill) -> Fill:
    return fill


def _call(fill: Fill, block: Block) -> None:
    fill(block)
