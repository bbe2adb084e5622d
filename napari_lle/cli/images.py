"""``napari-lle enhance``, ``restore``, ``calibrate`` and ``stages``: images in, images out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..model.inference.level_options import read_level
from ..model.inference.looks import look_options
from . import options as o
from .alike import survey_of_files
from .batch import find_targets, made, plan_batch, run_all
from .bundling import check_bundle_apart, write_bundle
from .console import drain, reported, say, say_which
from .enhancing import enhance_file
from .restoring import restore_file
from .sources import read_for
from .wanted import Wanted

if TYPE_CHECKING:
    from ..model.inference.options import EnhanceOptions
    from ..model.inspection.unrolled import Stages
    from ..model.io.metadata import Output, Picture
    from .batch import BatchPlan


def enhance(
    inputs: o.Inputs,
    output: o.Outputs,
    model: o.AnyModel = "auto",
    look: o.LookName = None,
    strength: o.Strength = 1.0,
    black: o.BlackLevel = None,
    white: o.WhiteLevel = None,
    levels: o.LevelChoice = "auto",
    clipped: o.ClippedShare = None,
    sky: o.SkyBrightness = None,
    brightness: o.Brightness = None,
    denoise: o.Denoise = None,
    channels: o.ChannelChoice = "auto",
    clip: o.ClipChoice = "rescale",
    device: o.DeviceChoice = "auto",
    tile: o.TileSide = None,
    illumination_scale: o.IlluminationScale = None,
    dtype: o.OutputType = None,
    illumination: o.IlluminationFile = None,
    changed: o.ChangedFile = None,
    uncertainty: o.UncertaintyFile = None,
    average: o.Average = None,
    background: o.BackgroundWords = None,
    background_image: o.BackgroundFile = None,
    scheduler: o.Scheduler = None,
    image: o.ImageNumber = None,
    bundle: o.BundleFile = None,
    digest_only: o.WithoutRaw = False,
) -> None:
    """Enhance image files."""
    layers = {"changed": changed, "uncertainty": uncertainty, "background-image": background_image}
    with reported():
        wanted = Wanted(
            illumination=illumination,
            dtype=dtype or ("float32" if illumination else "same"),
            strength=strength,
            scheduler=scheduler,
            image=image,
            layers={name: path for name, path in layers.items() if path},
            average=average,
            background=background,
            bundle=bundle,
            raw=not digest_only,
            panels={} if bundle else None,
        )
        wanted.check()
        batch = plan_batch(inputs, output, wanted.besides(), model)
        check_bundle_apart(batch, wanted)
        ends = {"black": read_level("black", black), "white": read_level("white", white)}
        found = {"levels": levels, "clipped": clipped, "sky": sky}
        shown = {"brightness": brightness, "denoise": denoise, "channels": channels, "clip": clip}
        run = {"device": device, "tile": "auto" if tile is None else tile}
        asked = {**ends, **found, **shown, **run, "illumination_scale": illumination_scale}
        options = look_options(look, model=model, **asked)
    _run_batch(batch, options, wanted)


def _run_batch(batch: BatchPlan, options: EnhanceOptions, wanted: Wanted) -> None:
    """Enhance all files, between common levels where the look has it so."""
    from ..model.runtime.devices import choose_device  # slow: only once all is well

    with reported():
        sources = [source for source, _ in batch.pairs]
        wanted = wanted._replace(known=survey_of_files(sources, options, wanted.image))
    with reported(), made(batch.folder):
        run_all(
            batch.pairs,
            lambda source, target: enhance_file(source, target, options, wanted),
            batch.complaints,
            together=wanted.scheduler is None and choose_device(options.device) == "cpu",
        )
    with reported():
        write_bundle([source for source, _ in batch.pairs], wanted)


def restore(
    reflectance: Annotated[Path, typer.Argument(help="float32 file written by enhance.")],
    illumination: Annotated[Path, typer.Argument(help="Written with --illumination.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The image file to write.")],
    image: o.ImageNumber = None,
) -> None:
    """Recover the original pixel values from reflectance and illumination, bit for bit."""
    from ..model.io.outputs import check_outputs

    with reported():
        check_outputs([output], [reflectance, illumination])
        say(restore_file(reflectance, illumination, output, image))


def calibrate(
    source: o.SourceImage,
    output: Annotated[
        str, typer.Option("-o", "--output", help="The image file, or a folder ending in /.")
    ],
    dark: Annotated[Path | None, typer.Option(help="Dark frame, or a stack of them.")] = None,
    flat: Annotated[Path | None, typer.Option(help="Flat field, or a stack of them.")] = None,
    undo: Annotated[
        str | None,
        typer.Option(
            metavar="DTYPE",
            help="Undo the calibration after restore, as this data type, e.g. uint16.",
        ),
    ] = None,
    image: o.ImageNumber = None,
) -> None:
    """Subtract a dark frame and divide by a flat field, before enhance; --undo after restore."""
    with reported():
        from ..model.io.files import read_image, write_images
        from ..model.io.outputs import check_outputs

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
        names = [source.name, *(path.name for path in (dark, flat) if path)]
        images = [_calibrated(picture, frames, names, undo) for picture in pictures]
        with made(targets.folder):
            write_images(target, images)
        shapes = (f"{i.pixels.dtype}, {' x '.join(map(str, i.pixels.shape))}" for i in images)
        say(f"{target}: {', '.join(shapes)}")


def _calibrated(picture: Picture, frames: list[Any], names: list[str], undo: str | None) -> Output:
    """One image without its dark frame and flat field, or with them again."""
    from ..model.io.digests import pixel_digest
    from ..model.io.files import Output
    from ..model.io.provenance import Activity, Used
    from ..model.preprocessing.calibration import Calibration
    from ..model.version import __version__

    calibration = Calibration.of_frames(undo or picture.pixels.dtype, *frames)
    pixels = (calibration.undo if undo else calibration.apply)(picture.pixels)
    about = picture.about.of_other_values() if picture.about else None
    done = "calibration undone" if undo else "dark and flat applied"
    parts = [picture.pixels, *(frame for frame in frames if frame is not None)]
    used = [Used(pixel_digest(p), name) for p, name in zip(parts, names, strict=True)]
    earlier = (picture.provenance,) if picture.provenance else ()
    activity = "uncalibrate" if undo else "calibrate"
    step = Activity(activity, "image", tuple(used), earlier=earlier)
    return Output(pixels, False, None, about, f"napari-lle {__version__}: {done}", step)


def stages(
    source: o.SourceImage,
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to write to.")],
    model: Annotated[
        str, typer.Option(help="auto, a bundled model or a .safetensors file.")
    ] = "auto",
    count: Annotated[
        int | None, typer.Option(help="Number of stages; by default as in training.")
    ] = None,
    black: o.BlackLevel = None,
    white: o.WhiteLevel = None,
    channels: o.ChannelChoice = "auto",
    device: o.DeviceChoice = "auto",
    image: o.ImageNumber = None,
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
        from ..model.inspection.api import stages as unrolled  # slow: only once all is well

        found = unrolled(
            picture.pixels,
            model,
            count=count,
            black=read_level("black", black),
            white=read_level("white", white),
            channels=channels,
            device=device,
            rgb=picture.rgb,
        )
        check_outputs(stage_files(found, output), [source, *own_file(model)])
        steps = write_stages(found, output)
        report = drain(steps, source.name, lambda p: f"{p.done}/{p.total} tiles")
    _tell_stages(found, report, output)


def _tell_stages(found: Stages, report: dict[str, Any], output: Path) -> None:
    """Print how far each stage is from the first."""
    if not found.trained:
        say(f"{found.model.name} has no trained auxiliary block: E is 0.")
    for row in report["stages"]:
        say(
            f"stage {row['stage']}: |L - L1| max {row['max_difference']:.3g}, "
            f"mean {row['mean_difference']:.3g}; receptive field {row['receptive_field']}"
        )
    say(f"{len(report['files'])} files in {output}")
