"""The audit chain of one shard: each decision's record names the hash of the one before."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from schemas.codec import DECISION, Codec, form
from schemas.identity import indicator_id
from schemas.marking_records import marking_record
from schemas.records import Decision
from streams.correlate.officers import Review, Veto
from streams.rules.decide import ReleaseDecision
from streams.rules.facets import to_record


class Head(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The end of a chain: the next entry's number, and the hash of the last entry (empty before the first)."""

    sequence: int = 0
    last: bytes = b""


class Versions(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """The versions that a decision was made with."""

    policy: str
    engine: str
    enrichment: str

    @property
    def digest(self) -> bytes:
        """A short name of all three together."""
        return sha256(msgspec.msgpack.encode(self)).digest()[:8]


HEAD_KEY: Final = b"\x00audit"


_FORM: Final = form(
    DECISION, "decision_id", "shard", "sequence", "previous", "indicator_id", "at_ms", "released_version"
)


def entry(
    codec: Codec,
    head: Head,
    decision: ReleaseDecision,
    key: bytes,
    *,
    nation: str,
    shard: int,
    partner: str,
    at_ms: int,
    versions: Versions,
    released_version: int,
    review: Review | None = None,
    veto: Veto | None = None,
    border: str = "open",
) -> tuple[str, bytes]:
    """The id of one decision, and its record (``schemas.records.Decision``) at the end of the chain that ``head`` is
    of, framed.

    Decisions are cached, and so is what their records repeat.
    """
    name = f"{nation}-{shard}-{head.sequence}"
    known, cached = (partner, versions, border), review is None and veto is None
    cut = decision.cuts.get(known) if cached else None
    if cut is None:
        cut = _FORM.cut(_record(decision, partner, versions, review, veto, border))
        if cached:
            decision.cuts[known] = cut
    values = name, shard, head.sequence, head.last, indicator_id(key), at_ms, released_version
    return name, _FORM.write(cut, codec.head_of(DECISION), *values)


def _record(
    decision: ReleaseDecision,
    partner: str,
    versions: Versions,
    review: Review | None,
    veto: Veto | None,
    border: str,
) -> Mapping[str, Any]:
    """The repeated part of a decision's record."""
    return {
        "partner": partner,
        "outcome": str(decision.outcome),
        "rules": decision.rules,
        "obligations": decision.obligations,
        "merged": None if decision.merged is None else to_record(decision.merged),
        "assertions": [group.to_record() for group in decision.groups],
        "policy_version": versions.policy,
        "engine_version": versions.engine,
        "enrichment_version": versions.enrichment,
        "review": "" if review is None else review.state,
        "question": b"" if review is None else review.question,
        "deadline_ms": 0 if review is None else review.deadline_ms,
        "verdicts": [] if review is None else [act.to_record() for act in review.acts],
        "assigned": None if review is None or review.assigned is None else marking_record(review.assigned),
        "veto": None if veto is None else veto.to_record(),
        "border": str(border),
        "shadow": border == "shadow",
        "labels": [] if review is None else list(review.labels),
    }


def after(head: Head, encoded: bytes) -> Head:
    """The chain's head once ``encoded``, an entry's framed bytes, has been appended."""
    return Head(head.sequence + 1, sha256(encoded).digest())


def first_break(entries: Iterable[tuple[Decision, bytes]], head: Head | None = None) -> str | None:
    """The first position where a chain is altered, incomplete or out of order, as text; None if it is whole.

    Takes one chain's entries in order, each with its framed bytes; it may begin in the middle. Only ``head``, from the
    shard's state, shows that the end was cut off or the last entry altered.
    """
    expected: Head | None = None
    last = ""
    for decision, encoded in entries:
        last = decision["decision_id"]
        if expected is not None and decision["sequence"] != expected.sequence:
            return f"{last}: entry {expected.sequence} was expected here"
        if expected is not None and decision["previous"] != expected.last:
            return f"{last}: the entry before it was altered or replaced"
        expected = after(Head(decision["sequence"]), encoded)
    if head is None or (expected or Head()) == head:
        return None
    found = 0 if expected is None else expected.sequence
    if found == head.sequence:
        return f"{last}: the last entry was altered or replaced"
    return f"the chain ends before entry {found}, and its state has {head.sequence} entries"
