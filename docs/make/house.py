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
LONG, LONG_FILE = 40, 300  # lines of code of a function, and lines of a file


class Function(NamedTuple):
    """A function of a file: lines of code are those that hold any, docstrings left out."""

    file: str
    name: str
    lines: int
    parameters: int

    @property
    def is_listing(self) -> bool:
        """Of a command, whose options they are, or of a kernel, which takes plain arrays."""
        return self.file.startswith("cli") or "kernels/" in self.file


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


WALK = Path(__file__).with_name("house_walk.py")


def walk(folder: Path) -> dict[str, dict[str, int]]:
    """The walk of one RGB image with the kernel compiled, by `enhance` and by a widget's job."""
    out = folder / "walk.json"
    places = os.pathsep.join([str(folder), str(ROOT / "tests")])
    environment = {"QT_QPA_PLATFORM": "offscreen", "NUMBA_CACHE_DIR": str(folder / "numba")}
    subprocess.run(
        [sys.executable, str(WALK), str(out)],
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
        return {**of_files(house), **of_functions(house), **of_walks(walk(folder))}


def of_files(house: House) -> dict[str, str]:
    """How much there is, how it is spread, and what rests on what."""
    folders, lengths = house.folders(), house.lengths()
    plain = {f: o for f, o in house.imports().items() if not f.endswith("__init__.py")}
    rooms = chain(by_folder(plain))
    fullest, many = folders.most_common(1)[0]
    file, most = lengths.most_common(1)[0]
    return {
        "Python files": f"{len(lengths)}",
        "lines in them": f"{sum(lengths.values()):,}",
        "folders": f"{len(folders)}",
        "files in the fullest folder": f"{many} (`{fullest}/`)",
        "lines of the median file": f"{sorted(lengths.values())[len(lengths) // 2]}",
        "lines of the longest file": f"{most} (`{file}`)",
        f"files of over {LONG_FILE} lines": f"{sum(n > LONG_FILE for n in lengths.values())}",
        "floors of imports, by folder": str(len(rooms) or "none: folders import each other"),
        "floors of imports, by file": f"{len(chain(plain))}",
    }


def of_functions(house: House) -> dict[str, str]:
    """How long they are, what they take, and which names mean several things."""
    functions = house.functions()
    longest = max(functions, key=lambda f: f.lines)
    widest = max(functions, key=lambda f: f.parameters)
    inner = max((f for f in functions if not f.is_listing), key=lambda f: f.parameters)
    doubled = [name for name, files in house.meanings().items() if len(files) > 1]
    return {
        "longest list of parameters": f"{widest.parameters} (`{widest.name}`)",
        "the same, commands and kernels aside": f"{inner.parameters} (`{inner.name}`)",
        "lines of code of the longest function": f"{longest.lines} (`{longest.name}`)",
        f"functions of over {LONG} lines of code": f"{sum(f.lines > LONG for f in functions)}",
        "public names that several files define": f"{len(doubled)}",
    }


def of_walks(walks: dict[str, dict[str, int]]) -> dict[str, str]:
    return {
        f"walk of one image by {way}: {what}": f"{walks[key][of]}"
        for key, way in (("enhance", "`enhance`"), ("widget", "the Enhance widget"))
        for of, what in (
            ("modules", "modules passed"),
            ("most", "most passes through one"),
            ("calls", "calls between modules"),
        )
    }


def document(before: str, after: str) -> str:
    old, new = figures(before), figures(after)
    rows = [f"| {name} | {old[name]} | {new[name]} |" for name in new]
    return f"""# Before and after

What became of the package `napari_lle` when its rooms were built, measured by
`python docs/make/house.py --before {before} --after {after}`. In the first revision nearly all
files lay in two folders. The second has rooms, and much that was added since (file formats,
publishing, training, kernels): compare how things lie, not how many there are.

| | before | after |
|---|--:|--:|
{chr(10).join(rows)}

- **Floors of imports**: the longest chain of folders, or of files, each of which imports the next
  when it is imported itself. Before, folders imported each other in circles.
- **Lines of code**: those that hold code; no blanks, comments and docstrings. A function counts
  with those inside it.
- **Commands and kernels aside**: the parameters of a command are its options, which nothing else
  lists, and a kernel takes plain arrays and numbers. Otherwise options travel as one
  `EnhanceOptions`.
- **Public names that several files define**: classes and functions. `tests/test_architecture.py`
  holds those that may stay, which mean the same everywhere, each with its reason.
- **Walk of one image**: an RGB image of one strip, with its kernel compiled, through the function
  and through the job behind the widget's button. A module is *passed* each time that another calls
  it and it calls on into a third; one that answers by itself, such as arithmetic or a check, is a
  tool beside the way and counts only among the calls. `tests/test_walk.py` holds every module to
  two passes, in and out, and to one decision each on levels, statistics, joint or per-channel,
  model, device and kernel.

There are more files on more floors, then; but folders have floors now, which a test holds: see
[the rooms](architecture.md#the-rooms).

The stranger's test: who has read nothing but the README names the file that decides how black
levels are found, where a FITS header is kept, and where a CUDA kernel is chosen, each within a
minute. Its table *Where to find what* answers all three; `tests/test_readme.py` follows each
answer to the function that it is about.
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
