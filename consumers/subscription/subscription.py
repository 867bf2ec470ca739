"""The core of every consumer: reads a compacted topic from the beginning, follows it, and resumes at a position.

The laws, which ``tests/consumers/test_subscription_laws.py`` holds over a model and over Kafka:

- From the beginning, the latest record of each key comes first, partition by partition; then SnapshotEnd; then every
  record that is committed. From a position, every record after it comes; SnapshotEnd follows the last of those that
  were there when reading began.
- No record comes twice.
- ``cursor`` is the position after the last event. Resumed there, by this process or another one, nothing is lost.
- A lost position is declared: a Gap, and then the whole topic again, from a new snapshot.
"""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from consumers.subscription.cursor import Cursor
from exchange.errors import BrokerUnavailable, FatalError
from exchange.protocol.record import Record
from schemas.topics import DAY_MS

LOOK_MS: Final = 60_000
WHOLE_TOPIC: Final = -1


class GapReason(enum.StrEnum):
    """Why a position is lost."""

    RECREATED = "recreated"  # the topic was deleted and created again under its name
    OVERTAKEN = "overtaken"  # records after the position were deleted by retention
    TRUNCATED = "truncated"  # the topic ends before the position: it was restored from an older copy
    OUTDATED = "outdated"  # the position is older than the time for which a compacted topic keeps deletions


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes may have been missed. Discard all data from this topic: a whole snapshot follows.

    ``partition`` is the first one that is concerned, or WHOLE_TOPIC.
    """

    reason: GapReason
    partition: int
    detail: str


@dataclass(frozen=True, slots=True)
class SnapshotEnd:
    """All that was committed when reading began has been handed on; what follows is new."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing is waiting to be read: a good moment to flush and to save the cursor."""


Event = Record | Gap | SnapshotEnd | Quiet


class Look(msgspec.Struct, frozen=True):
    """A topic at one moment: Kafka's id of it, and of each partition the first offset and the one after the last
    committed record."""

    topic_id: str
    bounds: Mapping[int, tuple[int, int]]


class Portion(msgspec.Struct, frozen=True):
    """Records in the order of their partitions, and the offsets at which partitions were found to end."""

    records: Sequence[Record]
    ends: Mapping[int, int]


class PositionLost(FatalError):
    """A partition no longer has the offset that was to be read."""


class Source(Protocol):
    """One topic. Its methods raise NotFound if it is missing, and BrokerUnavailable if no broker answers."""

    def look(self) -> Look:
        """The topic as it is now."""
        ...

    def read(self, partition: int, start: int, end: int) -> Iterator[Record]:
        """The committed records from ``start`` up to but not including ``end``. Raises PositionLost."""
        ...

    def follow(self, next_offsets: Mapping[int, int], stopping: Callable[[], bool]) -> Iterator[Portion]:
        """What is committed from these offsets on, until ``stopping``. Waits for unreachable brokers.

        An empty portion means that nothing was waiting. Raises PositionLost.
        """
        ...


class Subscription:
    """One reader's way through one topic. Not thread-safe."""

    def __init__(
        self,
        source: Source,
        cursor: Cursor | None = None,
        *,
        clock_ms: Callable[[], int],
        deletions_kept_ms: int = DAY_MS,
        every: bool = False,
    ) -> None:
        """``deletions_kept_ms`` is the topic's ``delete.retention.ms``, Kafka's default if not given. With ``every`` a
        snapshot has all records that there are, not only the latest of each key."""
        self._source, self._clock_ms, self._deletions_kept_ms = source, clock_ms, deletions_kept_ms
        self._every = every
        self._topic_id = "" if cursor is None else cursor.topic_id
        self._current_ms = 0 if cursor is None else cursor.current_ms
        self._next: dict[int, int] = {} if cursor is None else dict(cursor.next_offsets)

    @property
    def cursor(self) -> Cursor:
        """The position after the last event that ``events`` has handed on."""
        return Cursor(self._topic_id, self._current_ms, dict(self._next))

    def events(self, *, follow: bool, stopping: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Everything from the position on: to the topic's present end, or with ``follow`` until ``stopping``.

        A snapshot holds the latest records of one partition in memory at a time.
        """
        while True:
            asked_ms, look = self._clock_ms(), self._source.look()
            gap = self._gap_in(look, asked_ms)
            if gap is not None:
                self._next.clear()
                yield gap
            if not self._next:
                self._topic_id, self._current_ms = look.topic_id, asked_ms
            try:
                yield from self._catch_up(look, asked_ms)
                if not follow:
                    return
                yield from self._follow(stopping)
            except PositionLost:
                continue  # the next look has the reason
            if stopping():
                return

    def _catch_up(self, look: Look, asked_ms: int) -> Iterator[Event]:
        for partition, (begin, end) in sorted(look.bounds.items()):
            start = self._next.get(partition)
            records: Iterable[Record]
            if start is None and not self._every:
                records = latest(self._source.read(partition, begin, end))
            else:
                records = self._source.read(partition, begin if start is None else start, end)
            for record in records:
                self._next[partition] = record.offset + 1
                yield record
            self._next[partition] = max(self._next.get(partition, 0), end)  # only transaction markers remain
        self._current_ms = asked_ms
        yield SnapshotEnd()

    def _follow(self, stopping: Callable[[], bool]) -> Iterator[Event]:
        """Until ``stopping``, or until a look shows that the position is lost."""
        looked_ms = self._clock_ms()
        for portion in self._source.follow(self._next, stopping):
            for record in portion.records:
                self._next[record.partition] = record.offset + 1
                yield record
            for partition, end in portion.ends.items():
                self._next[partition] = max(self._next[partition], end)
            yield Quiet()
            if self._clock_ms() - looked_ms >= LOOK_MS:
                looked_ms = self._clock_ms()
                if self._is_lost(looked_ms):
                    return

    def _is_lost(self, asked_ms: int) -> bool:
        try:
            look = self._source.look()
        except BrokerUnavailable:  # it is waited for, as by ``follow``
            return False
        if all(self._next.get(partition, 0) >= end for partition, (_, end) in look.bounds.items()):
            self._current_ms = asked_ms
        return self._gap_in(look, asked_ms) is not None

    def _gap_in(self, look: Look, now_ms: int) -> Gap | None:
        if not self._next:
            return None
        if look.topic_id != self._topic_id or not self._next.keys() <= look.bounds.keys():
            return Gap(GapReason.RECREATED, WHOLE_TOPIC, f"the topic's id is {look.topic_id}, and was {self._topic_id}")
        for partition, start in sorted(self._next.items()):
            begin, end = look.bounds[partition]
            if not begin <= start <= end:
                reason = GapReason.OVERTAKEN if start < begin else GapReason.TRUNCATED
                detail = f"partition {partition} has offsets {begin} to {end}, and {start} was to be read next"
                return Gap(reason, partition, detail)
        if now_ms - self._current_ms > self._deletions_kept_ms:
            hours = (now_ms - self._current_ms) / 3_600_000
            return Gap(
                GapReason.OUTDATED,
                WHOLE_TOPIC,
                f"the position was last known to be current {hours:.1f} h ago, and the topic keeps deletions for "
                f"{self._deletions_kept_ms / 3_600_000:.1f} h",
            )
        return None


def latest(records: Iterable[Record]) -> list[Record]:
    """The last record of each key, in the order of their offsets; nothing for a key that was deleted last."""
    last: dict[bytes | None, Record] = {}
    for record in records:
        last.pop(record.key, None)
        if record.value is not None:
            last[record.key] = record
    return list(last.values())
