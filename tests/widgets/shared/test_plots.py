"""Plots that fold, and are bare while there is nothing to show."""

from napari_lle.widgets.shared.plots import Plot, Plots


def test_plots_are_folded_and_bare_while_they_are_empty(qtbot):
    plot = Plot("step")
    curve = plot.curve("#5aa9e6")
    plots = Plots(plot)
    qtbot.addWidget(plots.fold)
    assert not plots.fold.isExpanded()
    assert not plot.getAxis("left").isVisible() and not plot.getAxis("bottom").isVisible()
    curve.setData([1, 2], [3, 4])
    plots.unfold()
    assert plots.fold.isExpanded()
    assert plot.getAxis("left").isVisible() and plot.getAxis("bottom").isVisible()
    plots.fold.collapse(animate=False)
    plots.unfold()  # which is the user's wish from now on
    assert not plots.fold.isExpanded()
    curve.setData([], [])
    assert not plot.getAxis("left").isVisible()
