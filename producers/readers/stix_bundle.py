"""Reads STIX 2.1: bundles, bare arrays of objects, and single objects. Bundles of STIX 2.0 are read as well.

Only ``indicator`` objects are observations, as often as their ``sighting`` objects state. Objects that are merely
related or observed (``observed-data``, cyber-observable objects, malware, actors) do not claim that something is bad,
and are left out. A broken object is refused alone, and so is one with the same key twice.

Markings join from all that an indicator and its bundle state: ``object_marking_refs``; ``granular_markings``, because
part of an indicator cannot be sent; labels, name and description; extensions and unknown properties; and whatever
lists the indicator in its ``object_refs``, directly or through another such object: a ``report`` or ``grouping``, which
is what a MISP event becomes, a ``note``, an ``opinion``. ``stix_markings`` reads the definitions.

``revoked``, a relationship ``revoked-by``, the only type ``benign``, and a newer version without a value withdraw it.
Of several versions of one object the one with the newest ``modified`` counts; of several of the same time all count,
the strictest of each.

A description stays in the nation. STIX has no property for text that is written for release: the custom property
``x_kakehashi_tearline`` holds it.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, joined
from producers.readers.document import document, plain, repeated_keys
from producers.readers.reader import Head, Reader, Recognition, first_of
from producers.readers.reading import Defaults, Emptied, LeftOut, Reading, Rejected, Seen, Withdrawn, rejected
from producers.readers.stix_1 import advice_on_stix_1
from producers.readers.stix_document import BENIGN, BUNDLE, INDICATOR, REVOKED, Bundled, Kind, Version, opened, taken_in
from producers.readers.stix_indicator import Indicator, is_revoked, modified_of, observation_of, times_of
from producers.readers.stix_observed import OBSERVED, observations_of, observed_in
from producers.readers.stix_pattern import Taken, Unusable
from producers.readers.stix_related import (
    SIGHTING,
    Sighting,
    is_within,
    sighting_of,
    techniques_of,
    with_sightings,
)
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason, Withdrawal

_OTHER_OBJECT: Final = "not-an-indicator"
_SUPERSEDED: Final = "superseded"
_PART: Final = "part-of-pattern"
_NOT_SEEN: Final = "not-seen"
_OTHER_SIGHTING: Final = "sighting-of-other"
_WORDS: Final = (b'"spec_version"', b'"indicator--', b'"bundle"', b'"objects"')


def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each value of each indicator; ``place.line`` counts the bundle's objects."""
    parsed = document(source, defaults.encoding, msgspec.Raw)
    if isinstance(parsed, Rejected):
        yield parsed
        return
    try:
        objects, bundles = opened(parsed)
    except msgspec.ValidationError:
        detail = "the bundle's `objects` are no list, so nothing of it is read: ask its source for STIX 2.1"
        yield rejected(SourcePlace(source.name, 0), RejectReason.UNDECODABLE, detail, bytes(parsed))
        return
    source.records = len(objects)
    repeats = repeated_keys(parsed)
    doubtful = {number: repeated_keys(raw) for number, raw in enumerate(objects, 1)} if repeats else {}
    if repeats > sum(doubtful.values()):
        detail = "the bundle has the same key twice, so what it says is unknown"
        yield rejected(SourcePlace(source.name, 0), RejectReason.UNDECODABLE, detail, bytes(parsed))
        return
    kinds = [Kind() if doubtful.get(number) else _kind(raw) for number, raw in enumerate(objects, 1)]
    twice = [raw for number, raw in enumerate(objects, 1) if doubtful.get(number)]
    bundled = Bundled(bundles, list(zip(objects, kinds, strict=True)), twice, source.names)
    for number, (raw, kind) in enumerate(zip(objects, kinds, strict=True), 1):
        place = SourcePlace(source.name, number)
        if doubtful.get(number):
            detail = "the object has the same key twice, so what it says is unknown"
            yield rejected(place, RejectReason.UNDECODABLE, detail, bytes(raw))
        elif kind.type == INDICATOR:
            yield from _readings(place, kind.id, bundled, defaults)
        elif kind.type == SIGHTING:
            yield from _sighted(place, raw, bundled)
        elif kind.type == OBSERVED:
            yield from _observed(place, raw, kind.id, bundled, objects, defaults)
        elif not kind.type:
            detail = advice_on_stix_1(bytes(raw)) or "a STIX object needs a type"
            yield rejected(place, RejectReason.UNDECODABLE, detail, bytes(raw))
        elif kind.type == BUNDLE and bundles:
            detail = "a bundle in many others: send it as a file of its own"
            yield rejected(place, RejectReason.UNDECODABLE, detail, bytes(raw))
        else:
            yield LeftOut(place, _OTHER_OBJECT, kind.type)


def _kind(raw: msgspec.Raw) -> Kind:
    try:
        return msgspec.json.decode(raw, type=Kind)
    except msgspec.ValidationError:
        return Kind()


def _readings(place: SourcePlace, name: str, bundled: Bundled, defaults: Defaults) -> Iterator[Reading]:
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
        if not isinstance(taken_in(version.indicator), Taken):
            yield Emptied(place, name, version.modified_ms)
        return
    own = techniques_of(plain(version.raw))
    others = bundled.related.labels(name, found)
    labelled = msgspec.structs.replace(found, labels=tuple(dict.fromkeys((*found.labels, *own, *others))))
    yield from _asserted(version.indicator, version, labelled, bundled.related.sighted(name, found), defaults)


