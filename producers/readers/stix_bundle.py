"""Reads STIX 2.1: bundles, bare arrays of objects, and single objects. Bundles of STIX 2.0 are read as well.

Only ``indicator`` objects are observations. Objects that are merely related or observed (``observed-data``,
cyber-observable objects, malware, actors) do not claim that something is bad, and are left out; so is an indicator that
its source revoked. A broken object is refused alone.

Markings: TLP 1 and 2 and PAP by their definitions' ids, in ``object_marking_refs`` and, because part of an
indicator cannot be sent, in ``granular_markings`` too; other definitions by what they define in the bundle. A
marking that nobody here knows makes a caveat of its id, which never releases by itself. A statement (a copyright
line) restricts nothing. Labels that are tags of MISP's TLP and PAP taxonomies count as well.

A description stays in the nation. What is written for release has no place in STIX: the custom property
``x_kakehashi_tearline`` holds it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Final

import msgspec

from producers.inputs import Input
from producers.readers.document import document
from producers.readers.reader import Head, Reader, Recognition, first_of
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from producers.readers.source_marking import UNSTATED, marking_of_tags, stricter
from producers.readers.stix_pattern import Unusable, claims_of
from producers.readers.times import milliseconds
from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.tearline import TEARLINE
from schemas.vocabulary import RejectReason

_OTHER_OBJECT: Final = "not-an-indicator"
_REVOKED: Final = "revoked"
_WORDS: Final = (b'"spec_version"', b'"indicator--', b'"bundle"', b'"objects"')

# STIX 2.1, section 7.2.1.4 (TLP 1); oasis-open/cti-stix-common-objects, tlp-2.0 and pap.
MARKING_BY_ID: Final[Mapping[str, SourceMarking]] = {
    f"marking-definition--{number}": marking
    for number, marking in {
        "613f2e26-407d-48c7-9eca-b8e91df99dc9": SourceMarking(tlp="TLP:WHITE"),
        "34098fce-860f-48ae-8e50-ebd3cc5e41da": SourceMarking(tlp="TLP:GREEN"),
        "f88d31f6-486f-44da-b317-01333bde0b82": SourceMarking(tlp="TLP:AMBER"),
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": SourceMarking(tlp="TLP:RED"),
        "94868c89-83c2-464b-929b-a1a8aa3c8487": SourceMarking(tlp="TLP:CLEAR"),
        "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": SourceMarking(tlp="TLP:GREEN"),
        "55d920b0-5e8b-4f79-9ee9-91f868d9b421": SourceMarking(tlp="TLP:AMBER"),
        "939a9414-2ddd-4d32-a0cd-375ea402b003": SourceMarking(tlp="TLP:AMBER+STRICT"),
        "e828b379-4e03-4974-9ac4-e53a884c97c1": SourceMarking(tlp="TLP:RED"),
        "ad15a0cd-55b6-4588-a14c-a66105329b92": SourceMarking(pap="PAP:CLEAR"),
        "a3bea94c-b469-41dc-9cfe-d6e7daba7730": SourceMarking(pap="PAP:WHITE"),
        "c43594d1-4b11-4c59-93ab-1c9b14d53ce9": SourceMarking(pap="PAP:GREEN"),
        "60f8932b-e51e-4458-b265-a2e8be9a80ab": SourceMarking(pap="PAP:AMBER"),
        "740d36e5-7714-4c30-961a-3ae632ceee0e": SourceMarking(pap="PAP:RED"),
    }.items()
}
_STATEMENT: Final = "statement"


class _Kind(msgspec.Struct):
    type: str = ""
    id: str = ""


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Granular(msgspec.Struct):
    marking_ref: str | None = None


class _Definition(msgspec.Struct):
    id: str
    definition_type: str | None = None
    definition: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None


class _Indicator(msgspec.Struct):
    id: str
    pattern: str
    valid_from: str = ""
    valid_until: str | None = None
    pattern_type: str = "stix"  # STIX 2.0 has no other
    name: str | None = None
    description: str | None = None
    x_kakehashi_tearline: str | None = None
    created_by_ref: str | None = None
    confidence: int | None = None
    revoked: bool = False
    labels: list[str] = msgspec.field(default_factory=list)
    indicator_types: list[str] = msgspec.field(default_factory=list)
    object_marking_refs: list[str] = msgspec.field(default_factory=list)
    granular_markings: list[_Granular] = msgspec.field(default_factory=list)


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each claim of each indicator; ``place.line`` counts the bundle's objects."""
    parsed = document(source, defaults.encoding, msgspec.Raw)
    if isinstance(parsed, Rejected):
        yield parsed
        return
    kinds = []
    objects = _objects(parsed)
    source.records = len(objects)
    for raw in objects:
        try:
            kinds.append(msgspec.json.decode(raw, type=_Kind))
        except msgspec.ValidationError:
            kinds.append(_Kind())
    definitions = (raw for raw, kind in zip(objects, kinds, strict=True) if _is_definition(kind))
    known = {**MARKING_BY_ID, **_defined(definitions)}
    for number, (raw, kind) in enumerate(zip(objects, kinds, strict=True), 1):
        place = SourcePlace(source.name, number)
        if kind.type == "indicator":
            yield from _readings(raw, place, known, defaults)
        elif not kind.type:
            yield rejected(place, RejectReason.UNDECODABLE, "a STIX object needs a type", bytes(raw))
        else:
            yield LeftOut(place, _OTHER_OBJECT, kind.type)


