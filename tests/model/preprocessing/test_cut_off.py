"""What is typical of an image that is cut off at black, and what a stretch makes of it."""

from functools import partial

import numpy as np
import pytest
import torch

from napari_lle.model import enhance, enhance_alike
from napari_lle.model.evaluation.clipped_fields import filaments_in_a_body
from napari_lle.model.evaluation.simulate import camera
from napari_lle.model.network.curves import CURVES
from napari_lle.model.preprocessing.quantiles import Ordered
from napari_lle.model.preprocessing.sampling import blocks
from napari_lle.model.preprocessing.statistics import image_statistics
from napari_lle.model.preprocessing.tally import Tally

TYPICAL = np.sqrt(0.1 * (0.05 + 0.1 + 1) / 3)  # of 5, 10 and 100 % of white: median and mean


def plane(share, above=(5, 10, 100)):
    """Counts of 8 bits, a share of them 0, the others of three values equally often."""
    count = 30_000
    there = np.resize(np.array(above, np.uint8), round(count * (1 - share)))
    whole = np.concatenate([np.zeros(count - len(there), np.uint8), there])
    return np.roll(whole, len(there) // 2).reshape(100, 300)  # so that black is no empty margin


@pytest.mark.parametrize("kind", ["uint8", "float32", "colours", "counted"])
@pytest.mark.parametrize(("share", "weight"), [(0.0, 0), (0.4, 0), (0.45, 0.5), (0.5, 1), (0.9, 1)])
def test_what_lies_above_black_counts_from_two_fifths_to_a_half(share, weight, kind):
    counts = plane(share)
    every = counts / 100
    plain = np.sqrt(max(np.median(every), every.mean() / 30) * every.mean())
    squares = blocks(counts, 2)
    if kind == "counted":
        found = Tally(squares).grey(lambda values: (values / 100).astype(np.float32))
    elif kind == "uint8":
        found = image_statistics(squares[..., None])
        plain, scale = plain * 100 / 255, 100 / 255
    else:
        x = (squares[..., None] / 100).astype(np.float32)
        found = image_statistics(np.repeat(x, 3, axis=-1) if kind == "colours" else x)
    expected = plain ** (1 - weight) * (TYPICAL * (scale if kind == "uint8" else 1)) ** weight
    assert found.typical == pytest.approx(expected, rel=1e-3)


def test_a_black_image_has_nothing_typical():
    assert image_statistics(np.zeros((9, 2, 2, 1), np.uint8)).typical == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_values_are_counted_up_to_one(dtype):
    values = np.array([3, 0, 0, 7, 3], dtype)
    ordered = Ordered(values)
    assert [ordered.count_up_to(most) for most in (-1, 0, 3, 9)] == [0, 2, 4, 5]
    assert ordered.rising(lambda v: v - 3).count_up_to(0) == 4


@pytest.mark.parametrize("kind", ["mtf", "asinh", "ghs"])
@pytest.mark.parametrize("share", [0.55, 0.8, 0.95])
def test_a_stretch_brings_what_is_there_to_a_quarter(kind, share):
    image = plane(share)
    result = enhance(image, f"stretch:{kind}", rgb=False)
    assert (result.levels.black, result.levels.white) == (0, 100)
    assert result.record["statistics"]["typical"] == pytest.approx(TYPICAL, rel=1e-3)
    curve = partial(CURVES[kind], **result.record["stretch"])
    assert float(curve(torch.tensor(TYPICAL))) == pytest.approx(0.25, abs=1e-3)
    for value in (5, 10, 100):
        shown = result.reflectance[image == value]
        np.testing.assert_allclose(shown, float(curve(torch.tensor(value / 100))), rtol=1e-5)
    assert (result.reflectance[image == 0] == 0).all()


def test_panels_of_a_figure_are_cut_off_together():
    images = [plane(0.9), plane(0.3)]  # three fifths of all
    one, other = enhance_alike(images)
    assert one.record["stretch"] == other.record["stretch"]
    assert one.reflectance.max() == other.reflectance.max() == 1
    known = enhance(np.concatenate(images), "stretch:mtf", rgb=False)
    assert one.record["statistics"] == pytest.approx(known.record["statistics"])


@pytest.mark.parametrize("colours", ["grey", "rgb"])
def test_other_images_are_stretched_as_before(rng, colours):
    image = np.clip(rng.normal(20, 6, (90, 120, 3)), 0, 255).astype(np.uint8)
    image[:30] = 0  # a third of it, as in a photograph at night
    image = image if colours == "rgb" else image[..., 0].astype(np.uint16)
    found = enhance(image, "stretch:mtf").record["statistics"]
    known = enhance(image, "linear", channels="per").record["statistics"]
    assert found["typical"] == known["typical"]


@pytest.mark.parametrize("model", ["science", "linear"])
def test_a_body_on_black_is_not_burnt(rng, model):
    light, _ = filaments_in_a_body(rng)
    image = camera(light, rng, read_noise=3.0, offset=-15, bits=8)
    assert (image == 0).mean() > 0.6
    shown = enhance(image, model, rgb=False).reflectance[image > 0]
    assert (shown > 0.9).mean() < 0.1 and 0.1 < np.median(shown) < 0.4
