"""What one STIX ``indicator`` states: its marking, its times, and an observation for each value that it claims."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from producers.markings.marked import Marked, joined, unrecognised
from producers.markings.properties import of_properties
from producers.markings.understanding import of_prose, of_tag
from producers.readers.reading import Defaults
from producers.readers.stix_conjunction import Claim
from producers.readers.stix_markings import Definitions
from producers.readers.times import milliseconds
from schemas.observation import Observation
from schemas.tearline import TEARLINE


class Granular(msgspec.Struct):
    """A marking of part of an object, or a language of it."""

    marking_ref: str | None = None
    lang: str | None = None


class Indicator(msgspec.Struct):
    """An ``indicator`` of STIX 2.1 or 2.0; of other properties only the words about sharing are read."""

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
    granular_markings: list[Granular] = msgspec.field(default_factory=list)


_TRUE: Final = frozenset({"true", "1", "yes"})
_READ: Final = frozenset(
    {
        *Indicator.__struct_fields__,
        *("type", "spec_version", "created", "modified", "lang", "pattern_version"),
    }
)


def marked(indicator: Indicator, thing: Mapping[str, Any], definitions: Definitions) -> Marked:
    """What an indicator states about sharing, wherever in it; ``thing`` is the object with all of its properties."""
    return joined(_findings(indicator, thing, definitions))


def _findings(indicator: Indicator, thing: Mapping[str, Any], definitions: Definitions) -> Iterator[Marked]:
    for place, reference in enumerate(indicator.object_marking_refs):
        yield definitions.of(reference, f"object_marking_refs[{place}]")
    for place, granular in enumerate(indicator.granular_markings):
        where = f"granular_markings[{place}]"
        if granular.marking_ref:
            yield definitions.of(granular.marking_ref, where)
        elif granular.lang is None:
            yield unrecognised(where, where)
    yield from (of_tag(label, "label") for label in (*indicator.labels, *indicator.indicator_types))
    yield of_prose(indicator.name or "", "name")
    yield of_prose(indicator.description or "", "description")
    yield of_prose(indicator.x_kakehashi_tearline or "", "x_kakehashi_tearline")
    for cited in _objects(thing.get("external_references")):
        name = f"{cited.get('source_name') or ''}: {cited.get('external_id') or ''}"
        yield of_prose(name, "external_references")
    yield of_properties(thing, _READ, "indicator")


def _objects(found: Any) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def modified_of(modified: Any, created: Any) -> int:
    """When a version was made, milliseconds since 1970, UTC; 0 if it is not stated."""
    texts = (text for text in (modified, created) if isinstance(text, str))
    return next((time for text in texts if (time := milliseconds(text)) is not None), 0)


def is_revoked(revoked: Any) -> bool:
    """Whether the property ``revoked`` is true, in any form that tools write."""
    return str(revoked).lower() in _TRUE


def newest(objects: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The newest version of each object; all of them if several are of the same time, or have no id."""
    listed = [
        (each, str(each.get("id") or ""), modified_of(each.get("modified"), each.get("created"))) for each in objects
    ]
    last = dict[str, int]()
    for _, name, modified_ms in listed:
        last[name] = max(modified_ms, last.get(name, 0))
    return [each for each, name, modified_ms in listed if not name or modified_ms == last[name]]


def times_of(indicator: Indicator, claim: Claim) -> tuple[int, int] | str:
    """From and until when a claim is valid (0 is not stated), or why that is not known."""
    begins = milliseconds(indicator.valid_from) if indicator.valid_from else 0
    ends = milliseconds(indicator.valid_until) if indicator.valid_until else 0
    if begins is None or ends is None:
        return "valid_from or valid_until is not an RFC 3339 time"
    if not claim.stop_ms:
        return begins, ends
    begins, ends = max(begins, claim.start_ms), min(ends or claim.stop_ms, claim.stop_ms)
    return (begins, ends) if begins < ends else "the pattern's STOP is not after its START or valid_from: never valid"


def observation_of(
    indicator: Indicator, claim: Claim, times: tuple[int, int], found: Marked, defaults: Defaults
) -> Observation:
    """The observation of one claim; ``found`` is the marking with the operator's default."""
    stated = [each for each in (indicator.confidence, found.confidence) if each is not None]
    return Observation(
        kind=claim.kind,
        value=claim.value,
        first_seen_ms=times[0],
        last_seen_ms=times[0],
        confidence=min(stated, default=defaults.confidence),
        valid_until_ms=times[1],
        marking=found.marking,
        labels=tuple(dict.fromkeys((*found.labels, *defaults.labels))),
        description=indicator.description or "",
        context=_context(indicator),
    )


def _context(indicator: Indicator) -> tuple[tuple[str, str], ...]:
    facts = (
        ("stix-id", indicator.id),
        ("name", indicator.name),
        ("created-by", indicator.created_by_ref),
        ("pattern", indicator.pattern),
        (TEARLINE, indicator.x_kakehashi_tearline),
    )
    return tuple((name, fact) for name, fact in facts if fact)
