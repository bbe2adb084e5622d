"""What the stage inspector says, and what it offers instead."""

from dataclasses import replace

import pytest
from helpers.inspecting import run, settle
from helpers.models import random_model
from helpers.running import last

from napari_lle.model.inspection.agreement import Agreement
from napari_lle.model.network.checkpoint import save_model
from napari_lle.widgets.shared.layers import Region
from napari_lle.widgets.shared.own_models import OWN
from napari_lle.widgets.stages.inspector import Request, inspect_steps
from napari_lle.widgets.stages.sentence import one_sentence, percent


@pytest.fixture
def bare_file(tmp_path):
    """A model whose auxiliary block says nothing."""
    model = random_model()
    model.network.auxiliary.conv2.weight *= 0
    save_model(tmp_path / "bare.safetensors", model.network, {})
    return tmp_path / "bare.safetensors"


def found(stack, file, count=3, **more):
    region = Region((0,), (0, 40), (0, 50))
    return last(inspect_steps(stack, False, region, Request(str(file), count, **more)))


def test_one_stage_is_enough_or_where_it_is_not(stack, calm_file):
    finding = found(stack, calm_file)
    enough = replace(finding, agreement=Agreement(0.00312, 0.0, 0.02))
    assert one_sentence(enough) == (
        "One stage of calm is enough here: the stages differ by at most 0.0031."
    )
    seen = replace(finding, agreement=Agreement(0.031, 0.074, 0.02))
    assert one_sentence(seen).startswith("One stage of calm is not enough at 7.4 % of the pixels")
    assert "up to 0.031" in one_sentence(seen)
    assert percent(1e-9) == "less than 0.1 %"
    assert "ask for two or more" in one_sentence(found(stack, calm_file, 1))


def test_equal_stages_say_why(stack, calm_file, bare_file):
    finding = found(stack, bare_file, others=(str(bare_file), str(calm_file)))
    name, most = finding.instead
    assert name == str(calm_file)
    assert one_sentence(finding) == (
        "All stages of bare are equal: it has no trained auxiliary block, so each sees the input "
        f"alone. Those of calm differ here, by up to {most:.2g}."
    )
    faint = replace(found(stack, calm_file), agreement=Agreement(2e-4, 0.0, 2.2e-6))
    assert "adds next to nothing to what they see (less than 0.0001)." in one_sentence(faint)
    tiny = replace(found(stack, calm_file), agreement=Agreement(4.6e-5, 0.0, 0.02))
    assert one_sentence(tiny).endswith("the stages differ by less than 0.0001.")
    assert found(stack, bare_file).instead is None


def test_the_offered_model_is_inspected(qtbot, viewer, make, stack, calm_file, bare_file):
    viewer.add_image(stack[0], name="cells")
    widget = make(viewer)
    OWN.paths = [str(calm_file)]  # beside the bundled ones, whose stages hardly differ
    widget.form.model.use(str(bare_file))
    run(qtbot, widget)
    assert widget.form.instead.text == "Inspect with calm"
    assert not widget.form.instead.native.isHidden()
    widget.form.instead.native.click()
    settle(qtbot, widget)
    assert widget.form.model.value == str(calm_file)
    assert widget.finding.stages.model.name == "calm"
    assert widget.form.status.value.startswith("One stage of calm")
    assert widget.form.instead.native.isHidden()
