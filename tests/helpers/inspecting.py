"""Use the stage inspector, and wait for it."""


def settle(qtbot, widget):
    """Wait for the run and for all layers and plots that follow from it."""
    qtbot.waitUntil(lambda: (widget.job is None or not widget.job.running) and not widget.working)


def run(qtbot, widget):
    """Click on the button, and wait."""
    widget.form.run.native.click()
    settle(qtbot, widget)
