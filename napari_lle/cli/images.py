"""``napari-lle enhance``, ``restore``, ``calibrate`` and ``stages``: images in, images out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..model.inference.options import EnhanceOptions
from .batch import find_sources, find_targets, made, run_all
from .console import Device, Image, drain, reported, say, say_which
from .enhancing import Wanted, enhance_file
from .restoring import restore_file
from .sources import read_for


def enhance(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="IN...", parser=Path, help="Image files, folders, patterns."),
    ],
    output: Annotated[
        str,
        typer.Option(
            "-o", "--output", help="A file, or a folder; one that ends in / is made where needed."
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            help="auto, a bundled model or a file; add :global for one curve for the whole image."
        ),
    ] = "auto",
    strength: Annotated[
        float, typer.Option(help="0 leaves the image as it is, 1 is the full effect.")
    ] = 1.0,
    black: Annotated[
        float | None, typer.Option(help="Input value that becomes 0; found when not given.")
    ] = None,
    white: Annotated[
        float | None, typer.Option(help="Input value that becomes 1; found when not given.")
    ] = None,
    channels: Annotated[
        str,
        typer.Option(
            help="auto, joint (one illumination for all channels) or per (one per channel)."
        ),
    ] = "auto",
    device: Device = "auto",
    tile: Annotated[
        int | None, typer.Option(help="Longest tile side in pixels; does not change the result.")
    ] = None,
    illumination_scale: Annotated[
        int | None,
        typer.Option(
            metavar="1|2|4",
            help="Find the illumination at full, half or quarter size; smaller is faster.",
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="same (as the input) or float32, which is the default with --illumination."
        ),
    ] = None,
    illumination: Annotated[
        Path | None,
        typer.Option(help="Also write the illumination (.tif, .fits, .zarr): restore needs both."),
    ] = None,
    changed: Annotated[
        Path | None,
        typer.Option(help="Also write what changed beyond the plain stretch, in units of noise."),
    ] = None,
    uncertainty: Annotated[
        Path | None,
        typer.Option(help="Also write half the width of R's 95 % interval."),
    ] = None,
    average: Annotated[
        str | None,
        typer.Option(
            metavar="t|z[:N]",
            help="Look at N neighbouring frames or planes together (3 when not said); restore "
            "gives each as it was.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="dask scheduler whose workers enhance the image; for Zarr outputs.",
        ),
    ] = None,
    image: Image = None,
) -> None:
    """Enhance image files."""
    from ..model.io.files import is_zarr
    from ..model.io.outputs import check_outputs
    from ..model.network.bundled import own_file

    with reported():
        dtype = dtype or ("float32" if illumination else "same")
        if dtype not in ("same", "float32"):
            raise ValueError(f"--dtype must be same or float32, not {dtype!r}.")
        if not 0 <= strength <= 1:
            raise ValueError(f"--strength must be a number from 0 to 1, not {strength:g}.")
        sources, complaints = find_sources(inputs)
        one = len(inputs) == 1 and sources == inputs
        targets = find_targets(sources, output, one=one)
        named = {"changed": changed, "uncertainty": uncertainty}
        layers = {name: path for name, path in named.items() if path}
        besides = {**({"illumination": illumination} if illumination else {}), **layers}
        for name, path in besides.items():
            if path.is_dir() and not is_zarr(path):
                raise ValueError(f"--{name} {path} is a folder: name a file in it.")
        if besides and not one:
            raise ValueError(f"--{next(iter(besides))} is one file: give one input at a time.")
        check_outputs([*targets.paths, *besides.values()], [*sources, *own_file(model)])
        options = EnhanceOptions(
            model=model,
            black=black,
            white=white,
            channels=channels,
            device=device,
            tile="auto" if tile is None else tile,
            illumination_scale=illumination_scale,
        )
        wanted = Wanted(illumination, dtype, strength, scheduler, image, layers, average)
    pairs = list(zip(sources, targets.paths, strict=True))
    from ..model.runtime.devices import choose_device  # slow: only once all is well

    with reported(), made(targets.folder):
        run_all(
            pairs,
            lambda source, target: enhance_file(source, target, options, wanted),
            complaints,
            together=scheduler is None and choose_device(device).type == "cpu",
        )


def restore(
    reflectance: Annotated[Path, typer.Argument(help="float32 file written by enhance.")],
    illumination: Annotated[Path, typer.Argument(help="Written with --illumination.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image file to write.")],
    image: Image = None,
) -> None:
    """Recover the original pixel values from reflectance and illumination, bit for bit."""
    from ..model.io.outputs import check_outputs

    with reported():
        check_outputs([output], [reflectance, illumination])
        say(restore_file(reflectance, illumination, output, image))


def calibrate(
    source: Annotated[Path, typer.Argument(metavar="IN", help="An image file.")],
    output: Annotated[
        str, typer.Option("-o", "--output", help="The image file, or a folder ending in /.")
    ],
    dark: Annotated[Path | None, typer.Option(help="Dark frame, or a stack of them.")] = None,
    flat: Annotated[Path | None, typer.Option(help="Flat field, or a stack of them.")] = None,
    undo: Annotated[
        str | None,
        typer.Option(metavar="DTYPE", help="Undo the calibration after restore, into e.g. uint16."),
    ] = None,
    image: Image = None,
) -> None:
    """Subtract a dark frame and divide by a flat field, before enhance; --undo after restore."""
    with reported():
        from ..model.io.files import Output, read_image, write_images
        from ..model.io.outputs import check_outputs
        from ..model.preprocessing.calibration import Calibration
        from ..model.version import __version__

        if dark is None and flat is None:
            raise ValueError("Give --dark or --flat, or both.")
        targets = find_targets([source], output, one=True)
        (target,) = targets.paths
        check_outputs([target], [source, *(f for f in (dark, flat) if f)])
        pictures = read_for(source, [target], image)
        if any(picture.rgb for picture in pictures):
            raise ValueError(
                f"{source} is in colour: dark frames and flat fields are for single channels."
            )
        frames = [None if path is None else read_image(path).pixels for path in (dark, flat)]
        done = "calibration undone" if undo else "dark and flat applied"
        history = f"napari-lle {__version__}: {done}"
        images = []
        for picture in pictures:
            calibration = Calibration.of_frames(undo or picture.pixels.dtype, *frames)
            pixels = (calibration.undo if undo else calibration.apply)(picture.pixels)
            about = picture.about.of_other_values() if picture.about else None
            images.append(Output(pixels, False, None, about, history))
        with made(targets.folder):
            write_images(target, images)
        shapes = (f"{i.pixels.dtype}, {' x '.join(map(str, i.pixels.shape))}" for i in images)
        say(f"{target}: {', '.join(shapes)}")


def stages(
    source: Annotated[Path, typer.Argument(metavar="IN", help="An image file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")],
    model: Annotated[
        str, typer.Option(help="auto, a bundled model or a .safetensors file.")
    ] = "auto",
    count: Annotated[
        int | None, typer.Option(help="Number of stages; by default that of the training.")
    ] = None,
    black: Annotated[float | None, typer.Option(help="Input value that becomes 0.")] = None,
    white: Annotated[float | None, typer.Option(help="Input value that becomes 1.")] = None,
    channels: Annotated[str, typer.Option(help="auto, joint or per.")] = "auto",
    device: Device = "auto",
    image: Image = None,
) -> None:
    """Write input, illumination and reflectance of every stage of the network."""
    from ..model.inspection.export import stage_files, write_stages
    from ..model.io.files import read_image
    from ..model.io.outputs import check_outputs
    from ..model.network.bundled import own_file

    with reported():
        picture = read_image(source, image=image or 1)
        if image is None:
            say_which(source, picture)
        from ..model.inspection.api import stages as look  # slow: only once all is well

        found = look(
            picture.pixels,
            model,
            count=count,
            black=black,
            white=white,
            channels=channels,
            device=device,
            rgb=picture.rgb,
        )
        check_outputs(stage_files(found, output), [source, *own_file(model)])
        steps = write_stages(found, output)
        report = drain(steps, source.name, lambda p: f"{p.done}/{p.total} tiles")
    if not found.trained:
        say(f"{found.model.name} has no trained auxiliary block: E is 0.")
    for row in report["stages"]:
        say(
            f"stage {row['stage']}: |L - L1| max {row['max_difference']:.3g}, "
            f"mean {row['mean_difference']:.3g}; receptive field {row['receptive_field']}"
        )
    say(f"{len(report['files'])} files in {output}")
