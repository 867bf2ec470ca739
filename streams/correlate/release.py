"""What of a row may go to one partner: decide on each source's data alone, merge what may go, redact, compare.

A source's data is taken in units of (source, marking it came with): each is decided under the stricter of that
marking and the source's current one. What an excluded unit says shows nowhere: not in times, counts, labels,
confidence or versions.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from schemas.markings import Caveat, Marking, joined
from schemas.records import Content
from schemas.tearline import TEARLINE, of_context, together
from schemas.vocabulary import IndicatorType
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion, Tally, stable
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.national import MAX_LABELS
from streams.correlate.row import Row
from streams.rules.decide import ReleaseDecision, decide_release
from streams.rules.engine import Engine
from streams.rules.facets import Facets, confidence_band
from streams.rules.obligations import DropTearline, carry_out

_MEMO_LIMIT: Final = 50_000
_BANDS: Final = {"none": 0, "low": 1, "medium": 2, "high": 3}
_MOVING: Final = {"release_expires_ms": 0, "valid_until_ms": 0, "confidence": 0}
_REPEATED: Final = {"sightings": 0, "first_seen_ms": 0, "last_seen_ms": 0}
MATERIAL_BYTES: Final = 16
TERMS_BYTES: Final = 8
_NO_TEARLINE: Final = str(DropTearline())
_MAY_NAME_A_PERSON: Final = frozenset({IndicatorType.EMAIL_ADDR})


class Unit(msgspec.Struct, frozen=True, gc=False):
    """What one source saw under one marking, and the marking it is decided under."""

    assertion: Assertion
    tally: Tally
    marking: Marking


def units(row: Row) -> list[Unit]:
    """The row's data, cut so that each piece has one marking."""
    return [
        Unit(assertion, tally, tally.marking.join(assertion.word.marking))
        for assertion in row.assertions
        for tally in assertion.tallies
    ]


