"""Write what follows from the code: the page of the command line and the table of rooms.

``make reference``; a test tells when it has to be run.
"""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ROOT / "docs" / "reference" / "command-line.md"
ARCHITECTURE = ROOT / "docs" / "development" / "architecture.md"
BEGIN, END = "<!-- rooms: made by `make reference` -->", "<!-- end of rooms -->"
NAMES = {"model": "model: its public names", "": "napari_lle"}

INTRODUCTION = """Made from the program itself by `make reference`. Wrong input ends in one sentence
on standard error and exit code 2; files are written whole or not at all.

"""


def command_line() -> str:
    """The page of the command line, by typer."""
    command = [sys.executable, "-m", "typer", "napari_lle.cli.app", "utils", "docs"]
    options = ["--name", "napari-lle", "--title", "Command line"]
    answer = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=True
    )
    title, text = answer.stdout.split("\n\n", 1)
    return f"{title}\n\n{INTRODUCTION}{text.strip()}\n"


def floors() -> tuple[set[str], ...]:
    """The table of who may import whom, where the test that enforces it keeps it, low to high."""
    tests = ROOT / "tests"
    sys.path.insert(0, str(tests))
    try:
        return runpy.run_path(str(tests / "test_architecture.py"))["FLOORS"]
    finally:
        sys.path.remove(str(tests))


def rooms() -> str:
    """A diagram of the floors, the highest above, and what each room is there for."""
    table = [sorted(rooms) for rooms in reversed(floors())]
    boxes = [
        f'  f{i}["{" · ".join(NAMES.get(room, room) for room in rooms)}"]'
        for i, rooms in enumerate(table)
    ]
    arrows = "  " + " --> ".join(f"f{i}" for i in range(len(table)))
    lines = ["```mermaid", "flowchart TB", *boxes, arrows, "```", ""]
    lines += ["| floor | room | what it is there for |", "|--:|---|---|"]
    for i, rooms in enumerate(table):
        for room in rooms:
            place = Path("napari_lle", *room.split("."))
            file = place / "__init__.py" if (ROOT / place).is_dir() else place.with_suffix(".py")
            shown = place if file.name == "__init__.py" else file
            lines.append(f"| {len(table) - i} | `{shown.as_posix()}` | {purpose(ROOT / file)} |")
    return "\n".join(lines)


def purpose(file: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text())) or "").split("\n")[0]


def architecture() -> str:
    """The page of the architecture with its rooms as they are now."""
    made = f"{BEGIN}\n\n{rooms()}\n\n{END}"
    pattern = f"{re.escape(BEGIN)}.*?{re.escape(END)}"
    return re.sub(pattern, lambda _: made, ARCHITECTURE.read_text(), flags=re.DOTALL)


if __name__ == "__main__":
    COMMANDS.write_text(command_line())
    ARCHITECTURE.write_text(architecture())
