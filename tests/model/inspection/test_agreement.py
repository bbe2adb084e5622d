"""Whether one stage is enough, on stages whose distances are known."""

import numpy as np
import pytest
from helpers.models import random_model
from helpers.running import last

from napari_lle.model import stages
from napari_lle.model.inspection.agreement import (
    Agreement,
    compare_stages,
    display_limit,
    most_different,
)
from napari_lle.model.inspection.trace import Trace
from napari_lle.model.network.checkpoint import save_model


def trace_of(results, added=0.0):
    """Stages of which R is known, and the largest value of E."""
    results = np.asarray(results, np.float32)
    light = np.ones(results.shape[:3], np.float32)
    return Trace({"R": results, "L": light, "E": np.full_like(light, -added)})


def test_r_is_compared_in_the_range_that_it_is_shown_in():
    results = np.full((3, 10, 10, 3), 0.5)
    results[1, 2, 3, 1] += 0.002  # less than a grey level
    results[2, 4, 5, 0] -= 0.006  # more, at one pixel of a hundred
    found = compare_stages(trace_of(results, added=0.01))
    assert found == pytest.approx(Agreement(0.006, 0.01, 0.01), rel=1e-4)
    linear = np.linspace(0, 40, 3 * 100).reshape(3, 10, 10)
    linear[:] = linear[0]
    linear[2, 0, 1] += 4
    high = display_limit(linear)
    assert high == pytest.approx(linear[0].max(), rel=0.01)
    assert compare_stages(trace_of(linear)).most == pytest.approx(4 / high, rel=1e-4)


def test_what_is_brighter_than_white_or_no_number_does_not_count():
    results = np.full((2, 8, 8, 3), 0.5)
    results[0, 0, 0], results[1, 0, 0] = 1.2, 1.4
    results[:, 1, 1] = np.nan
    results[:, 2, 2] = np.inf
    assert compare_stages(trace_of(results)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("most", "added", "silent"),
    [(0, 0, True), (9e-4, 9e-5, True), (2e-3, 0, False), (0, 0.1, False)],
)
def test_silent_are_equal_stages_of_a_block_that_adds_nothing(most, added, silent):
    assert Agreement(most, 0.0, added).silent is silent


def test_the_model_whose_stages_differ_most_is_found(stack, calm_file, tmp_path):
    bare = random_model()
    bare.network.auxiliary.conv2.weight *= 0
    save_model(tmp_path / "bare.safetensors", bare.network, {})
    silent, calm = str(tmp_path / "bare.safetensors"), str(calm_file)
    part = ((4, 30), (10, 40))
    models = [silent, "gone.safetensors", calm]
    name, most = last(most_different(stack, models, (1,), part, rgb=False))
    assert name == calm
    trace = last(stages(stack, calm, count=2).steps((1,), part))
    assert most == compare_stages(trace).most > 0
    assert last(most_different(stack, [silent], (1,), part, rgb=False)) is None
