"""The CUDA path: on a device where there is one, else its kernels in Triton's interpreter."""

import os
import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest
import torch
from helpers.models import FORMS, random_model
from torch.utils._python_dispatch import TorchDispatchMode

from napari_lle.model import enhance, kernels, load_model
from napari_lle.model.inference.enhance import estimate_steps
from napari_lle.model.inference.estimate import Estimate, in_input_dtype
from napari_lle.model.inference.options import EnhanceOptions
from napari_lle.model.inference.plan import make_plan
from napari_lle.model.inference.planes import Seen
from napari_lle.model.network.bundled import bundled_models
from napari_lle.model.network.global_curve import one_curve
from napari_lle.model.network.network import pad
from napari_lle.model.preprocessing.levels import Levels

pytest.importorskip("triton", reason="needs Triton: pip install 'napari-lle[cuda]'")
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cuda import block as device
from napari_lle.model.kernels.cuda import transfers
from napari_lle.model.kernels.cuda.block import Fused
from napari_lle.model.kernels.cuda.graphs import Graphs
from napari_lle.model.kernels.cuda.runner import stream

WHERE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ON_DEVICE = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
WHOLE = [n for n in bundled_models() if load_model(n).network.grid == 1]
STATISTICS = torch.tensor([[0.1, 0.2, 0.7, -0.1, 0.2, 0.3, 0.05]], device=WHERE)
KINDS = {**{form: {"form": form} for form in FORMS}, "sigmoid": {"positivity": "sigmoid"}}
SHAPES = [(20, 23), (1, 1), (1, 9), (3, 2)]
rng = np.random.default_rng(0)


def model(name, **config):
    made = random_model(**KINDS[name], **config) if name in KINDS else load_model(name)
    made.network.to(WHERE)
    return made


def picture(colours, shape):
    return rng.gamma(2, 0.1, (colours, *shape)).clip(0, 1).astype(np.float32)


def photograph(shape, dtype=np.uint8):
    return (rng.gamma(2, 0.1, shape).clip(0, 1) * np.iinfo(dtype).max).astype(dtype)


def fused(network, colours, block=(32, 64), **options):
    return Fused(forms.layout(network.config, colours), block=block, **options)


def run(path, network, x, shape, dtype=np.float32, size=512):
    out = np.zeros(shape, dtype)
    list(stream(path, network, lambda _: (x, out), 1, STATISTICS, size))
    return out


def by_kernels(network, x, size=512, **options):
    shape = (*x.shape[1:], 3) if len(x) == 3 else x.shape[1:]
    return run(fused(network, len(x), **options), network, x, shape, size=size)


def by_torch(network, x):
    """The reference, always of the processor."""
    block = deepcopy(network.block).cpu()
    whole = torch.from_numpy(np.broadcast_to(x, (3, *x.shape[1:])).copy())[None]
    with torch.inference_mode():
        light = block(pad(whole, network.radius), STATISTICS.cpu())[0].numpy()
    return np.moveaxis(light, 0, -1) if len(x) == 3 else light.mean(axis=0)


def reflected(x, light):
    return (np.moveaxis(x, 0, -1) if len(x) == 3 else x[0]) / light


ENDS = [(kind, colours, "relu") for kind in KINDS for colours in (3, 1)]


@pytest.mark.parametrize(
    ("kind", "colours", "activation"), [*ENDS, ("cleaning", 3, "prelu"), ("metering", 1, "prelu")]
)
def test_the_kernels_are_the_network(kind, colours, activation):
    network = model(kind, activation=activation).network
    x = picture(colours, SHAPES[0])
    expected = by_torch(network, x)
    for half, most in ((False, 1e-5), (True, 1e-3)):
        light = by_kernels(network, x, half=half)
        assert np.abs(light - expected).max() <= most
        assert np.abs(reflected(x, light) - reflected(x, expected)).max() <= most


