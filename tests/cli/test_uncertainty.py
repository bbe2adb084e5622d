import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from napari_lle.cli.app import app
from napari_lle.model import enhance, uncertainty, what_changed
from napari_lle.model.evaluation.fields import cell_field
from napari_lle.model.evaluation.simulate import camera


@pytest.fixture
def source(tmp_path, rng):
    file = tmp_path / "in.tif"
    tifffile.imwrite(file, camera(300 * cell_field(96, rng), rng, offset=100))
    return file


def run(*words):
    return CliRunner().invoke(app, ["enhance", *map(str, words)])


def test_both_layers_are_written_as_python_makes_them(source, tmp_path):
    changed, half = tmp_path / "changed.tif", tmp_path / "half.tif"
    answer = run(source, "-o", tmp_path / "out.tif", "--changed", changed, "--uncertainty", half)
    assert answer.exit_code == 0, answer.output
    result = enhance(tifffile.imread(source), "science")
    np.testing.assert_allclose(tifffile.imread(changed), what_changed(result), atol=1e-5)
    np.testing.assert_allclose(tifffile.imread(half), uncertainty(result), atol=1e-6)
    assert tifffile.imread(tmp_path / "out.tif").dtype == np.uint16


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--changed", "{in}"], "is the input itself"),
        (["--uncertainty", "{out}"], "Two outputs"),
        (["--changed", "{dir}/a.tif", "--uncertainty", "{dir}/a.tif"], "Two outputs"),
        (["--model", "photo", "--uncertainty", "{dir}/a.tif"], "has not been measured"),
        (["--strength", "0.5", "--uncertainty", "{dir}/a.tif"], "strength 1"),
        (["--changed", "{dir}/a.jpg"], "a.jpg"),
    ],
)
def test_what_cannot_be_written_is_one_line_and_nothing_is(source, tmp_path, words, told):
    places = {"in": source, "out": tmp_path / "out.tif", "dir": tmp_path}
    answer = run(source, "-o", tmp_path / "out.tif", *(w.format(**places) for w in words))
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [source]
