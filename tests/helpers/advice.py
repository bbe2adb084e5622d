"""Commands that are refused, what their sentences say, and what works once that is done."""

from typing import NamedTuple


class Advice(NamedTuple):
    """A command, what its refusal says, and the commands that do as it says."""

    refused: str
    sentence: str
    followed: tuple[str, ...]


PAIR = "--low low --reference ref"
SHORT = "-o m.safetensors --device cpu"
SCIENCE = "--model linear"
FOLLOWED = [
    Advice(
        f"enhance grey.tif -o r.zarr --changed c.tif {SCIENCE}",
        "--changed does not go with a Zarr output: let it end in .tif",
        (f"enhance grey.tif -o r2.tif --changed c.tif {SCIENCE}",),
    ),
    Advice(
        f"enhance channels.tif -o a.tif --average t {SCIENCE}",
        "--average treats each channel by itself: add --channels per",
        (f"enhance channels.tif -o a.tif --average t {SCIENCE} --channels per",),
    ),
    Advice(
        f"enhance stack.tif -o a.tif --average t --background divide {SCIENCE}",
        "--average and --background do not go together: take one of them",
        tuple(
            f"enhance stack.tif -o a.tif --{option} {SCIENCE}"
            for option in ("average t", "background divide")
        ),
    ),
    Advice(
        f"enhance grey.tif -o a.tif --background-image b.tif {SCIENCE}",
        "--background-image goes with --background: say subtract or divide",
        tuple(
            f"enhance grey.tif -o a.tif --background-image b.tif --background {how} {SCIENCE}"
            for how in ("subtract", "divide")
        ),
    ),
    Advice(
        f"enhance stack.tif -o a.tif --average t --bundle b.zip {SCIENCE}",
        "--bundle does not go with --average: leave one of them out",
        (
            f"enhance stack.tif -o a.tif --average t {SCIENCE}",
            f"enhance stack.tif -o b.tif --bundle b.zip {SCIENCE}",
        ),
    ),
    Advice(
        "reproduce whole.zip --input grey.tif --input stack.tif",
        "Images in whole.zip: 1, files given: 2. Give --input once for each image",
        ("reproduce whole.zip --input grey.tif",),
    ),
    Advice(
        "reproduce told.zip",
        "has the digest of grey alone: give the file with --input",
        ("reproduce told.zip --input grey.tif",),
    ),
    Advice(
        "enhance low -o out/ --illumination l2.tif",
        "--illumination is one file: give one input at a time",
        tuple(f"enhance low/{i}.png -o o{i}.tif --illumination l{i}.tif" for i in range(3)),
    ),
    Advice(
        "enhance grey.tif -o a.tif --dtype int8",
        "--dtype must be same or float32, not 'int8'",
        tuple(f"enhance grey.tif -o a.tif --dtype {d}" for d in ("same", "float32")),
    ),
    Advice(
        "enhance grey.tif -o a.tif --strength 2",
        "--strength must be a number from 0 to 1, not 2",
        tuple(f"enhance grey.tif -o a.tif --strength {s}" for s in ("0", "1")),
    ),
    Advice(
        "enhance grey.tif stack.tif -o one.tif",
        "one.tif is not a folder: several inputs need one",
        ("enhance grey.tif stack.tif -o folder/",),
    ),
    Advice(
        "enhance low/0.png ref/0.png -o out/",
        "Two inputs have the same name: give them one at a time",
        ("enhance low/0.png -o out/", "enhance ref/0.png -o out/other.png"),
    ),
    Advice(
        "enhance float.tif -o a.png",
        ".png cannot hold float32; write to .tif instead",
        ("enhance float.tif -o a.tif",),
    ),
    Advice(
        "enhance stack.tif -o a.png",
        ".png cannot hold a stack; write to .tif instead",
        ("enhance stack.tif -o a.tif",),
    ),
    Advice(
        "enhance grey.tif -o a.tif --model nosuch",
        "There is no model nosuch: choose linear",
        ("enhance grey.tif -o a.tif --model linear",),
    ),
    Advice(
        "enhance grey.tif -o a.tif --black 60000",
        "The black level (60000) leaves nothing of the image",
        ("enhance grey.tif -o a.tif --black 60000 --white 65000",),
    ),
    Advice(
        "enhance grey.tif -o a.tif --image 2",
        "grey.tif holds 1 image: there is no image 2",
        ("enhance grey.tif -o a.tif --image 1",),
    ),
    Advice(
        "enhance grey.tif -o a.tif --tile 3",
        "tile must be auto or a number of 32 or more, not 3",
        ("enhance grey.tif -o a.tif --tile 32",),
    ),
    Advice(
        "enhance grey.tif -o grey.tif",
        "grey.tif is the input itself: choose another output",
        ("enhance grey.tif -o other.tif",),
    ),
    Advice(
        "restore rounded.tif l.tif -o b.tif",
        "rounded uint16: enhance with --dtype float32",
        (
            "enhance grey.tif -o whole.tif --dtype float32 --illumination l3.tif",
            "restore whole.tif l3.tif -o b.tif",
        ),
    ),
    Advice(
        "restore l.tif r.tif -o b.tif",
        "give the reflectance first, then the illumination",
        ("restore r.tif l.tif -o b.tif",),
    ),
    Advice(
        "calibrate grey.tif -o c.tif",
        "Give --dark or --flat, or both",
        tuple(
            f"calibrate grey.tif -o c.tif {frames}"
            for frames in ("--dark grey.tif", "--flat grey.tif", "--dark float.tif --flat grey.tif")
        ),
    ),
    Advice(
        "evaluate --low low",
        "Give --low and --reference, --noisy and --clean, or --suite",
        (
            f"evaluate {PAIR} --metrics psnr",
            f"evaluate --noisy low --clean ref {SCIENCE}",
        ),
    ),
    Advice(
        "evaluate --noisy low",
        "--noisy and --clean go together: give both folders",
        (f"evaluate --noisy low --clean ref {SCIENCE}",),
    ),
    Advice(
        "evaluate --noisy low --clean ref --per-image",
        "--noisy cannot be combined with other folders, --sheet or --per-image",
        (f"evaluate --noisy low --clean ref {SCIENCE}",),
    ),
    Advice(
        f"train {PAIR} -o m.pt --steps 1",
        "the name of a model file must end in .safetensors",
        (f"train {PAIR} {SHORT} --steps 1",),
    ),
    Advice(
        f"train {PAIR} {SHORT} --steps 1 --vgg v.safetensors",
        "--vgg is for --objective paper: leave it out, or choose that",
        (f"train {PAIR} {SHORT} --steps 1",),
    ),
    Advice(
        "enhance grey.tif -o ",
        "The output has no name: give -o a file, or a folder ending in /",
        ("enhance grey.tif -o named.tif", "enhance grey.tif -o named/"),
    ),
    Advice(
        f"train {PAIR} {SHORT} --steps 1 --minutes 1",
        "Give only one of --epochs, --steps and --minutes",
        (f"train {PAIR} {SHORT} --epochs 1",),
    ),
    Advice(
        f"train stack.tif {SHORT} --steps 1",
        "Images by name are for --objective noisy, without folders",
        (f"train stack.tif {SHORT} --objective noisy --steps 1",),
    ),
    Advice(
        f"train --low low {SHORT} --steps 1",
        "Give --low and --reference, optionally with --masks, or --images alone",
        (f"train {PAIR} {SHORT} --steps 1",),
    ),
]
