"""Reads STIX 2.1: bundles, bare arrays of objects, and single objects. Bundles of STIX 2.0 are read as well.

Only ``indicator`` objects are observations. Objects that are merely related or observed (``observed-data``,
cyber-observable objects, malware, actors) do not claim that something is bad, and are left out. A broken object is
refused alone, and so is one with the same key twice.

Markings join from all that an indicator and its bundle say: ``object_marking_refs``; ``granular_markings``, because
part of an indicator cannot be sent; labels, name and description; extensions and unknown properties; and whatever
lists the indicator in its ``object_refs``, directly or through another such object: a ``report`` or ``grouping``, which
is what a MISP event becomes, a ``note``, an ``opinion``. ``stix_markings`` reads the definitions.

``revoked``, a relationship ``revoked-by``, the only type ``benign``, and a newer version without a value withdraw it.
Of several versions of one object the one with the newest ``modified`` counts; of several of the same time all count,
the strictest of each.

A description stays in the nation. What is written for release has no place in STIX: the custom property
``x_kakehashi_tearline`` holds it.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from producers.inputs import Input
from producers.markings.marked import Marked, joined
from producers.markings.properties import of_properties
from producers.markings.understanding import of_file_name
from producers.readers.document import document, plain, repeated_keys
from producers.readers.reader import Head, Reader, Recognition, first_of
from producers.readers.reading import Defaults, Emptied, LeftOut, Reading, Rejected, Seen, Withdrawn, rejected
from producers.readers.stix_containers import TRANSLATION, Containers, revoked_by_others
from producers.readers.stix_indicator import Indicator, marked, modified_of, observation_of, times_of
from producers.readers.stix_markings import Definitions
from producers.readers.stix_pattern import Taken, Unusable, taken_of
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal

_OTHER_OBJECT: Final = "not-an-indicator"
_REVOKED: Final = "revoked"
_BENIGN: Final = "benign"
_SUPERSEDED: Final = "superseded"
_PART: Final = "part-of-pattern"
_DEFINITION: Final = "marking-definition"
_INDICATOR: Final = "indicator"
_BUNDLE: Final = "bundle"
_RELATION: Final = "relationship"
_WORDS: Final = (b'"spec_version"', b'"indicator--', b'"bundle"', b'"objects"')
_OF_A_BUNDLE: Final = frozenset({"type", "id", "spec_version", "objects"})


class _Kind(msgspec.Struct):
    type: str = ""
    id: str = ""
    modified: Any = None
    created: Any = None
    revoked: Any = None
    object_refs: Any = None


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Version(msgspec.Struct, frozen=True):
    """One ``indicator`` of the document; ``problem`` says why it cannot be read."""

    place: SourcePlace
    raw: msgspec.Raw
    modified_ms: int
    indicator: Indicator | None
    problem: str = ""
    revoked: bool = False


class _Bundled:
    """A document's indicators by their ids, and what it says around them."""

    def __init__(self, parsed: msgspec.Raw, listed: list[tuple[msgspec.Raw, _Kind]], name: str) -> None:
        self.definitions = Definitions(plain(raw) for raw, kind in listed if kind.type == _DEFINITION)
        self.versions, self._newest = dict[str, list[_Version]](), dict[str, list[_Version]]()
        self._places, self._said = dict[int, _Version](), dict[str, tuple[Marked, str]]()
        self._still = dict[str, set[tuple[IndicatorType, str]]]()
        for number, (raw, kind) in enumerate(listed, 1):
            if kind.type == _INDICATOR:
                version = self._places[number] = _version(raw, kind, SourcePlace(name, number))
                self.versions.setdefault(kind.id, []).append(version)
        self.around = of_file_name(name).join(of_properties(_around(parsed), _OF_A_BUNDLE, "bundle"))
        containers = [
            (plain(raw), kind.id)
            for raw, kind in listed
            if isinstance(kind.object_refs, list) or kind.type == TRANSLATION
        ]
        self._containers = Containers(containers, self.definitions)
        self._replaced = revoked_by_others(raw for raw, kind in listed if kind.type == _RELATION)

    def at(self, place: SourcePlace, name: str) -> tuple[_Version, list[_Version]]:
        """The indicator in a place, and the newest versions of it: several if they are of the same time."""
        if name not in self._newest:
            last_ms = max(version.modified_ms for version in self.versions[name])
            self._newest[name] = [each for each in self.versions[name] if each.modified_ms == last_ms]
        return self._places[place.line], self._newest[name]

    def said(self, name: str) -> tuple[Marked, str]:
        """What the newest versions say about sharing, and by which rule they take the indicator back, if they do."""
        if name not in self._said:
            newest = [each for each in self._newest[name] if each.indicator is not None]
            outer = self.around.join(self._containers.of(name))
            each_says = (marked(each.indicator, plain(each.raw), self.definitions) for each in newest if each.indicator)
            found = joined((outer, *each_says))
            if name in self._replaced:
                found = found.join(Marked(withdrawn="revoked-by"))
            self._said[name] = found, _ended([each.indicator for each in newest if each.indicator], found)
        return self._said[name]

    def still(self, name: str) -> set[tuple[IndicatorType, str]]:
        """The values that the newest versions have."""
        if name not in self._still:
            taken = [_taken(each.indicator) for each in self._newest[name] if each.indicator is not None]
            claims = (claim for each in taken if isinstance(each, Taken) for claim in each.claims)
            self._still[name] = {(claim.kind, claim.value) for claim in claims}
        return self._still[name]


