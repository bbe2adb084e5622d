"""What is printed of an image is what was done to it: formulas, levels, shares, software."""

import re

import numpy as np
import pytest

from napari_lle.model import enhance, enhance_alike
from napari_lle.model.publishing.texts import figure_texts, texts_of
from napari_lle.model.version import __version__


@pytest.fixture
def image(rng):
    return (100 + rng.gamma(2, 300, (60, 80))).astype(np.uint16)


def evaluated(text, x):
    """The formulas of a paragraph on methods, as a reader would calculate them."""
    m = float(re.search(r"with m = ([\d.e-]+)\.", text)[1])
    assert "f(x) = (m − 1) x / ((2 m − 1) x − m)" in text
    y = (m - 1) * x / ((2 * m - 1) * x - m)
    if "(y + v)" in text:
        v = float(re.search(r"with v = ([\d.e-]+)\.", text)[1])
        y = y * (1 + v) / (y + v)
    if "x^(1 − s) y^s" in text:
        s = float(re.search(r"with s = ([\d.]+)\.", text)[1])
        y = x ** (1 - s) * y**s
    return y


@pytest.mark.parametrize("options", [{}, {"strength": 0.6}, {"brightness": 0.4, "strength": 0.8}])
def test_a_reader_can_calculate_the_image_from_the_methods(image, options):
    result = enhance(image, look="publication", **options)
    text = texts_of(result.record).methods
    black, span = re.search(r"x = \(S − (.+?)\) / \((.+?)\)\.", text).groups()
    white = float(span.split(" − ")[0])
    x = (image - float(black)) / (white - float(black))
    inside = (x > 0) & (x < 1)
    np.testing.assert_allclose(
        evaluated(text, x[inside]), result.reflectance[inside], rtol=1e-4, atol=1e-5
    )


def test_the_legend_states_levels_curve_and_what_is_clipped(image):
    record = enhance(image, look="publication", white=1500).record
    legend = texts_of(record).legend
    above = 100 * (image > 1500).mean()
    assert "white 1500" in legend and "no noise was removed" in legend
    assert f"{above:.3g} % above white" in legend and "midtones transfer function, m = " in legend
    assert (
        "No value is clipped" in texts_of(enhance(image, look="publication", clipped=0).record)[0]
    )


def test_the_statement_names_software_and_whether_it_learned(image):
    formula = texts_of(enhance(image, look="publication").record).statement
    assert f"napari-lle {__version__}" in formula and "Machine learning: none was used" in formula
    network = texts_of(enhance(image, "science").record)
    assert "the network science" in network.statement and "W2S" in network.statement
    assert "reduces noise" in network.methods and "locally and non-linearly" in network.legend
    curve = texts_of(enhance(image, "linear:global").record)
    assert "one rising curve" in curve.methods and "one non-linear curve" in curve.legend


def test_a_model_that_is_gone_is_named_all_the_same(image):
    record = {**enhance(image, "linear").record, "model_file": "/gone/mine.safetensors"}
    assert "the network linear" in texts_of(record).statement


def test_images_that_are_treated_alike_have_one_text(image):
    records = [result.record for result in enhance_alike([image, image // 2])]
    text = figure_texts(list(zip("ab", records, strict=True)))
    assert "all 2 images" in text.methods and "At most" in text.legend
    assert str(text).count("Methods\n") == 1
    records[1] = enhance(image // 2, look="publication").record
    apart = figure_texts(list(zip("ab", records, strict=True)))
    assert apart.methods.count("was normalised") == 2 and "b: Displayed" in apart.legend
    assert "2 images" not in str(apart)


def test_strength_0_is_a_linear_display(image):
    result = enhance(image, look="publication", strength=0)
    text = texts_of(result.record)
    assert "Displayed linearly" in text.legend and "displayed as it is, linearly" in text.methods
    assert "rises everywhere" not in text.methods and "noise" not in text.legend
    x = (image - result.levels.black) / (result.levels.white - result.levels.black)
    np.testing.assert_allclose(result.reflectance, x, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("model", ["stretch:asinh", "stretch:ghs,b=2", "photo"])
def test_every_way_has_words(rng, model):
    colours = rng.integers(0, 90, (30, 40, 3)).astype(np.uint8)
    for text in texts_of(enhance(colours, model, levels="unlinked").record):
        assert len(text) > 80 and "None" not in text and "  " not in text
