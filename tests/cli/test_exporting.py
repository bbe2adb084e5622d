"""The command `export`."""

import pytest
from helpers.command_line import fails, lle

pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")


def test_the_differences_are_printed(tmp_path, model):
    done = lle("export", model, "-o", tmp_path / "mine.onnx")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split() == ["images", "height", "width", "R", "L", "statistics"]
    assert all(float(value) <= 1e-5 for line in lines[2:-1] for value in line.split()[3:])
    assert lines[-1].endswith("for images of 3 colours")
    assert (tmp_path / "mine.onnx").stat().st_size > 10_000


def test_a_model_is_not_written_onto(tmp_path, model):
    copy = tmp_path / "mine.safetensors"
    copy.write_bytes(model.read_bytes())
    assert "input itself" in fails("export", copy, "-o", copy)
    assert copy.read_bytes() == model.read_bytes()


def test_a_format_is_named(tmp_path, model):
    assert ".onnx or .zip" in fails("export", model, "-o", tmp_path / "mine.pb")