def _sighted(place: SourcePlace, raw: msgspec.Raw, bundled: Bundled) -> Iterator[Reading]:
    """The reading of a sighting: it is counted with its indicator, or has the reason why not."""
    thing = plain(raw)
    stated, name = sighting_of(thing, bundled.definitions), str(thing.get("sighting_of_ref"))
    if isinstance(stated, str):
        yield rejected(place, RejectReason.UNDECODABLE, f"the sighting's {stated}", bytes(raw))
    elif bundled.related.is_outdated(thing):
        yield LeftOut(place, _SUPERSEDED, name)
    elif not stated.count:
        yield LeftOut(place, _NOT_SEEN, name)
    else:
        newest = [each.indicator for each in bundled.newest(name) if each.indicator is not None]
        found, ended = bundled.said(name) if newest else (NOTHING, "")
        is_counted = (
            newest and not ended and isinstance(taken_in(newest[-1]), Taken) and is_within(stated.marked, found)
        )
        yield LeftOut(place, SIGHTING if is_counted else _OTHER_SIGHTING, name)


def _observed(
    place: SourcePlace,
    raw: msgspec.Raw,
    name: str,
    bundled: Bundled,
    objects: list[msgspec.Raw],
    defaults: Defaults,
) -> Iterator[Reading]:
    """The values of an ``observed-data``, if the operator asks for them."""
    thing = plain(raw)
    modified_ms, is_gone = modified_of(thing.get("modified"), thing.get("created")), is_revoked(thing.get("revoked"))
    if OBSERVED not in defaults.include or is_gone:
        yield LeftOut(place, OBSERVED, name)
        if is_gone:
            yield Emptied(place, name, modified_ms)
        return
    if modified_ms < bundled.newest_observed_ms(name):
        yield LeftOut(place, _SUPERSEDED, name)
        return
    seen = observed_in(thing, bundled.seen(objects))
    around = joined(bundled.outside(each) for each in (name, *(str(each.get("id")) for each in seen)))
    found = observations_of(thing, seen, around, bundled.definitions, defaults)
    if isinstance(found, str):
        yield rejected(place, RejectReason.UNDECODABLE, f"{name}: {found}", bytes(raw))
        return
    for observation, marked in found:
        yield Seen(place, observation, marked.origins, name, modified_ms)
    if not found:
        yield LeftOut(place, OBSERVED, f"{name}: no value of a type that the exchange carries")


def _withdrawn(indicator: Indicator, place: SourcePlace, modified_ms: int, rule: str) -> Iterator[Reading]:
    taken = taken_in(indicator)
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


def _asserted(
    indicator: Indicator, version: Version, found: Marked, sighted: Sighting | None, defaults: Defaults
) -> Iterator[Reading]:
    place, raw = version.place, bytes(version.raw)
    taken = taken_in(indicator)
    if isinstance(taken, Unusable):
        reason = RejectReason.UNKNOWN_TYPE if taken.is_readable else RejectReason.UNDECODABLE
        yield rejected(place, reason, f"{indicator.id}: {taken.detail}", raw, taken.kind)
        if taken.is_readable:
            yield Emptied(place, indicator.id, version.modified_ms)
        return
    found = found.with_default(defaults.marking)
    for claim in taken.claims:
        times = times_of(indicator, claim)
        if isinstance(times, str):
            yield rejected(place, RejectReason.TIME_OUT_OF_RANGE, f"{indicator.id}: {times}", raw)
            return
        observation = with_sightings(observation_of(indicator, claim, times, found, defaults), sighted)
        yield Seen(place, observation, found.origins, indicator.id, version.modified_ms)
    for part in taken.left_out:
        yield LeftOut(place, _PART, part)


def _recognise(head: Head) -> Recognition | None:
    return first_of(head, _WORDS)


READER: Final = Reader(
    name="stix-bundle",
    reads="`indicator` objects of STIX 2.1 and 2.0, by their patterns, and their `sighting`s; markings by definitions, "
    "statements and labels; ATT&CK techniques and malware that they indicate, as labels",
    leaves_out={
        _OTHER_OBJECT: "objects that are neither an `indicator` nor a `sighting`",
        OBSERVED: "`observed-data`, which accuses nobody",
        SIGHTING: "sightings, which are counted with their indicator",
        _NOT_SEEN: "sightings with a count of 0: searched, not seen; and revoked ones",
        _OTHER_SIGHTING: "sightings of what the bundle does not assert, and those that are marked more strictly",
        REVOKED: "indicators that their source has revoked or tagged as wrong: withdrawn",
        BENIGN: "indicators whose only type is `benign`: withdrawn",
        _SUPERSEDED: "older versions of an object; values that the newest one does not have: withdrawn",
        _PART: "parts of a pattern that are not specific by themselves, or of a type that the exchange does not carry",
    },
    example=b"""{"type": "bundle", "id": "bundle--5d1b6f3e-0000-4000-8000-000000000001", "objects": [
{"type": "identity", "spec_version": "2.1", "id": "identity--5d1b6f3e-0000-4000-8000-000000000002"},
{"type": "indicator", "spec_version": "2.1", "id": "indicator--5d1b6f3e-0000-4000-8000-000000000003",
 "pattern": "[domain-name:value = 'bad.example.com']", "pattern_type": "stix", "valid_from": "2026-11-20T00:00:00Z",
 "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}]}
""",
    on_request={OBSERVED: "its addresses, names, URLs, mail addresses, AS numbers and hashes"},
    recognise=_recognise,
    read=read,
    unit="object",
    grows=False,
)
