"""What other objects of a STIX document add to an indicator: what it indicates, and where it was sighted.

Of a ``relationship`` ``indicates`` the target gives labels: ids of MITRE ATT&CK, name and types of malware and tools. A
target or relationship that is marked more strictly than the indicator gives none: its content may not go as far.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from producers.markings.marked import Marked, stricter
from producers.readers.stix_containers import revoked_by_others, said_by
from producers.readers.stix_indicator import is_revoked, modified_of, newest
from producers.readers.stix_markings import Definitions
from producers.readers.times import milliseconds
from schemas.observation import Observation

RELATIONSHIP: Final = "relationship"
SIGHTING: Final = "sighting"
_NAMED: Final = frozenset({"malware", "tool"})
INDICATED: Final = frozenset({*_NAMED, "attack-pattern", "campaign", "intrusion-set", "threat-actor", "infrastructure"})
_TYPES: Final = ("malware_types", "tool_types", "infrastructure_types")
_ATTACK_ID: Final = re.compile(r"(?:TA|DS|[SGCM])[0-9]{4}|T[0-9]{4}(?:\.[0-9]{3})?")
_MOST: Final = 999_999_999  # STIX 2.1, section 5.2


class Sighting(msgspec.Struct, frozen=True):
    """How often an indicator was seen, 0 for not, and when: milliseconds since 1970, 0 if it is not stated."""

    count: int
    first_ms: int
    last_ms: int
    marked: Marked


class Related:
    """The relationships and sightings of a document."""

    def __init__(self, objects: Iterable[Mapping[str, Any]], definitions: Definitions) -> None:
        """``objects`` are those of the types ``RELATIONSHIP``, ``SIGHTING`` and ``INDICATED``."""
        listed = newest(objects)
        revoked = {str(each.get("id")) for each in listed if is_revoked(each.get("revoked"))}
        current = [each for each in listed if not each.get("id") or str(each.get("id")) not in revoked]
        self.replaced = revoked_by_others(current)
        targets: dict[str, list[Mapping[str, Any]]] = {}
        for each in current:
            targets.setdefault(str(each.get("id")), []).append(each)
        self._of = dict[str, list[tuple[tuple[str, ...], Marked]]]()
        for each in current:
            is_labelling = each.get("relationship_type") == "indicates"
            for target in targets.get(str(each.get("target_ref")), ()) if is_labelling else ():
                said = said_by(each, definitions).join(said_by(target, definitions))
                found = tuple(dict.fromkeys(_labels_of(target)))
                self._of.setdefault(str(each.get("source_ref")), []).append((found, said))
        self._sighted = dict[str, dict[str, Sighting]]()
        self._newest_ms = dict[str, int]()
        for number, each in enumerate(listed):
            if each.get("type") == SIGHTING and isinstance(seen := sighting_of(each, definitions), Sighting):
                name, of_one = str(each.get("id") or number), str(each.get("sighting_of_ref"))
                of_all = self._sighted.setdefault(of_one, {})
                of_all[name] = seen if name not in of_all else _both(seen, of_all[name])
                self._newest_ms[name] = modified_of(each.get("modified"), each.get("created"))

    def is_outdated(self, sighting: Mapping[str, Any]) -> bool:
        """Whether the document has a newer version of a sighting."""
        modified_ms = modified_of(sighting.get("modified"), sighting.get("created"))
        return modified_ms < self._newest_ms.get(str(sighting.get("id") or ""), 0)

    def labels(self, name: str, marked: Marked) -> tuple[str, ...]:
        """The labels of what an indicator indicates, without those that are marked more strictly than it."""
        found = (labels for labels, said in self._of.get(name, ()) if is_within(said, marked))
        return tuple(dict.fromkeys(label for labels in found for label in labels))

    def sighted(self, name: str, marked: Marked) -> Sighting | None:
        """All sightings of an indicator that are marked no more strictly; ``None`` if it was not seen."""
        found = [each for each in self._sighted.get(name, {}).values() if each.count and is_within(each.marked, marked)]
        times = [at for each in found for at in (each.first_ms, each.last_ms) if at]
        counted = sum(each.count for each in found)
        return Sighting(counted, min(times, default=0), max(times, default=0), marked) if found else None


def _both(one: Sighting, other: Sighting) -> Sighting:
    """One sighting of two versions of the same time: they are not counted twice."""
    firsts = [each.first_ms for each in (one, other) if each.first_ms]
    marked = one.marked.join(other.marked)
    return Sighting(max(one.count, other.count), min(firsts, default=0), max(one.last_ms, other.last_ms), marked)


def is_within(said: Marked, marked: Marked) -> bool:
    """Whether the statements restrict nothing beyond a marking."""
    return stricter(marked.marking, said.marking) == marked.marking


def with_sightings(observation: Observation, sighted: Sighting | None) -> Observation:
    """An indicator's observation as often as it was seen, and when."""
    if sighted is None:
        return observation
    first_ms = sighted.first_ms or observation.first_seen_ms
    last_ms = sighted.last_ms or first_ms
    return msgspec.structs.replace(observation, count=sighted.count, first_seen_ms=first_ms, last_seen_ms=last_ms)


def techniques_of(thing: Mapping[str, Any]) -> Iterator[str]:
    """The ids of MITRE ATT&CK among an object's references to the outside."""
    references = thing.get("external_references")
    for each in references if isinstance(references, list) else ():
        if isinstance(each, Mapping) and str(each.get("source_name")).startswith("mitre-"):
            found = str(each.get("external_id"))
            if _ATTACK_ID.fullmatch(found):
                yield found


def _labels_of(thing: Mapping[str, Any]) -> Iterator[str]:
    yield from techniques_of(thing)
    if thing.get("type") in _NAMED and isinstance(thing.get("name"), str):
        yield thing["name"]
    for name in _TYPES:
        types = thing.get(name)
        yield from (each for each in (types if isinstance(types, list) else ()) if isinstance(each, str))


def sighting_of(thing: Mapping[str, Any], definitions: Definitions) -> Sighting | str:
    """What a ``sighting`` states, or why it cannot be read. Its numbers are texts here (``document.plain``)."""
    stated = str(thing.get("count", 1))
    if not (stated.isascii() and stated.isdigit() and int(stated[:10]) <= _MOST):
        return f"count {stated[:20]!r} is no number from 0 to {_MOST}"
    times = [milliseconds(str(thing[name])) for name in ("first_seen", "last_seen") if thing.get(name) is not None]
    if None in times:
        return "first_seen or last_seen is not an RFC 3339 time"
    known = [each for each in times if each is not None] or [0]
    count = 0 if is_revoked(thing.get("revoked")) else int(stated)
    return Sighting(count, known[0], known[-1], said_by(thing, definitions))
