import json

import pytest
import torch
from safetensors.torch import save_file

from napari_lle.model import load_model
from napari_lle.model.io.errors import FileError
from napari_lle.model.network.bundled import bundled_models
from napari_lle.model.network.checkpoint import FORMAT, CheckpointError, save_model
from napari_lle.model.network.network import Network, NetworkConfig


def test_round_trip(tmp_path):
    network = Network(NetworkConfig(widths=(5, 4), dilations=(1, 2)))
    file = tmp_path / "mine.safetensors"
    save_model(file, network, {"data": "Müller's pairs", "seeds": [1, 2]})
    model = load_model(file)
    assert model.name == "mine"
    assert model.network.config == network.config
    assert model.card == {"data": "Müller's pairs", "seeds": [1, 2]}
    assert len(model.digest) == 12
    for name, value in network.state_dict().items():
        assert (model.network.state_dict()[name] == value).all()
    assert not model.network.training
    assert load_model(model) is model


def test_bundled_models_load_and_say_where_they_come_from():
    assert "photo" in bundled_models()
    for name in bundled_models():
        model = load_model(name)
        assert model.name == name
        assert 1250 <= model.network.inference_parameters() <= 1349
        assert {"data", "licence", "command", "held_out"} <= set(model.card)


def damaged(tmp_path, what):
    file = tmp_path / "bad.safetensors"
    network = Network()
    tensors = network.state_dict()
    good = {"format": FORMAT, "config": json.dumps(network.config.to_dict()), "card": "{}"}
    if what == "noise":
        file.write_bytes(b"\xff" * 300)
    elif what == "truncated":
        save_model(file, network, {})
        file.write_bytes(file.read_bytes()[:-40])
    elif what == "foreign":
        save_file(tensors, file)
    elif what == "config":
        save_file(tensors, file, {**good, "config": '{"stages": 0}'})
    elif what == "json":
        save_file(tensors, file, {**good, "config": "{"})
    elif what == "weights":
        save_file({"a": torch.zeros(1)}, file, good)
    elif what == "later":
        save_file(tensors, file, {**good, "format": "napari-lle/2"})
    elif what == "option":
        save_file(tensors, file, {**good, "config": '{"attention": true}'})
    elif what == "kind":
        save_file(tensors, file, {**good, "config": '{"widths": "wide"}'})
    elif what == "shape":
        tensors["block.residual.conv1.bias"] = torch.zeros(7)
        save_file(tensors, file, good)
    elif what == "cardless":
        save_file(tensors, file, {k: v for k, v in good.items() if k != "card"})
    elif what == "list":
        save_file(tensors, file, {**good, "card": "[]"})
    elif what == "nan":
        tensors["block.residual.conv1.bias"] = torch.full((6,), torch.nan)
        save_file(tensors, file, good)
    return file


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("noise", "not a readable model file"),
        ("truncated", "not a readable model file"),
        ("foreign", "not written by napari-lle"),
        ("config", "is damaged"),
        ("json", "is damaged"),
        ("weights", "is damaged"),
        ("later", r"written by a newer version .* \(model format 2, this one reads 1\)"),
        ("option", "a newer version, with a network option attention"),
        ("kind", "network option widths cannot be 'wide'"),
        ("shape", "its weights are not those of its network"),
        ("cardless", "its description cannot be read"),
        ("list", "its card holds no names"),
        ("nan", "not finite"),
    ],
)
def test_files_that_are_not_ours_are_one_sentence(tmp_path, what, message):
    with pytest.raises(CheckpointError, match=message) as caught:
        load_model(damaged(tmp_path, what))
    assert "\n" not in str(caught.value)


def test_unknown_names_say_what_there_is(tmp_path):
    with pytest.raises(CheckpointError, match="photo"):
        load_model("phto")
    with pytest.raises(CheckpointError, match="no model file"):
        load_model(tmp_path / "absent.safetensors")


def test_names_that_are_no_text_are_kept_in_cards(tmp_path):
    save_model(tmp_path / "m.safetensors", Network(), {"command": "caf\udce9.png"})
    assert load_model(tmp_path / "m.safetensors").card["command"] == "caf\udce9.png"


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "m.safetensors"
    save_model(file, Network(), {"first": True})
    before = file.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(FileError, match="the disk is full"):
        save_model(file, Network(), {})
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("form", ["cleaning", "metering"])
def test_a_number_among_the_weights_comes_back_as_one(form, tmp_path):
    """Not as an array of one, which is another shape."""
    network = Network(NetworkConfig(form, start=0.3))
    save_model(tmp_path / "m.safetensors", network, {})
    found = load_model(tmp_path / "m.safetensors").network.state_dict()
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(found[name], weight, rtol=0, atol=0)
