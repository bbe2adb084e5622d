"""The kernels under the compiler itself, for chips that are not here."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("triton", reason="needs Triton: pip install 'napari-lle[cuda]'")


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
    fused.work(network, torch.zeros(1, 12))(torch.from_numpy(np.ascontiguousarray(source)), part)

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
