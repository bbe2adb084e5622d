"""Who may import whom: one table for the whole house."""

import ast
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from helpers.places import ROOT

PACKAGE = ROOT / "napari_lle"

# Low to high. A room imports itself and what lies on lower floors; rooms of one floor, each other
# not at all.
FLOORS = (
    {"model.version", "model.progress", "model.array_types"},
    {"model.preprocessing", "model.io", "model.runtime"},
    {"model.network", "model.data"},
    {"model.losses", "model.kernels"},
    {"model.inference"},
    {"model.inspection", "model.evaluation", "model.publishing"},
    {"model.training", "model.exporting"},
    {"model"},  # its doors: the public names
    {"samples", "widgets.shared"},
    {
        "widgets.enhance",
        "widgets.opening",
        "widgets.preferences",
        "widgets.stages",
        "widgets.training",
        "cli",
    },
    {"widgets"},
    {""},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
WINDOWS = {"napari", "qtpy", "magicgui", "superqt", "pyqtgraph", "PyQt6", "PyQt5", "PySide6"}
WITHOUT_TORCH = ("model.preprocessing", "model.io", "model.data")
WIDGETS = ", ".join(
    f"napari_lle.widgets.{n}.widget" for n in ("enhance", "stages", "training", "preferences")
)
MODULES = sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    """The dotted name of a module below the package, the package itself being ''."""
    return (
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        .removesuffix("__init__")
        .strip(".")
    )


def room(module: str) -> str:
    """The room that a module belongs to: the longest of the table that begins its name."""
    return max((r for r in FLOOR if f"{module}.".startswith(f"{r}." if r else "")), key=len)


def imports(path: Path, top: bool = False) -> set[str]:
    """Absolute dotted names of what a file imports: all, or when it is imported itself."""
    package = ("napari_lle", *path.relative_to(PACKAGE).parent.parts)
    tree = ast.parse(path.read_text())
    found = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def own(names: set[str]) -> set[str]:
    """The package's own modules among imported names, which may be those of things inside them."""
    known = {name(path) for path in MODULES}
    within = [n.split(".", 1)[1] for n in names if n.startswith("napari_lle.")]
    return {n if n in known else n.rpartition(".")[0] for n in within}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_room_imports_only_what_lies_below(path):
    here = room(name(path))
    wrong = {
        other
        for other in own(imports(path))
        if room(other) != here and FLOOR[room(other)] >= FLOOR[here]
    }
    assert not wrong


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_model_and_the_command_line_see_no_window(path):
    outside = {n.split(".")[0] for n in imports(path)}
    if not name(path).startswith("widgets"):
        assert not outside & WINDOWS
    if room(name(path)) in WITHOUT_TORCH:
        assert "torch" not in outside


def test_modules_import_each_other_in_no_circle():
    graph = {name(path): own(imports(path, top=True)) - {name(path)} for path in MODULES}
    list(TopologicalSorter(graph).static_order())


def test_the_rule_sees_nested_and_relative_imports(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "model").mkdir()
    file = tmp_path / "model" / "x.py"
    file.write_text("import os\ndef f():\n    from ..cli import app\n    from .io import tiff\n")
    assert imports(file) == {"os", "napari_lle.cli.app", "napari_lle.model.io.tiff"}
    assert imports(file, top=True) == {"os"}
    assert room("model.io.tiff") == "model.io" and room("samples") == "samples"


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        ("napari_lle, napari_lle.model", ("torch", "napari", "numpy")),
        ("napari_lle.cli.app", ("torch", "napari", "qtpy")),
        (WIDGETS, ("torch",)),
        ("napari_lle.model.inference.enhance", ("torch", "napari", "qtpy", "skimage", "numba")),
    ],
)
def test_importing_stays_cheap(modules, absent):
    code = f"import sys, {modules}; print([n for n in {absent!r} if n in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


# Names that several modules define with one meaning: what they compute, or ask for, is the same,
# and a user, or a test that holds them equal, meets them side by side.
SHARED_NAMES = {
    "DTYPES": "that a format can hold",
    "FLOOR": "what keeps L above 0, for the CPU and for CUDA",
    "PROVENANCE": "where FITS, TIFF and Zarr keep how an image came about",
    "SUFFIXES": "of the files that each reader takes",
    "_lock": "guards what its module keeps",
    "enhance": "the command and the function that it calls",
    "export": "the command and the function that it calls",
    "restore": "the command, the function, and the same of lazy arrays",
    "stages": "the command and the function that it calls",
    "train": "the command and the function that it calls",
    "count_images": "of a file of any kind, which asks its reader",
    "normalized": "on the CPU and in a CUDA kernel",
    "softplus": "in a kernel for the CPU and in one for CUDA",
    "ssim": "as a figure, as a loss, and in a kernel that trains",
    "stretched": "in numpy, in a kernel for the CPU and in one for CUDA",
    "tanh": "in a kernel for the CPU and in one for CUDA",
}


def definitions(trees: dict[str, ast.Module]) -> dict[str, list[str]]:
    """The modules that define each class, function, constant and type.

    Left out are type variables, and constants made of those that they are named after, such as
    ``KNEE = float32(formulas.KNEE)``.
    """
    found = defaultdict(list)
    for module, tree in trees.items():
        for each in sorted({each for node in tree.body for each in defined(node)}):
            found[each].append(module)
    return found


def defined(node: ast.stmt) -> set[str]:
    """The names that a statement of a module gives a meaning."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return set() if node.name.startswith("__") else {node.name}
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return set()
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    inside = list(ast.walk(node.value))
    if any(isinstance(n, ast.Name) and n.id == "TypeVar" for n in inside):
        return set()
    taken_over = {n.attr for n in inside if isinstance(n, ast.Attribute)}
    return {n for n in names - taken_over if not n.startswith("__")}


def test_every_name_has_one_meaning():
    found = definitions({name(path): ast.parse(path.read_text()) for path in MODULES})
    doubled = {each: modules for each, modules in found.items() if len(modules) > 1}
    assert {each: doubled[each] for each in doubled if each not in SHARED_NAMES} == {}
    assert set(SHARED_NAMES) <= set(doubled), "no longer shared: strike it off the list"


def test_a_name_that_two_modules_define_is_seen():
    trees = {
        "a": "def look(): ...\nEDGE, GAP = 1, 2\nT = TypeVar('T')\n__all__ = []",
        "b": "class look: ...\nGAP: int = 3\nT = TypeVar('T')\n__all__ = []",
        "c": "EDGE = float32(a.EDGE)\ndef _own(): ...",
        "d": "def _own(): ...",
    }
    found = definitions({k: ast.parse(v) for k, v in trees.items()})
    assert found == {"EDGE": ["a"], "GAP": ["a", "b"], "look": ["a", "b"], "_own": ["c", "d"]}
