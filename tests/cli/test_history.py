"""History that travels: what `info FILE` tells, and what `restore` proves by digests."""

import json

import numpy as np
import pytest
from helpers.command_line import fails, lle

from napari_lle.model.io.digests import pixel_digest
from napari_lle.model.io.files import read_image, write_image

pytest.importorskip("zarr", reason="needs the extra zarr")
pytest.importorskip("astropy.io.fits", reason="needs the extra astro")


@pytest.fixture
def raw(tmp_path, rng):
    write_image(tmp_path / "raw.tif", rng.poisson(30, (40, 50)).astype(np.uint16), rgb=False)
    return tmp_path / "raw.tif"


@pytest.fixture
def pair(raw, model, tmp_path):
    """Enhance into files of one kind."""

    def make(suffix):
        r, light = tmp_path / f"r{suffix}", tmp_path / f"l{suffix}"
        done = lle("enhance", raw, "-o", r, "--illumination", light, "--model", model)
        assert done.returncode == 0, done.stderr
        return r, light

    return make


@pytest.mark.parametrize("suffix", [".tif", ".fits", ".ome.zarr"])
def test_the_history_goes_round_and_ends_where_it_began(raw, pair, tmp_path, suffix):
    r, light = pair(suffix)
    told = lle("info", r).stdout
    assert "reflectance, for looking; float32, 40 x 50" in told
    assert "local, non-linear: not for measuring" in told and "model mine, black" in told
    assert "enhance: raw.tif, mine -> reflectance" in told and "as it was written" in told
    back = tmp_path / f"back{suffix}"
    assert lle("restore", r, light, "-o", back).stdout.endswith("; the input bit for bit\n")
    answer = tmp_path / "answer.json"
    told = lle("info", back, "--json", answer).stdout
    assert "restore: reflectance, illumination -> raw.tif" in told
    (image,) = json.loads(answer.read_text())["images"]
    assert image["digest"] == pixel_digest(read_image(raw).pixels) and image["unchanged"] is True


def test_pixels_that_were_changed_are_told(pair):
    r, _ = pair(".tif")
    found = read_image(r)
    import tifffile

    memory = tifffile.memmap(r)
    memory[0, 0] = 7
    memory.flush()
    del memory
    assert "changed since it was written" in lle("info", r).stdout
    assert read_image(r).record == found.record


def test_a_file_of_others_has_a_digest_and_no_history(raw, tmp_path):
    told = lle("info", raw).stdout
    assert "no history" in told and pixel_digest(read_image(raw).pixels) in told
    assert "no file" in fails("info", tmp_path / "gone.tif")
    assert "is the input" in fails("info", raw, "--json", raw)


def test_a_result_that_is_enhanced_again_says_so_and_keeps_its_history(pair, model, tmp_path):
    r, _ = pair(".tif")
    twice = tmp_path / "twice.tif"
    done = lle("enhance", r, "-o", twice, "--model", model)
    assert "r.tif is reflectance already" in done.stderr
    told = lle("info", twice).stdout
    assert "enhance: raw.tif, mine -> reflectance" in told
    assert "enhance: reflectance, mine -> reflectance" in told
