"""`export`: a model into a file that other programs run."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple, TypedDict, Unpack

from ..io.atomic import atomic_path
from ..io.errors import needs
from ..network.bundled import bundled_models
from ..network.checkpoint import Model, load_model
from ..progress import Progress, finish
from ..runtime.choices import check_choice
from .description import Credits
from .parity import TRIED_SIZES, ExportError, Parity, measure_parity

SUFFIX_OF_FORMAT = {"onnx": ".onnx", "bioimageio": ".zip"}
LINEAR = ("stretching", "correcting", "mixing")  # forms for data of one channel
BUNDLED_CREDITS = Credits("The napari-lle developers", "BSD-3-Clause")


class Export(NamedTuple):
    """What was written.

    Attributes
    ----------
    path : Path
    channels : {"per", "joint"}
    parity : list of Parity
        Differences between the graph, run by onnxruntime, and the network.
    """

    path: Path
    channels: str
    parity: list[Parity]


class ExportKeywords(TypedDict, total=False):
    """Keywords of `export`."""

    channels: str
    author: str | None
    licence: str | None


def export(
    model: str | Path | Model,
    path: str | Path,
    format: str | None = None,
    **options: Unpack[ExportKeywords],
) -> Export:
    """Write a model for other programs; needs the extra ``export``.

    Before anything is written, the graph is run by onnxruntime and compared with the network on
    images of several sizes. What a program that runs it has to do is a page of the guide.

    Parameters
    ----------
    model : str, Path or Model
        A bundled name, a model file, or a loaded model.
    path : str or Path
        The file to write.
    format : {"onnx", "bioimageio"}, optional
        A graph, ``.onnx``, or a package of the BioImage Model Zoo, ``.zip``; told by the path's
        ending when not given.

    Returns
    -------
    Export

    Other Parameters
    ----------------
    channels : {"auto", "per", "joint"}
        Images of 3 colours with an illumination each, or of 1 channel; ``auto`` is ``per`` for
        models of photographs and ``joint`` for those of linear data.
    author, licence : str, optional
        Who made the weights and their licence's SPDX identifier, which a package names. Bundled
        models have theirs.

    Raises
    ------
    ExportError
        If the graph differs from the network by more than 1e-5 of the range of levels, or a
        package is not accepted.
    FileError
        If a library is missing or the file cannot be written.
    ValueError
        If an option cannot be used.

    Examples
    --------
    >>> from napari_lle.model import export
    >>> done = export("photo", "photo.onnx")  # doctest: +SKIP
    """
    return finish(export_steps(model, path, format, **options))


def export_steps(
    model: str | Path | Model,
    path: str | Path,
    format: str | None = None,
    *,
    channels: str = "auto",
    author: str | None = None,
    licence: str | None = None,
) -> Generator[Progress, None, Export]:
    """`export` with `Progress` after every part."""
    check_choice("channels", channels, ("auto", "per", "joint"))
    path = Path(path)
    format = _format_of(path, format)
    loaded = load_model(model)
    credits = _credits(loaded, author, licence) if format == "bioimageio" else None
    if channels == "auto":
        channels = "joint" if loaded.network.config.reflectance in LINEAR else "per"
    colours = 3 if channels == "per" else 1
    yield Progress(0, len(TRIED_SIZES) + 1)
    rows: list[Parity] = []
    with needs("export"):
        from .onnx_graph import make_graph
        from .package import write_package

        graph = make_graph(loaded, colours, given=credits is None)
        for row in measure_parity(graph, loaded, colours):
            rows.append(row)
            yield Progress(len(rows), len(TRIED_SIZES) + 1)
        with atomic_path(path) as temporary:
            if credits is None:
                temporary.write_bytes(graph)
            else:
                write_package(temporary, graph, loaded, colours, credits)
    yield Progress(len(TRIED_SIZES) + 1, len(TRIED_SIZES) + 1)
    return Export(path, channels, rows)


def _format_of(path: Path, format: str | None) -> str:
    found = next((name for name, suffix in SUFFIX_OF_FORMAT.items() if path.suffix == suffix), None)
    if format is None and found is None:
        raise ValueError(
            f"{path} must end in {' or '.join(SUFFIX_OF_FORMAT.values())}, or name a format."
        )
    format = format or str(found)
    check_choice("format", format, tuple(SUFFIX_OF_FORMAT))
    if path.suffix != SUFFIX_OF_FORMAT[format]:
        raise ValueError(
            f"A file of the format {format} ends in {SUFFIX_OF_FORMAT[format]}, not {path}."
        )
    return format


def _credits(model: Model, author: str | None, licence: str | None) -> Credits:
    """Those of a bundled model, or what the user says."""
    known = BUNDLED_CREDITS if model.name in bundled_models() else None
    author, licence = author or (known and known.author), licence or (known and known.licence)
    if author is None or licence is None:
        raise ExportError(
            f"A package names the author of {model.name}: give an author, and a licence by its "
            "SPDX identifier, for instance CC-BY-4.0."
        )
    return Credits(author, licence)
