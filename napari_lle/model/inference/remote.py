"""Enhance an image with a cluster: every worker opens the file and chooses a device for itself."""

from __future__ import annotations

from collections.abc import Generator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.files import read_image
from ..io.metadata import Picture
from ..io.zarr_writer import Written, write_steps
from ..kernels import warm_up
from ..network.checkpoint import Model
from ..preprocessing.statistics import Statistics
from .cluster import Cluster
from .enhance import Survey, choose_model, make_plan
from .estimate import check_strength
from .lazy import as_dask, is_lazy
from .streaming import Enhancer, find_targets, joint_plan


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
    axis: int | None = None,
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
    model, dtype, strength, source, axis, **options
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
        devices, numba = cluster.examine(file, [output.parent for output in outputs], device)
        image, rgb = picture.pixels, picture.rgb
        image = as_dask(image) if is_lazy(image) else image
        loaded = choose_model(model, rgb, image.dtype.name)
        plan = (
            make_plan(image, loaded, rgb=rgb, device="cpu", **options)
            if axis is None
            else joint_plan(image, axis, loaded, device="cpu", **options)
        )
        # One kind of kernel for all blocks, or there would be seams of a rounding.
        fused = plan.kernel is not None and numba and devices == "cpu"
        kernel = "numba" if fused else "torch"
        plan = plan._replace(record={**plan.record, "device": devices, "kernel": kernel})
        targets = find_targets(picture, plan, path, illumination, dtype, strength)
        known = Survey(plan.levels, Statistics(*plan.statistics[0].tolist()))
        options |= {"known": known, "rgb": rgb, "device": device}
        parts = len(targets)
        part = file, picture.number
        enhancer = RemoteEnhancer(*part, loaded, options, dtype, strength, parts, fused, axis)
        yield from write_steps(targets, enhancer, source, cluster.run)


class RemoteEnhancer:
    """An `Enhancer` that opens its file and settles on a device where it is used."""

    def __init__(
        self,
        file: Path,
        number: int,
        model: Model,
        options: dict[str, Any],
        dtype: str,
        strength: float,
        parts: int,
        fused: bool,
        axis: int | None = None,
    ) -> None:
        self.file, self.number, self.model, self.options = file, number, model, options
        self.dtype, self.strength, self.parts = dtype, strength, parts
        self.fused, self.axis = fused, axis

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_here"}

    def __call__(self, *place: Any) -> tuple[NDArray[Any], ...]:
        """The blocks of a part of one plane."""
        return self._here(*place)

    @cached_property
    def _here(self) -> Enhancer:
        image = read_image(self.file, lazy=True, image=self.number).pixels
        image = Pixels(as_dask(image)) if is_lazy(image) else image
        if self.fused:  # compiled once on each machine, then found on its disk
            list(warm_up([self.model]))
        plan = make_plan(image, self.model, **self.options)
        if not self.fused:
            plan = plan._replace(kernel=None)
        if self.axis is not None:
            plan = plan._replace(darkest=0.0)  # channels keep their ratios, see `joint_plan`
        return Enhancer(image, plan, self.dtype, self.strength, self.parts, self.axis)


class Pixels:
    """A dask array that is computed in the thread which asks, not by the cluster it runs on."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.shape, self.dtype, self.ndim = image.shape, image.dtype, image.ndim

    def __getitem__(self, key: Any) -> NDArray[Any]:
        return np.asarray(self.image[key].compute(scheduler="synchronous"))
