import hashlib
from pathlib import Path

import pytest
import torch
from helpers.places import SHARED
from safetensors.torch import load_file, save_file

from napari_lle.model.losses import vgg
from napari_lle.model.losses.vgg import LAYERS, VGG16

CAFFE = SHARED / "vgg16/vgg16_keras_conv1_1-conv2_2.safetensors"
needs_weights = pytest.mark.skipif(not CAFFE.exists(), reason="VGG16 weights are not at hand")


def fill(model, seed=0):
    torch.manual_seed(seed)
    return {name: torch.randn_like(value) * 0.05 for name, value in model.state_dict().items()}


def test_layers_are_vgg16_s():
    assert len(LAYERS) == 10
    deep = VGG16(("relu4_3",))
    convolutions = [i for i, m in enumerate(deep.features) if isinstance(m, torch.nn.Conv2d)]
    assert convolutions == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21]  # torchvision's numbers
    maps = VGG16(("relu4_3", "relu1_2", "relu2_2"))(torch.rand(1, 3, 32, 48))
    assert [tuple(m.shape) for m in maps] == [(1, 64, 32, 48), (1, 128, 16, 24), (1, 512, 4, 6)]


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_come_from_either_kind_of_file(tmp_path, suffix):
    source = VGG16(("relu2_2",))
    state = {**fill(source), "classifier.0.weight": torch.zeros(2)}
    file = tmp_path / f"vgg{suffix}"
    save_file(state, file) if suffix == ".safetensors" else torch.save(state, file)
    loaded = VGG16(("relu1_1",)).load(file)
    assert (loaded.features[0].weight == state["features.0.weight"]).all()
    assert not any(p.requires_grad for p in loaded.parameters())


def test_conventions_agree_on_the_same_filter(tmp_path):
    """One filter, written in both conventions, must answer alike to the same picture."""
    x = torch.rand(1, 3, 8, 8)
    tv, caffe = VGG16(("relu1_1",), "torchvision"), VGG16(("relu1_1",), "caffe")
    state = fill(tv)
    tv.load_state_dict(state)
    weight, bias = state["features.0.weight"], state["features.0.bias"]
    # y = w (x - m) / d + b over RGB 0..1, rewritten over BGR 0..255.
    mean, deviation = tv.mean.flatten(), tv.deviation.flatten()
    rewritten = (weight / deviation[:, None, None] / 255).flip(1)
    shift = (weight.sum(dim=(2, 3)) / deviation * (caffe.mean.flatten().flip(0) / 255 - mean)).sum(
        1
    )
    caffe.load_state_dict({"features.0.weight": rewritten, "features.0.bias": bias + shift})
    inner = (..., slice(1, -1), slice(1, -1))  # zero padding means different greys
    torch.testing.assert_close(tv(x)[0][inner], caffe(x)[0][inner], atol=1e-5, rtol=1e-4)


def test_bad_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="no VGG16 weight file"):
        VGG16().load(tmp_path / "absent.pth")
    for name in ("broken.pth", "broken.safetensors"):
        (tmp_path / name).write_bytes(b"not weights at all")
        with pytest.raises(ValueError, match="is not a VGG16 weight file"):
            VGG16().load(tmp_path / name)
    save_file(fill(VGG16(("relu1_1",))), tmp_path / "shallow.safetensors")
    with pytest.raises(ValueError, match=r"lacks features\.2"):
        VGG16(("relu1_2",)).load(tmp_path / "shallow.safetensors")
    with pytest.raises(ValueError, match="layers are"):
        VGG16(("relu9_1",))
    with pytest.raises(ValueError, match="convention"):
        VGG16(convention="bgr")


def test_pickled_code_never_runs(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path(tmp_path / "sprung").touch, ())

    torch.save({"features.0.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ValueError, match="is not a VGG16 weight file"):
        VGG16().load(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


@needs_weights
def test_real_weights_respond_to_edges_more_than_to_flat_grey():
    model = VGG16(("relu1_2", "relu2_2"), "caffe").load(CAFFE)
    assert (model.features[0].weight == load_file(CAFFE)["features.0.weight"]).all()
    flat = torch.full((1, 3, 32, 32), 0.5)
    edge = flat.clone()
    edge[..., 16:] = 0.9
    for f, e in zip(model(flat), model(edge), strict=True):
        inner = (
            (..., slice(6, -6), slice(6, -6))
            if f.shape[-1] == 32
            else (..., slice(4, -4), slice(4, -4))
        )
        assert e[inner].std() > 2 * f[inner].std(dim=(-1, -2)).mean()


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Weights at an address, as torchvision publishes its own, and an empty cache."""
    file = tmp_path / "away" / "vgg16.pth"
    file.parent.mkdir()
    source = VGG16(("relu1_2",))
    torch.save(fill(source), file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(vgg, "WEIGHTS_ADDRESS", file.as_uri())
    monkeypatch.setattr(vgg, "HASH", digest[:8])
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return file


def test_official_weights_are_fetched_once(published):
    with pytest.raises(ValueError, match="no VGG16 weight file"):
        VGG16(("relu1_2",)).load("official")  # nothing is fetched unasked
    path = vgg.download()
    assert path.read_bytes() == published.read_bytes()
    published.unlink()
    assert vgg.download() == path
    loaded = VGG16(("relu1_2",)).load("official")
    assert (loaded.features[0].weight == torch.load(path)["features.0.weight"]).all()


def test_a_failed_download_leaves_nothing(published, monkeypatch):
    monkeypatch.setattr(vgg, "HASH", "00000000")
    with pytest.raises(ValueError, match="could not be fetched"):
        vgg.download()
    published.unlink()
    with pytest.raises(ValueError, match="could not be fetched"):
        vgg.download()
    assert list(vgg.official_path().parent.iterdir()) == []
