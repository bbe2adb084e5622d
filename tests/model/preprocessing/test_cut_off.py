"""What is typical of an image that is cut off at black, and what a stretch makes of it."""

from functools import partial

import numpy as np
import pytest
import torch

from napari_lle.model import enhance, enhance_alike
from napari_lle.model.network.curves import CURVES
from napari_lle.model.preprocessing.cut_off import typical_above

TYPICAL = np.sqrt(0.1 * (0.05 + 0.1 + 1) / 3)  # of 5, 10 and 100 % of white: median and mean


def plane(share, above=(5, 10, 100)):
    """Counts of 8 bits, a share of them 0, the others of three values equally often."""
    count = 30_000
    there = np.resize(np.array(above, np.uint8), round(count * (1 - share)))
    whole = np.concatenate([np.zeros(count - len(there), np.uint8), there])
    return np.roll(whole, len(there) // 2).reshape(100, 300)  # so that black is no empty margin


@pytest.mark.parametrize(("share", "weight"), [(0.0, 0), (0.4, 0), (0.45, 0.5), (0.5, 1), (0.9, 1)])
def test_what_lies_above_black_counts_from_two_fifths_to_a_half(share, weight):
    x = plane(share) / 100
    expected = 0.01 ** (1 - weight) * TYPICAL**weight
    assert typical_above(x, 0.01) == pytest.approx(expected, rel=1e-3)
    assert typical_above(np.zeros((4, 5)), 0.01) == 0.01


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


def test_networks_see_what_they_have_learned_with():
    statistics = enhance(plane(0.8), "linear", rgb=False).record["statistics"]
    assert statistics["typical"] == pytest.approx(0.2 * TYPICAL**2 / 0.1 / np.sqrt(30), rel=1e-3)
