"""Read damaged files: each is read or refused in one sentence, soon, and nothing is left behind.

    python benchmarks/fuzz_files.py --inputs 12000

Small valid files of every format are cut short, or some of their bits are turned over. Children
read them, so that a crash or a hang of a decoder is seen as what it is.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

LIMIT = 20  # seconds for one input
CHUNK = 500  # inputs of one child


def make_seeds(folder: Path) -> None:
    """Small valid files: a kind of each thing that the readers tell apart."""
    import numpy as np
    import tifffile
    import zarr
    from astropy.io import fits
    from PIL import Image

    from napari_lle.model.io.files import FileRecord, write_image

    rng = np.random.default_rng(0)
    grey, colour = rng.integers(0, 255, (24, 20), "u1"), rng.integers(0, 255, (24, 20, 3), "u1")
    deep, stack = grey.astype("u2") * 200, rng.integers(0, 4000, (3, 24, 20)).astype("u2")
    exif = Image.Exif()
    exif[274], exif[306], exif[0x8769] = 6, "2020:01:02 03:04:05", {0x9003: "2020:01:02 03:04:05"}
    Image.fromarray(colour).save(folder / "a.jpg", exif=exif, dpi=(300, 300))
    Image.fromarray(colour).save(folder / "a.webp", exif=exif)
    frames = [Image.fromarray(np.roll(grey, i)) for i in range(3)]
    frames[0].save(folder / "frames.png", save_all=True, append_images=frames[1:])
    Image.fromarray(colour).quantize(9).save(folder / "palette.png")
    about = FileRecord("YX", (0.5, 0.5), units=("micrometer",) * 2, alpha=deep)
    write_image(folder / "alpha.png", deep, rgb=False, about=about)
    write_image(folder / "ome.tif", stack, rgb=False, about=FileRecord("ZYX"), record={"a": 1})
    write_image(folder / "shaped.tif", stack > 2000, rgb=False)
    for name, options in {
        "white": {"photometric": "miniswhite"},
        "palette": {"photometric": "palette", "colormap": np.zeros((3, 256), "u2")},
        "zlib": {"compression": "zlib", "predictor": True},
        "lzw": {"compression": "lzw"},
        "jpeg": {"compression": "jpeg"},
        "turned": {"extratags": [(274, 3, 1, 6, True)]},
    }.items():
        options.setdefault("photometric", "minisblack")
        tifffile.imwrite(folder / f"{name}.tif", grey, metadata=None, **options)
    tifffile.imwrite(folder / "ij.tif", stack, imagej=True, metadata={"axes": "ZYX", "unit": "um"})
    hdu = fits.ImageHDU(stack.astype("i2"), name="SCI")
    hdu.header["BLANK"] = 5
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(folder / "a.fits")
    packed = fits.CompImageHDU(stack[0].astype("i4"), compression_type="RICE_1")
    fits.HDUList([fits.PrimaryHDU(), packed]).writeto(folder / "a.fits.fz")
    write_image(folder / "a.fits.gz", deep, rgb=False, record={"a": 1})
    write_image(folder / "a.zarr", stack, rgb=False, about=FileRecord("CYX", channels=("a",) * 3))
    group = zarr.open_group(folder / "old.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=stack)
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1] * 3}]}]
    group.attrs["multiscales"] = [{"axes": list("zyx"), "datasets": datasets}]


def damaged(content: bytes, dice: random.Random) -> bytes:
    """A file cut short, with bits turned over, or both; the beginning is hit more often."""
    made = bytearray(content)
    if dice.random() < 0.3:
        del made[dice.randrange(len(made)) :]
    if made and (len(made) == len(content) or dice.random() < 0.3):
        reach = len(made) if dice.random() < 0.5 else min(len(made), 400)
        for _ in range(dice.choice((1, 1, 2, 4, 16))):
            made[dice.randrange(reach)] ^= 1 << dice.randrange(8)
    return bytes(made)


def damage(seed: Path, target: Path, dice: random.Random) -> None:
    """Copy a seed and damage it, of a Zarr one of its files."""
    if seed.is_dir():
        shutil.copytree(seed, target)
        target = dice.choice(sorted(f for f in target.rglob("*") if f.is_file()))
        target.write_bytes(damaged(target.read_bytes(), dice))
    else:
        target.write_bytes(damaged(seed.read_bytes(), dice))


def read(file: Path, lazy: bool) -> str:
    """What became of reading a file: `read`, `refused`, or what is wrong."""
    import numpy as np

    from napari_lle.model.io.files import FileError, read_image

    before = sorted(file.parent.rglob("*"))
    signal.alarm(LIMIT)
    try:
        picture = read_image(file, lazy=lazy)
        if picture.pixels.nbytes < 1 << 24:
            np.asarray(picture.pixels)
        outcome = "read"
    except FileError as error:
        sentence = str(error)
        outcome = "refused" if "\n" not in sentence and sentence[-1] in ".?" else repr(sentence)
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
    return outcome if sorted(file.parent.rglob("*")) == before else f"left files behind, {outcome}"


def hung(*_: object) -> None:
    """Told by the alarm."""
    raise TimeoutError(f"longer than {LIMIT} s")


def child(seeds: Path, first: int, count: int) -> None:
    """Read some inputs, printing the outcome of each as a line of JSON."""
    import logging
    import resource

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, hung)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    files = sorted(seeds.iterdir())
    for number in range(first, first + count):
        dice = random.Random(number)
        seed = files[number % len(files)]
        print(json.dumps([number, seed.name, "began"]), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            damage(seed, Path(folder) / seed.name, dice)
            outcome = read(Path(folder) / seed.name, lazy=number % 3 == 0)
        print(json.dumps([number, seed.name, outcome]), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=12000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seeds", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seeds:
        child(options.seeds, options.first, options.inputs)
        return 0
    began, outcomes, faults = time.perf_counter(), Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder)
        make_seeds(seeds)
        at, end = options.first, options.first + options.inputs
        while at < end:
            count = min(CHUNK, end - at)
            command = [sys.executable, __file__, "--seeds", folder, "--first", str(at)]
            done = subprocess.run(
                [*command, "--inputs", str(count)],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=count * (LIMIT + 5),
                check=False,
            )
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            finished = [row for row in rows if row[2] != "began"]
            for row in finished:
                outcomes[row[2] if row[2] in ("read", "refused") else "fault"] += 1
                faults += [row] if row[2] not in ("read", "refused") else []
            if done.returncode:  # the last that began ended its child
                faults.append([*rows[-1][:2], f"ended the process ({done.returncode})"])
                outcomes["fault"] += 1
                at = rows[-1][0] + 1
            else:
                at += count
    for number, name, outcome in faults[:40]:
        print(f"{number} {name}: {outcome}")
    seconds = time.perf_counter() - began
    print(f"{sum(outcomes.values())} inputs in {seconds:.0f} s: {dict(outcomes)}")
    return bool(faults)


if __name__ == "__main__":
    raise SystemExit(main())