def _version(raw: msgspec.Raw, kind: _Kind, place: SourcePlace) -> _Version:
    modified_ms = modified_of(kind.modified, kind.created)
    try:
        return _Version(place, raw, modified_ms, msgspec.json.decode(raw, type=Indicator))
    except msgspec.ValidationError as error:
        return _Version(place, raw, modified_ms, None, str(error), kind.revoked is True)


def _around(parsed: msgspec.Raw) -> dict[str, Any]:
    """The properties of a bundle but for its objects."""
    try:
        bundle = msgspec.json.decode(parsed, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return {}
    return {name: plain(raw) for name, raw in bundle.items() if name not in _OF_A_BUNDLE} if "objects" in bundle else {}


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each value of each indicator; ``place.line`` counts the bundle's objects."""
    parsed = document(source, defaults.encoding, msgspec.Raw)
    if isinstance(parsed, Rejected):
        yield parsed
        return
    objects = _objects(parsed)
    source.records = len(objects)
    repeats = repeated_keys(parsed)
    doubtful = {number: repeated_keys(raw) for number, raw in enumerate(objects, 1)} if repeats else {}
    if repeats > sum(doubtful.values()):
        detail = "the bundle has the same key twice, so what it says is unknown"
        yield rejected(SourcePlace(source.name, 0), RejectReason.UNDECODABLE, detail, bytes(parsed))
        return
    kinds = [_Kind() if doubtful.get(number) else _kind(raw) for number, raw in enumerate(objects, 1)]
    bundled = _Bundled(parsed, list(zip(objects, kinds, strict=True)), source.name)
    for number, (raw, kind) in enumerate(zip(objects, kinds, strict=True), 1):
        place = SourcePlace(source.name, number)
        if doubtful.get(number):
            detail = "the object has the same key twice, so what it says is unknown"
            yield rejected(place, RejectReason.UNDECODABLE, detail, bytes(raw))
        elif kind.type == _INDICATOR:
            yield from _readings(place, kind.id, bundled, defaults)
        elif not kind.type:
            yield rejected(place, RejectReason.UNDECODABLE, "a STIX object needs a type", bytes(raw))
        elif kind.type == _BUNDLE and raw is not parsed:
            detail = "a bundle in a list or in another bundle: send each bundle as a file of its own"
            yield rejected(place, RejectReason.UNDECODABLE, detail, bytes(raw))
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


def _kind(raw: msgspec.Raw) -> _Kind:
    try:
        return msgspec.json.decode(raw, type=_Kind)
    except msgspec.ValidationError:
        return _Kind()


def _readings(place: SourcePlace, name: str, bundled: _Bundled, defaults: Defaults) -> Iterator[Reading]:
    version, newest = bundled.at(place, name)
    if version.indicator is None:
        detail = f"not a STIX 2.1 indicator: {version.problem}"
        yield rejected(place, RejectReason.UNDECODABLE, detail, bytes(version.raw))
        if version.revoked and version.modified_ms == newest[0].modified_ms:
            yield Emptied(place, name, version.modified_ms)
        return
    if version.modified_ms != newest[0].modified_ms:
        yield from _superseded(version.indicator, place, newest[0].modified_ms, bundled.still(name))
        return
    found, ended = bundled.said(name)
    if ended:
        yield from _withdrawn(version.indicator, place, version.modified_ms, ended)
        if not isinstance(_taken(version.indicator), Taken):
            yield Emptied(place, name, version.modified_ms)
        return
    yield from _asserted(version.indicator, version, found, defaults)


def _ended(newest: list[Indicator], found: Marked) -> str:
    """By which rule the newest version takes the indicator back; empty if it does not."""
    if found.withdrawn or any(indicator.revoked for indicator in newest):
        return _REVOKED
    kinds = (indicator.indicator_types or indicator.labels for indicator in newest)  # STIX 2.0 has them in labels
    return _BENIGN if any(each == [_BENIGN] for each in kinds) else ""


def _withdrawn(indicator: Indicator, place: SourcePlace, modified_ms: int, rule: str) -> Iterator[Reading]:
    taken = _taken(indicator)
    if not isinstance(taken, Taken):
        yield LeftOut(place, rule, indicator.id)
        return
    for claim in taken.claims:
        yield Withdrawn(
            place,
            rule,
            indicator.id,
            kind=claim.kind,
            value=claim.value,
            withdrawal=Withdrawal.REVOKED,
            object_id=indicator.id,
            modified_ms=modified_ms,
        )


def _superseded(
    indicator: Indicator, place: SourcePlace, newest_ms: int, still: set[tuple[IndicatorType, str]]
) -> Iterator[Reading]:
    """Of an older version: the values that are not ``still`` there are withdrawn; all else of it is left out."""
    yield LeftOut(place, _SUPERSEDED, indicator.id)
    for reading in _withdrawn(indicator, place, newest_ms, _SUPERSEDED):
        if isinstance(reading, Withdrawn) and (reading.kind, reading.value) not in still:
            yield reading


def _taken(indicator: Indicator) -> Taken | Unusable:
    if indicator.pattern_type != "stix":
        return Unusable(f"the pattern is {indicator.pattern_type}, and only STIX patterns are read", True)
    return taken_of(indicator.pattern)


def _asserted(indicator: Indicator, version: _Version, found: Marked, defaults: Defaults) -> Iterator[Reading]:
    place, raw = version.place, bytes(version.raw)
    taken = _taken(indicator)
    if isinstance(taken, Unusable):
        reason = RejectReason.UNKNOWN_TYPE if taken.is_readable else RejectReason.UNDECODABLE
        yield rejected(place, reason, f"{indicator.id}: {taken.detail}", raw)
        if taken.is_readable:
            yield Emptied(place, indicator.id, version.modified_ms)
        return
    found = found.with_default(defaults.marking)
    for claim in taken.claims:
        times = times_of(indicator, claim)
        if isinstance(times, str):
            yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, f"{indicator.id}: {times}", raw)
            return
        observation = observation_of(indicator, claim, times, found, defaults)
        yield Seen(place, observation, found.origins, indicator.id, version.modified_ms)
    for part in taken.left_out:
        yield LeftOut(place, _PART, part)


def _recognise(head: Head) -> Recognition | None:
    return first_of(head, _WORDS)


READER: Final = Reader(
    name="stix-bundle",
    reads="`indicator` objects of STIX 2.1 and 2.0, by their patterns; markings by definitions, statements and labels",
    leaves_out={
        _OTHER_OBJECT: "objects that are not an `indicator`",
        _REVOKED: "indicators that their source has revoked or tagged as wrong: withdrawn",
        _BENIGN: "indicators whose only type is `benign`: withdrawn",
        _SUPERSEDED: "older versions of an indicator; values that the newest one does not have: withdrawn",
        _PART: "parts of a pattern that are not specific by themselves, or of a type that the exchange does not carry",
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
    grows=False,
)
