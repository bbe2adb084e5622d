"""One set of options: checked once, made from a record, turned into code and commands."""

import ast
import pickle
import shlex
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from helpers.models import random_model
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, enhance_jointly
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.io.files import read_image, write_image

RECORD = {
    "model": "photo",
    "strength": 0.8,
    "levels": {"black": 101.5, "white": 4000.0, "dtype": "uint16"},
    "channels": "joint",
    "rgb": False,
    "source": "/data/my cells.tif",
}


@pytest.fixture
def image(rng):
    return rng.integers(0, 5000, (20, 24)).astype(np.uint16)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"channels": "rgb"}, "channels must be one of auto, per, joint, luminance, not 'rgb'."),
        ({"device": "tpu"}, "device must be one of auto, cpu, cuda, mps, not 'tpu'."),
        ({"tile": 3}, "tile must be auto or a number of 32 or more, not 3."),
        ({"tile": "big"}, "tile must be auto or a number of 32 or more, not 'big'."),
        ({"illumination_scale": 3}, "illumination_scale must be 1, 2 or 4, not 3."),
        ({"black": "low"}, "black must be a number, or one for each of several images, not 'low'."),
        (
            {"white": [1, "a"]},
            "white must be a number, or one for each of several images, not 'a'.",
        ),
    ],
)
def test_what_cannot_be_used_is_one_sentence(wrong, sentence):
    with pytest.raises(ValueError) as told:
        EnhanceOptions(**wrong)
    assert str(told.value) == sentence


def test_options_are_values():
    options = EnhanceOptions(model="photo", black=[1.0, None])
    assert options == pickle.loads(pickle.dumps(options)) and len({options, options}) == 1
    assert options.level_pairs(2) == [(1.0, None), (None, None)]
    with pytest.raises(FrozenInstanceError):
        options.model = "linear"
    with pytest.raises(TypeError):
        EnhanceOptions("photo")


def test_a_record_as_python_runs_what_it_says(model_file, image):
    options = EnhanceOptions.from_record({**RECORD, "model_file": str(model_file)})
    names = {"image": image}
    code = options.as_python(0.8)
    ast.parse(code)
    exec(code, names)
    assert names["result"].record["levels"] == RECORD["levels"]
    assert names["result"].record["strength"] == 0.8


@pytest.mark.parametrize("scale", [1, 4])
def test_the_code_of_a_result_repeats_it(model_file, rng, scale):
    image = rng.integers(0, 250, (40, 48, 3)).astype(np.uint8)
    result = enhance(image, str(model_file), strength=0.5, illumination_scale=scale)
    record = {**result.record, "model_file": str(model_file)}
    names = {"image": image}
    exec(EnhanceOptions.from_record(record).as_python(record["strength"]), names)
    np.testing.assert_array_equal(names["result"].reflectance, result.reflectance)
    assert names["result"].record == result.record


@pytest.mark.parametrize("axis", [0, None])
def test_the_code_of_a_shared_illumination_repeats_it(model_file, rng, axis):
    scene = rng.integers(0, 4000, (2, 20, 24)).astype(np.uint16)
    images = list(scene) if axis is None else [scene]
    results = enhance_jointly(images, str(model_file), axis=axis, strength=0.5)
    record = {**results[0].record, "model_file": str(model_file)}
    options = EnhanceOptions.from_record(record)
    names = {"image": scene, "image_0": scene[0], "image_1": scene[1]}
    exec(options.as_python(record["strength"]), names)
    for again, result in zip(names["results"], results, strict=True):
        np.testing.assert_array_equal(again.reflectance, result.reflectance)
        assert again.record == result.record
    if axis is None:
        with pytest.raises(ValueError, match="copy as Python"):
            options.as_command()


def test_enhance_takes_an_axis_of_channels(rng):
    scene, model = rng.integers(0, 4000, (2, 20, 24)).astype(np.uint16), random_model()
    (expected,) = enhance_jointly([scene], model, axis=0)
    result = enhance(scene, model, channel_axis=0)
    np.testing.assert_array_equal(result.reflectance, expected.reflectance)
    assert result.record == expected.record


def test_a_record_as_command_quotes_and_names_everything():
    command = EnhanceOptions.from_record(RECORD).as_command(0.8, RECORD["source"])
    words = shlex.split(command)
    assert words[:3] == ["napari-lle", "enhance", "/data/my cells.tif"]
    options = dict(zip(words[5::2], words[6::2], strict=True))
    assert options["--model"] == "photo"
    assert float(options["--black"]) == 101.5
    assert float(options["--strength"]) == 0.8
    assert options["--channels"] == "joint"


@pytest.mark.parametrize("axes", ["YX", "CYX"])
def test_the_command_of_a_result_repeats_it(model_file, rng, tmp_path, axes):
    """A file, with an axis of channels and without one."""
    pixels = rng.integers(0, 4000, (3, 40, 48)[-len(axes) :]).astype(np.uint16)
    from napari_lle.model.io.metadata import FileRecord

    source, once, again = (tmp_path / f"{name}.tif" for name in ("in", "once", "again"))
    write_image(source, pixels, rgb=False, about=FileRecord(axes))
    words = ["enhance", str(source), "-o", str(once), "--model", str(model_file)]
    words += ["--dtype", "float32", "--strength", "0.6", "--illumination-scale", "2"]
    assert CliRunner().invoke(app, words).exit_code == 0
    made = read_image(once)
    record = {**made.record, "model_file": str(model_file)}
    command = EnhanceOptions.from_record(record).as_command(record["strength"], str(source))
    repeated = shlex.split(command.replace("OUTPUT.tif", shlex.quote(str(again))))
    assert CliRunner().invoke(app, repeated[1:]).exit_code == 0
    np.testing.assert_array_equal(read_image(again).pixels, made.pixels)
    assert read_image(again).record == made.record
    assert ("channel_axis" in made.record) == (axes == "CYX")
