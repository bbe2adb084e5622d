"""The images of one figure: the same levels, the same curve, no more clipped than is stated."""

import numpy as np
import pytest

from napari_lle.model import enhance, enhance_alike, enhance_jointly
from napari_lle.model.inference.alike import alike_steps
from napari_lle.model.inference.looks import FIGURE_CLIPPED, look_options
from napari_lle.model.inference.options import EnhanceOptions


@pytest.fixture
def panels(rng):
    """A bright field and a dim one of another size."""
    bright = (100 + rng.gamma(2, 900, (60, 80))).astype(np.uint16)
    return bright, (100 + rng.gamma(2, 30, (50, 40))).astype(np.uint16)


def midtones(x, m):
    return (m - 1) * x / ((2 * m - 1) * x - m)


def test_a_published_image_is_the_midtones_function_of_its_values(panels):
    image = panels[0]
    result = enhance(image, look="publication")
    x = (image - result.levels.black) / (result.levels.white - result.levels.black)
    expected = np.where((x > 0) & (x < 1), midtones(x, result.record["stretch"]["m"]), x)
    inside = (x >= 0) & (x <= 1)
    np.testing.assert_allclose(result.reflectance[inside], expected[inside], atol=1e-6)
    order = np.argsort(image, axis=None)
    assert (np.diff(result.reflectance.ravel()[order]) >= 0).all()


def test_colours_go_through_one_curve(rng):
    image = rng.integers(0, 120, (40, 50, 3)).astype(np.uint16)
    r = enhance(image, look="publication").reflectance
    for value in (3, 60, 110):
        assert np.ptp(r[image == value]) == 0


def test_equal_values_of_several_images_are_shown_alike(panels):
    one, other = enhance_alike(panels)
    assert one.levels == other.levels and one.record["stretch"] == other.record["stretch"]
    common = np.intersect1d(*panels)
    assert len(common) > 5
    for value in common[:: len(common) // 5]:
        shown = {*one.reflectance[panels[0] == value], *other.reflectance[panels[1] == value]}
        assert len(shown) == 1
    assert other.reflectance.mean() < enhance(panels[1], look="publication").reflectance.mean()


def test_the_record_of_one_repeats_it_without_the_others(panels):
    _, other = enhance_alike(panels, strength=0.7)
    names = {"image": panels[1]}
    exec(EnhanceOptions.from_record(other.record).as_python(0.7), names)
    np.testing.assert_array_equal(names["result"].reflectance, other.reflectance)


@pytest.mark.parametrize("share", [0.0, FIGURE_CLIPPED, 0.02])
def test_no_image_has_more_beyond_the_levels_than_is_allowed(panels, share):
    for image, result in zip(panels, enhance_alike(panels, clipped=share), strict=True):
        told = result.record["clipped"]
        assert told["below"] == (image < result.levels.black).mean() <= share
        assert told["above"] == (image > result.levels.white).mean() <= share
        assert told["allowed"] == share
    if share == 0:
        assert result.levels.black == min(p.min() for p in panels)
        assert result.levels.white == panels[0].max()


def test_given_levels_stay_and_what_they_clip_is_told(panels):
    result = enhance(panels[0], look="publication", white=1000)
    assert result.levels.white == 1000
    assert result.record["clipped"]["above"] == (panels[0] > 1000).mean() > 0.5


def test_an_empty_margin_does_not_set_black(rng):
    image = (1000 + rng.gamma(2, 300, (60, 80))).astype(np.uint16)
    image[:, :20] = 0
    result = enhance(image, look="publication")
    assert result.levels.black >= 1000 and result.record["clipped"]["below"] >= 0.25


def test_channels_with_levels_of_their_own_keep_the_share_each(rng):
    image = rng.gamma(2, 300, (50, 60, 3)).astype(np.float32)
    image[:3, :3, 1] = 1e5
    result = enhance(image, look="publication", levels="unlinked", clipped=0.001)
    for number, levels in enumerate(result.levels.each):
        assert (image[..., number] > levels.white).mean() <= 0.001


def test_channels_under_one_illumination_keep_it_each(panels):
    channels = np.stack([panels[0], panels[0] // 9])
    (result,) = enhance_jointly([channels], axis=0, clipped=0.0)
    assert result.levels.white == tuple(channels.max(axis=(1, 2)))
    assert result.record["clipped"] == {"allowed": 0.0, "below": 0.0, "above": 0.0}


def test_progress_goes_on_from_image_to_image(panels):
    steps = list(alike_steps(panels, look_options("publication")))
    assert steps[-1].done == steps[-1].total
    assert [s.done / s.total for s in steps] == sorted(s.done / s.total for s in steps)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (np.zeros((8, 8), np.uint8), "one data type, not of uint16 and uint8"),
        (np.zeros((8, 8, 3), np.uint16), "all in colour or all grey"),
    ],
)
def test_images_of_several_kinds_are_refused(panels, other, sentence):
    with pytest.raises(ValueError, match=sentence):
        enhance_alike([panels[0], other])


@pytest.mark.parametrize("share", [-0.1, 0.5])
def test_a_share_is_less_than_half(share):
    with pytest.raises(ValueError, match="clipped must be a share"):
        EnhanceOptions(clipped=share)
