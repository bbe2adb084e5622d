import math

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from napari_lle.model.losses import functional as losses
from napari_lle.model.network.network import Stage

torch.manual_seed(0)


def stage(v, illumination, s=None):
    s = v if s is None else s
    return Stage(v, illumination - v, illumination, s / illumination, torch.zeros_like(v))


def image(*values):
    return (
        torch.tensor(values, dtype=torch.float64).expand(1, 1, 4, 5).clone()
        if len(values) == 1
        else (torch.tensor(values, dtype=torch.float64)[None, None])
    )


def test_fidelity_is_the_square_of_u():
    stages = [stage(image(0.2), image(0.5)), stage(image(0.2), image(0.3))]
    assert losses.fidelity(stages).item() == pytest.approx(0.3**2 + 0.1**2)
    assert losses.fidelity(stages, "sum").item() == pytest.approx(20 * (0.3**2 + 0.1**2))


def test_fidelity_alone_asks_for_white():
    s = image(0.2)
    light, white = losses.fidelity([stage(s, s + 0.4)]), losses.fidelity([stage(s, s + 1e-6)])
    assert white < 1e-9 < light


@pytest.mark.parametrize(
    ("form", "ramp_x", "ramp_diagonal"),
    [
        # p = a x: dx = -a, dy = 0;  p = a (x + y): dx = dy = -a
        ("isotropic", 0.1, 0.1 * math.sqrt(2)),
        ("clamped", 0.0, 0.1),
        ("absolute", 0.0, 0.1),
    ],
)
def test_smoothness_of_ramps(form, ramp_x, ramp_diagonal):
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    along, diagonal = 0.1 * x[None, None].double(), 0.1 * (x + y)[None, None].double()
    assert losses.smoothness(along, form, eps=1e-12).item() == pytest.approx(ramp_x, abs=2e-6)
    assert losses.smoothness(diagonal, form, eps=1e-12).item() == pytest.approx(
        ramp_diagonal, abs=1e-6
    )


def test_smoothness_letter_on_a_falling_diagonal():
    """dx dy < 0: the printed root has no value there; the two repairs differ."""
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(6.0), indexing="ij")
    p = 0.1 * (x - y)[None, None].double()
    assert losses.smoothness(p, "clamped", eps=1e-12).item() == pytest.approx(0, abs=2e-6)
    assert losses.smoothness(p, "absolute", eps=1e-12).item() == pytest.approx(0.1, abs=1e-6)


def test_smoothness_of_a_constant_is_the_root_of_eps():
    assert losses.smoothness(image(0.7), eps=1e-6).item() == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="form must be"):
        losses.smoothness(image(0.7), "letter")


def test_perceptual_normalisers():
    a, b = torch.zeros(2, 3, 4, 5), torch.full((2, 3, 4, 5), 0.5)
    same = lambda x: [x]  # noqa: E731
    assert losses.perceptual(same, a, b).item() == pytest.approx(0.5)
    # 30 units of difference in each image over 3 + 4 + 5
    assert losses.perceptual(same, a, b, "sum").item() == pytest.approx(30 / 12)


def test_anchor_is_per_image():
    two = torch.stack([torch.full((3, 2, 2), 0.2), torch.full((3, 2, 2), 0.6)])
    assert losses.anchor(two, 0.4).item() == pytest.approx(0.04)


def test_charbonnier_is_l1_far_and_square_near():
    assert losses.charbonnier(image(1.0), image(0.0)).item() == pytest.approx(1, abs=1e-3)
    assert losses.charbonnier(image(1e-5), image(0.0)).item() == pytest.approx(
        1e-10 / 2e-3, rel=1e-2
    )
    assert losses.charbonnier(image(0.3), image(0.3)).item() == 0


def test_ssim_is_scikit_image_s():
    rng = np.random.default_rng(0)
    a = rng.random((40, 50, 3))
    b = np.clip(a + rng.normal(0, 0.1, a.shape), 0, 1)
    ours = losses.ssim(
        *(torch.from_numpy(x.transpose(2, 0, 1)[None].copy()) for x in (a, b)), stride=1
    )
    assert ours.item() == pytest.approx(
        structural_similarity(a, b, channel_axis=-1, data_range=1), abs=1e-9
    )


