"""What the stage inspector finds, without a viewer."""

import numpy as np
import pytest
from helpers.running import last

from napari_lle.model import stages
from napari_lle.widgets.shared.layers import Region
from napari_lle.widgets.stages.inspector import (
    KEPT_VALUES,
    KINDS,
    Request,
    inspect_steps,
    limits,
    reach,
)


def test_a_finding_is_what_the_stages_are(stack, calm_file):
    region = Region((2,), (5, 30), (0, 50))
    request = Request(str(calm_file), 5, noise=True, features=True)
    finding = last(inspect_steps(stack, False, region, request))
    whole = stages(stack, calm_file, count=5)
    trace = whole.plane((2,))
    assert finding.count == 5
    for kind in KINDS:
        for t in (1, 5):
            np.testing.assert_allclose(
                finding.picture(kind, t), trace[kind][t - 1, 5:30], rtol=1e-4, atol=1e-6
            )
    np.testing.assert_allclose(finding.noise, last(whole.noise_gain((2,)))[5:30], rtol=1e-3)
    assert list(finding.features) == list(last(whole.feature_maps((2,))))
    profile = finding.profile(9, 17)
    for kind in KINDS:
        np.testing.assert_allclose(profile[kind], trace[kind][:, 9, 17], rtol=1e-4, atol=1e-6)
    assert finding.profile(4, 17) is None
    assert finding.profile(9, 50) is None
    edges, shares = finding.histograms[3]
    np.testing.assert_array_equal(edges, finding.histograms[0][0])
    assert 0.99 < shares.sum() <= 1
    np.testing.assert_array_equal(finding.map("input", 3), stack[2, 5:30])


def test_colours_are_shown_as_means_except_for_the_reflectance(photo, calm_file):
    region = Region((), (0, 48), (0, 64))
    finding = last(inspect_steps(photo, True, region, Request(str(calm_file), 2)))
    assert finding.picture("R", 1).shape == (48, 64, 3)
    np.testing.assert_allclose(finding.picture("L", 2), finding.trace["L"][1].mean(axis=-1))
    assert finding.map("difference", 1).shape == (48, 64)
    assert finding.profile(3, 4)["V"][0] == pytest.approx(photo[3, 4].mean() / 255, rel=1e-5)


def test_limits_are_shared_by_stages_and_symmetric_for_e():
    values = np.stack([np.full((9, 9), 0.5), np.full((9, 9), -2.0)]).astype(np.float32)
    assert limits("E", values) == (-2, 2)
    assert limits("L", np.abs(values)) == (0, 2)
    faint = np.full((2, 9, 9), 2e-6, np.float32)
    assert limits("E", faint) == (-1 / 255, 1 / 255)  # what is next to nothing is next to no colour


def test_a_plane_too_large_to_keep_is_cut_in_the_middle_of_the_view():
    whole = Region((3,), (0, 100), (0, 200))
    assert reach((100, 200), whole, 3, False) == whole
    view = Region((3,), (2_000, 12_000), (0, 10_000))
    cut = reach((20_000, 20_000), view, 3, True)
    rows, columns = (last - first for first, last in (cut.rows, cut.columns))
    assert rows * columns * 3 * 3 * len(KINDS) <= KEPT_VALUES
    assert sum(cut.rows) == pytest.approx(14_000, abs=2)
    assert sum(cut.columns) == pytest.approx(10_000, abs=2)
    small = Region((3,), (2_000, 2_100), (0, 100))
    assert reach((20_000, 20_000), small, 3, True) == small
