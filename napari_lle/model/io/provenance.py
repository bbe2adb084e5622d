"""How pixels came about, for machines: PROV-JSON of entities, an activity and the software.

Entities are called by the digests of their pixels, so that documents of several steps can be laid
together: what one made is what the next one used. See https://www.w3.org/submissions/prov-json/.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from ..version import __version__
from .digests import KIND
from .roles import ROLE, note_of, word_of

Document = dict[str, dict[str, Any]]
PREFIX = {"lle": "https://napari-lle.github.io/napari-lle/guide/history/#"}
SOFTWARE = f"lle:napari-lle-{__version__}"
RECORDED_LIBRARIES = ("torch", "numpy")
MODEL = "model"  # kind of what is used beside images
INPUT, SOURCE = "input", "source"  # in a record: digest of the pixels that went in, and their file
TOLD_ELSEWHERE = (
    "levels",
    "statistics",
    "file",
    "uncertainty",
    INPUT,
    SOURCE,
    ROLE,
)  # see `_recorded_settings`


class Used(NamedTuple):
    """What went into a step.

    Attributes
    ----------
    digest : str
        Of its pixels, or of the file of a model; empty where it is not known.
    label : str
        A name for people.
    kind : str
    """

    digest: str
    label: str
    kind: str = "image"

    @property
    def identity(self) -> str:
        """What documents call it."""
        return f"lle:{(self.digest or self.label).replace(':', '-').replace(' ', '-')}"


class Activity(NamedTuple):
    """Something that was done to make an image.

    Attributes
    ----------
    activity : str
        Such as ``enhance``.
    kind : str
        What came out.
    used : tuple of Used
    settings : mapping
        Plain values.
    note : str
        What the outcome may be used for.
    earlier : tuple of dict
        Documents of what was used.
    """

    activity: str
    kind: str
    used: tuple[Used, ...]
    settings: Mapping[str, Any] = {}
    note: str = ""
    earlier: tuple[Document, ...] = ()

    @classmethod
    def of_record(cls, record: dict[str, Any], earlier: Iterable[Document | None] = ()) -> Activity:
        """The run that a record of a result is of."""
        digest = str(record.get(INPUT, ""))
        image = Used(digest, str(record.get(SOURCE) or record.get("layer") or "input"))
        weights = str(record.get("model_digest", ""))
        model = Used(weights and f"{KIND}{weights}", str(record.get("model", "")), MODEL)
        known = tuple(each for each in earlier if each)
        used, note = (image, model), note_of(record)
        return cls("enhance", word_of(record), used, _recorded_settings(record), note, known)

    def document(self, digest: str, shape: tuple[int, ...], dtype: str) -> Document:
        """The step with what came out of it, and all that came before."""
        made = Used(digest, self.kind, self.kind).identity
        activity = f"lle:{self.activity}-{made.removeprefix('lle:')[:23]}"
        told = {"prov:label": self.kind, "prov:type": f"lle:{self.kind}", "lle:digest": digest}
        told |= {"lle:dtype": dtype, "lle:shape": json.dumps(list(shape))}
        told |= {"lle:note": self.note} if self.note else {}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        own: Document = {
            "prefix": dict(PREFIX),
            "entity": {**{s.identity: _entity(s) for s in self.used}, made: told},
            "activity": {activity: {"prov:endTime": now, **_attributes(self.settings)}},
            "agent": {SOFTWARE: _software()},
            "used": _relations("used", activity, [s.identity for s in self.used]),
            "wasGeneratedBy": _relations("wasGeneratedBy", activity, [made]),
            "wasAssociatedWith": {
                f"_:by-{activity[4:]}": {"prov:activity": activity, "prov:agent": SOFTWARE}
            },
            "wasDerivedFrom": {
                f"_:from-{activity[4:]}-{number}": {
                    "prov:generatedEntity": made,
                    "prov:usedEntity": source.identity,
                }
                for number, source in enumerate(self.used)
                if source.kind != MODEL
            },
        }
        return laid_together([*self.earlier, own])


def laid_together(documents: Iterable[Document]) -> Document:
    """One document of several; of what two tell of one thing, the earlier holds."""
    whole: Document = {}
    for document in documents:
        for part, members in document.items():
            known = whole.setdefault(part, {})
            for name, told in members.items():
                both = isinstance(told, dict) and isinstance(known.get(name), dict)
                known[name] = {**told, **known[name]} if both else known.get(name, told)
    return whole


def steps_of(document: Document) -> Iterator[tuple[str, list[str], list[str]]]:
    """What was done, of what and to make what, in the order of time: names for people."""
    entities, activities = document.get("entity", {}), document.get("activity", {})

    def labels(relation: str, activity: str) -> list[str]:
        pairs = document.get(relation, {}).values()
        found = [p["prov:entity"] for p in pairs if p.get("prov:activity") == activity]
        return [str(entities.get(name, {}).get("prov:label", name)) for name in found]

    for name in sorted(activities, key=lambda each: _when(activities[each])):
        what = f"{activities[name].get('prov:endTime', '')} {name[4:].split('-')[0]}".strip()
        yield what, labels("used", name), labels("wasGeneratedBy", name)


def output_digest(document: Document | None) -> str:
    """The digest of the pixels that a document was written with: those of its last step."""
    return next(iter(_digests(document, "wasGeneratedBy")), "")


def input_digest(document: Document | None) -> str:
    """The digest of the pixels that its last step was done with."""
    return next(iter(_digests(document, "used")), "")


def _digests(document: Document | None, relation: str) -> list[str]:
    """Digests of the images that the last step of a document used, or made."""
    activities = (document or {}).get("activity", {})
    if not document or not activities:
        return []
    last = max(reversed(activities), key=lambda each: _when(activities[each]))
    pairs = [p for p in document.get(relation, {}).values() if p.get("prov:activity") == last]
    found = [document.get("entity", {}).get(p.get("prov:entity"), {}) for p in pairs]
    images = [entity for entity in found if entity.get("prov:type") != f"lle:{MODEL}"]
    return [str(e["lle:digest"]) for e in images if str(e.get("lle:digest")).startswith(KIND)]


def _when(activity: dict[str, Any]) -> str:
    return str(activity.get("prov:endTime", ""))


def _entity(source: Used) -> dict[str, Any]:
    told = {"prov:label": source.label, "prov:type": f"lle:{source.kind}"}
    return told | ({"lle:digest": source.digest} if source.digest else {})


def _relations(name: str, activity: str, entities: list[str]) -> dict[str, dict[str, str]]:
    return {
        f"_:{name}-{activity[4:]}-{number}": {"prov:activity": activity, "prov:entity": entity}
        for number, entity in enumerate(entities)
    }


def _software() -> dict[str, Any]:
    told = {
        "prov:type": "prov:SoftwareAgent",
        "prov:label": f"napari-lle {__version__}",
        "lle:python": platform.python_version(),
    }
    for name in RECORDED_LIBRARIES:
        try:
            told[f"lle:{name}"] = version(name)
        except PackageNotFoundError:
            continue
    return told


def _recorded_settings(record: dict[str, Any]) -> dict[str, Any]:
    """The settings of a record, without what is told elsewhere; black and white by name."""
    levels = record.get("levels", {})
    own = {key: value for key, value in record.items() if key not in TOLD_ELSEWHERE}
    return {**own, **{f"levels-{key}": value for key, value in levels.items()}}


def _attributes(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as attributes of PROV, which are numbers, booleans and text."""
    plain = (str, int, float, bool)
    return {
        f"lle:{key}": value if isinstance(value, plain) else json.dumps(value)
        for key, value in settings.items()
        if value is not None
    }
