"""Measure the house of two revisions, and write the page of docs/development that compares them.

python docs/make/house.py [--before REVISION] [--after REVISION]

Everything is read from the code as git has it, by ast; only the walk of one image is run.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "development" / "house.md"
BEFORE, AFTER = "602daeb", "HEAD"
PACKAGE = "napari_lle"
LONG = 40  # lines of code of a function


class Function(NamedTuple):
    """A function of a file: lines of code are those that hold any, docstrings left out."""

    file: str
    name: str
    lines: int
    parameters: int


class House:
    """The Python files of a package in a folder.

    Parameters
    ----------
    folder : Path
        That holds the package.
    """

    def __init__(self, folder: Path) -> None:
        root = folder / PACKAGE
        files = sorted(root.rglob("*.py"))
        self.texts = {file.relative_to(root).as_posix(): file.read_text() for file in files}
        self.trees = {file: ast.parse(text) for file, text in self.texts.items()}

    def folders(self) -> Counter[str]:
        """How many files each folder holds."""
        return Counter(file.rpartition("/")[0] for file in self.texts)

    def lengths(self) -> Counter[str]:
        """How many lines each file has."""
        return Counter({file: text.count("\n") for file, text in self.texts.items()})

    def functions(self) -> list[Function]:
        """All functions, those in others, too, which count in these as well."""
        return [
            Function(
                file, node.name, code_lines(node, self.texts[file].splitlines()), parameters(node)
            )
            for file, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]

    def meanings(self) -> dict[str, list[str]]:
        """The files that define each public class and function of a module."""
        found = defaultdict(list)
        for file, tree in self.trees.items():
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
                    found[node.name].append(file)
        return found

    def imports(self) -> dict[str, set[str]]:
        """The files that each file imports when it is imported itself."""
        modules = {module_name(file): file for file in self.texts}
        return {
            file: {modules[name] for name in imported(file, tree, set(modules))} - {file}
            for file, tree in self.trees.items()
        }


def module_name(file: str) -> str:
    return f"{PACKAGE}/{file}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef, text: list[str]) -> int:
    """Lines of a function that hold code: no blanks, comments and docstrings."""
    documented = {
        line
        for each in ast.walk(node)
        if isinstance(each, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(each) is not None
        for line in range(each.body[0].lineno, each.body[0].end_lineno + 1)
    }
    lines = set(range(node.lineno, node.end_lineno + 1)) - documented
    return sum(bool(text[line - 1].split("#")[0].strip()) for line in lines)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    a = node.args
    names = [each.arg for each in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    return sum(name not in ("self", "cls") for name in names) + bool(a.vararg) + bool(a.kwarg)


def imported(file: str, tree: ast.Module, modules: set[str]) -> Iterator[str]:
    package = [PACKAGE, *file.split("/")[:-1]]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{name}.{alias.name}"
                if whole in modules or name in modules:
                    yield whole if whole in modules else name
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)


def chain(graph: dict[str, set[str]]) -> list[str]:
    """The longest way down; empty where the graph has a circle."""
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        return []
    longest: dict[str, list[str]] = {}
    for node in order:
        below = [longest[other] for other in graph.get(node, ())]
        longest[node] = [node, *max(below, key=len, default=[])]
    return max(longest.values(), key=len)


def by_folder(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Which folder imports from which; what only passes names on, `__init__.py`, left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for file, others in graph.items():
        here = file.rpartition("/")[0]
        found[here] |= {other.rpartition("/")[0] for other in others} - {here}
    return dict(found)


# Run in a process of its own, where the package is that of the revision.
WALK = """
import importlib, json, sys, time
from pathlib import Path

import numpy as np
import yaml
from helpers.walk import SHAPE, watched, watched_jobs
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

import napari_lle
from napari_lle.model import enhance, kernels

list(kernels.warm_up(["photo"]))
kernels._background = True  # which is not to compile others meanwhile
image = np.random.default_rng(0).integers(0, 60, SHAPE).astype(np.uint8)
enhance(image)
with watched() as by_function:
    enhance(image)

manifest = yaml.safe_load((Path(napari_lle.__file__).parent / "napari.yaml").read_text())
commands = {each["id"]: each["python_name"] for each in manifest["contributions"]["commands"]}
module, name = commands["napari-lle.enhance"].split(":")
app = QApplication([])
viewer = ViewerModel()
viewer.add_image(image, rgb=True)
widget = getattr(importlib.import_module(module), name)(viewer)
while getattr(getattr(widget, "levels", 0), "found", 0) is None: app.processEvents()  # a histogram
with watched_jobs() as by_widget:
    widget.enhance()
    while widget.job.running:
        app.processEvents()
        time.sleep(0.01)
