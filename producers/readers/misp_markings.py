"""What MISP states about sharing: tags, distribution, sharing groups, texts, and properties that it does not define.

Event, object and attribute join to the strictest. Distribution (misp-core-format, section 2.2.1): 0 is the owner's
organisation only, 1 this community only, 4 a sharing group: none of them names a nation that we could send to. 2 and 3
add nothing. 5 inherits: what it inherits must be in the input. Any other level is not understood, and holds.

Of galaxies the names of clusters count, of event reports their texts. A sighting that calls the value a false positive
or expired (misp-core-format, section 2.8: types 1 and 2) is another's view, so it does not withdraw: it holds. So do
hits of warninglists of false positives, and a score that has decayed, if the server has added them. A proposal, also
one to delete, is only counted: anyone may make it, and MISP itself goes on exporting the attribute.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from producers.markings.marked import NOTHING, Marked, joined, of_caveat, unrecognised
from producers.markings.properties import of_properties
from producers.markings.understanding import of_comment, of_prose, of_tag
from schemas.markings import Caveat, SourceMarking

NOBODY_ABROAD: Final = {
    "0": "your organisation only",
    "1": "this community only",
    "4": "sharing group",
}
_ABROAD: Final = frozenset({"2", "3"})
_INHERITS: Final = "5"
_AGAINST: Final = frozenset({"1", "2"})  # sightings of a false positive, and of an end
_MOST_AGAINST: Final = 40  # of 100: misp-stix writes it as "disagree"
_ABSENT: Final = frozenset({"", "0", "None"})
_SHARED: Final = frozenset({"distribution", "sharing_group_id", "SharingGroup", "Tag"})
_ANALYSTS: Final = ("Note", "Opinion", "Relationship")
_COMMON: Final = frozenset(
    {"id", "uuid", "timestamp", "comment", "deleted", "first_seen", "last_seen", "event_id", *_ANALYSTS}
)
# What is read elsewhere, or belongs to something else (related events and clusters have distributions of their own).
_OF_EVENT: Final = frozenset(
    {
        *("info", "date", "published", "publish_timestamp", "analysis", "threat_level_id", "Attribute", "Object"),
        *("ShadowAttribute", "RelatedEvent", "Galaxy", "EventReport", "Org", "Orgc", "CryptographicKey", "protected"),
        *(
            "attribute_count",
            "org_id",
            "orgc_id",
            "extends_uuid",
            "locked",
            "event_creator_email",
            "disable_correlation",
        ),
        "proposal_email_lock",
    }
)
_OF_OBJECT: Final = frozenset(
    {"ObjectReference", "name", "meta-category", "description", "template_uuid", "template_version", "Attribute"}
)
_OF_ATTRIBUTE: Final = frozenset(
    {
        *(
            "type",
            "category",
            "value",
            "to_ids",
            "object_id",
            "object_relation",
            "disable_correlation",
            "data",
            "Galaxy",
        ),
        *("ShadowAttribute", "Sighting", "RelatedAttribute", "Event", "Object", "warnings", "value1", "value2"),
    }
)
KNOWN: Final = {
    "event": _COMMON | _SHARED | _OF_EVENT,
    "object": _COMMON | _SHARED | _OF_OBJECT,
    "attribute": _COMMON | _SHARED | _OF_ATTRIBUTE,
}


LOCAL: Final = "local:"  # before a label that is for the source's own server alone
_NO: Final = frozenset({"", "0", "false"})
_NO_FLAG: Final = frozenset({"", "0", "false", "none"})
_IDENTITY: Final = "known"  # the category of warninglists that identify someone, such as a cloud provider
_NOT_EXPORTABLE: Final = frozenset({"0", "false"})


class NamedTag(msgspec.Struct):
    """A tag of an event, an object or an attribute. One that is local or not exportable is for its own server alone."""

    name: str = ""
    local: Any = None
    exportable: Any = None

    def read(self, where: str) -> Marked:
        """Its meaning. A label that stays home is named so that it is of no vocabulary that may leave."""
        found = of_tag(self.name, where)
        stays_home = _text(self.local).lower() not in _NO or _text(self.exportable).lower() in _NOT_EXPORTABLE
        if not stays_home or not found.labels:
            return found
        return msgspec.structs.replace(found, labels=tuple(f"{LOCAL}{label}" for label in found.labels))


class Shared(msgspec.Struct, kw_only=True):
    """What event, object and attribute have in common."""

    uuid: str = ""
    timestamp: str | int | None = None
    distribution: str | int | None = None
    sharing_group_id: str | int | None = None
    SharingGroup: Any = None
    Tag: list[NamedTag] = msgspec.field(default_factory=list)


class Sharing(msgspec.Struct, frozen=True):
    """What one level states, and whether it states a distribution of its own."""

    found: Marked = NOTHING
    states_distribution: bool = False
    inherits: bool = False

    def within(self, outer: "Sharing") -> "Sharing":
        """Both levels at once. An inherited distribution that no one states is not understood."""
        found = self.found.join(outer.found)
        if self.inherits and not outer.states_distribution:
            found = found.join(unrecognised("distribution 5", "distribution 5 (inherits from nothing in this input)"))
        return Sharing(found, self.states_distribution or outer.states_distribution, outer.inherits)


def sharing_of(part: Shared, level: str, texts: Mapping[str, str | None], thing: Mapping[str, Any]) -> Sharing:
    """What an event, object or attribute (``level``) states; ``thing`` is all of it, ``texts`` are its free texts."""
    found = joined(_findings(part, level, texts, thing))
    stated = _text(part.distribution)
    return Sharing(found, stated not in ("", _INHERITS), stated == _INHERITS)


def _findings(part: Shared, level: str, texts: Mapping[str, str | None], thing: Mapping[str, Any]) -> Iterator[Marked]:
    yield from (tag.read(f"{level} tag") for tag in part.Tag)
    stated = _text(part.distribution)
    if stated in NOBODY_ABROAD:
        yield _nobody(f"{level} distribution {stated} ({NOBODY_ABROAD[stated]})")
    elif stated and stated not in _ABROAD and stated != _INHERITS:
        yield unrecognised(f"distribution {stated}", f"{level} distribution {stated}")
    if _text(part.sharing_group_id) not in _ABSENT or part.SharingGroup:
        yield _nobody(f"{level} sharing group")
    yield from (of_prose(text or "", f"{level} {name}") for name, text in texts.items())
    yield from _of_parts(thing, level)
    yield of_properties(thing, KNOWN[level], level)


def _of_parts(thing: Mapping[str, Any], level: str) -> Iterator[Marked]:
    """What galaxies, event reports and sightings state."""
    for galaxy in _objects(thing.get("Galaxy")):
        for cluster in _objects(galaxy.get("GalaxyCluster")):
            yield from (of_prose(str(cluster.get(name) or ""), f"{level} galaxy") for name in ("value", "tag_name"))
    for report in _objects(thing.get("EventReport")):
        yield from (of_prose(str(report.get(name) or ""), f"{level} report") for name in ("name", "content"))
    for sighting in _objects(thing.get("Sighting")):
        kind = str(sighting.get("type") or "")
        if kind in _AGAINST:
            yield of_caveat(Caveat.BENIGN, f"{level} sighting of type {kind}")
    yield from _of_analysts(thing, level)
    for score in _objects(thing.get("decay_score")):
        if _text(score.get("decayed")).lower() not in _NO_FLAG:
            yield of_caveat(Caveat.BENIGN, f"{level} decay_score: decayed")
    for warning in _objects(thing.get("warnings")):
        if _text(warning.get("warninglist_category")) != _IDENTITY:
            yield of_caveat(Caveat.BENIGN, f"{level} warning {_text(warning.get('warninglist_name'))!r}")


def _of_analysts(thing: Mapping[str, Any], level: str) -> Iterator[Marked]:
    """Notes, opinions and relationships (MISP 2.5): their texts. Their distribution is their own."""
    for kind in _ANALYSTS:
        for said in _objects(thing.get(kind)):
            for name in ("note", "comment"):
                yield of_comment(str(said.get(name) or ""), f"{level} {kind} {name}")
            stated = _text(said.get("opinion"))
            if stated.isascii() and stated.isdigit() and int(stated[:9]) <= _MOST_AGAINST:
                yield of_caveat(Caveat.BENIGN, f"{level} Opinion {stated}")
            yield from _of_analysts(said, level)


def _objects(found: Any) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _nobody(where: str) -> Marked:
    return Marked(SourceMarking(releasable_to=()), (where,))


def _text(stated: Any) -> str:
    return "" if stated is None else str(stated).strip()
