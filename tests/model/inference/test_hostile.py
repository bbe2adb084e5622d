"""Input that nobody wishes for: a right answer, or one clear sentence, and nothing lost."""

import functools
import json
import pickle
import resource
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.arrays import FLOATS, INTEGERS, MODELS, images
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, load_model, restore
from napari_lle.model.io.files import FileError, read_image, write_image
from napari_lle.model.network.checkpoint import CheckpointError, save_model
from napari_lle.model.network.network import Network
from napari_lle.model.preprocessing.levels import find_levels

settings.register_profile(
    "hostile",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("hostile")


def same(a, b):
    """Equality of bits, where every NaN is one."""
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


@settings(max_examples=80)
@given(images(INTEGERS), st.sampled_from(sorted(MODELS)), st.sampled_from([0.0, 0.6, 1.0]))
@example(np.full((1, 1), 65535, ">u2"), "stretching", 1.0)
@example(np.zeros((1, 7), bool), "cleaning", 1.0)
def test_integers_come_back_bit_for_bit(image, form, strength):
    before = image.copy()
    result = enhance(image, MODELS[form], strength=strength, rgb=False, device="cpu")
    assert result.reflectance.shape == image.shape
    assert result.reflectance.dtype == np.float32
    assert np.isfinite(result.reflectance).all()
    back = restore(result.reflectance, result.illumination, result.levels)
    assert back.dtype == image.dtype.newbyteorder("=")
    assert same(back, image)
    assert same(image, before)


@settings(max_examples=80)
@given(images(FLOATS), st.sampled_from(sorted(MODELS)))
@example(np.array([[[1.0]], [[3e-52]], [[0.0]]]), "cleaning")
def test_floats_come_back_within_rounding(image, form):
    finite = image[np.isfinite(image)].astype(float)
    with np.errstate(over="ignore"):
        assume(finite.size == 0 or np.ptp(finite) < 1e300)  # or levels cannot be told
    before = image.copy()
    with np.errstate(all="ignore"):
        result = enhance(image, MODELS[form], rgb=False, device="cpu")
        back = restore(result.reflectance, result.illumination, result.levels)
    assert same(image, before)
    assert result.reflectance.shape == image.shape
    known = np.isfinite(image)
    scale = np.maximum(np.abs(image[known].astype(float)), abs(result.levels.black))
    resolution = max(2e-7, float(np.finfo(image.dtype).eps))
    assume((scale <= 1e37 * result.levels.span).all())  # R is float32: inf beyond
    assert (np.isnan(back) == np.isnan(image)).all()
    # R is float32, which knows nothing below 1e-38 of the range between the levels.
    allowed = resolution * scale + 1e-37 * result.levels.span
    assert (np.abs(back[known].astype(float) - image[known]) <= allowed).all()
    infinite = np.isinf(image)
    assert (back[infinite] == image[infinite]).all()


@settings(max_examples=60)
@given(
    images(["u1", "u2", "i2"]),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(allow_nan=True, allow_infinity=True),
)
@example(np.arange(12, dtype="u2").reshape(3, 4), 1e9, 1e9 + 1)
@example(np.arange(12, dtype="u2").reshape(3, 4), -1e30, 1e30)
def test_typed_levels_are_refused_or_reversible(image, black, white):
    try:
        result = enhance(
            image, MODELS["stretching"], black=black, white=white, rgb=False, device="cpu"
        )
    except ValueError as error:
        assert "\n" not in str(error)
        return
    assert same(restore(result.reflectance, result.illumination, result.levels), image)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (0, 4, 4), (4, 4, 0), (3,), ()])
def test_images_without_pixels_or_planes_are_named(shape):
    with pytest.raises(ValueError, match=r"empty|two spatial axes"):
        enhance(np.zeros(shape, np.uint16), MODELS["stretching"], rgb=False)


@pytest.mark.parametrize("dtype", ["c8", "U3", "M8[s]", "O"])
def test_what_is_no_image_is_named(dtype):
    with pytest.raises(TypeError, match="convert it"):
        find_levels(np.zeros((2, 2), dtype))


