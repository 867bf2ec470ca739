"""The content of a release: the included data merged, every obligation carried out; and its digests. Pure."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from schemas.markings import Marking
from schemas.records import Content
from schemas.tearline import TEARLINE, together
from schemas.vocabulary import IndicatorType
from streams.correlate.included import Included
from streams.correlate.lifecycle import DAY_MS, Lifetimes
from streams.rules.obligations import DropTearline, carry_out, owed_by, whole_day

_MOVING: Final = ("release_expires_ms", "valid_until_ms", "confidence")
_REPEATED: Final = ("sightings", "first_seen_ms", "last_seen_ms")
_NOT_MATERIAL: Final = dict.fromkeys((*_MOVING, *_REPEATED), 0)
MATERIAL_BYTES: Final = 16
TERMS_BYTES: Final = 8
_NO_TEARLINE: Final = str(DropTearline())
_ENCODE: Final = msgspec.msgpack.Encoder().encode


def content_for(
    included: Included,
    obligations: Sequence[str],
    partner: str,
    lifetimes: Lifetimes,
    now_ms: int,
    *,
    approved: Collection[str] | None = None,
) -> Content:
    """The content of a release of ``included``, redacted by the ``obligations`` of its decision.

    ``approved`` are the labels that officers approved if they let it go: only what they have seen leaves, so no
    other label does, and no tearline. Confidence is as of the beginning of the day (UTC): decay would tell the time.
    """
    kind, day_ms, lives, stated = included.kind, now_ms - now_ms % DAY_MS, included.lives, included.stated
    words = tuple(obligations)
    owed = owed_by(words)
    leaving = stated.labels if approved is None else tuple(sorted({*stated.labels} & {*approved}))
    content = _repeated(kind, stated.marking, leaving, words, partner, whole_day(now_ms)).copy()
    first_seen_ms, last_seen_ms, sightings = included.seen
    until_ms = max([lifetimes.end_of(kind, life) for life in lives])
    content["value"] = included.value
    content["confidence"] = max([lifetimes.confidence_at(kind, life, day_ms) for life in lives])
    content["first_seen_ms"], content["last_seen_ms"], content["valid_until_ms"] = owed.coarsened(
        first_seen_ms, last_seen_ms, until_ms
    )
    content["sightings"] = sightings
    content["registered_domain"] = included.registered_domain
    content["asn"], content["country"] = included.asn, included.country
    if approved is None and not owed.no_tearline and (texts := included.tearlines):
        content["tearline"] = together(texts)
    return content


@lru_cache(maxsize=4096)  # kinds, markings, sets of labels and obligations are few, and a batch is of one day
def _repeated(
    kind: IndicatorType, marking: Marking, labels: tuple[str, ...], owed: tuple[str, ...], partner: str, day_ms: int
) -> Content:
    """What the contents of releases of a day repeat, with obligations carried out; the rest is empty or 0."""
    tlp, pap, releasable_to, caveats = _named(marking, partner)
    content: Content = {
        "type": kind.label,
        "value": "",
        "tlp": tlp,
        "pap": pap,
        "releasable_to": [*releasable_to],
        "caveats": [*caveats],
        "confidence": 0,
        "labels": [*labels],
        "first_seen_ms": 0,
        "last_seen_ms": 0,
        "sightings": 0,
        "valid_until_ms": 0,
        "release_expires_ms": 0,
        "registered_domain": "",
        "asn": 0,
        "country": "",
    }
    return carry_out(content, owed, partner=partner, released_at_ms=day_ms)


def _named(marking: Marking, partner: str) -> tuple[str, str, Sequence[str], Sequence[str]]:
    """TLP, PAP, recipients and caveats as a release names them."""
    releasable_to = sorted({*(marking.releasable_to or ()), partner})
    return marking.tlp.label, marking.pap.label, releasable_to, [str(caveat) for caveat in marking.caveats]


def end_of(content: Content) -> int:
    """When the content ends by itself: with its validity or its release, whichever is earlier."""
    validity, release = content["valid_until_ms"], content["release_expires_ms"]
    return min(validity, release) if validity and release else validity or release


def digest_of(content: Content) -> bytes:
    """A digest of all that is worth a new record: not of decayed confidence, nor of the end of the release.

    Those change with every statement of a source, and a partner can compute them: the decay is published. They are
    sent with the next record that is worth sending. The first ``MATERIAL_BYTES`` are of data sent at once, the rest
    of counts, times and validity, which are sent at most once per roll-up.
    """
    material = sha256(_ENCODE(content | _NOT_MATERIAL)).digest()[:MATERIAL_BYTES]
    seen = (content["sightings"], content["first_seen_ms"], content["last_seen_ms"], content["valid_until_ms"])
    return material + sha256(_ENCODE(seen)).digest()[:8]


def terms_of(key: bytes, included: Included, obligations: Sequence[str]) -> bytes:
    """A digest of the terms of a release: whose data is in it, and under which obligations; ``key`` is the indicator's.

    A tearline in the release is part of its terms, so rules that forbid the tearline recall it. A release without a
    tearline is not affected by them.
    """
    owed = tuple(obligations)
    if _NO_TEARLINE in owed:
        owed = tuple([each for each in owed if each != _NO_TEARLINE])
    elif included.tearlines:
        owed = (*owed, TEARLINE)
    return sha256(_ENCODE((included.sources(key), owed))).digest()[:TERMS_BYTES]
