"""What a look chooses, what wins over it, and what it is recognised by."""

import numpy as np
import pytest

from napari_lle.model import enhance
from napari_lle.model.inference.looks import (
    LOOK_MEANINGS,
    LOOK_NAMES,
    LOOKS,
    look_options,
    recognise,
)
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.network.bundled import MEASURED


def test_every_look_has_options_that_hold_and_a_meaning():
    assert tuple(LOOKS) == tuple(LOOK_MEANINGS) == LOOK_NAMES
    for look in LOOK_NAMES:
        assert look_options(look).look == look


def test_without_a_look_what_is_given_is_all():
    assert look_options(model="photo", black=3) == EnhanceOptions(model="photo", black=3)
    with pytest.raises(ValueError, match="look"):
        look_options("painting")


def test_what_is_given_wins_and_what_is_open_is_left_to_the_look():
    assert look_options("fluorescence", model="auto", channels="auto").model == MEASURED
    sky = look_options("astronomy", black=None)
    assert sky.black == "sky" and look_options("astronomy", black=3).black == 3
    given = look_options("photograph", model="linear", channels="joint", black=7, white=None)
    assert (given.model, given.channels, given.black, given.white) == ("linear", "joint", 7, None)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("auto", "stretch:mtf"),
        ("photo", "photo:global"),
        ("mine.safetensors", "mine.safetensors:global"),
        ("linear:global", "linear:global"),
        ("stretch:asinh", "stretch:asinh"),
    ],
)
def test_a_publication_is_of_one_curve_whatever_the_model(model, expected):
    assert look_options("publication", model=model).model == expected


def test_the_record_repeats_the_look_without_naming_it(rng):
    image = rng.poisson(30, (40, 50)).astype(np.uint16)
    looked = enhance(image, look="publication")
    black, white = looked.levels.black, looked.levels.white
    again = enhance(image, "stretch:mtf", black=black, white=white)
    np.testing.assert_array_equal(looked.reflectance, again.reflectance)
    assert looked.record["look"] == "publication" and "look" not in again.record
    options = EnhanceOptions.from_record(looked.record)
    assert options.look is None and "look" not in options.as_python()
    names = {"image": image}
    exec(options.as_python(), names)
    np.testing.assert_array_equal(names["result"].reflectance, looked.reflectance)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_recognised_looks_do_what_was_done_by_default(rng, dtype):
    image = rng.integers(0, 200, (40, 50, 3) if dtype == "uint8" else (40, 50)).astype(dtype)
    look = recognise(dtype, image.ndim == 3).look
    np.testing.assert_array_equal(enhance(image, look=look).reflectance, enhance(image).reflectance)


@pytest.mark.parametrize(
    ("look", "dtype", "rgb", "told"),
    [
        ("photograph", "uint8", True, {}),
        ("photograph", "uint16", True, {}),
        ("photograph", "uint8", True, {"name": "starry night"}),
        ("astronomy", "float32", True, {}),
        ("photograph", "float32", True, {"measured": False}),
        ("astronomy", "float32", True, {"measured": False, "file": "M31.fits"}),
        ("fluorescence", "uint16", False, {"name": "star-shaped astrocytes"}),
        ("fluorescence", "uint16", False, {"name": "sky blue dye"}),
        ("astronomy", "uint16", False, {"file": "/data/M13.FITS"}),
        ("astronomy", "float32", False, {"units": ("arcsecond", "arcsecond")}),
        ("astronomy", "uint16", False, {"name": "star field"}),
        ("astronomy", "uint16", False, {"name": "NGC 7331"}),
        ("astronomy", "uint16", False, {"name": "raw_M13_blue_0001"}),
        ("astronomy", "uint16", False, {"name": "IC 434 Horsehead"}),
        ("astronomy", "uint16", False, {"name": "galaxies"}),
        ("fluorescence", "uint16", False, {"name": "starved cells"}),
        ("fluorescence", "uint16", False, {"name": "restart 2"}),
        ("fluorescence", "uint16", False, {"name": "M2 macrophages"}),
        ("fluorescence", "uint16", False, {"name": "IC50 series, cam12"}),
        ("fluorescence", "uint16", False, {"name": "10 um20x"}),
        ("fluorescence", "uint16", False, {"name": "star", "units": ("micrometer",) * 2}),
        ("fluorescence", "uint16", False, {}),
        ("fluorescence", "uint8", False, {"name": "dim cells"}),
        ("fluorescence", "float64", False, {"name": "demo 3"}),
    ],
)
def test_a_look_is_recognised_with_a_reason(look, dtype, rgb, told):
    found = recognise(dtype, rgb, **told)
    assert found.look == look and found.reason
