"""Stretches of astronomy as what they are: one rising curve of a known formula, for all pixels.

They stand where a model stands: L = V / f(V), so that R = f(S) and R L is the input again, exactly.
A name such as ``stretch:ghs,b=8`` says which; what it leaves open is chosen so that f brings the
typical brightness of the image, or its background, to a quarter.

V is 0..1, f(0) = 0 and f(1) = 1.

``mtf``
    Midtones transfer function, ``f = (m - 1) V / ((2 m - 1) V - m)``: f(m) = 1/2. (PixInsight
    reference documentation, HistogramTransformation.)
``asinh``
    ``f = asinh(V / beta) / asinh(1 / beta)``: linear below beta, a logarithm above. (Lupton et al.
    2004, PASP 116, 133; astropy's AsinhStretch, whose a is beta.)
``ghs``
    Generalised hyperbolic stretch (Payne and Cranfield, ghsastro.co.uk). With B = -b,

    ====== ===================================== =
    b      T(x)
    ====== ===================================== =
    > 0    ``1 - (1 + b D x)^(-1/b)``
    0      ``1 - exp(-D x)``
    -1     ``ln(1 + D x)``
    else   ``((1 + B D x)^((B-1)/B) - 1) / (B - 1)``
    ====== ===================================== =

    f rises as ``T(V - sp)`` above the symmetry point sp and as ``-T(sp - V)`` below it, in straight
    lines below lp and above hp, and is moved and scaled to 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..preprocessing.screen import MIDDLE, TYPICAL
from .bundled import STRETCH_PREFIX
from .checkpoint import Model
from .global_curve import bare_stretch

CURVE_PARAMETERS: dict[
    str, tuple[str, ...]
] = {  # and what may be given of each; the first is found
    "mtf": ("m",),
    "asinh": ("beta",),
    "ghs": ("d", "b", "sp", "lp", "hp"),
}
RANGES = {  # of what may be given
    "m": (1e-6, 1 - 1e-6),
    "beta": (1e-8, 1e4),
    "d": (1e-6, 1e8),
    "b": (-5.0, 15.0),
    "sp": (0.0, 1.0),
    "lp": (0.0, 1.0),
    "hp": (0.0, 1.0),
}
FOCUS = 6.0  # b, where it is not given
LEFT = 0.8  # sp, in units of the typical brightness: left of the peak, as its authors advise
STRAIGHT_BELOW = 1e-6  # below it, f is the straight line to 0
BISECTIONS = 60  # of the logarithm of a range
Given = Mapping[str, float]


def midtones_curve(v: Tensor, m: float) -> Tensor:
    """The midtones transfer function."""
    return (m - 1) * v / ((2 * m - 1) * v - m)


def asinh_curve(v: Tensor, beta: float) -> Tensor:
    """The inverse hyperbolic sine."""
    one = torch.ones((), dtype=v.dtype)
    return torch.asinh(v / beta) / float(torch.asinh(one / beta))


def hyperbolic_curve(v: Tensor, d: float, b: float, sp: float, lp: float, hp: float) -> Tensor:
    """The generalised hyperbolic stretch; ``0 <= lp <= sp <= hp <= 1``."""

    def rise(x: Tensor) -> Tensor:
        """Before it is moved and scaled."""
        return torch.sign(x) * _hyperbola(x.abs(), d, b)

    def moved(x: Tensor) -> Tensor:
        middle = rise(x.clamp(lp, hp) - sp)
        below = (x - lp).clamp_max(0) * _slope(sp - lp, d, b)
        return middle + below + (x - hp).clamp_min(0) * _slope(hp - sp, d, b)

    low, high = moved(torch.tensor([0.0, 1.0], dtype=v.dtype, device=v.device))
    return (moved(v) - low) / (high - low)


def _hyperbola(x: Tensor, d: float, b: float) -> Tensor:
    """T; as exact for small x as for large."""
    if b == 0:
        return -torch.expm1(-d * x)
    if b == -1:
        return torch.log1p(d * x)
    power = -1 / b if b > 0 else (b + 1) / b
    grown = torch.expm1(power * torch.log1p(abs(b) * d * x))
    return -grown if b > 0 else grown / (-b - 1)


CURVES: dict[str, Callable[..., Tensor]] = {
    "mtf": midtones_curve,
    "asinh": asinh_curve,
    "ghs": hyperbolic_curve,
}


def _slope(x: float, d: float, b: float) -> float:
    """The derivative of T."""
    at = torch.tensor(x, dtype=torch.float64)
    if b == 0:
        return d * float(torch.exp(-d * at))
    power = -(1 + b) / b if b > 0 else 1 / b
    return d * float(torch.exp(power * torch.log1p(abs(b) * d * at)))


class StretchCurve(nn.Module):
    """The illumination of a stretch, in the place of a network's block.

    Parameters
    ----------
    kind : {"mtf", "asinh", "ghs"}
    given : mapping of str to float
        Parameters of the formula that are not to be found.

    Attributes
    ----------
    aim : float
        What the typical brightness is brought to.
    """

    radius, grid = 0, 1

    def __init__(self, kind: str, given: Given) -> None:
        super().__init__()
        self.kind, self.given, self.aim = kind, dict(given), MIDDLE
        self._found: tuple[tuple[float, float], dict[str, float]] | None = None

    def darkest(self, statistics: Tensor) -> Tensor:
        """No pixel is lifted."""
        return torch.zeros_like(statistics[:, 0])

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """Each pixel by itself."""
        return first, last

    def forward(self, image: Tensor, statistics: Tensor) -> Tensor:
        """``V / f(V)`` of (N, 3, H, W): there is no halo."""
        v = image.clamp(STRAIGHT_BELOW, 1)
        exact = v if v.device.type == "mps" else v.double()  # which has no float64
        shown = CURVES[self.kind](exact, **self.chosen(float(statistics[0, TYPICAL])))
        return (exact / shown).to(image.dtype)

    def chosen(self, typical: float) -> dict[str, float]:
        """The formula's parameters for an image of this typical brightness."""
        key = (min(max(typical, STRAIGHT_BELOW), 1.0), self.aim)
        if self._found is None or self._found[0] != key:
            self._found = key, self._solved(*key)
        return self._found[1]

    def _solved(self, typical: float, aim: float) -> dict[str, float]:
        known = dict(self.given)
        if self.kind == "ghs":
            known = {"b": FOCUS, "sp": LEFT * typical, "lp": 0.0, "hp": 1.0, **known}
            known["lp"], known["hp"] = min(known["lp"], known["sp"]), max(known["hp"], known["sp"])
        wanted = CURVE_PARAMETERS[self.kind][0]
        if wanted in known:
            return known
        at = torch.tensor(typical, dtype=torch.float64)
        return {**known, wanted: _parameter_for(CURVES[self.kind], at, aim, wanted, known)}


