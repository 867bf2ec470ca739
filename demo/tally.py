"""Observations of one nation's cluster: counts to show, positions to wait for, records to count at the end."""

from bisect import bisect_right
from collections import defaultdict
from typing import Final, cast

from exchange.protocol.record import Input, Record
from schemas import topics
from schemas.codec import PROGRESS, QUARANTINED, RECEIPT, SENSOR_REPORT, Codec, Undecodable
from schemas.records import Progress, Quarantined, SensorReport


class Tally:
    """One nation's cluster. One thread calls ``take``; any thread may read: counts only grow."""

    def __init__(self, nation: str, partner: str) -> None:
        self.nation, self.partner = nation, partner
        steps = ("intake", "correlate", f"receive.{partner}", topics.bridge_step(partner))
        self.records: Final[dict[str, list[Record]]] = {name: [] for name in self.counted()}
        self.topics: Final = (*self.counted(), topics.OBSERVATIONS, *(topics.progress(step) for step in steps))
        self.keys: Final[dict[str, set[bytes | None]]] = {name: set() for name in self.counted()}
        self.published = 0
        self._codec = Codec()
        self._progress = {topics.progress(step): step for step in steps}
        self._next: dict[Input, int] = {}
        self._done: dict[tuple[str, Input], int] = {}
        self._offsets: dict[int, list[int]] = defaultdict(list)
        self._observed: dict[int, list[int]] = defaultdict(lambda: [0])
        self._refused = 0

    def counted(self) -> tuple[str, ...]:
        """The topics whose records are kept for the count at the end."""
        partner = self.partner
        at_home = (topics.SENSOR_REPORTS, topics.QUARANTINE, topics.NATIONAL, topics.AUDIT, topics.released(partner))
        return (*at_home, topics.inbox(partner), topics.accepted(partner))

    def take(self, record: Record) -> None:
        """Count one committed record."""
        self._next[Input(record.topic, record.partition)] = record.offset + 1
        if record.topic in self._progress:
            self._take_progress(record)
            return
        if record.topic == topics.SENSOR_REPORTS:
            self._take_report(record)
        elif record.topic == topics.QUARANTINE:
            self._take_refusal(record)
        if self._codec.schema_of(record.value) == RECEIPT:  # the partner's receipt for our releases, in transit
            return
        if record.topic in self.records:
            self.records[record.topic].append(record)
            self.keys[record.topic].add(record.key)

    @property
    def valid(self) -> int:
        """Observations that intake has committed as valid."""
        taken = 0
        for shard, offsets in list(self._offsets.items()):
            done = self._done.get(("intake", Input(topics.SENSOR_REPORTS, shard)), 0)
            taken += self._observed[shard][bisect_right(offsets, done - 1)]
        return max(0, taken - self._refused)

    def is_done(self, step: str, topic: str) -> bool:
        """Whether a step of this cluster has committed every record of its input that was seen there.

        The bridge's input is on the other cluster: ``is_done_to`` is for it.
        """
        return self.is_done_to(step, self.seen(topic))

    def is_done_to(self, step: str, wanted: dict[Input, int]) -> bool:
        """Whether a step that writes to this cluster has committed up to these offsets."""
        return all(self._done.get((step, each), 0) >= offset for each, offset in wanted.items())

    def seen(self, topic: str) -> dict[Input, int]:
        """The offset behind the last record of each partition of a topic."""
        return {each: offset for each, offset in list(self._next.items()) if each.topic == topic}

    def first_since(self, topic: str, at_ms: int, place: int) -> int | None:
        """The time of a topic's first record after ``at_ms``, of those behind the first ``place`` records read."""
        times = [record.timestamp_ms for record in self.records[topic][place:] if record.timestamp_ms > at_ms]
        return min(times, default=None)

    def _take_progress(self, record: Record) -> None:
        found = self._codec.decode(PROGRESS, record.value)
        if isinstance(found, Undecodable):
            return
        step = self._progress[record.topic]
        for source in cast("Progress", found)["inputs"]:
            self._done[step, Input(source["topic"], source["partition"])] = source["next_offset"]

    def _take_report(self, record: Record) -> None:
        found = self._codec.decode(SENSOR_REPORT, record.value)
        count = 0 if isinstance(found, Undecodable) else len(cast("SensorReport", found)["values"])
        self.published += count
        self._observed[record.partition].append(self._observed[record.partition][-1] + count)
        self._offsets[record.partition].append(record.offset)

    def _take_refusal(self, record: Record) -> None:
        found = self._codec.decode(QUARANTINED, record.value)
        if not isinstance(found, Undecodable):
            refused = cast("Quarantined", found)
            self._refused += refused["stage"] == "intake" and refused["index"] >= 0
