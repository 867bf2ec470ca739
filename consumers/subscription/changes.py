"""The meaning of a record for a consumer: one typed change for each record.

A picture is the nation's own (``indicator.national``) or what it accepted from a partner
(``partner.<origin>.indicator``).
"""

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from consumers.subscription.subscription import Event, Gap, Quiet, SnapshotEnd
from exchange.protocol.record import Record
from schemas import topics
from schemas.canary import CANARY_KEY
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec, Undecodable
from schemas.markings import Activity, Pap


class State(enum.StrEnum):
    """What a consumer has to do with an indicator."""

    LIVE = "live"
    LIMITED = "limited"  # live, but its PAP does not allow what this consumer does: do not act on it, or no longer
    ENDED = "ended"  # its validity or its release is over, though no record reports it yet: stop blocking
    EXPIRED = "expired"  # aged out
    REVOKED = "revoked"  # was false: unblock
    RECALLED = "recalled"  # must not have been shared: purge
    REMOVED = "removed"  # deleted after all of that
    UNREADABLE = "unreadable"  # not a record of this topic's schema


class Use(msgspec.Struct, frozen=True):
    """What a consumer does with indicators. ``unstated`` is how it takes an indicator whose source gave no PAP."""

    activity: Activity = Activity.PASSIVE_LOCAL
    unstated: Pap = Pap.UNSTATED

    def allowed_by(self, pap: Pap) -> bool:
        """Whether a PAP allows it."""
        return (self.unstated if pap is Pap.UNSTATED else pap).allows(self.activity)


LOOKING: Final = Use()


class Change(msgspec.Struct, frozen=True, gc=False):
    """One indicator as of one record.

    ``record`` is None if REMOVED or UNREADABLE, and if LIMITED, so that no one acts on it by mistake; ``detail`` has
    the reason. ``received_ms`` is the time at which the broker appended it.
    """

    state: State
    key: str
    partition: int
    offset: int
    record: dict[str, Any] | None = None
    detail: str = ""
    received_ms: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A topic, and the schema of its records."""

    topic: str
    schema: str


def picture(origin: str | None) -> Picture:
    """A nation's own picture, or what it accepted from ``origin``."""
    if origin is None:
        return Picture(topics.NATIONAL, INDICATOR)
    return Picture(topics.accepted(origin), RELEASED_INDICATOR)


def changes(
    events: Iterable[Event], schema: str, codec: Codec, *, clock_ms: Callable[[], int], use: Use = LOOKING
) -> Iterator[Change | Gap | SnapshotEnd | Quiet]:
    """A subscription's events, each record as the change that it is.

    The subscription's cursor stays the position after the last event handed on. The canary, a test, is left out.
    """
    for event in events:
        if not isinstance(event, Record):
            yield event
        elif not _is_marker(event) and event.key != CANARY_KEY:
            yield change_of(event, schema, codec, clock_ms(), use)


def _is_marker(record: Record) -> bool:
    """Whether it deletes no indicator: such deletions only make a partition begin a new segment."""
    return record.value is None and not (record.key or b"").startswith(b"indicator--")


def change_of(record: Record, schema: str, codec: Codec, now_ms: int, use: Use = LOOKING) -> Change:
    """What a record means at ``now_ms``. Never raises: an unreadable record is a change with that state."""
    key = (record.key or b"").decode("utf-8", "replace")
    if record.value is None:
        return Change(State.REMOVED, key, record.partition, record.offset, received_ms=record.timestamp_ms)
    decoded = codec.decode(schema, record.value)
    if isinstance(decoded, Undecodable):
        detail = f"{decoded.reason}: {decoded.detail}"
        return Change(State.UNREADABLE, key, record.partition, record.offset, None, detail, record.timestamp_ms)
    state, pap = state_of(decoded, now_ms), pap_of(decoded)
    if state is State.LIVE and not use.allowed_by(pap):
        stated = pap.label or f"PAP is not stated, and {use.unstated.label}"
        detail = f"{stated} does not allow {use.activity.label} use"
        return Change(State.LIMITED, key, record.partition, record.offset, None, detail, record.timestamp_ms)
    return Change(state, key, record.partition, record.offset, decoded, "", record.timestamp_ms)


def pap_of(record: dict[str, Any]) -> Pap:
    """Of a national or a released record. RED if it is not known: nothing is allowed by mistake."""
    if "marking" in record:
        code = record["marking"]["pap"]
        return Pap(code) if code in Pap.__members__.values() else Pap.RED
    label = (record.get("content") or {}).get("pap", "")
    return next((pap for pap in Pap if pap.label == label), Pap.RED)


def state_of(record: dict[str, Any], now_ms: int) -> State:
    """Of a national or a released record: its kind, or ENDED if its time is over."""
    if record["kind"] != "content":
        return State(record["kind"])
    content = record.get("content") or record
    ends = [content["valid_until_ms"], content.get("release_expires_ms", 0)]
    return State.ENDED if any(end and end <= now_ms for end in ends) else State.LIVE
