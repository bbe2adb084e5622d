"""What the project says of itself elsewhere agrees with what it is."""

import re
import tomllib
import xml.etree.ElementTree as ET

import pytest
import yaml
from helpers.places import ROOT
from npe2 import PluginManifest

from napari_lle.model.version import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_icon_is_a_square_drawing_in_the_package():
    manifest = PluginManifest.from_file(ROOT / "napari_lle" / "napari.yaml")
    package, _, resource = manifest.icon.partition(":")
    drawing = ET.parse(ROOT / package / resource).getroot()
    left, top, width, height = map(float, drawing.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert width == height >= 128


def test_tested_pythons_are_those_of_the_classifiers():
    (tests,) = [yaml.safe_load(f.read_text()) for f in WORKFLOWS if f.stem == "test"]
    matrix = tests["jobs"]["test"]["strategy"]["matrix"]
    pattern = r"Programming Language :: Python :: (3\.\d+)"
    claimed = re.findall(pattern, "\n".join(PROJECT["classifiers"]))
    assert matrix["python"] == claimed
    assert PROJECT["requires-python"] == f">={claimed[0]}"
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.stem)
def test_make_targets_that_workflows_call_exist(path):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^\s*(?:- )?run: make (\w+)", path.read_text(), re.MULTILINE)) <= targets


def test_the_citation_names_the_paper_and_the_addresses_of_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["repository-code"] == PROJECT["urls"]["Source"]
    assert citation["license"] == PROJECT["license"]
    (paper,) = [r for r in citation["references"] if r["type"] == "conference-paper"]
    assert [a["family-names"] for a in paper["authors"]] == ["Jin", "Chen", "Liang"]
    assert paper["title"] == "A lightweight low-light image enhancement network"


def test_every_issue_form_asks_for_something():
    forms = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
    assert len(forms) == 4
    for form in (yaml.safe_load(f.read_text()) for f in forms):
        assert form["name"] and form["description"]
        assert any(part.get("validations", {}).get("required") for part in form["body"])


def test_package_citation_and_changelog_state_the_same_release():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changelog = (ROOT / "CHANGELOG.md").read_text()
    version, date = re.search(r"^## (\d+\.\d+\.\d+) \((.+)\)$", changelog, re.M).groups()
    assert citation["version"] == version == __version__
    assert str(citation["date-released"]) == date
