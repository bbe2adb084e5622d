"""A bundle holds what it says, and repeats its results bit for bit."""

import json
import zipfile

import numpy as np
import pytest

from napari_lle.model import enhance, enhance_alike
from napari_lle.model.inference.repeating import repeat_steps
from napari_lle.model.io.digests import pixel_digest
from napari_lle.model.io.files import FileRecord, read_image, write_image
from napari_lle.model.progress import finish
from napari_lle.model.publishing.bundle import FigureImage, bundle_steps
from napari_lle.model.publishing.reproduce import Bundle, reproduce_steps


@pytest.fixture
def stack(rng):
    return (100 + rng.gamma(2, 300, (3, 30, 40))).astype(np.uint16)


def panel(pixels, result, **more):
    rgb = pixels.shape[-1] == 3
    return FigureImage("cells", pixels, result.reflectance, result.record, rgb, **more)


def written(path, panels, **options):
    finish(bundle_steps(path, panels, **options))
    return Bundle(path)


def again(bundle, inputs=()):
    return finish(reproduce_steps(bundle, inputs))


@pytest.mark.parametrize(
    "options",
    [
        {"look": "publication"},
        {"look": "publication", "strength": 0.6, "brightness": 0.35},
        {"model": "science"},
        {"model": "stretch:ghs,b=3", "black": "sky"},
    ],
)
def test_results_are_repeated_bit_for_bit(tmp_path, stack, options):
    result = enhance(stack, **options)
    (found,) = again(written(tmp_path / "a.zip", [panel(stack, result)]))
    assert found.same and found.digest == pixel_digest(result.reflectance)
    np.testing.assert_array_equal(found.output.pixels, result.reflectance)


def test_colours_are_repeated_too(tmp_path, rng):
    photo = rng.integers(0, 60, (30, 40, 3)).astype(np.uint8)
    for model in ("photo", "auto"):
        result = enhance(photo, model, look="publication" if model == "auto" else None)
        (found,) = again(written(tmp_path / "a.zip", [panel(photo, result)]))
        assert found.same


def test_the_curve_of_several_is_repeated_for_each(tmp_path, stack):
    images = [stack[0], stack[1] // 3]
    panels = [panel(i, r) for i, r in zip(images, enhance_alike(images), strict=True)]
    found = again(written(tmp_path / "figure.zip", panels))
    assert [each.same for each in found] == [True, True]


def test_it_holds_raw_pixels_pictures_versions_and_texts(tmp_path, stack):
    result = enhance(stack, look="publication")
    about = FileRecord("ZYX", (2, 0.5, 0.5), units=("micrometer",) * 3)
    bundle = written(tmp_path / "a.zip", [panel(stack, result, about=about, plane=(2,))])
    raw = bundle.read(0, "raw")
    np.testing.assert_array_equal(raw.pixels, stack)
    assert raw.about.size("X") == (0.5, "micrometer")
    assert {"napari-lle", "torch", "numpy", "python"} <= set(bundle.versions)
    assert bundle.changes() == []
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert "Methods" in file.read("texts.txt").decode()
        assert "napari-lle reproduce" in file.read("README.txt").decode()
        file.extractall(tmp_path / "out")
    after = read_image(tmp_path / "out" / "after-1.png").pixels
    expected = np.rint(255 * np.clip(result.reflectance[2], 0, 1))
    np.testing.assert_array_equal(after, expected)
    black, white = result.levels.black, result.levels.white
    before = read_image(tmp_path / "out" / "before-1.png").pixels
    linear = np.clip((stack[2] - black) / (white - black), 0, 1)
    assert np.abs(before - 255 * linear).max() <= 0.51


def test_without_raw_pixels_the_right_file_is_asked_for(tmp_path, stack):
    bundle = written(tmp_path / "a.zip", [panel(stack, enhance(stack))], raw=False)
    with pytest.raises(ValueError, match="digest of cells alone: give the file with --input"):
        again(bundle)
    write_image(tmp_path / "right.tif", stack, rgb=False)
    write_image(tmp_path / "wrong.tif", stack + 1, rgb=False)
    (found,) = again(bundle, [tmp_path / "right.tif"])
    assert found.same
    with pytest.raises(ValueError, match=r"wrong.tif is not the image of"):
        again(bundle, [tmp_path / "wrong.tif"])
    with pytest.raises(ValueError, match=r"1, files given: 2\. Give --input once for each"):
        again(bundle, [tmp_path / "right.tif"] * 2)


def changed(path, out, change):
    """A copy of a bundle whose content says something else."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "bundle.json":
                content = json.loads(data)
                change(content)
                data = json.dumps(content)
            new.writestr(name, data)
    return out


def test_another_result_is_told_with_what_changed(tmp_path, stack):
    written(tmp_path / "a.zip", [panel(stack, enhance(stack, look="publication"))])

    def otherwise(content):
        content["images"][0]["record"]["strength"] = 0.99
        content["images"][0]["output"] = "sha256:other"
        content["versions"]["numpy"] = "1.0"

    bundle = Bundle(changed(tmp_path / "a.zip", tmp_path / "b.zip", otherwise))
    (found,) = again(bundle)
    assert not found.same and found.differing > stack.size / 2 and 0 < found.largest < 0.1
    assert any(change.startswith("numpy 1.0, now") for change in bundle.changes())


def test_what_is_no_bundle_is_refused(tmp_path, stack):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(ValueError, match="not a bundle of napari-lle: is it complete"):
        Bundle(tmp_path / "a.zip")
    with pytest.raises(ValueError, match="no file"):
        Bundle(tmp_path / "gone.zip")
    one = panel(stack, enhance(stack))
    written(tmp_path / "b.zip", [one])
    newer = changed(tmp_path / "b.zip", tmp_path / "c.zip", lambda c: c.update(format="later"))
    with pytest.raises(ValueError, match="newer version"):
        Bundle(newer)
    with pytest.raises(ValueError, match="let it end in"):
        written(tmp_path / "a.tif", [one])
    with pytest.raises(ValueError, match="no folder"):
        written(tmp_path / "gone" / "a.zip", [one])


def test_a_bundle_is_whole_or_absent(tmp_path, stack):
    steps = bundle_steps(tmp_path / "a.zip", [panel(stack, enhance(stack))] * 2)
    for _ in range(2):
        next(steps)
    steps.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["together", "average", "background"])
def test_runs_of_more_than_one_image_are_refused_before_they_are_written(tmp_path, stack, key):
    result = enhance(stack)
    record = {**result.record, key: [1]}
    with pytest.raises(ValueError, match="cannot be repeated from one image"):
        finish(repeat_steps(stack, record))
    with pytest.raises(ValueError, match="cannot be repeated"):
        written(tmp_path / "a.zip", [panel(stack, result)._replace(record=record)])
