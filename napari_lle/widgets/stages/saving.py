"""What the stage inspector writes: a figure of all stages, and their values."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from magicgui.widgets import show_file_dialog
from napari.layers import Image

from ...model.io.errors import FileError
from ...model.io.outputs import check_outputs
from ..shared.pictures import Appearance
from .figure import PNG, figure_steps
from .inspector import INPUT_KEY, KINDS, Finding
from .sentence import one_sentence


def ask_folder() -> str | None:
    """The folder that the user chooses for the stages."""
    folder = show_file_dialog(mode="d", caption="Folder for the stages", parent=None)
    return None if folder is None else str(folder)


def ask_figure() -> Path | None:
    """The file that the user chooses for a figure; a name without an ending is one of a PNG.

    Raises
    ------
    FileError
        If the dialog has not asked about a file that is there already.
    """
    path = show_file_dialog(
        mode="w", caption="Save the figure", filter="Figures (*.png *.svg)", parent=None
    )
    if path is None or Path(path).suffix:
        return None if path is None else Path(path)
    file = Path(f"{path}{PNG}")
    if file.exists():
        raise FileError(f"{file.name} is there already: choose another name.")
    return file


def looks_of(layers: dict[str, Any], source: Image) -> dict[str, Appearance]:
    """How the input and the kinds that are shown are displayed."""
    looks = {key: Appearance.of(layer) for key, layer in layers.items() if key in KINDS}
    return {INPUT_KEY: Appearance.of(layers.get(INPUT_KEY, source)), **looks}


def saved_figure(
    finding: Finding, source: Image, layers: dict[str, Any], file: Path, opened: list[str]
) -> Generator[Any, None, Path]:
    """Steps that write a figure of what is shown."""
    plane = ", ".join(map(str, finding.region.plane))
    title = f"{source.name}, plane {plane}" if plane else source.name
    told = f"{one_sentence(finding)} {finding.count} stages, model {finding.stages.model.digest}."
    looks = looks_of(layers, source)

    def steps() -> Generator[Any, None, Path]:
        check_outputs([file], opened)
        return (yield from figure_steps(file, finding, looks, title, told))

    return steps()


def exported(
    finding: Finding, folder: str, opened: list[str]
) -> Generator[Any, None, dict[str, Any]]:
    """Steps that write all stages of the whole layer, as `napari-lle stages` does."""
    from ...model.inspection.export import stage_files, write_stages

    check_outputs(stage_files(finding.stages, folder), opened)
    return (yield from write_stages(finding.stages, folder))
