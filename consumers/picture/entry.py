"""One layout for a nation's own indicators and those of its partners: what queries, outputs and TAXII see.

A field that is not known is None, or empty. ``docs/picture.schema.json`` describes the JSON of it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

import msgspec

from consumers.subscription.changes import State, state_of
from schemas.markings import Pap, Tlp
from schemas.records import Content, Indicator

_TECHNIQUE: Final = re.compile(r"(?<![A-Za-z0-9])[Tt](\d{4})(\.\d{3})?(?![0-9A-Za-z])")


DISPUTED: Final = "disputed"
NOT_SEEN: Final = "not-seen"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What an analyst of a nation has answered on an indicator.

    ``kind`` is DISPUTED, of a dispute that stands, or NOT_SEEN: it was searched for and not seen. ``version`` is that
    of the indicator, ``at_ms`` the time of the answer. ``changed_ms`` grows with every change of the answer or of the
    indicator, and is not before either. Times are as those of an entry.
    """

    nation: str
    kind: str
    reason: str
    version: int
    at_ms: int
    changed_ms: int
    added_us: int


class Entry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One version of an indicator, with content, from one origin.

    ``id`` follows from type and value, so it is the same for every origin. ``origin`` is the nation that released it,
    or the nation itself. ``version`` and all ``…_ms`` are milliseconds since 1970, UTC. ``received_ms`` is the time at
    which the broker of this nation appended this version: it is the same in every copy of the picture. ``added_us`` is
    unique in one picture and grows with every change of it: microseconds since 1970, UTC; 0 outside a picture.

    ``releasable_to`` is None if every nation that the TLP label allows may have it. ``confidence`` is 0 to 100.
    ``techniques`` are the ATT&CK technique ids in the labels. The four fields behind ``tearline`` are known only of the
    nation's own.
    """

    id: str
    origin: str
    type: str
    value: str
    state: State = State.LIVE
    reason: str = ""
    version: int
    received_ms: int
    added_us: int = 0
    tlp: str
    pap: str
    releasable_to: tuple[str, ...] | None
    caveats: tuple[str, ...]
    confidence: int | None
    labels: tuple[str, ...]
    techniques: tuple[str, ...]
    first_seen_ms: int
    last_seen_ms: int
    sightings: int
    valid_until_ms: int | None
    release_expires_ms: int | None
    registered_domain: str
    asn: int | None
    country: str
    tearline: str = ""
    special_use: str = ""
    warninglists: tuple[str, ...] = ()
    source_count: int | None = None
    descriptions: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()

    @property
    def ends_ms(self) -> int | None:
        """When it stops being valid without a further record; None if never."""
        ends = [end for end in (self.valid_until_ms, self.release_expires_ms) if end]
        return min(ends) if ends else None

    @property
    def pap_code(self) -> Pap:
        """Its PAP in order of strictness; RED if it is not known, so that nothing is allowed by mistake."""
        return _PAPS.get(self.pap, Pap.RED)

    @property
    def is_own(self) -> bool:
        """Whether the nation itself has observed it."""
        return self.source_count is not None


class Ended(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A version without content: it has ended, and its former content must not be shown any more."""

    id: str
    origin: str
    state: State
    reason: str
    version: int
    received_ms: int
    added_us: int = 0


def of_own(record: Indicator, nation: str, received_ms: int, now_ms: int) -> Entry:
    """The entry of a national record (``indicator.v1``)."""
    marking = record["marking"]
    recipients = marking["releasable_to"]
    return Entry(
        id=record["id"],
        origin=nation,
        type=record["type"],
        value=record["value"],
        state=state_of(cast("dict[str, Any]", record), now_ms),
        version=record["version"],
        received_ms=received_ms,
        tlp=_tlp(marking["tlp"]),
        pap=_pap(marking["pap"]),
        releasable_to=None if recipients is None else tuple(recipients),
        caveats=tuple(marking["caveats"]),
        registered_domain=record["registered_domain"],
        asn=record["asn"] or None,
        country=record["country"],
        special_use=record["special_use"],
        warninglists=tuple(record["warninglists"]),
        source_count=record["source_count"],
        descriptions=tuple(dict.fromkeys(each["description"] for each in record["sources"] if each["description"])),
        release_expires_ms=None,
        **_observed(record),
    )


def of_partner(content: Content, *, id: str, origin: str, version: int, received_ms: int, now_ms: int) -> Entry:
    """The entry of a partner's record with content (``released_indicator.v1`` or ``v2``)."""
    state = state_of({"kind": "content", "content": content}, now_ms)
    return Entry(
        id=id,
        origin=origin,
        type=content["type"],
        value=content["value"],
        state=state,
        version=version,
        received_ms=received_ms,
        tlp=content["tlp"],
        pap=content["pap"],
        releasable_to=tuple(content["releasable_to"]),
        caveats=tuple(content["caveats"]),
        registered_domain=content["registered_domain"],
        asn=content["asn"] or None,
        country=content["country"],
        tearline=content.get("tearline", ""),
        release_expires_ms=content["release_expires_ms"] or None,
        **_observed(content),
    )


@lru_cache(maxsize=16_384)  # sets of labels repeat
def techniques_in(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The ATT&CK technique ids in these labels, sorted: ``T1566.001`` of ``attack.t1566.001``."""
    found = {f"T{each[1]}{each[2] or ''}" for label in labels for each in _TECHNIQUE.finditer(label)}
    return tuple(sorted(found))


def _observed(record: Indicator | Content) -> dict[str, Any]:
    labels = tuple(record["labels"])
    return {
        "confidence": record["confidence"] if record["confidence"] >= 0 else None,
        "labels": labels,
        "techniques": techniques_in(labels),
        "first_seen_ms": record["first_seen_ms"],
        "last_seen_ms": record["last_seen_ms"],
        "sightings": record["sightings"],
        "valid_until_ms": record["valid_until_ms"] or None,
    }


_TLP_LABELS: Final[Mapping[int, str]] = {tlp.value: tlp.label for tlp in Tlp}
_PAPS: Final[Mapping[str, Pap]] = {pap.label: pap for pap in Pap}
_PAP_LABELS: Final[Mapping[int, str]] = {pap.value: pap.label for pap in Pap}


def _tlp(code: int) -> str:
    """The label; RED of a code that is not known, so that nothing is allowed by mistake."""
    return _TLP_LABELS.get(code, Tlp.RED.label)


def _pap(code: int) -> str:
    return _PAP_LABELS.get(code, Pap.RED.label)
