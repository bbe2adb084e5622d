import json

import numpy as np
import pytest
import torch
from helpers.estimates import dark, estimate, steps_of
from helpers.models import FORMS, random_model
from helpers.running import drain

from napari_lle.model import enhance, restore
from napari_lle.model.inference.estimate import Estimate
from napari_lle.model.inference.plan import survey
from napari_lle.model.inference.restoring import in_input_dtype
from napari_lle.model.inference.settling import looks_rgb


def test_auto_takes_linear_where_channels_share_an_illumination_or_h_sees_less():
    image = dark((2, 20, 30), "uint16", 200)
    assert enhance(image, channel_axis=0).record["model"] == "linear"
    assert enhance(image[0], illumination_scale=2).record["model"] == "linear"


@pytest.mark.parametrize("form", FORMS)
def test_grey_stays_grey(form):
    grey = dark((40, 50))
    image = np.repeat(grey[..., None], 3, axis=-1)
    joint = enhance(image, random_model(form), channels="joint").reflectance
    assert (joint == joint[..., :1]).all()
    if form == "cleaning":
        per = enhance(image, random_model(form), channels="per").reflectance
        assert np.ptp(per, axis=-1).max() < 1e-5


def test_joint_channels_keep_their_ratios():
    image = dark((40, 50, 3), "float32", 0.4) + 0.01
    for form in FORMS:
        r = enhance(image, random_model(form), channels="joint", black=0, white=1).reflectance
        np.testing.assert_allclose(r[..., 0] / r[..., 1], image[..., 0] / image[..., 1], rtol=1e-6)


def test_division_never_leaves_the_range():
    image = dark((40, 50, 3))
    for channels in ("per", "joint"):
        r = enhance(image, random_model(), channels=channels).reflectance
        assert r.min() >= 0 and r.max() <= 1
        assert (r[image == 0] == 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_black_stays_black(form):
    result = enhance(np.zeros((20, 30, 3), np.uint8), random_model(form))
    assert (result.reflectance == 0).all()


def test_cleaning_lifts_zeros_as_strength_grows():
    image = dark((40, 50, 3))
    image[20, 25] = 0
    found = estimate(image, random_model("cleaning"))
    pixel = [found.reflectance(s)[20, 25].min() for s in (0, 0.5, 1)]
    assert pixel[0] == 0 and 0 < pixel[1] < pixel[2]


def test_strength_is_a_power_of_the_illumination():
    image = dark((20, 30, 3), top=80)
    found = estimate(image, random_model())
    x = image / np.float32(255)
    np.testing.assert_allclose(found.reflectance(0), x, rtol=1e-6)
    np.testing.assert_allclose(found.reflectance(0.5), x / np.sqrt(found.illumination), rtol=1e-5)
    result = found.result(0.5)
    np.testing.assert_allclose(
        result.illumination[image > 0], np.sqrt(found.illumination)[image > 0], rtol=1e-5
    )
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="strength"):
            found.result(wrong)


def test_one_stretch_for_a_whole_stack():
    """The same plane in a dark and a bright frame's company must come out alike."""
    stack = dark((4, 30, 40), "uint16", 1000)
    stack[3] = stack[0]
    stack[1] *= 20
    r = enhance(stack, random_model("cleaning")).reflectance
    assert (r[0] == r[3]).all()


@pytest.mark.parametrize(
    ("shape", "dtype", "name"),
    [
        ((20, 30, 3), "uint8", "photo"),
        ((20, 30), "uint8", "science"),
        ((2, 20, 30), "uint16", "science"),
        ((20, 30, 3), "uint16", "linear"),
    ],
)
def test_auto_takes_the_model_that_suits_the_image(shape, dtype, name):
    image = dark(shape, dtype, 200)
    automatic = enhance(image)
    assert automatic.record["model"] == name
    assert (enhance(image, name).reflectance == automatic.reflectance).all()


@pytest.mark.parametrize("form", FORMS)
def test_gain_and_offset_do_not_matter(form):
    image = dark((40, 50), "float64", 1.0)
    model = random_model(form)
    r = enhance(image, model).reflectance
    for k, c in ((1e-3, 0), (1e3, -50), (2.5, 1e4)):
        np.testing.assert_allclose(enhance(k * image + c, model).reflectance, r, atol=1e-5)


def test_alpha_is_carried_along():
    image = dark((20, 30, 4))
    result = enhance(image, random_model())
    np.testing.assert_allclose(result.reflectance[..., 3], image[..., 3] / 255, rtol=1e-6)
    assert result.illumination.shape == (20, 30, 3)
    assert (in_input_dtype(result)[..., 3] == image[..., 3]).all()


def test_result_in_the_input_s_dtype():
    image = dark((20, 30, 3))
    result = enhance(image, random_model())
    pixels = in_input_dtype(result)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels - result.reflectance * 255).max() <= 0.5 + 1e-4
    counts = dark((20, 30), "uint16", 900) + 100
    result = enhance(counts, random_model(), black=100, white=1100)
    np.testing.assert_allclose(in_input_dtype(result), result.reflectance * 1000 + 100, atol=0.51)


