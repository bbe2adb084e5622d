"""The wheel built from the sdist holds everything and works away from the checkout."""

import subprocess
import sys
import tarfile
import zipfile

import pytest
from helpers.places import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


def tracked(pattern):
    files = (ROOT / "napari_lle").rglob(pattern)
    return {str(f.relative_to(ROOT)) for f in files if "__pycache__" not in f.parts}


def test_wheel_and_sdist_hold_the_whole_package(built):
    wheel, sdist = built
    expected = tracked("*.py") | tracked("*.safetensors") | tracked("*.yaml") | tracked("py.typed")
    expected |= tracked("*.svg")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert expected <= names
    assert not any(n.startswith(("model/", "tests/", "docs/")) for n in names)
    with tarfile.open(sdist) as archive:
        packed = {n.partition("/")[2] for n in archive.getnames()}
    assert expected | {"README.md", "LICENSE", "pyproject.toml"} <= packed


def test_wheel_works_elsewhere(built, tmp_path):
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--target", str(site), str(built[0])], check=True)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np, napari_lle\n"
        "assert napari_lle.__file__.startswith(sys.argv[1]), napari_lle.__file__\n"
        "from napari_lle.model import enhance, restore\n"
        "dark = np.random.default_rng(0).integers(0, 40, (40, 50, 3)).astype(np.uint8)\n"
        "r = enhance(dark)\n"
        "assert (restore(r.reflectance, r.illumination, r.levels) == dark).all()\n"
        "from npe2 import PluginManifest\n"
        "from importlib.metadata import distributions\n"
        "(d,) = [d for d in distributions(path=[sys.argv[1]]) if d.name == 'napari-lle']\n"
        "assert PluginManifest.from_distribution('napari-lle').contributions.widgets\n"
        "assert 'Framework :: napari' in d.metadata.get_all('Classifier')\n"
        "print(r.reflectance.mean() > 2 * dark.mean() / 255)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(site)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "True", done.stderr