def test_a_reduced_illumination_is_left_to_torch(monkeypatch):
    monkeypatch.delenv(kernels.SWITCH, raising=False)
    assert kernels.find(load_model("photo-quarter").network, 3, "cuda") is None


@pytest.mark.parametrize("colours", [3, 1])
@pytest.mark.parametrize("name", WHOLE)
def test_trained_networks_keep_their_results(name, colours):
    network = model(name).network
    x = picture(colours, (40, 53))
    expected = by_torch(network, x)
    whole, half = by_kernels(network, x), by_kernels(network, x, half=True)
    assert np.abs(whole - expected).max() <= 1e-5
    assert 1e-5 < np.abs(half - expected).max() <= 1e-3  # it is kept in halves, and that is enough
    assert np.abs(reflected(x, half) - reflected(x, expected)).max() <= 1e-3


@pytest.mark.parametrize("colours", [3, 1])
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_images_smaller_than_the_halo(shape, colours):
    network = model("cleaning").network
    x = picture(colours, shape)
    np.testing.assert_allclose(by_kernels(network, x), by_torch(network, x), rtol=0, atol=1e-5)


def test_layouts_of_other_sizes_and_reaches():
    sizes = {"dilations": (1, 7), "branch_width": 3, "widths": (5, 9), "activation": "prelu"}
    network = model("stretching", **sizes).network
    x = picture(3, (20, 23))
    np.testing.assert_allclose(by_kernels(network, x), by_torch(network, x), rtol=0, atol=1e-5)


def test_numbers_outside_the_range_are_the_networks_too():
    x = picture(3, (20, 23))
    x[:, 12, 13] = [-0.2, 5.0, 0.0]
    for kind in FORMS:
        network = model(kind).network
        np.testing.assert_allclose(by_kernels(network, x), by_torch(network, x), atol=1e-5)


@pytest.mark.parametrize(("half", "colours"), [(False, 3), (True, 1)])
def test_any_cut_gives_the_same_bits(half, colours):
    network = model("cleaning").network
    x = picture(colours, (20, 38))
    whole = by_kernels(network, x, half=half)
    assert (by_kernels(network, x, size=17, half=half) == whole).all()
    small = fused(network, colours, half=half, block=(16, 32))
    assert (run(small, network, x, whole.shape) == whole).all()


LEVELS = {"uint8": (3.3, 97.1), "uint16": (101.7, 4003.9)}
SEEN = [("per", (20, 23, 3)), ("joint", (20, 23, 3)), ("joint", (20, 23)), ("per", (20, 23, 4))]


@pytest.mark.parametrize("dtype", LEVELS)
@pytest.mark.parametrize(("channels", "shape"), [*SEEN, ("joint", (20, 23, 4))])
def test_stored_integers_go_in_and_come_out(dtype, channels, shape):
    image = photograph(shape, dtype)
    colours = 3 if channels == "per" else 1
    rgb = len(shape) == 3
    network = model("cleaning").network
    darkest = float(network.block.darkest(STATISTICS))
    seen = Seen(image, Levels(*LEVELS[dtype], dtype), rgb, channels == "per")
    path = fused(network, colours)
    shape_of_light = (20, 23, 3) if colours == 3 else (20, 23)
    light = run(path, network, seen, shape_of_light)
    # Normalised on the device to the last bit: the same light as of what NumPy normalised.
    floats = seen[:, :, :][:colours]
    assert (light == run(path, network, floats, shape_of_light)).all()
    estimate = Estimate(image, light, seen.levels, rgb, darkest)
    expected = in_input_dtype(estimate.result())
    made = run(fused(network, colours, picture=True), network, seen, shape, dtype)
    assert (made == expected).all()


def test_what_is_no_uint8_or_uint16_has_no_picture():
    network = model("division").network
    with pytest.raises(ValueError, match="take the illumination"):
        run(fused(network, 1, picture=True), network, picture(1, (8, 9)), (8, 9))


