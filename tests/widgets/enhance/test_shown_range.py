"""Between which values results are shown: a sky as dark as its value says."""

import numpy as np
import pytest

from napari_lle.samples import ARRAYS
from napari_lle.widgets.enhance.shown_range import ShownRange, brightened
from napari_lle.widgets.shared.pictures import Appearance, as_displayed

SKY = 500.0


@pytest.fixture
def noisy_field(rng):
    """A raw frame of low contrast: noise around a sky, and stars that rise little above it."""
    field = rng.normal(SKY, 20, (128, 128))
    for y, x in rng.integers(8, 120, (12, 2)):
        field[y - 2 : y + 3, x - 2 : x + 3] += 250
    return np.rint(field).astype(np.uint16)


@pytest.mark.parametrize("sky", [0.1, 0.25, 0.4])
@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_a_sky_is_shown_as_bright_as_it_is(sky, strength):
    high, dark = 0.6, 0.05 if sky > 0.2 else 0.0
    low, top = ShownRange(high, dark, sky).limits(strength)
    assert low <= max(dark, 0) or strength * sky < sky
    full_low, full_top = ShownRange(high, dark, sky).limits()
    assert (sky - full_low) / (full_top - full_low) == pytest.approx(sky)
    assert full_top >= high
    assert low == pytest.approx(strength * full_low)
    assert top == full_top


def test_what_is_darker_than_the_sky_stays_to_be_seen():
    low, high = ShownRange(high=0.5, dark=0.15, sky=0.25).limits()
    assert low == 0.15
    assert (0.25 - low) / (high - low) == pytest.approx(0.25)
    assert high > 0.5


@pytest.mark.parametrize("high, dark", [(0.1, 0.09), (3.0, -2.0), (0.25, 0.2)])
def test_a_sky_has_a_range_whatever_else_is_there(high, dark):
    low, top = ShownRange(high, dark, 0.25).limits()
    assert 0 <= low < 0.25 < top <= 1
    assert (0.25 - low) / (top - low) == pytest.approx(0.25)


def test_brightness_moves_the_sky_that_is_shown():
    for brightness in (0.1, 0.4):
        low, high = ShownRange(0.6, 0.0, 0.25).limits(1.0, brightness)
        assert brightened(0.25, brightness) == pytest.approx(brightness)
        assert (brightness - low) / (high - low) == pytest.approx(brightness)
    assert ShownRange(0.6).limits(1.0, 0.4) == (0.0, pytest.approx(brightened(0.6, 0.4)))
    assert ShownRange().limits(1.0, 0.4) == (0.0, 1.0)


def test_the_middle_is_never_nearly_white_where_nothing_stands_out():
    assert ShownRange(0.27, 0.24, None, 0.25).limits() == (0.0, 0.5)
    assert ShownRange(0.27, 0.24, None, 0.25).limits(1.0, 0.4) == (0.0, pytest.approx(0.8))
    assert ShownRange(0.9, 0.0, None, 0.25).limits() == (0.0, 0.9)  # something does
    assert ShownRange(0.9, 0.5, None, 0.8).limits() == (0.0, 1.0)
    assert ShownRange(1.3, 0.5, None, 0.8).limits() == (0.0, 1.3)


def displayed(layer):
    return as_displayed(np.asarray(layer.data), Appearance.of(layer))[..., 0]


def enhanced(qtbot, widget):
    widget.enhance()
    qtbot.waitUntil(lambda: not widget.job.running)
    return widget.live.layer


def test_noise_alone_is_shown_as_grey(qtbot, viewer, make, rng):
    viewer.add_image(rng.normal(SKY, 6, (128, 128)).astype(np.uint16), name="noise")
    widget = make(viewer)
    widget.form.model.use("auto")
    widget.form.look.value = "fluorescence"
    assert np.median(displayed(enhanced(qtbot, widget))) == pytest.approx(0.5, abs=0.02)


def test_the_sky_slider_acts_on_the_screen_and_the_picture(qtbot, viewer, make, noisy_field):
    viewer.add_image(noisy_field, name="field")
    widget = make(viewer)
    widget.form.model.use("auto")
    widget.form.look.value = "astronomy"
    for sky in (0.25, 0.1, 0.4):
        widget.form.levels.sky.value = sky
        seen = displayed(enhanced(qtbot, widget))
        assert np.median(seen) == pytest.approx(sky, abs=0.02)
        assert seen.max() > 0.9
    widget.form.levels.sky.value = 0.25
    layer = enhanced(qtbot, widget)
    assert tuple(layer.contrast_limits_range) == (0, 1)


def test_limits_follow_the_sliders_until_they_are_changed_by_hand(qtbot, viewer, make, noisy_field):
    viewer.add_image(noisy_field, name="field")
    widget = make(viewer)
    widget.form.model.use("auto")
    widget.form.look.value = "astronomy"
    layer = enhanced(qtbot, widget)
    before = tuple(layer.contrast_limits)
    widget.form.strength.value = 0.5
    widget._blend()
    assert layer.contrast_limits[0] == pytest.approx(before[0] / 2)
    widget.form.strength.value = 1.0
    widget._blend()
    assert tuple(layer.contrast_limits) == pytest.approx(before)
    layer.contrast_limits = (0.1, 0.9)
    widget.form.strength.value = 0.5
    widget._blend()
    assert tuple(layer.contrast_limits) == (0.1, 0.9)


def test_a_preview_is_shown_as_its_run(qtbot, viewer, make):
    stars = viewer.add_image(ARRAYS["stars"](), name="star field")
    widget = make(viewer)
    widget.form.model.use("auto")
    widget.form.look.value = "astronomy"
    widget.form.levels.sky.value = 0.1
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    shown = tuple(widget.preview.layer.contrast_limits)
    assert np.median(displayed(widget.preview.layer)) == pytest.approx(0.1, abs=0.02)
    assert tuple(enhanced(qtbot, widget).contrast_limits) == pytest.approx(shown, abs=0.02)
    assert stars in viewer.layers


def test_a_preview_of_a_sky_is_shown_as_its_run(qtbot, viewer, make, noisy_field):
    viewer.add_image(noisy_field, name="field")
    widget = make(viewer)
    widget.form.model.use("auto")
    widget.form.look.value = "astronomy"
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    previewed = widget.preview.layer.contrast_limits
    widget.form.run.native.click()
    qtbot.waitUntil(lambda: not widget.job.running)
    assert previewed[0] > 0
    np.testing.assert_allclose(previewed, widget.live.layer.contrast_limits, rtol=1e-3)
