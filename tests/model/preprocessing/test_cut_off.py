"""What is typical of an image that is cut off at black, and what a stretch makes of it."""

from functools import partial

import numpy as np
import pytest
import torch

from napari_lle.model import enhance, enhance_alike
from napari_lle.model.evaluation.clipped_fields import filaments_in_a_body
from napari_lle.model.evaluation.fields import cell_field
from napari_lle.model.evaluation.simulate import camera
from napari_lle.model.network.curves import CURVES
from napari_lle.model.preprocessing.sampling import blocks
from napari_lle.model.preprocessing.statistics import image_statistics
from napari_lle.model.preprocessing.tally import Tally

# Of squares of 2 x 2 counts of 5 and 10, 6 and 10, 100 and 90 %: the median and the mean.
TYPICAL = np.sqrt(0.08 * (0.075 + 0.08 + 0.95) / 3)

LEVELS = {"black": 0, "white": 100}


def plane(share, above=(5, 10, 6, 10, 100, 90)):
    """Counts of 8 bits; a share of the rows is 0, the others alike; an even number of both."""
    there = np.tile(np.array(above, np.uint8), (round(100 * (1 - share)), 50))
    black = np.zeros((100 - len(there), 300), np.uint8)
    return np.roll(np.concatenate([black, there]), 2 * (len(there) // 4), axis=0)  # no empty margin


@pytest.mark.parametrize("kind", ["uint8", "float32", "colours", "counted"])
@pytest.mark.parametrize(("share", "weight"), [(0.0, 0), (0.4, 0), (0.46, 0.6), (0.5, 1), (0.9, 1)])
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


@pytest.mark.parametrize("peak", [0.5, 2])
def test_zeros_among_counted_photons_are_not_cut_off(rng, peak):
    counts = rng.poisson(peak * cell_field(256, rng))
    assert (counts == 0).mean() > 0.8
    x = blocks(counts / counts.max(), 2)[..., None]
    plain = np.sqrt(x.mean() / 30 * x.mean())
    assert image_statistics(x).typical == pytest.approx(plain, rel=1e-6)


@pytest.mark.parametrize("kind", ["mtf", "asinh", "ghs"])
@pytest.mark.parametrize("share", [0.56, 0.8, 0.96])
def test_a_stretch_brings_what_is_there_to_a_quarter(kind, share):
    image = plane(share)
    result = enhance(image, f"stretch:{kind}", rgb=False, **LEVELS)
    assert result.record["statistics"]["typical"] == pytest.approx(TYPICAL, rel=1e-3)
    curve = partial(CURVES[kind], **result.record["stretch"])
    assert float(curve(torch.tensor(TYPICAL))) == pytest.approx(0.25, abs=1e-3)
    for value in (5, 6, 10, 90, 100):
        shown = result.reflectance[image == value]
        np.testing.assert_allclose(shown, float(curve(torch.tensor(value / 100))), rtol=1e-5)
    assert (result.reflectance[image == 0] == 0).all()


def test_panels_of_a_figure_are_cut_off_together():
    images = [plane(0.9), plane(0.3)]  # three fifths of all
    one, other = enhance_alike(images, **LEVELS)
    assert one.record["stretch"] == other.record["stretch"]
    assert one.reflectance.max() == other.reflectance.max() == 1
    known = enhance(np.concatenate(images), "stretch:mtf", rgb=False, **LEVELS)
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