@pytest.fixture
def chosen(monkeypatch):
    """`enhance` with the kernels, as on a machine with a CUDA device."""

    def find(network, colours, device="cpu"):
        return fused(network, colours)

    monkeypatch.setattr(kernels, "find", find)
    return monkeypatch


IMAGES = [
    ((20, 23, 3), "uint8"),
    ((20, 23, 4), "uint8"),
    ((20, 23), "uint8"),
    ((3, 20, 23), "uint16"),
    ((2, 20, 23), ">u2"),
    ((20, 23, 3), "int16"),
    ((20, 23), "float32"),
    ((2, 2, 9, 8, 3), "uint8"),
]


@pytest.mark.parametrize("channels", ["per", "joint"])
@pytest.mark.parametrize(("shape", "dtype"), IMAGES)
def test_enhance_by_the_kernels(shape, dtype, channels, chosen):
    image = (photograph(shape, np.uint16) // (256 if dtype == "uint8" else 2)).astype(dtype)
    found = model("cleaning")
    made = enhance(image, found, channels=channels, device=WHERE.type)
    assert made.record["kernel"] == "triton"
    chosen.undo()
    expected = enhance(image, found, channels=channels, device="cpu")
    np.testing.assert_allclose(made.reflectance, expected.reflectance, rtol=0, atol=1e-5)
    if image.dtype.kind in "ui":
        away = in_input_dtype(made).astype(int) - in_input_dtype(expected)
        assert np.abs(away).max() <= 1
        assert (away == 0).mean() > 0.99


@pytest.mark.parametrize("form", FORMS)
def test_grey_stays_grey_and_black_black(form, chosen):
    grey = np.repeat(photograph((20, 23, 1)), 3, axis=-1)
    for channels in ("per", "joint") if form == "cleaning" else ("joint",):
        r = enhance(grey, model(form), channels=channels, device=WHERE.type).reflectance
        assert np.ptp(r, axis=-1).max() <= (1e-5 if channels == "per" else 0)
    black = enhance(np.zeros((8, 9, 3), np.uint8), model(form), device=WHERE.type)
    assert (black.reflectance == 0).all()


def test_lazy_planes_use_the_kernels(chosen):
    dask = pytest.importorskip("dask.array")
    image = photograph((2, 60, 50), np.uint16)
    lazy = dask.from_array(image, chunks=(1, 32, 50))
    found = model("division")
    made = enhance(lazy, found, device=WHERE.type)
    assert made.record["kernel"] == "triton"
    chosen.undo()
    expected = enhance(lazy, found, device="cpu").reflectance.compute()
    # Triton's interpreter is made for one thread.
    light = made.reflectance.compute(scheduler="synchronous" if WHERE.type == "cpu" else "threads")
    np.testing.assert_allclose(light, expected, rtol=0, atol=1e-5)


class Hungry:
    """A path with memory for small tiles only, from some plane on."""

    name, note = "hungry", "One word."

    def __init__(self, path, limit, spared=0):
        self.path, self.limit, self.spared = path, limit, spared
        self.upload = path.upload

    def work(self, network, statistics):
        work = self.path.work(network, statistics)

        def run(source, part):
            self.spared -= 1
            if self.spared < 0 and part.inner[0] > self.limit:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return work(source, part)

        return run


def test_out_of_memory_halves_the_tile_and_keeps_what_is_done():
    network = model("division").network
    x = [picture(1, (70, 4)) for _ in range(6)]
    expected = [by_torch(network, plane) for plane in x]
    out = np.zeros((6, 70, 4), np.float32)
    asked = []

    def plane(i):
        asked.append(i)
        return x[i], out[i]

    path = Hungry(fused(network, 1, block=(64, 32)), limit=40, spared=5)
    steps = list(stream(path, network, plane, 6, STATISTICS, 128))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-5)
    notes = [step.note for step in steps if step.note]
    assert notes[0] == "One word." and len(notes) == 2
    assert "tiles of 64 pixels" in notes[1]  # of 35 rows
    assert asked == [0, 1, 2, 3, 4, 5, 3, 4, 5]  # two were on their way
    assert [(step.done, step.total) for step in steps] == [
        (1, 6), (2, 6), (3, 6), *((done, 12) for done in range(7, 13))
    ]  # fmt: skip


