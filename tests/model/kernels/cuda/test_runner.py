"""Planes on their way to a device and back, in order and in little memory."""

import numpy as np
import pytest
import torch
from helpers.cuda import ON_DEVICE, STATISTICS, by_torch, fused, model, picture, rng

from napari_lle.model.kernels.cuda import transfers
from napari_lle.model.kernels.cuda.runner import stream


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


def test_no_memory_at_all_is_an_error_with_advice():
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
