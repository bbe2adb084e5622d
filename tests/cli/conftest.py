import pytest
from helpers.models import random_model

from napari_lle.model.network.checkpoint import save_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "mine.safetensors"
    save_model(file, random_model().network, {"data": "none", "held_out": {"psnr": 1.5}})
    return file
