"""Who may import whom: lower layers never import upper ones, and the model never sees a window."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "napari_lle"
MODEL = PACKAGE / "model"

# Module -> the package's own modules that it may import.
ALLOWED = {
    "version": set(),
    "atomic": set(),
    "tiling": set(),
    "statistics": set(),
    "margins": set(),
    "sampling": {"margins"},
    "normalization": {"sampling"},
    "calibration": {"sampling"},
    "devices": set(),
    "bundled": set(),
    "config": set(),
    "blocks": {"config"},
    "network": {"blocks", "config", "tiling"},
    "losses": {"network"},
    "vgg": set(),
    "filerecord": set(),
    "memory": {"filerecord"},
    "pictures": {"filerecord", "memory"},
    "tiff": {"filerecord", "memory"},
    "fits": {"filerecord"},
    "zarr_layout": {"filerecord"},
    "zarr_files": {"filerecord", "zarr_layout"},
    "zarr_writer": {"filerecord", "zarr_layout"},
    "signatures": {"filerecord"},
    "files": {
        "atomic",
        "filerecord",
        "fits",
        "pictures",
        "signatures",
        "tiff",
        "zarr_files",
        "zarr_writer",
    },
    "checkpoint": {"atomic", "bundled", "network"},
    "data": {"files", "normalization", "statistics"},
    "crops": {"data", "normalization", "statistics", "tiling"},
    "onecurve": {"blocks", "bundled", "checkpoint", "config"},
    "splitting": set(),
    "paircheck": {"normalization"},
    "project": {"atomic", "data", "files", "normalization", "paircheck", "splitting"},
    "comparison": {"baselines", "data", "metrics", "network"},
    "lazy": {"config", "estimate", "normalization"},
    "bands": {"threads"},
    "estimate": {"bands", "normalization"},
    "inference": {
        "planes",
        "config",
        "bundled",
        "checkpoint",
        "devices",
        "estimate",
        "halving",
        "lazy",
        "kernels",
        "network",
        "normalization",
        "onecurve",
        "statistics",
        "version",
    },
    "stream": {
        "tiling",
        "estimate",
        "filerecord",
        "inference",
        "jointly",
        "lazy",
        "normalization",
        "zarr_writer",
    },
    "cluster": {"devices", "kernels", "version", "zarr_writer"},
    "remote": {
        "checkpoint",
        "cluster",
        "estimate",
        "filerecord",
        "files",
        "inference",
        "kernels",
        "lazy",
        "statistics",
        "stream",
        "zarr_writer",
    },
    "halving": set(),
    "kernels/__init__": {"bundled", "checkpoint", "halving", "kernels", "network"},
    "kernels/compiled": {"kernels"},
    "kernels/device": {"estimate", "kernels", "network", "tiling"},
    "kernels/device_forms": {"blocks", "config", "kernels"},
    "kernels/device_layers": {"kernels"},
    "kernels/device_runner": {"halving", "kernels", "network", "tiling"},
    "kernels/forms": {"blocks", "config", "network"},
    "kernels/fused": {"kernels"},
    "kernels/graphs": {"devices", "network", "tiling"},
    "kernels/lanes": set(),
    "kernels/pointwise": {"blocks", "config", "kernels"},
    "kernels/lights": set(),
    "kernels/reduced": {"kernels"},
    "kernels/reduced_runner": {"kernels", "network", "threads", "tiling"},
    "planes": {
        "devices",
        "estimate",
        "halving",
        "kernels",
        "network",
        "normalization",
        "tiling",
    },
    "threads": set(),
    "stored": {"checkpoint", "estimate", "inference", "kernels", "planes"},
    "kernels/runner": {"kernels", "network", "threads", "tiling"},
    "kernels/transfers": set(),
    "jointly": {"estimate", "inference", "lazy", "normalization"},
    "metrics": set(),
    "report": set(),
    "scenes": set(),
    "photometry": set(),
    "contenders": {"baselines", "normalization", "photometry", "scenes"},
    "verdicts": {"checkpoint", "network"},
    "rings": {"checkpoint", "inference", "scenes", "verdicts"},
    "linear_suite": {
        "checkpoint",
        "contenders",
        "estimate",
        "inference",
        "normalization",
        "onecurve",
        "photometry",
        "rings",
        "scenes",
        "verdicts",
    },
    "baselines": {"metrics"},
    "evaluation": {"baselines", "checkpoint", "data", "files", "inference", "metrics"},
    "sheet": {"evaluation", "metrics"},
    "settings": {"crops", "network"},
    "parallel": {"settings"},
    "objectives": {"losses", "network", "parallel", "settings", "vgg"},
    "selfpairs": {"data"},
    "judging": {"crops", "data", "metrics", "network", "objectives"},
    "reparam": {"network"},
    "runstate": {
        "atomic",
        "crops",
        "data",
        "network",
        "objectives",
        "parallel",
        "reparam",
        "settings",
    },
    "curve": set(),
    "logbook": {"atomic", "checkpoint", "curve", "network", "runstate"},
    "training": {
        "checkpoint",
        "data",
        "devices",
        "judging",
        "logbook",
        "network",
        "parallel",
        "runstate",
        "selfpairs",
        "settings",
        "version",
    },
    "probes": {"blocks", "network", "tiling"},
    "trace": {"config"},
    "unrolled": {
        "planes",
        "blocks",
        "checkpoint",
        "config",
        "estimate",
        "inference",
        "normalization",
        "probes",
        "tiling",
        "trace",
        "version",
    },
    "look": {"planes", "checkpoint", "devices", "inference", "unrolled"},
    "stagefiles": {"files", "inference", "trace", "unrolled"},
    "__init__": {"stored", "checkpoint", "inference", "jointly", "lazy", "look", "training"},
}
WITHOUT_TORCH = {
    "version",
    "atomic",
    "tiling",
    "statistics",
    "normalization",
    "filerecord",
    "pictures",
    "tiff",
    "fits",
    "zarr_layout",
    "zarr_files",
    "zarr_writer",
    "margins",
    "sampling",
    "calibration",
    "report",
    "files",
    "data",
    "crops",
    "selfpairs",
    "stagefiles",
    "trace",
    "scenes",
    "photometry",
    "contenders",
    "bundled",
    "__init__",
}
WINDOWS = {"napari", "qtpy", "magicgui", "superqt", "PyQt6", "PyQt5", "PySide6"}


def imports(path: Path) -> set[str]:
    """Absolute dotted names of everything a file imports, at any depth of nesting."""
    found = set()
    package = ("napari_lle", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            found.add(module) if node.module else found.update(
                f"{module}.{alias.name}" for alias in node.names
            )
    return found


def own(names: set[str]) -> set[str]:
    prefix = "napari_lle.model."
    return {n.removeprefix(prefix).split(".")[0] for n in names if n.startswith(prefix)}


def test_every_module_of_the_model_has_its_rule():
    found = {p.relative_to(MODEL).with_suffix("").as_posix() for p in MODEL.rglob("*.py")}
    assert found == set(ALLOWED)


@pytest.mark.parametrize("module", sorted(ALLOWED))
def test_model_imports_only_what_lies_below(module):
    names = imports(MODEL / f"{module}.py")
    assert own(names) <= ALLOWED[module]
    upper = {
        n for n in names if n.startswith("napari_lle") and not n.startswith("napari_lle.model")
    }
    assert not upper
    assert not {n.split(".")[0] for n in names} & WINDOWS
    if module in WITHOUT_TORCH:
        assert "torch" not in {n.split(".")[0] for n in names}


def test_the_rule_sees_nested_and_relative_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "x.py"
    file.write_text(
        "def f():\n    from .. import cli\n    from .tiling import tiles\n    import napari\n"
    )
    assert imports(file) == {"napari_lle.cli", "napari_lle.model.tiling", "napari"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("napari_lle", ("torch", "napari", "numpy")),
        ("napari_lle.model", ("torch", "napari", "numpy")),
        ("napari_lle.cli", ("torch", "napari", "qtpy")),
        ("napari_lle._enhance", ("torch",)),
        ("napari_lle._stages", ("torch",)),
        ("napari_lle._train", ("torch",)),
        ("napari_lle.model.inference", ("napari", "qtpy", "skimage", "numba")),
    ],
)
def test_importing_stays_cheap(module, absent):
    code = f"import sys, {module}; print([n for n in {absent!r} if n in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