def _objects(parsed: msgspec.Raw) -> list[msgspec.Raw]:
    if bytes(memoryview(parsed)[:1]) == b"[":
        return msgspec.json.decode(parsed, type=list[msgspec.Raw])
    try:
        bundle = msgspec.json.decode(parsed, type=_Bundle)
    except msgspec.ValidationError:
        return [parsed]
    return bundle.objects or [parsed]


def _is_definition(kind: _Kind) -> bool:
    return kind.type == "marking-definition" and kind.id not in MARKING_BY_ID


def _defined(definitions: Iterable[msgspec.Raw]) -> dict[str, SourceMarking]:
    """What the bundle's own marking definitions say, where it is TLP, PAP or a mere statement."""
    known = {}
    for raw in definitions:
        try:
            definition = msgspec.json.decode(raw, type=_Definition)
        except msgspec.ValidationError:
            continue  # unknown, so its id becomes a caveat where it is referred to
        words = {**(definition.definition or {})}
        for extension in (definition.extensions or {}).values():
            words |= extension if isinstance(extension, dict) else {}
        tlp, pap = words.get("tlp_2_0") or words.get("tlp"), words.get("pap")
        if isinstance(tlp, str) or isinstance(pap, str):
            known[definition.id] = SourceMarking(
                tlp=tlp if isinstance(tlp, str) else "", pap=pap if isinstance(pap, str) else ""
            )
        elif definition.definition_type == _STATEMENT:
            known[definition.id] = UNSTATED
    return known


def _readings(
    raw: msgspec.Raw, place: SourcePlace, known: Mapping[str, SourceMarking], defaults: Defaults
) -> Iterator[Reading]:
    try:
        indicator = msgspec.json.decode(raw, type=_Indicator)
    except msgspec.ValidationError as error:
        yield rejected(place, RejectReason.UNDECODABLE, f"not a STIX 2.1 indicator: {error}", bytes(raw))
        return
    if indicator.revoked:
        yield LeftOut(place, _REVOKED, indicator.id)
        return
    if indicator.pattern_type != "stix":
        detail = f"{indicator.id}: the pattern is {indicator.pattern_type}, and only STIX patterns are read"
        yield rejected(place, RejectReason.UNKNOWN_TYPE, detail, bytes(raw))
        return
    valid_from = milliseconds(indicator.valid_from) if indicator.valid_from else 0
    valid_until = milliseconds(indicator.valid_until) if indicator.valid_until else 0
    if valid_from is None or valid_until is None:
        detail = f"{indicator.id}: valid_from or valid_until is not an RFC 3339 time"
        yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, detail, bytes(raw))
        return
    claims = claims_of(indicator.pattern)
    if isinstance(claims, Unusable):
        reason = RejectReason.UNKNOWN_TYPE if claims.is_readable else RejectReason.UNDECODABLE
        yield rejected(place, reason, f"{indicator.id}: {claims.detail}", bytes(raw))
        return
    tagged, labels = marking_of_tags((*indicator.labels, *indicator.indicator_types))
    template = Observation(
        kind=claims[0].kind,
        value="",
        first_seen_ms=valid_from,
        last_seen_ms=valid_from,
        confidence=defaults.confidence if indicator.confidence is None else indicator.confidence,
        valid_until_ms=valid_until,
        marking=reduce(stricter, (_referred(indicator, known), tagged, defaults.marking)),
        labels=tuple(dict.fromkeys((*labels, *defaults.labels))),
        description=indicator.description or "",
        context=_context(indicator),
    )
    for claim in claims:
        yield Seen(place, msgspec.structs.replace(template, kind=claim.kind, value=claim.value))


def _referred(indicator: _Indicator, known: Mapping[str, SourceMarking]) -> SourceMarking:
    granular = [part.marking_ref for part in indicator.granular_markings if part.marking_ref]
    references = dict.fromkeys((*indicator.object_marking_refs, *granular))
    return reduce(stricter, (known.get(ref, SourceMarking(caveats=(ref,))) for ref in references), UNSTATED)


def _context(indicator: _Indicator) -> tuple[tuple[str, str], ...]:
    facts = (
        ("stix-id", indicator.id),
        ("name", indicator.name),
        ("created-by", indicator.created_by_ref),
        ("pattern", indicator.pattern),
        (TEARLINE, indicator.x_kakehashi_tearline),
    )
    return tuple((name, fact) for name, fact in facts if fact)


def _recognise(head: Head) -> Recognition | None:
    return first_of(head, _WORDS)


READER: Final = Reader(
    name="stix-bundle",
    reads="`indicator` objects of STIX 2.1 and 2.0, by their patterns; markings by TLP, PAP and statements",
    leaves_out={
        _OTHER_OBJECT: "objects that are not an `indicator`",
        _REVOKED: "indicators that their source has revoked",
    },
    example=b"""{"type": "bundle", "id": "bundle--5d1b6f3e-0000-4000-8000-000000000001", "objects": [
{"type": "identity", "spec_version": "2.1", "id": "identity--5d1b6f3e-0000-4000-8000-000000000002"},
{"type": "indicator", "spec_version": "2.1", "id": "indicator--5d1b6f3e-0000-4000-8000-000000000003",
 "pattern": "[domain-name:value = 'bad.example.com']", "pattern_type": "stix", "valid_from": "2026-11-20T00:00:00Z",
 "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}]}
""",
    recognise=_recognise,
    read=read,
    unit="object",
)