widget.release()
found = {}
for name, walk in (("enhance", by_function), ("widget", by_widget)):
    passes = walk.passes()
    found[name] = {"calls": len(walk.entries), "modules": len(passes), "most": max(passes.values())}
Path(sys.argv[1]).write_text(json.dumps(found))
"""


def walk(folder: Path) -> dict[str, dict[str, int]]:
    """The walk of one RGB image with the kernel compiled, by `enhance` and by a widget's job."""
    out = folder / "walk.json"
    places = os.pathsep.join([str(folder), str(ROOT / "tests")])
    environment = {"QT_QPA_PLATFORM": "offscreen", "NUMBA_CACHE_DIR": str(folder / "numba")}
    subprocess.run(
        [sys.executable, "-c", WALK, str(out)],
        env={**os.environ, **environment, "PYTHONPATH": places},
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return json.loads(out.read_text())


def figures(revision: str) -> dict[str, str]:
    """Everything that is told of a revision, as texts."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        command = ["git", "archive", revision, PACKAGE]
        archive = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        house = House(folder)
        walks = walk(folder)
    graph = house.imports()
    plain = {f: o for f, o in graph.items() if not f.endswith("__init__.py")}
    functions, lengths, folders = house.functions(), house.lengths(), house.folders()
    longest = max(functions, key=lambda f: f.lines)
    widest = max(functions, key=lambda f: f.parameters)
    plainest = max((f for f in functions if "kernels/" not in f.file), key=lambda f: f.parameters)
    doubled = {n: files for n, files in house.meanings().items() if len(files) > 1}
    rooms = chain(by_folder(plain))
    fullest, many = folders.most_common(1)[0]
    file, most = lengths.most_common(1)[0]
    middle = sorted(lengths.values())[len(lengths) // 2]
    return {
        "Python files": f"{len(lengths)}",
        "lines in them": f"{sum(lengths.values()):,}",
        "folders": f"{len(folders)}",
        "files in the fullest folder": f"{many} (`{fullest}/`)",
        "lines of the middle file": f"{middle}",
        "lines of the longest file": f"{most} (`{file}`)",
        "floors of imports, by file": f"{len(chain(plain))}",
        "floors of imports, by folder": str(len(rooms) or "none: folders import each other"),
        "longest list of parameters": f"{widest.parameters} (`{widest.name}`)",
        "the same, kernels aside": f"{plainest.parameters} (`{plainest.name}`)",
        "lines of code of the longest function": f"{longest.lines} (`{longest.name}`)",
        f"functions of over {LONG} lines of code": f"{sum(f.lines > LONG for f in functions)}",
        "public names that several files define": f"{len(doubled)}",
        **{
            f"walk of one image by {way}: {what}": f"{walks[key][of]}"
            for key, way in (("enhance", "`enhance`"), ("widget", "the Enhance widget"))
            for of, what in (
                ("modules", "modules passed"),
                ("most", "most passes through one"),
                ("calls", "calls between modules"),
            )
        },
    }


def document(before: str, after: str) -> str:
    old, new = figures(before), figures(after)
    rows = [f"| {name} | {old[name]} | {new[name]} |" for name in new]
    return f"""# Before and after

What became of the house when its rooms were built, measured on the package `napari_lle` by
`python docs/make/house.py --before {before} --after {after}`.

| | before | after |
|---|--:|--:|
{chr(10).join(rows)}

- **Floors of imports**: the longest chain of files, or of folders, each of which imports the next
  when it is imported itself.
- **Lines of code**: those that hold code; no blanks, comments and docstrings. A function counts
  with those inside it.
- **Public names that several files define**: classes and functions. `tests/test_architecture.py`
  holds those that may stay, which mean the same everywhere, each with its reason.
- **Walk of one image**: an RGB image of one strip, with its kernel compiled, through the function
  and through the job behind the widget's button. A module is *passed* each time that another calls
  it and it calls on into a third; one that answers by itself, such as arithmetic or a check, is a
  tool beside the way and counts only among the calls. `tests/test_walk.py` holds every module to
  two passes, in and out; levels, statistics, the choice per channel or joint, model, device and
  kernel, to one decision each.

More files on more floors, then; but the folders have floors, which tests hold: see
[the rooms](architecture.md#the-rooms).
"""


def main(
    before: Annotated[str, typer.Option(help="Revision.")] = BEFORE,
    after: Annotated[str, typer.Option(help="Revision.")] = AFTER,
) -> None:
    """Write the page, and print it."""
    named = subprocess.run(
        ["git", "rev-parse", "--short", after], cwd=ROOT, check=True, capture_output=True, text=True
    )
    PAGE.write_text(document(before, named.stdout.strip()))
    typer.echo(PAGE.read_text())


if __name__ == "__main__":
    typer.run(main)
