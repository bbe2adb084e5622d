import os

import numpy as np
import pytest
import torch

from napari_lle.model.checkpoint import save_model
from napari_lle.model.network import Network, NetworkConfig

# Whether a kernel is compiled depends on the machine; the tests of the kernels switch them on.
os.environ["NAPARI_LLE_KERNEL"] = "torch"
# Triton asks for it when it is imported: without a device its kernels run in its interpreter.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    """An untrained network whose illumination depends on what it sees."""
    torch.manual_seed(0)
    network = Network(NetworkConfig())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp("models") / "random.safetensors"
    save_model(path, network, {"data": "none"})
    return path


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def photo(rng):
    return rng.integers(0, 60, (48, 64, 3)).astype(np.uint8)
