import numpy as np
import pytest
import torch

from napari_lle.model import enhance, enhance_stored, restore
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.network.curves import (
    CURVES,
    asinh_curve,
    formula_model,
    hyperbolic_curve,
    midtones_curve,
)

EXAMPLES = {
    "stretch:mtf,m=0.02": lambda v: midtones_curve(v, 0.02),
    "stretch:asinh,beta=0.05": lambda v: asinh_curve(v, 0.05),
    "stretch:ghs,d=30,b=3,sp=0.1,lp=0.02,hp=0.9": lambda v: hyperbolic_curve(
        v, 30, 3, 0.1, 0.02, 0.9
    ),
}
FAMILIES = [-3, -1.5, -1, -0.5, 0, 0.5, 1, 6]


def image(rng, dtype="uint16"):
    frame = rng.normal(500, 6, (64, 80))
    frame[::9, ::11] += rng.uniform(0, 4000, frame[::9, ::11].shape)
    return frame.clip(0, 65535).astype(dtype)


def test_asinh_is_that_of_astropy():
    visualization = pytest.importorskip("astropy.visualization")
    v = torch.linspace(0, 1, 501, dtype=torch.float64)
    for beta in (0.001, 0.1, 2.0):
        expected = visualization.AsinhStretch(beta)(v.numpy())
        np.testing.assert_allclose(asinh_curve(v, beta), expected, atol=1e-14)


def test_one_hyperbola_is_the_midtones_transfer_function():
    """Of b = 1 about 0: ``1 - 1 / (1 + D x)``, whose midpoint is ``1 / (2 + D)``."""
    v = torch.linspace(0, 1, 501, dtype=torch.float64)
    np.testing.assert_allclose(
        hyperbolic_curve(v, 48, 1, 0, 0, 1), midtones_curve(v, 1 / 50), atol=1e-12
    )


def test_another_is_that_of_logarithms():
    visualization = pytest.importorskip("astropy.visualization")
    v = torch.linspace(0, 1, 501, dtype=torch.float64)
    expected = visualization.LogStretch(1000)(v.numpy())
    np.testing.assert_allclose(hyperbolic_curve(v, 1000, -1, 0, 0, 1), expected, atol=1e-12)


@pytest.mark.parametrize("b", FAMILIES)
def test_hyperbolas_rise_smoothly_from_0_to_1(b):
    v = torch.linspace(0, 1, 20001, dtype=torch.float64)
    f = hyperbolic_curve(v, 20, b, 0.2, 0.05, 0.8).numpy()
    assert f[0] == 0 and f[-1] == pytest.approx(1)
    slope = np.diff(f)
    assert (slope > 0).all()
    assert np.abs(np.diff(slope)).max() < 1e-2 * slope.max()  # no kink at lp, sp and hp
    np.testing.assert_allclose(slope[:900], slope[0], rtol=1e-6)
    np.testing.assert_allclose(slope[-3900:], slope[-1], rtol=1e-6)
    assert 0.19 < v[slope.argmax()] < 0.21  # steepest about sp


@pytest.mark.parametrize("b", [-1, 0])
def test_families_meet_where_their_formulas_change(b):
    v = torch.linspace(0, 1, 101, dtype=torch.float64)
    for near in (b - 1e-5, b + 1e-5):
        np.testing.assert_allclose(
            hyperbolic_curve(v, 9, near, 0.1, 0, 1), hyperbolic_curve(v, 9, b, 0.1, 0, 1), atol=1e-4
        )


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_r_is_the_curve_and_the_way_back_is_exact(rng, name, dtype):
    frame = image(rng, dtype)
    result = enhance(frame, name, black=480, white=5000)
    x = torch.from_numpy((frame.astype(float) - 480) / 4520)
    inside = (x > 0.001).numpy()
    expected = EXAMPLES[name](x).numpy()
    np.testing.assert_allclose(result.reflectance[inside], expected[inside], rtol=1e-5)
    back = restore(result.reflectance, result.illumination, result.levels)
    if dtype == "uint16":
        np.testing.assert_array_equal(back, frame)
    else:
        np.testing.assert_allclose(back, frame, rtol=2e-7)


