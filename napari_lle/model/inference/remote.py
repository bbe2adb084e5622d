"""Enhance an image with a cluster: every worker opens the file and chooses a device for itself."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io.files import read_image
from ..io.metadata import Picture
from ..io.zarr_writer import write_steps
from ..kernels import warm_up
from ..network.checkpoint import load_model
from ..progress import Progress
from .cluster import Cluster
from .lazy_arrays import as_dask, is_lazy
from .options import DEFAULTS, EnhanceOptions
from .plan import make_plan
from .settling import choose_model
from .streaming import Enhancer, ZarrOutput, zarr_targets
from .survey import Survey


def enhance_on_cluster(
    picture: Picture,
    output: ZarrOutput,
    options: EnhanceOptions = DEFAULTS,
    *,
    file: Path,
    scheduler: str,
    known: Survey | None = None,
) -> Generator[Progress, None, None]:
    """Do as `streaming.enhance_to_zarr` does, with the workers of a cluster.

    Levels and statistics are found here. Closing the generator cancels the run; what is done
    stays, and the next run continues there.

    Parameters
    ----------
    picture : Picture
        What `file` holds.
    output : ZarrOutput
        Its paths lie where every worker can write.
    options : EnhanceOptions
        Each worker chooses the device for itself.
    file : Path
        The input, where every worker can read.
    scheduler : str
        Address of the cluster's scheduler, such as ``tcp://host:8786``.
    known : Survey, optional
        What was found of the picture and of others that are treated like it.

    Raises
    ------
    ClusterError
        If there is no such scheduler, it has no workers, or one of them has other versions or
        cannot see the files.
    """
    file = file.absolute()
    light = output.illumination and output.illumination.absolute()
    output = replace(output, path=output.path.absolute(), illumination=light)
    options = replace(options, rgb=picture.rgb)
    with Cluster(scheduler) as cluster:
        folders = [path.parent for path in output.paths]
        devices, numba = cluster.examine(file, folders, options.device)
        image = as_dask(picture.pixels) if is_lazy(picture.pixels) else picture.pixels
        scale, alone = options.illumination_scale, options.channel_axis is None
        loaded = choose_model(options.model, picture.rgb, image.dtype.name, scale, alone)
        options = replace(options, model=loaded)
        plan = make_plan(image, replace(options, device="cpu"), known)
        # One kind of kernel for all blocks, or there would be seams of a rounding.
        fused = plan.kernel is not None and numba and devices == "cpu"
        kernel = "numba" if fused else "torch"
        plan = plan._replace(record={**plan.record, "device": devices, "kernel": kernel})
        enhancer = RemoteEnhancer((file, picture.number), options, output, plan.known, fused)
        targets = zarr_targets(picture, plan, output)
        yield from write_steps(targets, enhancer, output.source, cluster.run)


class RemoteEnhancer:
    """An `Enhancer` that opens its file and settles on a device where it is used."""

    def __init__(
        self,
        place: tuple[Path, int],
        options: EnhanceOptions,
        output: ZarrOutput,
        known: Survey,
        fused: bool,
    ) -> None:
        self.file, self.number = place
        self.options, self.output = options, output
        self.known, self.fused = known, fused

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
            list(warm_up([load_model(self.options.model)]))
        plan = make_plan(image, self.options, self.known)
        return Enhancer(image, plan if self.fused else plan._replace(kernel=None), self.output)


class Pixels:
    """A dask array that is computed in the thread which asks, not by the cluster it runs on."""

    def __init__(self, image: Any) -> None:
        self.image = image
        self.shape, self.dtype, self.ndim = image.shape, image.dtype, image.ndim

    def __getitem__(self, key: Any) -> NDArray[Any]:
        return np.asarray(self.image[key].compute(scheduler="synchronous"))
