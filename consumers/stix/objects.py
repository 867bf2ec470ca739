"""A picture's entries as STIX 2.1 objects: indicators, their sightings, and the identities of nations.

Objects are plain dicts for a JSON encoder. They have standard properties only, so every strict parser takes them. A
source's description stays in the nation's own tools; a tearline was written to be passed on, and is `description`.

`modified` is the entry's version. What has ended is a new version of the object:

========  ==============================================================================
state     the object
========  ==============================================================================
live      as it is; `valid_until` is the end of its validity or of its release
ended     the same: `valid_until` has passed
expired   `valid_until` is not later than `modified`
revoked   `revoked`
recalled  ``withdrawal_of``: `revoked`, and nothing of its content
========  ==============================================================================
"""

from typing import Any, Final

from consumers.picture.entry import NOT_SEEN, Answer, Ended, Entry
from consumers.stix.identifiers import (
    CREATED_MS,
    LAST_MS,
    identity_id,
    indicator_object_id,
    modified_ms,
    sighting_object_id,
    timestamp,
)
from consumers.stix.kill_chain import phases_of, types_of
from consumers.stix.markings import Object, definitions_of, tlp_definition
from consumers.stix.patterns import literal, pattern_of
from consumers.subscription.changes import State
from schemas.markings import Tlp

SOURCE: Final = "kakehashi"
_MOST_SIGHTINGS: Final = 999_999_999  # STIX 2.1, section 5.2.1


def identity_of(nation: str) -> Object:
    """A nation as the creator of its objects; ``nation`` is an ISO 3166-1 alpha-3 code."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": identity_id(nation),
        "created": timestamp(CREATED_MS),
        "modified": timestamp(CREATED_MS),
        "name": nation,
        "identity_class": "organization",
    }


def indicator_of(entry: Entry) -> Object:
    """The `indicator` of an entry (STIX 2.1, section 4.7)."""
    modified = modified_ms(entry.version)
    begins, ends = _validity(entry, modified)
    found = _head(entry.id, entry.origin, modified) | {
        "name": entry.value,
        "description": entry.tearline or f"{entry.type}, reported by {entry.origin}",
        "indicator_types": types_of(entry.labels),
        "pattern": pattern_of(entry.type, entry.value),
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": timestamp(begins),
        "external_references": _references(entry),
        "object_marking_refs": [each["id"] for each in definitions_of(entry)],
    }
    if ends is not None:
        found["valid_until"] = timestamp(ends)
    if entry.confidence is not None:
        found["confidence"] = entry.confidence
    if entry.labels:
        found["labels"] = list(entry.labels)
    if phases := phases_of(entry.labels):
        found["kill_chain_phases"] = [{"kill_chain_name": chain, "phase_name": phase} for chain, phase in phases]
    if entry.state in (State.REVOKED, State.RECALLED, State.REMOVED):
        found["revoked"] = True
    return found


def sightings_of(entry: Entry) -> list[Object]:
    """All `sighting` objects of an entry: that of its origin, and those of nations which have not seen it."""
    own = sighting_of(entry)
    searched = (not_seen_of(entry, each) for each in entry.answers)
    return [each for each in (own, *searched) if each is not None]


def sighting_of(entry: Entry) -> Object | None:
    """The `sighting` of an entry (STIX 2.1, section 5.2): when and how often the nation has seen it. None if it has
    not, or if it has ended: nothing of what has ended is to be looked for."""
    if entry.sightings < 1 or not _is_looked_for(entry):
        return None
    found = _sighting(entry.id, entry.origin, "", entry.version) | {
        "count": min(entry.sightings, _MOST_SIGHTINGS),
        "object_marking_refs": [each["id"] for each in definitions_of(entry)],
    }
    if entry.first_seen_ms > 0:
        found["first_seen"] = timestamp(entry.first_seen_ms)
        found["last_seen"] = timestamp(max(entry.first_seen_ms, entry.last_seen_ms))
    return found


def not_seen_of(entry: Entry, answer: Answer) -> Object | None:
    """The `sighting` with count 0 of a nation that has searched for an entry's indicator and not seen it, marked as the
    indicator is. None if it has ended, as that of ``sighting_of``, and of another answer."""
    if answer.kind != NOT_SEEN or not _is_looked_for(entry):
        return None
    return _sighting(entry.id, entry.origin, answer.nation, answer.changed_ms) | {
        "description": f"{answer.nation} had searched for it by {timestamp(answer.at_ms)}, and not seen it",
        "count": 0,
        "object_marking_refs": [each["id"] for each in definitions_of(entry)],
    }


def sighting_withdrawn(indicator: str, origin: str, nation: str, version: int) -> Object:
    """The revoked version of a sighting, without its count and times; ``nation`` is empty for that of the origin. It is
    marked as ``withdrawn`` is."""
    return _sighting(indicator, origin, nation, version) | {
        "revoked": True,
        "object_marking_refs": [tlp_definition(Tlp.RED.label)["id"]],
    }


def _sighting(indicator: str, origin: str, nation: str, version: int) -> dict[str, Any]:
    return {
        "type": "sighting",
        "spec_version": "2.1",
        "id": sighting_object_id(origin, indicator, nation),
        "created_by_ref": identity_id(nation or origin),
        "created": timestamp(CREATED_MS),
        "modified": timestamp(modified_ms(version)),
        "sighting_of_ref": indicator_object_id(origin, indicator),
        "where_sighted_refs": [identity_id(nation or origin)],
    }


def _is_looked_for(entry: Entry) -> bool:
    return entry.state in (State.LIVE, State.LIMITED)


def withdrawal_of(ended: Ended) -> Object:
    """Makes a receiver drop an indicator without repeating it: a revoked version of the object whose pattern
    names nothing but the exchange's id. Its marking is the strictest, because its own is not known any more."""
    return withdrawn(ended.id, ended.origin, ended.version, ended.reason)


