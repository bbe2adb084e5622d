import json

import numpy as np
import pytest

from napari_lle.model.evaluation.comparison import Score
from napari_lle.widgets.training import runs as _runs
from napari_lle.widgets.training.past_runs import PastRuns
from napari_lle.widgets.training.runs import note_verdict, read_run, title
from napari_lle.widgets.training.score_table import ScoreTable

pytestmark = pytest.mark.usefixtures("own_runs")


def run(name, *psnr, words="It beats all."):
    folder = _runs.runs_folder() / name
    (folder / "run").mkdir(parents=True)
    rows = [f"{10 * i},0.5,{value},0.8,\n" for i, value in enumerate(psnr, 1)]
    (folder / "run" / "log.csv").write_text("step,loss,psnr,ssim,verdict\n" + "".join(rows))
    scores = [Score("input", 8.0, 0.2), Score("after", psnr[-1], float("nan"))]
    note_verdict(folder, scores, words, "20 steps from photo.")
    return folder


@pytest.fixture
def past(qtbot):
    found = PastRuns()
    qtbot.addWidget(found.fold)
    return found


def test_two_runs_are_seen_beside_each_other(past):
    older = run("2026-01-02_03-04-05_cup", 20.0, 21.0)
    latest = run("2026-01-03_03-04-05_cup", 22.0, 23.5, 24.0, words="A slider does as well.")
    past.fill()
    assert past.first.value == latest and past.second.value is None
    assert past.scores.rows == [("input", "8.00 dB\n0.200"), ("after", "24.00 dB\n")]
    np.testing.assert_array_equal(past.plots.curves["psnr"].yData, [22, 23.5, 24])
    past.second.value = older
    assert past.scores.rows[1] == ("after", "24.00 dB\n", "21.00 dB\n")
    np.testing.assert_array_equal(past.plots.others["psnr"].xData, [10, 20])
    assert "2026-01-02 03:04:05, cup: 20 steps from photo. It beats all." in past.told.value
    assert "A slider does as well." in past.told.value
    past.second.value = None
    assert past.plots.others["psnr"].xData is None or not len(past.plots.others["psnr"].xData)
    past.fill()
    assert past.first.value == latest
    assert latest not in past.second.choices and older in past.second.choices


def test_a_run_that_has_just_ended_is_shown(past):
    older = run("2026-01-02_03-04-05_cup", 20.0)
    past.fill()
    assert past.first.value == older
    latest = run("2026-01-03_03-04-05_cup", 21.0)
    past.fill()
    past.second.value = older
    past.fill()  # nothing new
    assert (past.first.value, past.second.value) == (latest, older)
    past.first.value = older
    assert past.second.value is None  # a run is not compared with itself


def test_scores_are_shown_with_the_digits_that_they_have(past):
    scores = ScoreTable(("method", "PSNR", "SSIM"), "")
    scores.show(("method", "PSNR", "SSIM"), [("input", "10.06 dB", "0.342")])
    native = scores.widget.native
    item = native.item(0, 2)
    assert native.itemDelegate().displayText(item.text(), native.locale()) == "0.342"


def test_the_latest_run_comes_first_and_is_known_by_its_beginning(past):
    run("2026-01-02_03-04-05_cup", 20.0)
    past.fill()
    latest = run("2026-01-03_03-04-05_cup", 21.0)
    past.fill()
    assert next(folder for folder in past.first.choices if folder is not None) == latest
    assert title(latest).startswith("2026-01-03 03:04:05")


def test_without_runs_there_is_nothing_to_see(past):
    past.fill()
    assert past.first.value is None and past.scores.rows == []
    assert past.told.value == "No training has ended yet." and not past.scores.widget.visible
    run("2026-01-02_03-04-05_cup", 20.0)
    past.fill()
    assert "cup" in past.told.value and past.scores.rows
    assert not past.scores.widget.native.isHidden()


def test_what_is_damaged_is_left_out():
    folder = run("2026-01-02_03-04-05_cup", 20.0)
    (folder / "run" / "log.csv").unlink()
    found = read_run(folder)
    assert found.history == [] and found.scores["input"] == (8.0, 0.2)
    (folder / "verdict.json").write_text("{")
    assert read_run(folder).scores == {}
    (folder / "verdict.json").write_text(json.dumps({"verdict": "It beats all."}))
    assert "It beats all." in read_run(folder).told
    assert title(folder.with_name("odd")) == "odd"
