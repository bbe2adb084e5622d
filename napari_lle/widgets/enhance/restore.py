"""The Restore command: an enhanced layer and its illumination give the original pixel values."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from napari import Viewer  # napari reads the annotation of the command to fill it in
from napari.layers import Image
from napari.utils.notifications import show_error, show_info

from ...model.preprocessing.normalizing import recorded_levels
from ..shared.adoption import (
    FileImage,
    adopt_if_alike,
    place_adopted,
    record_steps,
    written_file,
)
from ..shared.jobs import Job
from ..shared.layers import (
    ILLUMINATION,
    METADATA_KEY,
    OVER,
    REFLECTANCE,
    RESTORED,
    header_of,
    kind,
    origin_name,
    pixels,
    scales,
    spatial,
)
from ..shared.marks import unmarked
from .blending import blended, held_steps, light_plane, live_of

RESTORED_TOAST = "Restored: measure on the new layer."
_running: set[Job] = set()


def restore_layer(viewer: Viewer) -> Job | None:
    """Recover the original pixel values of the active, enhanced layer as a new one, in their dtype.

    Returns
    -------
    Job or None
        The work under way, at first that of looking into the files that layers came from; none
        where there is nothing to restore, and the user was told why.
    """

    def tell(sentence: str) -> None:
        show_info(RESTORED_TOAST)
        viewer.status = sentence

    def refuse(sentence: str) -> None:
        show_error(sentence.replace(": ", ":\n", 1))  # a toast shows a line of some 40 letters
        viewer.status = sentence

    layers = [layer for layer in viewer.layers if written_file(layer)]
    if not layers:
        return restore_active(viewer, tell, refuse)

    def known(found: list[FileImage]) -> None:
        _running.discard(job)
        pairs = list(zip(layers, found, strict=True))
        place_adopted(viewer, [pair for pair in pairs if adopt_if_alike(*pair)])
        restore_active(viewer, tell, refuse)

    job = Job(record_steps([written_file(layer) for layer in layers]), on_done=known)
    _keep(job)
    return job


def restore_active(
    viewer: Any, tell: Callable[[str], Any], refuse: Callable[[str], Any]
) -> Job | None:
    """What `restore_layer` does; the user is told by callables that take a sentence."""
    try:
        reflectance = chosen(viewer)
        steps = restore_steps(reflectance, illumination_of(viewer, reflectance))
    except ValueError as error:
        refuse(str(error))
        return None
    look = restored_options(reflectance)

    def done(data: Any) -> None:
        _running.discard(job)
        look["multiscale"] = isinstance(data, list)
        viewer.add_layer(Image(data, **look))
        tell(f"Added “{look['name']}”, the original pixel values: measure on those.")

    def fail(error: Exception) -> None:
        _running.discard(job)
        refuse(" ".join(str(error).split()) or type(error).__name__)

    job = Job(steps, on_done=done, on_error=fail, label=f"Restoring {reflectance.name}")
    _keep(job)
    return job


def _keep(job: Job) -> None:
    """Hold on to a job that nothing else does."""
    _running.difference_update([each for each in _running if not each.running])  # abandoned ones
    _running.add(job)


def chosen(viewer: Any) -> Image:
    """The enhanced layer that is active, or whose illumination is.

    Raises
    ------
    ValueError
        If neither is, or the enhanced layer is gone.
    """
    active = viewer.layers.selection.active
    if active is None or kind(active) not in (REFLECTANCE, ILLUMINATION):
        raise ValueError(
            "Select one enhanced layer first: Restore recovers its original pixel values."
        )
    if kind(active) == REFLECTANCE:
        return active
    found = _of_one_run(viewer, active, REFLECTANCE)
    if found is None:
        raise ValueError(
            "Its enhanced layer is not in the viewer: it is gone, or has another strength; select "
            "an enhanced layer."
        )
    return found


def illumination_of(viewer: Any, reflectance: Image) -> Any:
    """The illumination of an enhanced layer: an array, or a list of them for a multiscale layer.

    It is that of the layer which the same run added; without one, it follows from the estimate
    that the Enhance widget keeps of its latest result.

    Raises
    ------
    ValueError
        If there is neither; the message says what to do.
    """
    dtype = pixels(reflectance).dtype
    if dtype != "float32":
        raise ValueError(
            f"The layer holds rounded {dtype}: restore from float32, which enhance writes with "
            "--illumination."
        )
    if reflectance.metadata[METADATA_KEY].get("rgb") and not reflectance.rgb:
        raise ValueError(
            "The colours of its file are shown as planes here: restore it by the command "
            "“napari-lle restore”, and save results in colour as TIFF."
        )
    layer = _of_one_run(viewer, reflectance, ILLUMINATION)
    if layer is not None:
        return layer.data
    live = live_of(reflectance)
    if live is not None:
        return blended(live.estimate, reflectance.metadata[METADATA_KEY]["strength"], light_plane)
    source = origin_name(reflectance.metadata[METADATA_KEY], "the original")
    raise ValueError(
        f"Its illumination is not in the viewer: open it, enhance “{source}” again with “also add "
        "the illumination layer”, or measure on the original itself."
    )


def restore_steps(reflectance: Image, light: Any) -> Generator[Any, None, Any]:
    """Multiply and undo the levels, as a job; what is lazy stays so, see `held_steps`."""
    from ...model.inference.lazy import restore

    yield 0, 1, ""
    levels = reflectance.metadata[METADATA_KEY]["levels"]
    several = isinstance(light, Sequence)
    pairs = list(zip(scales(reflectance), light if several else [light], strict=False))
    at = reflectance.ndim
    fitting = all(r.shape[:at] == part.shape[:at] for r, part in pairs)
    if not (reflectance.multiscale and several and fitting):  # one of them was saved and opened
        pairs = pairs[:1]
    found = [restore(r, part, levels) for r, part in pairs]
    if len(found) > 1:
        return found
    live = live_of(reflectance)
    return found[0] if live is None else (yield from held_steps(live.estimate, found[0]))


def restored_options(reflectance: Image) -> dict[str, Any]:
    """Options of the restored layer; between its levels it shows what the network was given."""
    record = reflectance.metadata[METADATA_KEY]
    levels = record["levels"]
    common = recorded_levels(levels).common
    options = {
        **spatial(reflectance),
        "name": f"{record.get('layer', unmarked(reflectance.name))} restored",
        "blending": OVER,
        "rgb": bool(reflectance.rgb),
        "multiscale": bool(reflectance.multiscale),
        "contrast_limits": (common.black, common.white),
        "metadata": {
            **header_of(reflectance),
            METADATA_KEY: {"kind": RESTORED, "layer": record.get("layer"), "levels": levels},
        },
    }
    return options if reflectance.rgb else {**options, "colormap": reflectance.colormap}


def _of_one_run(viewer: Any, layer: Image, wanted: str) -> Image | None:
    """The layer of a kind that the same run added, and that is still of the same strength."""
    record = layer.metadata[METADATA_KEY]
    for other in viewer.layers:
        if kind(other) == wanted and all(
            other.metadata[METADATA_KEY].get(key) == record.get(key)
            for key in ("run", "strength", "input")
        ):
            return other
    return None
