import pytest
from magicgui.widgets import Label, ProgressBar
from napari.utils.notifications import notification_manager

from napari_lle.model.progress import Progress
from napari_lle.widgets.shared import work_panel as _work_panel
from napari_lle.widgets.shared.forms import steady
from napari_lle.widgets.shared.jobs import Job


class Form:
    def __init__(self):
        self.progress, self.status = ProgressBar(value=0, min=0, max=1), Label(value="")
        steady(self.progress, self.status)


@pytest.fixture
def panel(qtbot):
    form = Form()
    made = _work_panel.WorkPanel([form.progress, form.status])
    made.form = form
    made.native.show()
    yield made
    made.native.close()


def test_the_bar_is_there_while_a_run_is_under_way(panel):
    panel._busy(True)
    panel._progress(Progress(3, 7, "reading"))
    assert panel.form.progress.visible
    assert (panel.form.progress.value, panel.form.progress.max) == (3, 7)
    assert panel.form.status.value == "reading"
    panel._end("Done.")
    assert not panel.form.progress.visible and panel.form.status.value == "Done."


def test_what_goes_wrong_is_told_in_one_line_and_once(panel):
    before = len(notification_manager.records)
    panel._busy(True)
    panel._fail(ValueError("Too\nlarge: crop it."))
    assert panel.form.status.value == "Too large: crop it."
    assert not panel.form.progress.visible
    panel._complain(KeyError())
    assert panel.form.status.value == "KeyError"
    assert len(notification_manager.records) == before  # no toast repeats it


def test_a_run_is_cancelled_and_says_so(panel, qtbot):
    def steps():
        while True:
            yield Progress(0, 1, "")

    panel.cancel()  # nothing to cancel yet
    assert panel.form.status.value == ""
    ended = []
    panel.job = Job(steps(), on_cancelled=lambda: ended.append(True))
    panel.cancel()
    assert panel.form.status.value == "Cancelling…"
    qtbot.waitUntil(lambda: ended == [True])
