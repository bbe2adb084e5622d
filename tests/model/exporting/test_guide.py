"""What the guide tells other programs to do gives what `enhance` gives, without this package."""

import ast
import re

import numpy as np
import pytest
from helpers.places import ROOT

from napari_lle.model import enhance, export

pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")
(CODE,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/guide/export.md").read_text(), re.DOTALL)


def test_the_example(rng, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export("linear", "linear.onnx")
    stored = (200 + 300 * rng.random((60, 80)) + 40_000 * (rng.random((60, 80)) < 0.01)).astype(
        "u2"
    )
    known = {"stored": stored}
    exec(CODE, known)
    expected = enhance(stored, "linear")
    assert (known["black"], known["white"]) == (expected.levels.black, expected.levels.white)
    np.testing.assert_allclose(known["r"][0], expected.reflectance, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(known["restored"], stored)
    assert known["restored"].dtype == np.uint16


def test_the_example_needs_numpy_and_onnxruntime_alone():
    named = [
        node for node in ast.walk(ast.parse(CODE)) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert [alias.name for node in named for alias in node.names] == ["numpy", "onnxruntime"]
