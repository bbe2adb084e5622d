import numpy as np
import pytest
from helpers.running import drain

from napari_lle.model.data.pairs import Pair
from napari_lle.model.evaluation import comparison
from napari_lle.model.evaluation.comparison import (
    Score,
    _suited,
    best_curve,
    compare,
    compare_steps,
    comparison_verdict,
    start_verdict,
)
from napari_lle.model.network.network import Network, NetworkConfig
from napari_lle.model.progress import Progress


@pytest.fixture
def pair(rng):
    low = (rng.random((40, 50, 3)) * 0.2).astype(np.float32)
    return Pair("curve", low, np.sqrt(low))


def test_the_best_curve_finds_a_curve(pair):
    found = best_curve([pair])(pair.low)
    assert np.abs(found - pair.reference).max() < 0.05
    assert np.abs(found - pair.reference).mean() < 2e-3


def test_a_sample_of_the_pixels_finds_the_same_curve(pair, monkeypatch):
    every = best_curve([pair])(pair.low)
    monkeypatch.setattr(comparison, "MOST_VALUES", pair.low.size // 3)
    assert np.abs(best_curve([pair])(pair.low) - every).max() < 0.02


def test_the_best_curve_rises_and_passes_over_the_unknown(rng):
    low = rng.random((30, 30, 3)).astype(np.float32)
    reference = (1 - low).astype(np.float32)  # falls: the best rising curve is flat
    reference[:15] = np.nan
    curve = best_curve([Pair("falling", low, reference)])
    values = curve(np.linspace(0, 1, 50))
    assert (np.diff(values) >= 0).all()
    assert np.ptp(values) < 1e-6
    assert values[0] == pytest.approx(np.nanmean(reference), abs=1e-4)


def test_scores_are_of_the_held_out_part_only(pair):
    seen = pair.reference.copy()
    seen[:20] = np.nan
    part = Pair("half", pair.low, seen, pair)
    network = Network(NetworkConfig()).eval()
    scores = {s.name: s for s in compare({"after": network}, [pair], [part])}
    free = ["blur 1", "blur 2", "non-local means"]
    assert list(scores) == ["input", "automatic gamma", "best curve", *free, "after"]
    spoiled = np.where(np.isnan(seen), np.nan, pair.reference).astype(np.float32)
    again = compare({"after": network}, [pair], [Pair("half", pair.low, spoiled, pair)])
    assert again == list(scores.values())
    assert scores["best curve"].psnr > scores["automatic gamma"].psnr > scores["input"].psnr


def test_grey_results_are_judged_by_what_they_show_not_by_a_scale_of_their_own(rng):
    light = np.repeat(rng.random((2, 64, 64, 1)).astype(np.float32), 3, axis=-1)
    scales = 0.2, 0.9  # of the files, which no curve for both can know
    pairs = [
        Pair("grey", (s * x).astype(np.float32), x) for s, x in zip(scales, light, strict=True)
    ]
    scores = {s.name: s for s in compare({"after": Network(NetworkConfig()).eval()}, pairs, pairs)}
    assert scores["best curve"].psnr > 40 and scores["automatic gamma"].psnr < 25
    assert scores["blur 2"].psnr < 20  # which noise alone would gain by
    known = [Pair(p.name, p.low, p.reference.copy()) for p in pairs]
    for part in known:
        part.reference[:20] = np.nan  # as where a part is held out
    assert {s.name: s for s in compare({}, known, known)}["best curve"].psnr > 40
    coloured = [Pair("red", p.low * np.float32([1, 0.9, 0.9]), p.reference) for p in pairs]
    assert {s.name: s for s in compare({}, coloured, coloured)}["best curve"].psnr < 25


def test_what_has_no_curve_stays_as_it_is(rng):
    image = rng.random((8, 8, 3))
    assert _suited(image, np.full_like(image, np.nan)) is image
    broken = np.full_like(image, np.nan)
    assert _suited(broken, image) is broken  # a network's, which is not to score by a constant


def test_each_colour_is_a_piece_of_work_that_is_told(pair):
    grey = Pair("grey", *(np.repeat(x[..., :1], 3, axis=-1) for x in (pair.low, pair.reference)))
    told, _ = drain(compare_steps({"after": Network(NetworkConfig()).eval()}, [pair], [pair, grey]))
    pieces = 3 + 3 * (3 + 3 + 1) + 2  # sliders, untrained methods on colours, the network
    assert told == [Progress(done, pieces) for done in range(1, pieces + 1)]


def test_the_verdict_is_plain():
    sliders = [
        Score("input", 10, 0.2),
        Score("automatic gamma", 16, 0.6),
        Score("best curve", 20, 0.7),
    ]
    blur = Score("blur 2", 21, 0.7)
    before = Score("before", 30, 0.9)  # another network is no slider
    assert "beats the input" in comparison_verdict([*sliders, before, Score("after", 21, 0.8)])
    assert "does not beat best curve" in comparison_verdict([*sliders, Score("after", 19, 0.8)])
    told = comparison_verdict([*sliders, blur, Score("after", 20.5, 0.8)])
    assert "does not beat blur 2, which needs no training" in told
    free = [blur._replace(name=name) for name in ("blur 1", "blur 2", "non-local means")]
    told = comparison_verdict([*sliders, *free, Score("after", 20.5, 0.8)])
    assert "does not beat blur 1, blur 2 and non-local means, which need no" in told
    assert "best curve keeps structure" in comparison_verdict([*sliders, Score("after", 21, 0.65)])
    told = comparison_verdict([*sliders, blur._replace(psnr=20), Score("after", 21, 0.65)])
    assert "best curve and blur 2 keep structure" in told


def test_a_start_below_the_untouched_input_is_named():
    untouched, worse = Score("input", 24.9, 0.6), Score("before", 6.96, 0.2)
    told = start_verdict([untouched, worse], "before", "input")
    assert "worse than the input (6.96 dB, not 24.90 dB)" in told
    assert not start_verdict([untouched, Score("before", 25, 0.6)], "before", "input")
    assert not start_verdict([untouched, Score("after", 3, 0.6)], "before", "input")