@pytest.mark.parametrize("kind", CURVES)
def test_what_is_open_brings_the_typical_brightness_to_a_quarter(rng, kind):
    result = enhance(image(rng), f"stretch:{kind}")
    v = torch.tensor(result.record["statistics"]["typical"], dtype=torch.float64)
    assert float(CURVES[kind](v, **result.record["stretch"])) == pytest.approx(0.25)


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("sky", [0.1, 0.25, 0.5])
def test_the_background_comes_to_its_brightness(rng, kind, sky):
    frame = image(rng, "float32")
    result = enhance(frame, f"stretch:{kind}", black="sky", sky=sky)
    assert np.median(result.reflectance) == pytest.approx(sky, abs=0.02)
    colours = frame[..., None] + rng.normal([0, 10, -330], 6, (64, 80, 3)).astype(np.float32)
    middle = np.median(enhance(colours, f"stretch:{kind}", sky=sky).reflectance, axis=(0, 1))
    np.testing.assert_allclose(middle, sky, rtol=0.1)


@pytest.mark.parametrize("kind", CURVES)
def test_brighter_stays_brighter(rng, kind):
    frame = image(rng, "float32")
    r = enhance(frame, f"stretch:{kind}").reflectance.ravel()[np.argsort(frame.ravel())]
    assert (np.diff(r) >= 0).all()


def test_a_record_repeats_a_stretch(rng):
    frame = image(rng)
    first = enhance(frame, "stretch:ghs,b=8", black="sky", sky=0.2)
    options = EnhanceOptions.from_record(first.record)
    names = {"image": frame}
    exec(options.as_python(), names)
    np.testing.assert_array_equal(names["result"].reflectance, first.reflectance)
    again = names["result"].record
    assert again["model"].startswith("stretch:ghs,b=8.0,sp=")  # with all that was found in it
    assert {**again, "model": first.record["model"]} == first.record
    assert "stretch:ghs,b=8" in options.as_command()


def test_a_loaded_stretch_is_one_at_any_scale(rng):
    frame, model = image(rng), formula_model("stretch:asinh")
    expected = enhance(frame, "stretch:asinh").reflectance
    found = enhance(frame, model, illumination_scale=2).reflectance
    np.testing.assert_array_equal(found, expected)


def test_images_without_light(rng):
    for frame in (np.zeros((8, 8), np.uint16), np.full((8, 8), 65535, np.uint16)):
        for kind in CURVES:
            assert np.isfinite(enhance(frame, f"stretch:{kind}").reflectance).all()
    odd = image(rng, "float32")
    odd[0, :3] = np.nan, np.inf, -1e6
    r = enhance(odd, "stretch:asinh").reflectance
    assert np.isnan(r[0, 0]) and r[0, 1] == np.inf and r[0, 2] < 0


def test_pictures_and_photographs(photo):
    stored = enhance_stored(photo, "stretch:asinh")
    assert stored.dtype == np.uint8 and stored.mean() > photo.mean()
    same = enhance(photo, "stretch:asinh:global").record
    assert same["model"] == "stretch:asinh" and same["kernel"] == "torch"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("stretch:log", "There is no stretch:log: choose stretch:mtf, stretch:asinh, stretch:ghs."),
        ("stretch:mtf,b=3", "stretch:mtf has no 'b=3': it takes m."),
        ("stretch:ghs,b=x", "b must be a number from -5 to 15, not 'x'."),
        ("stretch:mtf,m=2", "m must be a number from 1e-06 to 0.999999, not '2'."),
    ],
)
def test_names_of_no_stretch_are_told(name, sentence):
    with pytest.raises(ValueError) as told:
        formula_model(name)
    assert str(told.value) == sentence