def test_no_memory_at_all_is_an_error_with_a_mend():
    network = model("division").network
    path = Hungry(fused(network, 1), limit=0)
    out = np.zeros((70, 40), np.float32)
    with pytest.raises(MemoryError, match="choose the device cpu"):
        list(stream(path, network, lambda _: (picture(1, (70, 40)), out), 1, STATISTICS, 128))


@pytest.mark.parametrize("where", ["cpu", pytest.param("cuda", marks=ON_DEVICE)])
def test_results_come_in_order_and_few_arrays_are_on_their_way(where):
    taken, worked = [], []
    arrays = [rng.random((n + 1, 5)).astype(np.float32) for n in range(7)]

    def items():
        for i, array in enumerate(arrays):
            taken.append(i)
            yield array[::-1], i

    def work(tensor, i):
        assert tensor.device.type == where
        worked.append(i)
        return tensor * 2 + i

    for count, (result, i) in enumerate(transfers.overlapped(items(), work, torch.device(where))):
        assert i == count
        np.testing.assert_array_equal(result, arrays[i][::-1] * 2 + i)
        # As many more have been sent as may be under way, and none beyond.
        assert taken == worked == list(range(min(count + transfers.IN_FLIGHT + 1, 7)))
    assert count == 6


def test_read_only_and_scattered_arrays_pass():
    frozen = np.arange(12, dtype=np.uint8).reshape(3, 4)
    frozen.flags.writeable = False
    sent = [(frozen, None), (frozen.T, None)]
    results = [r for r, _ in transfers.overlapped(sent, lambda t, _: t + 1, torch.device("cpu"))]
    assert (results[0] == frozen + 1).all() and (results[1] == frozen.T + 1).all()


