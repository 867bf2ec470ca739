"""The STIX objects of a collection, as versions that are each served once.

An id with a time of modification is one version. So what ends without a new record, by its own time, is modified a
millisecond after the record's version. All else about the form of objects is in ``consumers.stix``.
"""

from typing import Any, Final

import msgspec

from consumers.picture.entry import Answer, Ended, Entry
from consumers.picture.handling import Handling
from consumers.stix.identifiers import modified_ms, timestamp
from consumers.stix.markings import pap_definition, statement, statements_of, tlp_definition
from consumers.stix.objects import (
    identity_of,
    indicator_of,
    not_seen_of,
    sighting_of,
    sighting_withdrawn,
    withdrawn,
)
from consumers.subscription.changes import State
from schemas.markings import Pap, Tlp

Object = dict[str, Any]
_BY_TIME: Final = frozenset({State.ENDED, State.REMOVED})
_TLPS: Final = (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED)
_PAPS: Final = tuple(pap for pap in Pap if pap is not Pap.UNSTATED)


class Added(msgspec.Struct, frozen=True, gc=False):
    """An object, and when it was added: microseconds since 1970 UTC."""

    object: Object
    at_us: int

    @property
    def version(self) -> str:
        """Its time of modification, or of creation if it never changes."""
        return str(self.object.get("modified") or self.object["created"])


def fixed(origin: str) -> list[Object]:
    """The first objects of every collection of an origin: its identity, and the definitions of TLP 2.0 and PAP."""
    return [identity_of(origin), *(tlp_definition(tlp.label) for tlp in _TLPS), *map(pap_definition, _PAPS)]


def explained(handling: Handling) -> Object:
    """The definition of a caveat or of recipients, or the identity of a nation that may answer."""
    if handling.nation:
        return identity_of(handling.nation)
    [text] = statements_of(None, (handling.caveat,)) if handling.caveat else statements_of(handling.recipients, ())
    return statement(text)


def shown(entry: Entry) -> Object:
    """An entry's indicator."""
    return _modified(indicator_of(entry), entry.version, ends=entry.state in _BY_TIME)


def gone(entry: Entry | Ended, ceiling: Tlp, *, ends: bool) -> Object:
    """A revoked version of an indicator, without anything of its content: it was recalled, or may not be seen any more.

    It is marked with the ceiling of the collection, so that whoever got the indicator gets this too. ``ends`` if
    the picture has the same version with content.
    """
    found = withdrawn(entry.id, entry.origin, entry.version, entry.reason)
    found["object_marking_refs"] = [tlp_definition(ceiling.label)["id"]]
    return _modified(found, entry.version, ends=ends or entry.state in _BY_TIME)


def sighted(entry: Entry | Ended, ceiling: Tlp, *, is_shown: bool, ends: bool) -> Object | None:
    """The sighting of an entry by its origin, which leaves with the indicator: revoked, and marked as ``gone`` is. None
    if there never was one."""
    if isinstance(entry, Entry) and entry.sightings < 1:
        return None
    found = sighting_of(entry) if isinstance(entry, Entry) and is_shown else None
    if found is None:
        found = sighting_withdrawn(entry.id, entry.origin, "", entry.version)
        found["object_marking_refs"] = [tlp_definition(ceiling.label)["id"]]
    return _modified(found, entry.version, ends=ends or entry.state in _BY_TIME)


def searched(entry: Entry | Ended, answer: Answer, ceiling: Tlp, *, is_shown: bool, ends: bool) -> Object:
    """The sighting with count 0 of a nation that has not seen it; revoked as that of ``sighted`` is."""
    found = not_seen_of(entry, answer) if isinstance(entry, Entry) and is_shown else None
    if found is None:
        found = sighting_withdrawn(entry.id, entry.origin, answer.nation, answer.changed_ms)
        found["object_marking_refs"] = [tlp_definition(ceiling.label)["id"]]
    return _modified(found, answer.changed_ms, ends=ends)


def _modified(found: Object, version: int, *, ends: bool) -> Object:
    if ends:
        found["modified"] = timestamp(modified_ms(version) + 1)
    return found