def test_paired_objective_ignores_brightness_only_in_its_relative_term():
    reference = torch.rand(1, 3, 20, 20, dtype=torch.float64) * 0.5 + 0.2
    darker = reference / 2
    absolute = losses.paired_objective(darker, reference, relative=0.0, structure=0.0)
    both = losses.paired_objective(darker, reference, relative=1.0, structure=0.0)
    assert absolute > 0.1
    assert (both - absolute).item() == pytest.approx(0, abs=1e-9)


def test_hue_shifts_are_sines_of_angles_between_colours():
    image = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
    image[:, 0], image[:, 1] = 0.6, 0.3  # 30 degrees
    assert losses.hue_shift(0.5 * image, image).item() == pytest.approx(0, abs=1e-6)
    assert losses.hue_shift(0.5 * image + 0.2, image).item() == pytest.approx(0, abs=1e-6)
    turned = image[:, [1, 0, 2]]  # 90 degrees
    assert losses.hue_shift(turned, image).item() == pytest.approx(math.sin(math.pi / 3), abs=1e-5)
    grey = torch.full_like(image, 0.4)
    assert losses.hue_shift(turned, grey).item() == 0


def test_hue_shift_has_its_gradient():
    a = torch.rand(1, 3, 8, 8, dtype=torch.float64, requires_grad=True)
    b = torch.rand(1, 3, 8, 8, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: losses.hue_shift(x, b, patch=2), (a,))


def test_the_logarithmic_term_is_psnr_whatever_the_brightness():
    reference = torch.rand(2, 3, 16, 16)
    noise = torch.randn(2, 3, 16, 16)
    noise -= noise.mean(dim=(1, 2, 3), keepdim=True)
    errors = [losses.log_error(0.3 * (reference + k * noise), reference) for k in (0.1, 0.2)]
    assert (errors[1] - errors[0]).item() == pytest.approx(2 * math.log(2), rel=0.02)  # 6 dB
    assert losses.log_error(0.3 * reference, reference).item() == pytest.approx(0, abs=1e-6)


def test_paired_objective_smooths_the_result_when_asked_to():
    reference = torch.rand(1, 3, 20, 20, dtype=torch.float64)
    plain = losses.paired_objective(reference, reference)
    smoothed = losses.paired_objective(reference, reference, smooth=0.3)
    assert (smoothed - plain).item() == pytest.approx(0.3 * losses.smoothness(reference).item())


def test_agreement_is_zero_only_for_equal_silent_stages():
    s = image(0.2)
    equal = [stage(s, s + 0.1)] * 3
    assert losses.agreement(equal).item() == 0
    assert losses.agreement([stage(s, s + 0.1), stage(s, s + 0.2)]).item() == pytest.approx(0.01)
    assert losses.agreement(equal[:1]).item() == 0


@pytest.mark.parametrize(
    "loss",
    [
        lambda a, b: losses.smoothness(a),
        lambda a, b: losses.smoothness(a, "clamped", eps=1e-3),
        lambda a, b: losses.smoothness(a, "absolute", eps=1e-3),
        lambda a, b: losses.fidelity([stage(b, a)]),
        lambda a, b: losses.perceptual(lambda x: [x * x], a, b),
        lambda a, b: losses.anchor(a, 0.3),
        lambda a, b: losses.charbonnier(a, b),
        lambda a, b: losses.ssim(a, b),
        lambda a, b: losses.charbonnier(losses.match_brightness(a, b), b),
        losses.log_error,
        lambda a, b: losses.agreement([stage(b, a), stage(b, a * a)]),
    ],
)
def test_gradients(loss):
    a = torch.rand(1, 2, 9, 9, dtype=torch.float64, requires_grad=True)
    b = torch.rand(1, 2, 9, 9, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: loss(x, b), (a,))
