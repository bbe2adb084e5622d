import numpy as np
import pytest
from skimage import data as pictures
from skimage.transform import resize

from napari_lle.model.data.pairs import as_photograph
from napari_lle.model.data.project import (
    Draft,
    masks,
    open_project,
    write_config,
    write_project,
)
from napari_lle.model.training.loop import read_settings, train

SETTINGS = {
    "network": {"dilations": [1, 2], "widths": [4, 4]},
    "steps": 4,
    "batch": 2,
    "crop": 16,
    "validate_every": 2,
}


@pytest.fixture(scope="module")
def drafts():
    bright = (resize(pictures.coffee(), (64, 96), anti_aliasing=True) * 255).astype(np.uint8)
    stack = np.stack([bright[..., 0]] * 2).astype(np.uint16) * 100
    return [
        Draft("cup", bright // 8, bright, rgb=True),
        Draft("cells", stack // 9 + 500, stack, annotation=np.ones((64, 96), np.uint8)),
    ]


def test_a_project_gives_back_what_was_put_in(drafts, tmp_path):
    write_project(tmp_path / "p", drafts, SETTINGS, 5)
    project = open_project(tmp_path / "p")
    assert project.settings == SETTINGS
    assert [p.name for p in project.pairs] == ["cells-000", "cells-001", "cup"]
    assert [p.name for p in project.held_out] == ["cells-000", "cells-001", "cup"]
    cup = project.pairs[-1]
    np.testing.assert_array_equal(cup.low, as_photograph(drafts[0].low))
    (mask, _) = masks(drafts, 5)
    np.testing.assert_array_equal(~np.isnan(cup.reference[..., 0]), mask == 1)
    np.testing.assert_array_equal(~np.isnan(project.held_out[-1].reference[..., 0]), mask == 2)


def test_planes_share_the_levels_of_their_layer(tmp_path):
    stack = np.stack([np.full((64, 96), 100.0), np.full((64, 96), 300.0)])
    stack[0, 0, 0], stack[1, 0, 0] = 0, 400
    rng = np.random.default_rng(0)
    stack += rng.normal(0, 1, stack.shape)
    write_project(tmp_path / "p", [Draft("s", stack, 2 * stack)], SETTINGS, 5)
    first, second = (p.low for p in open_project(tmp_path / "p").pairs)
    assert np.median(first) < 0.05 and np.median(second) > 0.95


def test_few_pairs_are_split_within_and_many_by_scene(drafts):
    cup = drafts[0]
    assert all({0, 1, 2} == set(np.unique(m)) for m in masks([cup], 5))
    many = [Draft(f"{i}", cup.low, cup.reference, rgb=True) for i in range(6)]
    values = [np.unique(m).tolist() for m in masks(many, 5)]
    assert sorted(values) == [[1]] * 5 + [[2]]


def test_unknown_pixels_are_never_learned(drafts):
    reference = drafts[0].reference.astype(np.float32)
    reference[:30, :40] = np.nan
    (mask,) = masks([Draft("cup", drafts[0].low, reference, rgb=True)], 5)
    assert (mask[:30, :40] == 0).all()


def test_dark_images_alone(drafts, tmp_path):
    alone = [Draft(f"{i}", drafts[0].low, rgb=True) for i in range(3)]
    config = write_project(tmp_path / "p", alone, SETTINGS, 5)
    assert config["data"] == {"images": "images"}
    project = open_project(tmp_path / "p")
    assert len(project.pairs) == 3 and all(p.alone for p in project.pairs)
    assert alone[0].check.usable


def test_one_fix_serves_for_sizes_and_a_shift(drafts):
    cup = drafts[0]
    moved = np.roll(cup.reference, 4, axis=1)[:-3]
    draft = Draft("cup", cup.low, moved, rgb=True)
    assert not draft.check.usable
    draft = draft.registered()
    assert draft.check.usable and draft.corner == (0, 0)
    assert draft.low.shape == (cup.low.shape[0] - 3, cup.low.shape[1] - 4, 3)
    back = draft.swapped()
    assert back.low is draft.reference and back.reference is draft.low


def test_a_project_trains_and_its_settings_can_change(drafts, tmp_path):
    config = write_project(tmp_path / "p", drafts[:1], SETTINGS, 5)
    write_config(tmp_path / "p", {**config, "seed": 3})
    project = open_project(tmp_path / "p")
    settings = read_settings(project.settings)
    assert settings.seed == 3
    *_, last = train(project.pairs, settings, held_out=project.held_out)
    assert last.step == 4


def test_nonsense_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("data: {low: a, hihg: b}\n")
    with pytest.raises(ValueError, match="not hihg"):
        open_project(tmp_path)
    (tmp_path / "run.yaml").write_text("- 1\n")
    with pytest.raises(ValueError, match="holds no settings"):
        open_project(tmp_path)


def test_one_dark_image_is_cut_in_two(drafts, tmp_path):
    low = drafts[0].low[..., 0].astype(np.uint16)
    write_project(tmp_path / "p", [Draft("lone", low)], SETTINGS, 5)
    first, second = open_project(tmp_path / "p").pairs
    whole = as_photograph(low)
    np.testing.assert_array_equal(first.low, whole[:, :67])
    np.testing.assert_array_equal(second.low, whole[:, 72:])
    with pytest.raises(ValueError, match="too small to be cut"):
        write_project(tmp_path / "q", [Draft("lone", low[:, :16])], SETTINGS, 5)