def test_a_device_is_given_triton_and_what_was_tried_is_remembered(monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(device, "_work", set())
    network = model("division", widths=(2, 3), branch_width=1).network
    found = kernels.find(network, 1, "cuda")
    assert found == Fused(forms.layout(network.config, 1)) and not found.note
    monkeypatch.setattr(Fused, "work", None)  # is not tried again
    assert kernels.find(network, 1, "cuda") == found
    monkeypatch.setenv(kernels.SWITCH, "torch")
    assert kernels.find(network, 1, "cuda") is None
    assert kernels.name(None) == "torch" and kernels.name(found) == "triton"


def test_what_does_not_compile_is_told_once_and_survived(monkeypatch):
    def broken(*_):
        raise RuntimeError("Failed to find C compiler.\nPlease specify via CC environment variable")

    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(kernels, "_said", set())
    monkeypatch.setattr(device, "tried", broken)
    found = model("cleaning")
    first, second = (kernels.find(found.network, 3, "cuda") for _ in range(2))
    assert isinstance(first, Graphs) and kernels.name(first) == "torch"
    assert "Failed to find C compiler.)" in first.note and "\n" not in first.note
    assert not second.note
    monkeypatch.setattr(kernels, "find", lambda *_: first)
    image = photograph((20, 23, 3))
    steps = estimate_steps(image, EnhanceOptions(model=found, device=WHERE.type))
    assert next(steps).note == first.note
    with pytest.raises(StopIteration) as stop:
        next(steps)
    monkeypatch.undo()
    expected = enhance(image, found, device="cpu")
    np.testing.assert_allclose(
        stop.value.value.reflectance(), expected.reflectance, rtol=0, atol=1e-5
    )


def test_without_triton_torch_says_so(monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(kernels, "_said", set())
    monkeypatch.setitem(sys.modules, "napari_lle.model.kernels.cuda.block", None)
    found = kernels.find(model("division").network, 3, "cuda")
    assert isinstance(found, Graphs) and "Triton is not installed" in found.note


def test_a_full_device_is_not_taken_for_a_broken_compiler(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setenv(kernels.SWITCH, "auto")
    monkeypatch.setattr(device, "tried", full)
    found = kernels.find(model("division").network, 3, "cuda")
    assert isinstance(found, Graphs) and not found.note


def test_what_the_kernels_are_not_made_for_is_left_to_torch(monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, "auto")
    found = kernels.find(model("division", widths=(40, 6)).network, 3, "cuda")
    assert isinstance(found, Graphs) and not found.note
    assert kernels.find(model("division", dilations=(1, 300)).network, 3, "cuda") is None
    assert kernels.find(one_curve(model("division")).network, 3, "cuda") is None


@pytest.mark.parametrize("colours", [3, 1])
def test_torch_s_own_path_through_the_runner(colours):
    network = model("metering").network
    planes = [picture(colours, (40, 50)) for _ in range(4)]
    whole = [np.broadcast_to(x, (3, 40, 50)) for x in planes]
    out = np.zeros((4, 40, 50, 3) if colours == 3 else (4, 40, 50), np.float32)
    path = Graphs(colours)
    list(stream(path, network, lambda i: (whole[i], out[i]), 4, STATISTICS, 32))
    for x, light in zip(planes, out, strict=True):
        np.testing.assert_allclose(light, by_torch(network, x), rtol=0, atol=1e-5)


class Log(TorchDispatchMode):
    """The names of the operations that torch is asked for."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        self.names.add(function.overloadpacket.__name__)
        return function(*arguments, **(named or {}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_asks_for_nothing_that_a_graph_cannot_record(kind):
    """No numbers that travel between device and processor in the middle of it."""
    network = model(kind).network
    x = torch.rand(1, 3, 8 + 2 * network.radius, 9 + 2 * network.radius, device=WHERE)
    with torch.inference_mode(), Log() as log:
        network.block(x, STATISTICS)
    assert "conv2d" in log.names
    assert not log.names & {"index", "lift_fresh", "_to_copy", "_local_scalar_dense", "nonzero"}


def test_torch_convolves_in_full_precision(monkeypatch):
    """The default of CUDA devices would be off by 1e-3."""
    found, seen = model("division"), []
    forward = found.network.block.forward

    def noted(*arguments):
        seen.append(torch.backends.cudnn.conv.fp32_precision)
        return forward(*arguments)

    before = torch.backends.cudnn.conv.fp32_precision
    found.network.block.forward = noted
    for kernel in (None, Graphs(1)):
        monkeypatch.setattr(kernels, "find", lambda *_, kernel=kernel: kernel)
        enhance(photograph((8, 9)), found, device=WHERE.type)
    assert seen == ["ieee"] * 2 and torch.backends.cudnn.conv.fp32_precision == before


@ON_DEVICE
def test_a_shape_that_comes_again_is_recorded():
    from napari_lle.model.kernels.cuda.graphs import MOST, Repeated

    calls = []

    def call(batch):
        calls.append(batch.shape)
        return batch.square() + 1

    repeated = Repeated(call)
    for size in range(1, MOST + 3):
        for _ in range(4):
            batch = torch.rand(1, 3, size, size, device=WHERE)
            torch.testing.assert_close(repeated(batch), batch.square() + 1)
    assert len(repeated.recorded) == MOST
    # Each recorded shape: once plainly, to warm up, to record; from then on the graph.
    assert calls.count(torch.Size((1, 3, 1, 1))) == 3
    assert calls.count(torch.Size((1, 3, MOST + 2, MOST + 2))) == 4  # no room: every time


@ON_DEVICE
@pytest.mark.parametrize("switch", ["auto", "torch"])
def test_a_device_makes_what_the_processor_makes(switch, monkeypatch):
    monkeypatch.setenv(kernels.SWITCH, switch)
    image = photograph((300, 500, 3))
    made = enhance(image, "photo", device="cuda", tile=128)
    assert made.record["kernel"] == {"auto": "triton", "torch": "torch"}[switch]
    monkeypatch.setenv(kernels.SWITCH, "torch")
    expected = enhance(image, "photo", device="cpu")
    assert np.abs(in_input_dtype(made).astype(int) - in_input_dtype(expected)).max() <= 1


def test_a_plan_finds_its_kernel_again_where_it_arrives(chosen):
    import pickle

    plan = make_plan(
        photograph((20, 23, 3)), EnhanceOptions(model=model("division"), device=WHERE.type)
    )
    chosen.setattr(kernels, "find", lambda network, colours, device: (colours, device))
    assert pickle.loads(pickle.dumps(plan)).kernel == (3, WHERE.type)
    assert pickle.loads(pickle.dumps(plan._replace(kernel=None))).kernel is None


COMPILED = """
import sys
import numpy as np, torch, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from helpers.models import FORMS, random_model
from napari_lle.model.inference.planes import Seen
from napari_lle.model.kernels import forms
from napari_lle.model.kernels.cuda import block as device
from napari_lle.model.network.global_curve import one_curve
from napari_lle.model.preprocessing.levels import Levels
from napari_lle.model.preprocessing.tiling import tiles

TYPES = {torch.float16: "*fp16", torch.float32: "*fp32", torch.float64: "*fp64",
         torch.uint8: "*u8", torch.uint16: "*u16", torch.int64: "*i64"}

class Compiled:
    '''In place of a kernel: compiles for each chip what would be launched.'''
    def __init__(self, kernel):
        self.kernel, self.done = kernel, set()
    def __getitem__(self, grid):
        return self.launch
    def launch(self, *arguments, enable_fp_fusion, **named):
        bound = dict(zip(self.kernel.arg_names, arguments)) | named
        constants = {p.name for p in self.kernel.params if p.is_constexpr}
        signature = {name: "constexpr" if name in constants else
                     TYPES[v.dtype] if torch.is_tensor(v) else "i32" for name, v in bound.items()}
        fixed = {(self.kernel.arg_names.index(n),): bound[n] for n in sorted(constants)}
        key = repr((sorted(signature.items()), sorted(fixed.items())))
        for chip in (80, 90):
            if (chip, key) not in self.done:
                self.done.add((chip, key))
                options = {"enable_fp_fusion": enable_fp_fusion}
                made = triton.compile(ASTSource(self.kernel, signature, fixed),
                                      target=GPUTarget("cuda", chip, 32), options=options)
                assert made.asm["cubin"]

KERNELS = ("network_view", "branch_layer", "last_layer")
for name in KERNELS:
    setattr(device, name, Compiled(getattr(device, name)))

def launch(network, colours, x, **options):
    fused = device.Fused(forms.layout(network.config, colours), **options)
    source, part = fused.upload(x, next(tiles(20, 23, 512, network.radius)))
    fused.work(network, torch.zeros(1, 7))(torch.from_numpy(np.ascontiguousarray(source)), part)

for form in FORMS:
    for colours in (3, 1):
        launch(random_model(form).network, colours, np.zeros((3, 20, 23), np.float32))
for dtype, shape, colours in (
    ("uint8", (20, 23, 3), 3), ("uint16", (20, 23), 1), ("uint8", (20, 23, 4), 1)
):
    seen = Seen(np.zeros(shape, dtype), Levels(0, 255, dtype), len(shape) == 3, colours == 3)
    launch(random_model("cleaning").network, colours, seen, half=True, picture=True)
print(sum(len(getattr(device, name).done) for name in KERNELS))
"""


def test_the_kernels_compile_for_devices_that_are_not_here():
    """The interpreter takes what the compiler would refuse, so that it is asked, too."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["tests", *sys.path])}
    environment.pop("TRITON_INTERPRET", None)
    command = [sys.executable, "-c", COMPILED]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) >= 40