class Classifier:
    """Decides rows by an engine. Equal facets get equal decisions, so a decision is made once and remembered."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._memo: dict[tuple[str, tuple[Facets, ...]], Judgement] = {}

    def decide(self, row: Row, pieces: Sequence[Unit], partner: str) -> "Judgement":
        """The decision on all pieces of a row for one partner."""
        facets = tuple(facets_of_unit(row, piece) for piece in pieces)
        found = self._memo.get((partner, facets))
        if found is None:
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            decision = decide_release(
                facets, lambda included: merged_facets([facets[index] for index in included]), partner, self.engine
            )
            found = self._memo[partner, facets] = Judgement(decision, _digest(decision, self.engine))
        return found


def included(pieces: Sequence[Unit], decision: ReleaseDecision) -> frozenset[tuple[str, Marking]]:
    """Whose data is in the release, by sensor and the marking that it came with."""
    chosen = (pieces[index] for index in decision.included)
    return frozenset((piece.assertion.sensor, piece.tally.marking) for piece in chosen)


def terms_of(pieces: Sequence[Unit], decision: ReleaseDecision) -> bytes:
    """A digest of whose data is in a release, and of what was owed for it.

    A tearline that went with it is part of the terms, so that rules under which it may not go recall it. That one may
    not go changes nothing where there is none.
    """
    included = [pieces[index] for index in decision.included]
    sources = [(piece.assertion.sensor, stable(piece.tally.marking)) for piece in included]
    owed = tuple(each for each in decision.obligations if each != _NO_TEARLINE)
    if owed == tuple(decision.obligations) and _tearlines(included):
        owed = (*owed, TEARLINE)
    return sha256(msgspec.msgpack.encode((sorted(sources), owed))).digest()[:TERMS_BYTES]


def _tearlines(included: Sequence[Unit]) -> str:
    """What the sources of these pieces wrote for release."""
    texts = [text for piece in included if (text := of_context(piece.assertion.word.context))]
    return together(texts) if texts else ""


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """A decision, and a digest that changes with anything in it but how many sources share the same facets."""

    decision: ReleaseDecision
    digest: bytes


def _digest(decision: ReleaseDecision, engine: Engine) -> bytes:
    groups = [(group.facets, group.verdict) for group in decision.groups]
    parts = (decision.outcome, decision.rules, decision.obligations, groups, engine.version, engine.engine_version)
    return sha256(msgspec.msgpack.encode(parts)).digest()[:16]


def facets_of_unit(row: Row, piece: Unit) -> Facets:
    """All of a piece that the rules look at."""
    return Facets(
        piece.marking,
        confidence_band(piece.assertion.word.confidence),
        row.kind,
        row.enrichment.benign,
        bool(row.enrichment.special_use),
        row.kind in _MAY_NAME_A_PERSON or Caveat.PERSONAL_DATA in piece.marking.caveats,
    )


def merged_facets(facets: Sequence[Facets]) -> Facets:
    """The facets of a merge follow from the facets of its parts, so the decision is a function of those alone."""
    first = facets[0]
    return Facets(
        joined(each.marking for each in facets),
        max((each.confidence for each in facets), key=_BANDS.__getitem__),
        first.kind,
        first.warninglisted,
        first.special_use,
        any(each.personal_data for each in facets),
    )


def content_for(
    row: Row,
    pieces: Sequence[Unit],
    decision: ReleaseDecision,
    partner: str,
    lifetimes: Lifetimes,
    now_ms: int,
    *,
    approved: bool = False,
) -> Content:
    """The redacted content of a RELEASE, all obligations carried out.

    ``approved`` says that officers let it go. They were asked about facts, and have seen no text, which may be another
    by tomorrow: none goes by their word.
    """
    included = [pieces[index] for index in decision.included]
    marking = joined(piece.marking for piece in included)
    words = [piece.assertion.word for piece in included]
    labels = sorted({label for word in words for label in word.labels})
    kind = row.kind
    content: Content = {
        "type": kind.label,
        "value": row.value,
        "tlp": marking.tlp.label,
        "pap": marking.pap.label,
        "releasable_to": sorted({*(marking.releasable_to or ()), partner}),
        "caveats": [str(caveat) for caveat in marking.caveats],
        "confidence": max(lifetimes.confidence_at(kind, word, now_ms) for word in words),
        "labels": labels[:MAX_LABELS],
        "first_seen_ms": min(piece.tally.first_seen_ms for piece in included),
        "last_seen_ms": max(piece.tally.last_seen_ms for piece in included),
        "sightings": min(sum(piece.tally.count for piece in included), MAX_SIGHTINGS),
        "valid_until_ms": max(lifetimes.end_of(kind, word) for word in words),
        "release_expires_ms": 0,
        "registered_domain": row.enrichment.registered_domain,
        "asn": row.enrichment.asn,
        "country": row.enrichment.country,
    }
    if not approved and (tearline := _tearlines(included)):
        content["tearline"] = tearline
    return carry_out(content, decision.obligations, partner=partner, released_at_ms=now_ms)


def end_of(content: Content) -> int:
    """When the content ends by itself: with its validity or with its release, whichever is first."""
    ends = [end for end in (content["valid_until_ms"], content["release_expires_ms"]) if end]
    return min(ends, default=0)


def digest_of(content: Content) -> bytes:
    """What the partner would notice: everything but how far its confidence has decayed, and when the release ends.

    Those move with every word of a source, and a partner can follow them: the decay is published. They are told with
    the next thing that is worth telling. The first ``MATERIAL_BYTES`` are of what is told at once, the rest of how
    often and when it was seen and how long it holds, which is told at most once per roll-up.
    """
    material = sha256(msgspec.msgpack.encode(content | _MOVING | _REPEATED)).digest()[:MATERIAL_BYTES]
    seen = (content["sightings"], content["first_seen_ms"], content["last_seen_ms"], content["valid_until_ms"])
    return material + sha256(msgspec.msgpack.encode(seen)).digest()[:8]
