"""What the README shows is what happens."""

import re

import pytest
from helpers.places import ROOT
from typer.testing import CliRunner

from napari_lle.cli.app import app

TEXT = (ROOT / "README.md").read_text()


def test_python_runs():
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block, {})


def test_pictures_exist():
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", TEXT)
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)


def test_links_lead_to_files_and_folders():
    links = re.findall(r"(?<!!)\[[^]]+\]\(([^)#:]+)(?:#[^)]*)?\)", TEXT)
    assert "napari_lle/model/kernels/__init__.py" in links and len(links) > 30
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize(
    ("asked", "function"),
    [
        ("black and white levels are found", "find_levels"),
        ("FITS header is kept", "about_header"),
        ("which kernel is chosen: .* CUDA", "find"),
    ],
)
def test_a_stranger_finds_the_file(asked, function):
    (row,) = re.findall(rf"^\|.*{asked}.*\|$", TEXT, re.MULTILINE)
    file = re.search(r"\]\(([^)]+)\)", row)[1]
    assert f"\ndef {function}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("line", re.findall(r"^napari-lle (.*)$", TEXT, re.MULTILINE))
def test_commands_and_options_exist(line):
    command, *rest = line.split("#")[0].split()
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    for option in rest:
        if option.startswith("-"):
            assert option in answer.stdout


def test_make_targets_exist():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"(?:^|`)make (\w+)", TEXT, re.MULTILINE)
    assert named
    assert set(named) <= set(targets)