def _parameter_for(
    curve: Callable[..., Tensor], at: Tensor, aim: float, name: str, known: Given
) -> float:
    """The parameter by which a curve comes as near to its aim as it can; f is monotonic in it."""
    low, high = RANGES[name]

    def shown(value: float) -> float:
        return float(curve(at, **known, **{name: value}))

    falling = shown(low) > shown(high)
    for _ in range(BISECTIONS):
        middle = (low * high) ** 0.5
        if (shown(middle) > aim) == falling:
            low = middle
        else:
            high = middle
    return (low * high) ** 0.5


def formula_model(name: str) -> Model:
    """A stretch in the place of a model.

    Parameters
    ----------
    name : str
        Such as ``stretch:asinh``, or ``stretch:ghs,b=8,hp=0.9`` with what is not to be found.

    Raises
    ------
    ValueError
        If there is no such stretch or parameter.
    """
    kind, *words = name.removeprefix(STRETCH_PREFIX).split(",")
    if kind not in CURVE_PARAMETERS:
        names = ", ".join(STRETCH_PREFIX + each for each in CURVE_PARAMETERS)
        raise ValueError(f"There is no {name}: choose {names}.")
    network = bare_stretch()
    block: Any = StretchCurve(kind, dict(_given(kind, word) for word in words))
    network.block, network.radius, network.grid = block, block.radius, block.grid
    return Model(name, network, {"data": "none: a formula"})


def _given(kind: str, word: str) -> tuple[str, float]:
    """One parameter and its value, out of ``b=8``."""
    name, _, text = word.partition("=")
    if name not in CURVE_PARAMETERS[kind]:
        raise ValueError(
            f"{STRETCH_PREFIX}{kind} has no {word!r}: it takes {', '.join(CURVE_PARAMETERS[kind])}."
        )
    low, high = RANGES[name]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {text!r}.")
    return name, value
