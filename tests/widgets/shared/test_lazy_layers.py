"""Lazy and multiscale layers through the Enhance widget: the plane seen is what is computed."""

import dask.array as da
import numpy as np
from helpers.lazy import watched
from helpers.running import run

from napari_lle.model import restore
from napari_lle.model.inference.enhance import enhance
from napari_lle.widgets.shared.layers import METADATA_KEY


def looked(widget):
    """What is found beside a run, from an excerpt of all planes, has been found."""
    levels = widget.levels
    waits = levels._later._timer.isActive() or levels.look is None or levels.look.running
    return levels.found is not None and not waits and not widget.preview.busy


def planes_read(source):
    return {key[0].start for key, _ in source.read}


def test_a_dask_stack_gives_lazy_layers(qtbot, viewer, make, rng, model_file):
    values = rng.integers(0, 900, (40, 32, 48)).astype(np.uint16)
    source, stack = watched(values, (1, 32, 48))
    viewer.add_image(stack, name="cells", scale=(2, 0.5, 0.5), contrast_limits=(0, 900))
    viewer.dims.set_current_step(0, 5)
    widget = make(viewer)
    widget.form.illumination.value = True
    run(qtbot, widget)
    result, light = (
        viewer.layers["cells enhanced · not for measuring"],
        viewer.layers["cells illumination"],
    )
    assert isinstance(result.data, da.Array) and isinstance(light.data, da.Array)
    np.testing.assert_array_equal(result.scale, (2, 0.5, 0.5))
    qtbot.waitUntil(lambda: looked(widget))
    source.read.clear()
    result.refresh()
    viewer.dims.set_current_step(0, 7)
    assert planes_read(source) <= {5, 7}
    expected = enhance(values, model_file, rgb=False)
    np.testing.assert_allclose(result.data[7].compute(), expected.reflectance[7], atol=1e-5)
    levels = result.metadata[METADATA_KEY]["levels"]
    assert (restore(result.data, light.data, levels).compute() == values).all()
    qtbot.waitUntil(lambda: looked(widget))
    source.read.clear()
    widget.form.strength.value = 0.5
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.5)
    assert isinstance(result.data, da.Array) and planes_read(source) <= {7}
    half = enhance(values, model_file, rgb=False, strength=0.5)
    np.testing.assert_allclose(result.data[7].compute(), half.reflectance[7], atol=1e-5)


def test_multiscale_stays_multiscale(qtbot, viewer, make, rng):
    fine = rng.integers(0, 900, (96, 128)).astype(np.uint16)
    layer = viewer.add_image([fine, fine[::2, ::2]], name="slide", multiscale=True)
    assert layer.multiscale
    widget = make(viewer)
    widget.form.preview.value = True
    qtbot.waitUntil(lambda: widget.preview.layer is not None)
    assert widget.preview.layer.data.shape == (96, 128)
    widget.form.preview.value = False
    widget.form.illumination.value = True
    run(qtbot, widget)
    result, light = (
        viewer.layers["slide enhanced · not for measuring"],
        viewer.layers["slide illumination"],
    )
    assert result.multiscale and light.multiscale
    assert [level.shape for level in result.data] == [(96, 128), (48, 64)]
    levels = result.metadata[METADATA_KEY]["levels"]
    for level, original in enumerate((fine, fine[::2, ::2])):  # under the same levels
        back = restore(result.data[level], light.data[level], levels)
        assert (back.compute() == original).all()
    widget.form.strength.value = 0.0
    qtbot.waitUntil(lambda: result.metadata[METADATA_KEY]["strength"] == 0.0)
    plain = (fine - levels["black"]) / (levels["white"] - levels["black"])
    np.testing.assert_allclose(np.asarray(result.data[0]), plain, atol=1e-6)
