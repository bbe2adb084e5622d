"""Zarr written block by block: equal to the whole, resumed after a kill, never half-written."""

import numpy as np
import pytest
from helpers.models import random_model

from napari_lle.model import enhance, enhance_jointly
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.inference.streaming import ZarrOutput, enhance_to_zarr, restore_to_zarr
from napari_lle.model.io.files import FileRecord, Picture, read_image, write_image
from napari_lle.model.io.zarr_writer import Target, write_steps
from napari_lle.model.preprocessing.levels import Levels
from napari_lle.model.progress import finish

zarr = pytest.importorskip("zarr", reason="needs the extra zarr")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 64 pixels of chunks of 32, so that small images have many."""
    monkeypatch.setattr("napari_lle.model.io.zarr_writer.BLOCK", 64)
    monkeypatch.setattr("napari_lle.model.io.zarr_layout.CHUNK_SIDE", 32)
    monkeypatch.setattr("napari_lle.model.io.zarr_layout.COARSEST", 40)


@pytest.mark.parametrize(
    ("shape", "rgb", "channels", "dtype"),
    [
        ((3, 100, 130), False, "auto", "uint16"),
        ((130, 131, 3), True, "joint", "uint16"),
        ((70, 131, 4), True, "per", "uint8"),
        ((65, 100), False, "auto", "float32"),
    ],
)
@pytest.mark.parametrize("given", ["same", "float32"])
def test_blocks_are_those_of_the_whole(tmp_path, rng, shape, rgb, channels, dtype, given):
    image = rng.integers(0, 250, shape).astype(dtype)
    write_image(tmp_path / "in.zarr", image, rgb=rgb)
    picture = read_image(tmp_path / "in.zarr", lazy=True)
    options = {"model": random_model(), "channels": channels}
    r, light = tmp_path / "r.zarr", tmp_path / "l.zarr"
    output = ZarrOutput(r, light, dtype=given, strength=0.8)
    finish(enhance_to_zarr(picture, output, EnhanceOptions(**options)))
    whole = enhance(image, rgb=rgb, strength=0.8, **options)
    written, lit = read_image(r), read_image(light)
    expected = in_input_dtype(whole) if given == "same" else whole.reflectance
    assert written.pixels.dtype == expected.dtype
    # Cut elsewhere, torch rounds otherwise: 1e-6 of the span, or one count.
    atol = 1e-5 if written.pixels.dtype.kind == "f" else 1
    np.testing.assert_allclose(written.pixels, expected, rtol=1e-5, atol=atol)
    np.testing.assert_allclose(lit.pixels, whole.illumination, rtol=1e-5, atol=1e-6)
    assert written.record["strength"] == 0.8 and written.record["role"] == "R"
    assert lit.record == {**written.record, "role": "L"}
    if given == "same":
        return
    pair = (read_image(path, lazy=True) for path in (r, light))
    list(restore_to_zarr(*pair, Levels(**written.record["levels"]), tmp_path / "b.zarr", None))
    back = read_image(tmp_path / "b.zarr").pixels
    assert back.dtype == image.dtype
    np.testing.assert_allclose(back, image, rtol=2e-7 if dtype == "float32" else 0)


def test_channels_that_share_an_illumination_are_those_of_the_whole(tmp_path, rng):
    image = rng.integers(0, 4000, (2, 3, 100, 130)).astype(np.uint16)
    write_image(tmp_path / "in.zarr", image, rgb=False)
    picture = read_image(tmp_path / "in.zarr", lazy=True)
    r, light = tmp_path / "r.zarr", tmp_path / "l.zarr"
    model = random_model()
    options = EnhanceOptions(model=model, channel_axis=1)
    finish(enhance_to_zarr(picture, ZarrOutput(r, light, dtype="float32"), options))
    (whole,) = enhance_jointly([image], model, axis=1)
    written, lit = read_image(r), read_image(light)
    np.testing.assert_allclose(written.pixels, whole.reflectance, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(lit.pixels, whole.illumination, rtol=1e-5, atol=1e-6)
    assert written.record["levels"] == whole.record["levels"]
    assert written.record["channel_axis"] == 1


def job(path, seen, image):
    def block_of(index, rows, columns):
        seen.append((index, rows.start, columns.start))
        return (image[index][rows, columns],)

    target = Target(path, image.shape, image.dtype, False, {"run": 1}, None)
    return write_steps([target], block_of, "a job")


def test_a_killed_run_is_taken_up_again(tmp_path, rng):
    image = rng.integers(0, 9999, (2, 130, 200)).astype(np.uint16)
    path, seen = tmp_path / "a.zarr", []
    steps = job(path, seen, image)
    for _ in range(7):
        next(steps)
    steps.close()  # like a kill: nothing is tidied up
    assert not path.exists()
    # A kill in the midst of a line of the journal and of a chunk.
    partial = tmp_path / ".a.zarr.partial"
    with (partial / "journal.txt").open("a") as journal:
        journal.write("1")
    (partial / "0" / "c.0123.partial").write_bytes(b"half")
    steps = job(path, seen, image)
    next(steps)
    steps.close()
    assert len(seen) == 8
    list(job(path, seen, image))
    assert len(seen) == len(set(seen)) == 2 * 3 * 4
    assert (read_image(path).pixels == image).all()
    coarse = zarr.open(path, mode="r")["1"]
    means = image.reshape(2, 65, 2, 100, 2).mean(axis=(2, 4))
    assert np.abs(coarse[:] - means).max() <= 0.5
    assert [f.name for f in tmp_path.iterdir()] == ["a.zarr"]
    assert not list(path.rglob("*.partial")) and not (path / "journal.txt").exists()


def test_another_job_starts_anew(tmp_path, rng):
    image = rng.integers(0, 9999, (130, 130)).astype(np.uint16)
    seen = []
    steps = job(tmp_path / "a.zarr", seen, image)
    next(steps)
    steps.close()
    target = Target(tmp_path / "a.zarr", image.shape, image.dtype, False, {"run": 2}, None)
    list(write_steps([target], lambda _, *part: (image[part] + 1,), "a job"))
    assert (read_image(tmp_path / "a.zarr").pixels == image + 1).all()


def test_layout_follows_the_source(tmp_path, rng):
    """A plain array stays plain, unless the name says OME; anything else becomes OME-Zarr."""
    image = rng.integers(0, 250, (40, 50, 3)).astype(np.uint16)
    for plain, name, kind in (
        (True, "a.zarr", zarr.Array),
        (True, "b.ome.zarr", zarr.Group),
        (False, "c.zarr", zarr.Group),
    ):
        picture = Picture(image, True, None, FileRecord("YXS", plain=plain))
        output = ZarrOutput(tmp_path / name)
        finish(enhance_to_zarr(picture, output, EnhanceOptions(model=random_model())))
        node = zarr.open(tmp_path / name, mode="r")
        assert isinstance(node, kind)
        assert (node if plain and kind is zarr.Array else node["0"]).shape in (
            (40, 50, 3),
            (3, 40, 50),
        )
        assert read_image(tmp_path / name).pixels.shape == image.shape
