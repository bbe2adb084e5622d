"""What the commands take: each option once, with its name and its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..model.inference.looks import LOOK_NAMES

# Of several commands.
DeviceChoice = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
ImageNumber = Annotated[
    int | None,
    typer.Option("--image", metavar="N", min=1, help="Which image, where a file holds several."),
]
SourceImage = Annotated[Path, typer.Argument(metavar="IN", help="An image file.")]
BlackLevel = Annotated[
    str | None,
    typer.Option(
        metavar="FLOAT|sky",
        help="Input value that becomes 0, or sky for just below the background; found when not "
        "given. With commas, one for each channel.",
    ),
]
WhiteLevel = Annotated[
    str | None,
    typer.Option(
        metavar="FLOAT",
        help="Input value that becomes 1; found when not given. With commas, one for each channel.",
    ),
]
ChannelChoice = Annotated[
    str,
    typer.Option(
        help="auto, joint (one illumination for all channels, of the brightest), luminance (one, "
        "of the mean of colours) or per (one per channel)."
    ),
]
ClipChoice = Annotated[
    str,
    typer.Option(help="With luminance: rescale colours that exceed 1, or keep them."),
]
LowFolder = Annotated[Path | None, typer.Option(help="Folder of dark images.")]
ReferenceFolder = Annotated[
    Path | None, typer.Option(help="Folder of references, matched by file name.")
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Also write the figures to this file.")
]

# Of enhance.
Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="IN...", parser=Path, help="Image files, folders, patterns."),
]
Outputs = Annotated[
    str,
    typer.Option(
        "-o", "--output", help="A file, or a folder; one whose name ends in / is created if needed."
    ),
]
AnyModel = Annotated[
    str,
    typer.Option(
        help="auto, a bundled model or a file; add :global for one curve for the whole image. Or "
        "stretch:mtf, stretch:asinh, stretch:ghs."
    ),
]
Brightness = Annotated[
    float | None, typer.Option(help="What a brightness of a quarter becomes in the result, 0..1.")
]
Denoise = Annotated[
    float | None,
    typer.Option(help="How much of the noise removal is kept, 0..1; for linear and science."),
]
LookName = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(LOOK_NAMES),
        help="The kind of picture to make: chooses the options that are not given.",
    ),
]
Strength = Annotated[float, typer.Option(help="0 leaves the image as it is, 1 is the full effect.")]
LevelChoice = Annotated[
    str,
    typer.Option(
        help="auto, linked (one black and white for all channels) or unlinked (each its own)."
    ),
]
ClippedShare = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Share of the values that may lie beyond automatic levels, at each end: 0.001 with "
        "--look publication.",
    ),
]
SkyBrightness = Annotated[
    float | None,
    typer.Option(help="Brightness of the background in the result; 0.25 with --black sky."),
]
TileSide = Annotated[
    int | None, typer.Option(help="Longest tile side in pixels; does not change the result.")
]
IlluminationScale = Annotated[
    int | None,
    typer.Option(
        metavar="1|2|4",
        help="Find the illumination at full, half or quarter size; smaller is faster.",
    ),
]
OutputType = Annotated[
    str | None,
    typer.Option(help="same (as the input) or float32, which is the default with --illumination."),
]
IlluminationFile = Annotated[
    Path | None,
    typer.Option(help="Also write the illumination (.tif, .fits, .zarr): restore needs both."),
]
ChangedFile = Annotated[
    Path | None,
    typer.Option(help="Also write what changed beyond the plain stretch, in units of noise."),
]
UncertaintyFile = Annotated[
    Path | None, typer.Option(help="Also write half the width of R's 95 % interval.")
]
Average = Annotated[
    str | None,
    typer.Option(
        metavar="t|z[:N]",
        help="Look at N neighbouring frames or planes together (3 by default); restore gives each "
        "as it was.",
    ),
]
BackgroundWords = Annotated[
    str | None,
    typer.Option(
        metavar="subtract|divide[:N]",
        help="First remove a smooth background, a polynomial of degree N (2 by default); restore "
        "gives the image as it was.",
    ),
]
BackgroundFile = Annotated[
    Path | None, typer.Option("--background-image", help="Also write that background.")
]
BundleFile = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="ZIP",
        help="Also write raw pixels, result, settings, versions, pictures before and after, and "
        "texts for a paper into one file, which reproduce repeats.",
    ),
]
WithoutRaw = Annotated[
    bool,
    typer.Option("--digest-only", help="Put only the digest of the raw pixels into the bundle."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="dask scheduler whose workers enhance the image; for Zarr outputs."
    ),
]

# Of train.
NewModel = Annotated[Path, typer.Option("-o", "--output", help="The model file to write.")]
NoisyImages = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[IMAGES]...", help="Noisy grey images or stacks, for noisy."),
]
DarkFolder = Annotated[Path | None, typer.Option(help="Folder of dark images without references.")]
MaskFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of annotations: 0 ignore, 1 train, 2 validate; TIFF or PNG."),
]
ObjectiveChoice = Annotated[
    str | None,
    typer.Option(
        help="paired (from references), paper (from dark images) or noisy (from noisy images)."
    ),
]
Epochs = Annotated[float | None, typer.Option(help="Passes over the images.")]
StepCount = Annotated[int | None, typer.Option(help="Optimizer steps.")]
Minutes = Annotated[float | None, typer.Option(help="Training time in minutes.")]
BaseModel = Annotated[
    str | None, typer.Option(help="Start from this model, a bundled one or a file.")
]
VggWeights = Annotated[
    str | None,
    typer.Option(help="VGG16's weights for eq. 7: a file, or official to download them."),
]
Consent = Annotated[bool, typer.Option("--yes", help="Download without asking.")]
SettingsFile = Annotated[Path | None, typer.Option(help="YAML file of training settings.")]
RunFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of the run; a run that has begun there is continued."),
]
DataNote = Annotated[str, typer.Option(help="Description of the images, for the training card.")]
LicenceNote = Annotated[str, typer.Option(help="Licence of the images, for the training card.")]
CheckpointSeconds = Annotated[float, typer.Option(hidden=True)]

# Of evaluate.
NoisyFolder = Annotated[
    Path | None, typer.Option(help="Folder of noisy frames, to score how much noise is removed.")
]
CleanFolder = Annotated[
    Path | None, typer.Option(help="Folder of averages of many frames, matched by file name.")
]
JudgedModel = Annotated[str | None, typer.Option(help="A bundled model or a .safetensors file.")]
Suite = Annotated[
    str | None,
    typer.Option(
        help="linear: checks on simulated linear data; photographs: on scenes under difficult "
        "light. They need no folders."
    ),
]
MetricNames = Annotated[str, typer.Option(help="Compute only these, for instance psnr,ssim.")]
SheetFile = Annotated[
    Path | None,
    typer.Option(help="Also draw the best, median and worst image to this file (.png)."),
]
PerImage = Annotated[bool, typer.Option(help="Also list the model's figures for each image.")]
