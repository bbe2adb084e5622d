"""Arrays of every dtype and layout, as nobody would think of them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .models import random_model

INTEGERS = ["bool", "u1", "i1", "u2", "i2", ">u2", ">i2", "u4", "i4", ">i4"]
FLOATS = ["f2", "f4", "f8", ">f4", ">f8"]
MODELS = {form: random_model(form) for form in ("division", "stretching", "cleaning")}
LAYOUTS = {
    "plain": lambda a: a,
    "transposed": lambda a: np.swapaxes(a, -1, -2).copy().swapaxes(-1, -2),
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
}


@st.composite
def images(draw, dtypes, smallest=1):
    """Arrays of any layout; half of them of one or two values, the rest of anything."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=smallest, max_side=9))
    elements = hnp.from_dtype(dtype)
    if draw(st.booleans()):
        few = draw(st.lists(elements, min_size=1, max_size=2))
        elements = st.sampled_from(few)
    image = draw(hnp.arrays(dtype, shape, elements=elements))
    image = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](image)
    image.flags.writeable = draw(st.booleans())
    return image