def withdrawn(indicator: str, origin: str, version: int, reason: str = "") -> Object:
    """The same of its parts. ``indicator`` is the exchange's id."""
    modified = modified_ms(version)
    return _head(indicator, origin, modified) | {
        "name": "withdrawn",
        "description": f"{origin} has withdrawn it: delete your copies",
        "indicator_types": ["unknown"],
        "pattern": f"[x-kakehashi-withdrawn:value = {literal(indicator)}]",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": timestamp(CREATED_MS),
        "valid_until": timestamp(max(modified, CREATED_MS + 1)),
        "revoked": True,
        "external_references": [_decision(indicator, origin, version, reason)],
        "object_marking_refs": [tlp_definition(Tlp.RED.label)["id"]],
    }


def _head(indicator: str, origin: str, modified: int) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": indicator_object_id(origin, indicator),
        "created_by_ref": identity_id(origin),
        "created": timestamp(CREATED_MS),
        "modified": timestamp(modified),
    }


def _validity(entry: Entry, modified: int) -> tuple[int, int | None]:
    """From and until when it is valid: until is later than from, as STIX demands, whatever the times of the source."""
    begins, ends = entry.first_seen_ms if entry.first_seen_ms > 0 else modified, entry.ends_ms
    if entry.state is State.EXPIRED:
        ends = modified if ends is None else min(ends, modified)
    if ends is None:
        return begins, None
    ends = min(max(ends, 1), LAST_MS)
    return min(begins, ends - 1), ends


def _references(entry: Entry) -> list[dict[str, str]]:
    techniques = ({"source_name": "mitre-attack", "external_id": each} for each in entry.techniques)
    return [_decision(entry.id, entry.origin, entry.version, entry.reason), *techniques]


def _decision(indicator: str, origin: str, version: int, reason: str) -> dict[str, str]:
    """The decision that released this version: under this id it is in the audit of the nation (`kakehashi explain`)."""
    because = f", {reason}" if reason else ""
    return {
        "source_name": SOURCE,
        "external_id": indicator,
        "description": f"decision of {origin}, version {version}{because}",
    }
