"""Facets: the few properties of an assertion that the sharing rules look at, as one hashable value."""

import enum
from collections.abc import Sequence
from typing import Final

import msgspec

from schemas.markings import Caveat, Marking, Pap, Tlp, joined
from schemas.ratings import BEST, RANK, Rating
from schemas.records import FacetsRecord
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

CONFIDENCE_NOT_STATED: Final = -1
NO_NETWORK: Final = -1
"""The prefix length of a value that is not a network."""
LONGEST_PREFIX: Final = 127
"""Of a network: one of a single address is that address (``schemas.normalise.address``)."""
_MEDIUM_FROM: Final = 30
_HIGH_FROM: Final = 70
_NETWORKS: Final = frozenset({IndicatorType.IPV4_NET, IndicatorType.IPV6_NET})
BAND_FLOORS: Final = (_MEDIUM_FROM, _HIGH_FROM)


class ConfidenceBand(enum.StrEnum):
    """Confidence as the rules see it (STIX 2.1, appendix A, the None / Low / Med / High scale)."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


_ORDER: Final = {band: order for order, band in enumerate(ConfidenceBand)}


def confidence_band(confidence: int) -> ConfidenceBand:
    """The band of a confidence from 0 to 100; -1 is not stated.

    0 is stated by a source that has no confidence, and is low; NONE means that nothing was stated.
    """
    if confidence < 0:
        return ConfidenceBand.NONE
    if confidence < _MEDIUM_FROM:
        return ConfidenceBand.LOW
    return ConfidenceBand.MEDIUM if confidence < _HIGH_FROM else ConfidenceBand.HIGH


class Facets(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """All that the rules look at. Equal facets get equal decisions, so a decision is made once per value."""

    marking: Marking
    confidence: ConfidenceBand
    kind: IndicatorType
    warninglisted: bool = False
    special_use: bool = False
    personal_data: bool = False
    prefix_length: int = NO_NETWORK
    """Of a network: 0 is all addresses of its family, 24 are 256 of IPv4."""
    local_query: bool = False
    """Of a URL: behind its host is something local."""
    rating: Rating = Rating.UNRATED
    """Of its source; of a merge the best one. UNRATED if no rule looks at it."""


def best_rated(facets: Facets) -> Facets:
    """The facets as if all sources were good: what the rules decide of them, they decide without ratings."""
    return facets if facets.rating is BEST else msgspec.structs.replace(facets, rating=BEST)


def with_marking(facets: Facets, assigned: Marking | None) -> Facets:
    """The facets as officers have marked them, if their marking is missing or was not understood."""
    if assigned is None:
        return facets
    return msgspec.structs.replace(facets, marking=facets.marking.read_as(assigned))


def prefix_length_of(kind: IndicatorType, value: str) -> int:
    """The prefix length of a canonical value."""
    return int(value.rpartition("/")[2]) if kind in _NETWORKS else NO_NETWORK


def prefix_label(length: int) -> str:
    """As rules name a prefix length: ``/24``, or ``none``."""
    return "none" if length == NO_NETWORK else f"/{length}"


def facets_of(
    marking: Marking,
    kind: IndicatorType,
    *,
    confidence: int = CONFIDENCE_NOT_STATED,
    warninglisted: bool = False,
    special_use: bool = False,
    personal_data: bool = False,
    prefix_length: int = NO_NETWORK,
    local_query: bool = False,
    rating: Rating = Rating.UNRATED,
) -> Facets:
    """The facets of one assertion, or of a merge, with its confidence from 0 to 100 (-1: not stated)."""
    band = confidence_band(confidence)
    return Facets(marking, band, kind, warninglisted, special_use, personal_data, prefix_length, local_query, rating)


def merged_facets(facets: Sequence[Facets]) -> Facets:
    """The facets of a merge. They follow from the facets of its parts, so the decision is a function of those alone."""
    first = facets[0]
    return Facets(
        joined(each.marking for each in facets),
        max((each.confidence for each in facets), key=_ORDER.__getitem__),
        first.kind,
        first.warninglisted,
        first.special_use,
        any(each.personal_data for each in facets),
        first.prefix_length,
        first.local_query,
        max((each.rating for each in facets), key=RANK.__getitem__),
    )


def to_record(facets: Facets) -> FacetsRecord:
    """As the decision's record keeps them."""
    marking = facets.marking
    return FacetsRecord(
        tlp=int(marking.tlp),
        pap=int(marking.pap),
        releasable_to=None if marking.releasable_to is None else list(marking.releasable_to),
        caveats=[str(caveat) for caveat in marking.caveats],
        confidence_band=str(facets.confidence),
        type=facets.kind.label,
        warninglisted=facets.warninglisted,
        special_use=facets.special_use,
        personal_data=facets.personal_data,
        prefix_length=facets.prefix_length,
        local_query=facets.local_query,
        rating=str(facets.rating),
    )


def from_record(record: FacetsRecord) -> Facets:
    """Read back what ``to_record`` wrote.

    Raises ``ValueError`` for a label, band, type or rating that is not of the contract: such a record was altered.
    """
    releasable_to = record["releasable_to"]
    if record["type"] not in TYPE_BY_LABEL:
        raise ValueError(f"{record['type']!r} is not an indicator type")
    if record["prefix_length"] not in range(NO_NETWORK, LONGEST_PREFIX + 1):
        raise ValueError(f"{record['prefix_length']} is not a prefix length")
    return Facets(
        marking=Marking(
            tlp=Tlp(record["tlp"]),
            pap=Pap(record["pap"]),
            releasable_to=None if releasable_to is None else tuple(releasable_to),
            caveats=tuple(Caveat(caveat) for caveat in record["caveats"]),
        ),
        confidence=ConfidenceBand(record["confidence_band"]),
        kind=TYPE_BY_LABEL[record["type"]],
        warninglisted=record["warninglisted"],
        special_use=record["special_use"],
        personal_data=record["personal_data"],
        prefix_length=record["prefix_length"],
        local_query=record["local_query"],
        rating=Rating(record["rating"]),
    )


def sort_key(facets: Facets) -> tuple[object, ...]:
    """A total order without meaning: equal for equal facets, the same on every machine."""
    marking = facets.marking
    return (
        marking.tlp,
        marking.pap,
        marking.releasable_to is not None,
        marking.releasable_to or (),
        marking.caveats,
        facets.confidence,
        facets.kind,
        facets.warninglisted,
        facets.special_use,
        facets.personal_data,
        facets.prefix_length,
        facets.local_query,
        facets.rating,
    )
