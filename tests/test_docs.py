"""Pages agree with the code: those made from it are current, what they name is there."""

import re
import runpy

import pytest
from helpers.places import ROOT
from typer.testing import CliRunner

from napari_lle.cli.app import app

MAKE = runpy.run_path(str(ROOT / "docs" / "make" / "reference.py"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs" / "guide").glob("*.md")),
    *sorted((ROOT / "docs" / "development").glob("*.md")),
]
GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))
OUTDATED = "run: make reference"


def test_the_page_of_the_command_line_is_current():
    assert MAKE["COMMANDS"].read_text() == MAKE["command_line"](), OUTDATED


def test_the_table_of_rooms_is_current():
    assert MAKE["ARCHITECTURE"].read_text() == MAKE["architecture"](), OUTDATED
    assert "flowchart TB" in MAKE["architecture"]()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_files_that_a_page_names_exist(page):
    text = page.read_text()
    folders = "napari_lle|tests|benchmarks|docs"
    named = set(re.findall(rf"(?<![\w/.])(?:{folders})/[\w./-]*\w/?", text))
    if page.parent == ROOT:
        linked = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
        named |= {link for link in linked if "://" not in link}
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


@pytest.mark.parametrize("page", GUIDE, ids=lambda p: p.stem)
def test_commands_and_options_that_a_page_shows_exist(page):
    for line in re.findall(r"^ *napari-lle (.*)$", page.read_text(), re.MULTILINE):
        command, *rest = line.split("#")[0].split()
        answer = CliRunner().invoke(app, [command, "--help"])
        assert answer.exit_code == 0, line
        for option in rest:
            assert not option.startswith("-") or option in answer.stdout, line


def test_modules_of_the_walk_exist():
    text = MAKE["ARCHITECTURE"].read_text().partition("## The walk")[2]
    named = re.findall(r'\["(\w+)\.(\w+)<br>', text)
    assert named
    for room, module in named:
        assert (ROOT / "napari_lle" / "model" / room / f"{module}.py").is_file(), (room, module)
