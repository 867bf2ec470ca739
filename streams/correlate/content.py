"""The content of a release: the included data merged, every obligation carried out; and its digests. Pure."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec

from schemas.markings import joined
from schemas.records import Content
from schemas.tearline import TEARLINE, together
from streams.correlate.assertion import MAX_SIGHTINGS
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.national import MAX_LABELS
from streams.correlate.row import Row
from streams.correlate.statement import last_of_each
from streams.correlate.terms import MARKS, TERMS, TEXTS
from streams.correlate.units import Unit
from streams.rules.decide import ReleaseDecision
from streams.rules.obligations import DropTearline, carry_out

_MOVING: Final = ("release_expires_ms", "valid_until_ms", "confidence")
_REPEATED: Final = ("sightings", "first_seen_ms", "last_seen_ms")
_NOT_MATERIAL: Final = dict.fromkeys((*_MOVING, *_REPEATED), 0)
MATERIAL_BYTES: Final = 16
TERMS_BYTES: Final = 8
_NO_TEARLINE: Final = str(DropTearline())


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
    """The redacted content of a RELEASE decision on ``pieces``.

    ``approved`` means that officers let it go. They have reviewed facets and not a text, which may change tomorrow:
    their approval releases no tearline.
    """
    included = [pieces[index] for index in decision.included]
    marking = joined(piece.marking for piece in included)
    statements = last_of_each([piece.assertion.latest for piece in included])
    labels = sorted({label for statement in statements for label in TERMS[statement.terms].labels})
    kind = row.kind
    content: Content = {
        "type": kind.label,
        "value": row.value,
        "tlp": marking.tlp.label,
        "pap": marking.pap.label,
        "releasable_to": sorted({*(marking.releasable_to or ()), partner}),
        "caveats": [str(caveat) for caveat in marking.caveats],
        "confidence": max(lifetimes.confidence_at(kind, statement, now_ms) for statement in statements),
        "labels": labels[:MAX_LABELS],
        "first_seen_ms": min([piece.tally.first_seen_ms for piece in included]),
        "last_seen_ms": max([piece.tally.last_seen_ms for piece in included]),
        "sightings": min(sum([piece.tally.count for piece in included]), MAX_SIGHTINGS),
        "valid_until_ms": max(lifetimes.end_of(kind, statement) for statement in statements),
        "release_expires_ms": 0,
        "registered_domain": row.enrichment.registered_domain,
        "asn": row.enrichment.asn,
        "country": row.enrichment.country,
    }
    if not approved and (tearline := _tearlines(included)):
        content["tearline"] = tearline
    return carry_out(content, decision.obligations, partner=partner, released_at_ms=now_ms)


def _tearlines(included: Sequence[Unit]) -> str:
    """The texts that the sources of these pieces wrote for release."""
    texts = {code for piece in included if (code := piece.assertion.latest.texts)}
    tearlines = [tearline for code in texts if (tearline := TEXTS[code].tearline)]
    return together(tearlines) if tearlines else ""


def end_of(content: Content) -> int:
    """When the content ends by itself: with its validity or its release, whichever is earlier."""
    ends = [end for end in (content["valid_until_ms"], content["release_expires_ms"]) if end]
    return min(ends, default=0)


def digest_of(content: Content) -> bytes:
    """A digest of all that is worth a new record: not of decayed confidence, nor of the end of the release.

    Those change with every statement of a source, and a partner can compute them: the decay is published. They are
    sent with the next record that is worth sending. The first ``MATERIAL_BYTES`` are of what is sent at once, the rest
    of counts, times and validity, which are sent at most once per roll-up.
    """
    material = sha256(msgspec.msgpack.encode(content | _NOT_MATERIAL)).digest()[:MATERIAL_BYTES]
    seen = (content["sightings"], content["first_seen_ms"], content["last_seen_ms"], content["valid_until_ms"])
    return material + sha256(msgspec.msgpack.encode(seen)).digest()[:8]


def terms_of(pieces: Sequence[Unit], decision: ReleaseDecision) -> bytes:
    """A digest of the terms of a release: whose data is in it, and under which obligations.

    A tearline in the release is part of its terms, so rules that forbid the tearline recall it. A release without a
    tearline is not affected by them.
    """
    included = [pieces[index] for index in decision.included]
    named = [piece for piece in included if piece.assertion.sensor]
    sources: list[object] = [*sorted((piece.assertion.sensor, MARKS[piece.tally.mark].stable) for piece in named)]
    if len(named) < len(included):
        sources.append(sum(piece.sum for piece in included) % (1 << 64))
    owed = tuple(each for each in decision.obligations if each != _NO_TEARLINE)
    if owed == tuple(decision.obligations) and _tearlines(included):
        owed = (*owed, TEARLINE)
    return sha256(msgspec.msgpack.encode((sources, owed))).digest()[:TERMS_BYTES]
