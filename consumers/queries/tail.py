"""What a SOC sees of a picture topic: the latest of every indicator first, and from then on each change.

A picture is the nation's own (``indicator.national``) or what it accepted of a partner
(``partner.<origin>.indicator``). An entry appears once: what the snapshot showed, following does not show again.
"""

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec

from consumers.queries.topic_reader import TopicReader
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec, Undecodable
from schemas.markings import Activity, Pap, Tlp
from schemas.records import MarkingRecord


class State(enum.StrEnum):
    """What an entry says to whoever blocks by it."""

    LIVE = "live"
    LIMITED = "limited"  # it stands, but its PAP does not allow what the reader does: do not act on it, or no more
    ENDED = "ended"  # its own validity or its release is over: block no more, though nothing was said yet
    EXPIRED = "expired"  # aged out
    REVOKED = "revoked"  # was false: unblock
    RECALLED = "recalled"  # must not have been shared: purge
    REMOVED = "removed"  # deleted after all of that
    UNREADABLE = "unreadable"  # no record of this topic's schema


class Use(msgspec.Struct, frozen=True):
    """What a reader does with what it reads. ``unstated`` is how it takes an indicator whose source gave no PAP."""

    activity: Activity = Activity.PASSIVE_LOCAL
    unstated: Pap = Pap.UNSTATED

    def allowed_by(self, pap: Pap) -> bool:
        """Whether a PAP allows it."""
        return (self.unstated if pap is Pap.UNSTATED else pap).allows(self.activity)


LOOKING: Final = Use()


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One indicator as of one record.

    ``record`` is None where REMOVED or UNREADABLE, and where LIMITED, so that nobody acts on it by mistake; ``detail``
    says why.
    """

    state: State
    key: str
    partition: int
    offset: int
    record: dict[str, Any] | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The snapshot is complete: so many indicators of each state."""

    counts: Counter[State] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Picture:
    """Which topic, and what its records are."""

    topic: str
    schema: str


def picture(origin: str | None) -> Picture:
    """A nation's own picture, or what it accepted from ``origin``."""
    if origin is None:
        return Picture(topics.NATIONAL, INDICATOR)
    return Picture(topics.accepted(origin), RELEASED_INDICATOR)


def tail(
    reader: TopicReader,
    schema: str,
    codec: Codec,
    *,
    follow: bool,
    clock_ms: Callable[[], int],
    use: Use = LOOKING,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[Entry | CaughtUp | None]:
    """The snapshot, CaughtUp, and with ``follow`` every later change; None where it is quiet (time to flush).

    Memory holds the latest records of one partition at a time.
    """
    counts: Counter[State] = Counter()
    for partition in reader.partitions:
        for record in latest(reader.standing(partition)):
            entry = entry_of(record, schema, codec, clock_ms(), use)
            counts[entry.state] += 1
            yield entry
    yield CaughtUp(counts)
    if follow:
        for batch in reader.growing(stopping):
            for record in batch:
                if not _is_marker(record):
                    yield entry_of(record, schema, codec, clock_ms(), use)
            yield None


def _is_marker(record: Record) -> bool:
    """Whether it is a deletion of no indicator: those only let a partition begin a new segment."""
    return record.value is None and not (record.key or b"").startswith(b"indicator--")


def latest(records: Iterable[Record]) -> list[Record]:
    """The last record of each key, in the order in which they stand; nothing of a key that was deleted last."""
    last: dict[bytes | None, Record] = {}
    for record in records:
        last.pop(record.key, None)
        if record.value is not None:
            last[record.key] = record
    return list(last.values())


def entry_of(record: Record, schema: str, codec: Codec, now_ms: int, use: Use = LOOKING) -> Entry:
    """What a record says at ``now_ms``. Never raises: what cannot be read is an entry that says so."""
    key = (record.key or b"").decode("utf-8", "replace")
    if record.value is None:
        return Entry(State.REMOVED, key, record.partition, record.offset)
    decoded = codec.decode(schema, record.value)
    if isinstance(decoded, Undecodable):
        detail = f"{decoded.reason}: {decoded.detail}"
        return Entry(State.UNREADABLE, key, record.partition, record.offset, detail=detail)
    state, pap = state_of(decoded, now_ms), pap_of(decoded)
    if state is State.LIVE and not use.allowed_by(pap):
        stated = pap.label or f"PAP is not stated, and {use.unstated.label}"
        detail = f"{stated} does not allow {use.activity.label} use"
        return Entry(State.LIMITED, key, record.partition, record.offset, detail=detail)
    return Entry(state, key, record.partition, record.offset, decoded)


def pap_of(record: dict[str, Any]) -> Pap:
    """Of a national or a released record. RED where nobody can read it: nothing is allowed by mistake."""
    if "marking" in record:
        code = record["marking"]["pap"]
        return Pap(code) if code in Pap.__members__.values() else Pap.RED
    label = (record.get("content") or {}).get("pap", "")
    return next((pap for pap in Pap if pap.label == label), Pap.RED)


def state_of(record: dict[str, Any], now_ms: int) -> State:
    """Of a national or a released record: its kind, or, where its time is over, ENDED."""
    if record["kind"] != "content":
        return State(record["kind"])
    said = record.get("content") or record
    ends = [said["valid_until_ms"], said.get("release_expires_ms", 0)]
    return State.ENDED if any(end and end <= now_ms for end in ends) else State.LIVE


def as_json(entry: Entry, topic: str) -> bytes:
    """One line of JSON: the record as the contract has it, markings by their labels, its state and its place."""
    head: dict[str, Any] = {"state": entry.state}
    if entry.detail:
        head["detail"] = entry.detail
    body = {"id": entry.key} if entry.record is None else _labelled(entry.record)
    return msgspec.json.encode(head | body | {"topic": topic, "partition": entry.partition, "offset": entry.offset})


def _labelled(record: dict[str, Any]) -> dict[str, Any]:
    """A national record's marking codes as the labels that people and tools know; others as they are."""
    if "marking" not in record:
        return record
    changed = record | {"marking": _marking_labels(record["marking"])}
    if "sources" in record:
        changed["sources"] = [_labelled(source) for source in record["sources"]]
    return changed


def _marking_labels(marking: MarkingRecord) -> dict[str, Any]:
    tlp, pap = marking["tlp"], marking["pap"]
    return cast("dict[str, Any]", marking) | {
        "tlp": Tlp(tlp).label if tlp in Tlp.__members__.values() else f"code {tlp}",
        "pap": Pap(pap).label if pap in Pap.__members__.values() else f"code {pap}",
    }