def test_the_record_repeats_the_run():
    image = dark((30, 40), "uint16", 900)
    result = enhance(image, random_model(), strength=0.7, black=3)
    record = json.loads(json.dumps(result.record))
    levels = record["levels"]
    again = enhance(
        image,
        random_model(),
        strength=record["strength"],
        black=levels["black"],
        white=levels["white"],
        channels=record["channels"],
        device=record["device"],
        rgb=record["rgb"],
    )
    assert (again.reflectance == result.reflectance).all()
    assert (restore(result.reflectance, result.illumination, levels) == image).all()


def test_lazy_and_unusual_arrays():
    dask = pytest.importorskip("dask.array")
    image = dark((2, 30, 40), "uint16", 900)
    model = random_model()
    expected = enhance(image, model).reflectance
    backwards = image[:, ::-1][:, ::-1]
    frozen = image.copy()
    frozen.flags.writeable = False
    for same in (
        dask.from_array(image, chunks=(1, 16, 16)),
        backwards,
        frozen,
        image.astype(">u2"),
    ):
        assert (enhance(same, model).reflectance == expected).all()


@pytest.mark.parametrize(
    ("image", "options", "error", "message"),
    [
        (np.zeros(5), {}, ValueError, "two spatial axes"),
        (np.zeros((0, 5)), {}, ValueError, "empty"),
        (np.zeros((4, 4), complex), {}, TypeError, "complex"),
        (np.array([["a", "b"]]), {}, TypeError, "convert"),
        (np.zeros((4, 4)), {"channels": "rgb"}, ValueError, "channels must be one of"),
        (np.zeros((4, 4)), {"device": "tpu"}, ValueError, "device must be one of"),
        (np.zeros((4, 4)), {"tile": 3}, ValueError, "tile must be auto or"),
        (np.zeros((4, 4)), {"tile": "big"}, ValueError, "tile must be auto or"),
        (np.zeros((4, 4, 5)), {"rgb": True}, ValueError, "3 or 4 entries"),
        (np.zeros((4, 4)), {"black": 2, "white": 1}, ValueError, "below the white level"),
        (np.zeros((4, 4)), {"strength": 2}, ValueError, "strength must be a number"),
    ],
)
def test_bad_input_is_one_sentence(image, options, error, message):
    with pytest.raises(error, match=message):
        enhance(image, random_model(), **options)


def test_arrays_that_do_not_belong_together():
    with pytest.raises(ValueError, match="do not belong together"):
        restore(np.zeros((4, 5)), np.zeros((5, 4)), {"black": 0, "white": 1, "dtype": "uint8"})


def test_unavailable_devices_say_why():
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(ValueError, match=r"cuda cannot be used: .*choose auto or cpu"):
        enhance(np.zeros((4, 4)), random_model(), device="cuda")


class Hungry(torch.nn.Module):
    """A block that has memory for small tiles only."""

    def __init__(self, block, limit):
        super().__init__()
        self.block, self.limit, self.residual = block, limit, block.residual

    def darkest(self, statistics):
        return self.block.darkest(statistics)

    def forward(self, padded, statistics):
        if padded.shape[-2] > self.limit + 16:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.block(padded, statistics)


def test_out_of_memory_halves_the_tile_and_says_so():
    image, model = dark((300, 200)), random_model()
    expected = estimate(image, model).illumination
    model.network.block = Hungry(model.network.block, limit=80)
    steps, made = drain(steps_of(image, model, tile=256))
    found = made.illumination
    said = [step.note for step in steps if step.note]
    assert len(said) == 1 and "tiles of 64 pixels" in said[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_memory_at_all_is_an_error_with_advice():
    model = random_model()
    model.network.block = Hungry(model.network.block, limit=0)
    with pytest.raises(MemoryError, match="choose the device cpu"):
        enhance(dark((100, 100)), model)


def test_other_runtime_errors_are_not_taken_for_memory():
    model = random_model()

    def broken(*_):
        raise RuntimeError("shapes do not match")

    model.network.block.forward = broken
    with pytest.raises(RuntimeError, match="shapes do not match"):
        enhance(dark((50, 50)), model)


def test_progress_counts_every_tile_of_every_plane():
    steps = list(steps_of(dark((3, 70, 100)), random_model(), tile=50))
    assert [s.done for s in steps] == list(range(1, len(steps) + 1))
    assert {s.total for s in steps} == {len(steps)} == {3 * 2}


@pytest.mark.parametrize(
    ("shape", "answer"),
    [((5, 3), False), ((9, 9, 3), True), ((9, 9, 4), True), ((9, 9, 2), False), ((3, 9, 9), False)],
)
def test_colour_is_recognised(shape, answer):
    assert looks_rgb(shape) == answer


def test_estimate_is_lazy_about_planes():
    """Only the plane asked for is touched: the base of re-blending one view of a big stack."""

    class Stack:
        shape, dtype, ndim = (1000, 8, 9), np.dtype("uint8"), 3

        def __getitem__(self, index):
            assert index == (7,)
            return np.full((8, 9), 51, np.uint8)

    light = np.full((1000, 8, 9), 0.5, np.float32)
    found = Estimate(Stack(), light, survey(np.zeros((8, 9, 3), np.uint8)).levels, False)
    np.testing.assert_allclose(found.plane((7,)), 0.2 / 0.5, rtol=1e-6)