class Bomb:
    """An object that leaves a trace when somebody unpickles it."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("writer", [pickle.dump, torch.save])
def test_a_pickle_is_never_unpickled(tmp_path, writer):
    trace, file = tmp_path / "exploded", tmp_path / "model.safetensors"
    with file.open("wb") as stream:
        writer(Bomb(trace), stream)
    with pytest.raises(CheckpointError, match="not a readable model file"):
        load_model(file)
    answer = CliRunner().invoke(app, ["info", str(file)])
    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1
    assert not trace.exists()


@functools.cache
def whole_model():
    """Bytes of a model file; no fixture, or a failing test would print them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "m.safetensors"
        save_model(file, Network(), {"data": "none"})
        return file.read_bytes()


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_model_is_one_sentence(tmp_path, data):
    content = bytearray(whole_model())
    header = 8 + struct.unpack("<Q", content[:8])[0]
    for _ in range(data.draw(st.integers(1, 4))):
        # Mostly in the header: most of the rest is weights, where any byte will do.
        end = header if data.draw(st.booleans()) else len(content)
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.sampled_from([len(content), len(content) // 2, 7, 0, header]))]
    load_or_one_sentence(tmp_path / "m.safetensors", bytes(content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@settings(max_examples=80)
@given(st.sampled_from([*Network().config.to_dict(), "config", "card"]), JSON)
@example("branch_width", 10**9)
@example("widths", [10**6, 10**6])
@example("dilations", [10**8])
@example("stages", 10**9)
@example("config", [1, 2])
@example("local", float("nan"))
def test_a_wrong_configuration_is_one_sentence(tmp_path, name, value):
    whole = whole_model()
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    metadata = header["__metadata__"]
    if name in ("config", "card"):
        metadata[name] = json.dumps(value)
    else:
        metadata["config"] = json.dumps({**json.loads(metadata["config"]), name: value})
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text + whole[8 + length :]
    load_or_one_sentence(tmp_path / "m.safetensors", content)


def load_or_one_sentence(file, content):
    file.write_bytes(content)
    try:
        model = load_model(file)
    except CheckpointError as error:
        assert str(error)
        assert "\n" not in str(error)
    else:  # other numbers, or nothing that matters, were hit
        assert isinstance(model.card, dict)
        assert all(torch.isfinite(p).all() for p in model.network.parameters())


@pytest.fixture(scope="module")
def whole_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    image = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    for suffix in (".png", ".jpg", ".webp", ".tif"):
        write_image(folder / f"a{suffix}", image, rgb=True)
    write_image(folder / "deep.png", image.astype(np.uint16) * 257, rgb=True)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.filterwarnings("ignore")  # decoders warn before they fail
@settings(max_examples=100)
@given(st.data())
def test_a_damaged_image_is_one_sentence(tmp_path, whole_images, data):
    name = data.draw(st.sampled_from(sorted(whole_images)))
    content = bytearray(whole_images[name])
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, min(200, len(content)) - 1))
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    suffix = data.draw(st.sampled_from([Path(name).suffix, ".png", ".tif", ".jpg"]))
    file = tmp_path / f"damaged{suffix}"
    file.write_bytes(content)
    try:
        picture = read_image(file)
    except FileError as error:
        assert "damaged" in str(error)
        assert "\n" not in str(error)
    else:
        assert picture.pixels.ndim >= 2


@pytest.mark.parametrize("suffix", [".txt", ".png", ".tif", ".jpg"])
def test_a_text_is_told_apart_from_an_image(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    file.write_text("not an image at all\n" * 20)
    answer = CliRunner().invoke(app, ["enhance", str(file), "-o", str(tmp_path / "out.tif")])
    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1
    assert file.name in answer.stderr
    assert list(tmp_path.iterdir()) == [file]


@contextmanager
def full_disk():
    """Let no file grow beyond 2,000 bytes: a write fails midway, as on a full disk.

    Around the write alone: the limit holds for the log of the tests, too.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("suffix", "depth"),
    [
        (".png", "uint8"),
        (".png", "uint16"),
        (".tif", "uint8"),
        (".tif", "uint16"),
        (".webp", "uint8"),
    ],
)
def test_a_full_disk_leaves_no_half_image(tmp_path, rng, suffix, depth):
    file = tmp_path / f"a{suffix}"
    file.write_bytes(b"precious")
    image = rng.integers(0, 255, (64, 64, 3)).astype(depth)
    with pytest.raises(FileError, match="cannot be written") as caught, full_disk():
        write_image(file, image, rgb=True)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [file]


def test_a_full_disk_leaves_no_half_model(tmp_path):
    file = tmp_path / "m.safetensors"
    with pytest.raises(FileError, match="no file of that size"), full_disk():
        save_model(file, Network(), {})
    assert list(tmp_path.iterdir()) == []
