"""What the page "Before and after" counts, on a house of three files."""

import runpy

import pytest
from helpers.places import ROOT

HOUSE = runpy.run_path(str(ROOT / "docs" / "make" / "house.py"))

FILES = {
    "__init__.py": "",
    "low/tools.py": '''
def tool(a, *, b=1, **c):
    """Of no line of code.

    Nor are these.
    """
    # Nor is this.

    def inner():
        return a

    return inner
''',
    "high/app.py": """
from ..low import tools
from ..low.tools import tool

class App:
    def run(self, x): ...

def _tool(): ...
""",
}


@pytest.fixture
def house(tmp_path):
    for name, text in FILES.items():
        file = tmp_path / "napari_lle" / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    return HOUSE["House"](tmp_path)


def test_lines_of_code_and_parameters_are_counted(house):
    found = {f.name: (f.lines, f.parameters) for f in house.functions()}
    assert found == {"tool": (4, 3), "inner": (2, 0), "run": (1, 1), "_tool": (1, 0)}
    assert house.meanings() == {"tool": ["low/tools.py"], "App": ["high/app.py"]}
    assert house.folders() == {"": 1, "low": 1, "high": 1}


def test_floors_are_the_longest_way_down(house):
    graph = house.imports()
    assert graph["high/app.py"] == {"low/tools.py"} and not graph["low/tools.py"]
    assert HOUSE["chain"](graph) == ["high/app.py", "low/tools.py"]
    assert HOUSE["by_folder"](graph)["high"] == {"low"}
    assert HOUSE["chain"]({"a": {"b"}, "b": {"a"}}) == []
