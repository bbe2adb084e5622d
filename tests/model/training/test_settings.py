from pathlib import Path

import pytest
import yaml

import napari_lle.model
from napari_lle.model.network.network import NetworkConfig
from napari_lle.model.training.settings import WEIGHTS, Paper, TrainingSettings

SETTINGS = TrainingSettings(
    NetworkConfig(widths=(4, 4)),
    objective="paper",
    paper=Paper({"perceptual": 0.1}, exposure=None, vgg="vgg.pth", layers=("relu1_1", "relu2_1")),
    epochs=3,
)


def test_settings_survive_yaml():
    text = yaml.safe_dump(SETTINGS.to_dict())
    assert TrainingSettings.from_dict(yaml.safe_load(text)) == SETTINGS
    assert SETTINGS.paper.weights == {**WEIGHTS, "perceptual": 0.1}


def test_the_recipes_beside_the_weights_are_valid():
    recipes = sorted((Path(napari_lle.model.__file__).parent / "weights").glob("*.yaml"))
    assert recipes
    for recipe in recipes:
        TrainingSettings.from_dict(yaml.safe_load(recipe.read_text()))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"epochs_": 3}, "no training setting epochs_"),
        ({"steps": 0}, "1 or more"),
        ({"crop": 4}, "crop 16 or more"),
        ({"learning_rate": 0.0}, "between 0 and 1"),
        ({"held_out": 1.0}, "held_out must be a share"),
        ({"clip": 0}, "clip above 0"),
        ({"objective": "other"}, "one of paired, paper, self"),
        ({"epochs": 1, "minutes": 1}, "either epochs or minutes"),
        ({"minutes": 0}, "above 0"),
        ({"patience": -1}, "patience"),
        ({"augmentation": {"fog": 1}}, "no augmentation setting fog"),
        ({"augmentation": {"lit": "some"}}, "augmentation setting lit cannot be 'some'"),
        ({"augmentation": 3}, "augmentation setting is a name with a value"),
        ({"steps": "many"}, "setting steps cannot be 'many'"),
        ({"steps": 2.5}, "setting steps cannot be 2.5"),
        ({"epochs": "few"}, "setting epochs cannot be 'few'"),
        ({"betas": [0.9, None]}, "setting betas cannot be"),
        ({"mixed": "yes"}, "setting mixed cannot be 'yes'"),
        ({3: 4}, "no training setting 3"),
        ({"network": {"stages": "three"}}, "network option stages cannot be 'three'"),
        ({"network": {"layers": 3}}, "no network option layers"),
        ({"paper": {"weights": {"fidelity": "high"}}}, "paper setting weights cannot be"),
        ({"paper": {"layers": "relu1_1"}}, "paper setting layers cannot be"),
        ({"paper": {"weights": {"colour": 1}}}, "not colour"),
        ({"paper": {"weights": {"fidelity": -1}}}, "not below 0"),
        ({"paper": {"form": "round"}}, "paper.form must be one of"),
        ({"paper": {"exposure": 1.5}}, "between 0 and 1"),
        ({"paper": {"fidelity_from": 0}}, "1 or more"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(wrong, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        TrainingSettings.from_dict(wrong)
    assert "\n" not in str(refusal.value)
