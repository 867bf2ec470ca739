"""Finds the losses of a shard, and takes it over with rebuilt rows and position.

The step knows which rows it must have (``streams.repair.rebuild``): this file knows only what every step has, a
position, a changelog, a source. All is written in one transaction, after which the shard is as whole as it can
be.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from exchange.errors import ProducerFenced, Refused, SchemaIncompatible
from exchange.kafka.clients import Cluster, begin_offset, end_offset, offset_at, topic_ids
from exchange.kafka.committed import as_record, committed, committed_portions
from exchange.kafka.log import KafkaLog
from exchange.kafka.progress import rows_begin
from exchange.protocol.changelog import Changelog, Portion, portion
from exchange.protocol.record import Input, Position, Record, RowChange
from schemas import topics
from schemas.records import Progress

TRANSACTION_TIMEOUT_MS: Final = 900_000  # the most that brokers allow by default: all rows are one transaction
_TAIL: Final = 64


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that cannot be restored, and how much of it; None if that cannot be known."""

    what: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """The damage to a shard, as text, and the position at which it would continue.

    ``rows_are_whole`` if the changelog has every committed row, so that only the position is corrected;
    otherwise those from offset ``begin`` on are left of it. ``rows_are_last`` if each of those is the last of
    its key. ``batch`` is the highest number known; ``next_offsets`` is by topic; ``is_same_source`` if the first
    of the inputs is the topic that was read.
    """

    found: tuple[str, ...]
    progress: Progress | None
    rows_are_whole: bool
    rows_are_last: bool
    begin: int
    batch: int
    next_offsets: Mapping[str, int]
    is_same_source: bool
    lost: tuple[Loss, ...] = ()


class BrokenShard:
    """One shard of a step with state, and the topics that it reads, the one with its work first."""

    def __init__(self, cluster: Cluster, step: str, shard: int, sources: Sequence[str], state_format: int) -> None:
        """Raises NotFound if a topic is missing: topics are made before shards are rebuilt."""
        self.cluster, self.step, self.shard, self.sources = cluster, step, shard, tuple(sources)
        self._state_format = state_format
        self._changelog_topic = topics.changelog(step)
        self._ids = topic_ids(cluster, [*sources, self._changelog_topic])
        self._changelog = Changelog(cluster, self._changelog_topic, shard, step)
        self._log = KafkaLog(
            cluster,
            step,
            shard,
            input_ids=self._ids,
            state_format=state_format,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        )

    @property
    def name(self) -> str:
        """``GBR correlate shard 3``."""
        return f"{self.cluster.nation} {self.step} shard {self.shard}"

    def fence(self) -> None:
        """Take the shard from its owner: from now on no other owner commits, and an open transaction has ended."""
        self._log.fence()

    def examine(self, resume_at: int | None = None) -> Damage:
        """The damage. ``resume_at`` is the first source's offset to continue from, if a person knows better.

        Raises Refused if there is none, or the offset to continue from cannot be known; SchemaIncompatible if a newer
        version has written the state.
        """
        progress = self._log.progress()
        if progress is not None and progress["state_format"] > self._state_format:
            raise SchemaIncompatible(
                f"{self.name}: its state is of format {progress['state_format']}, this version knows up to "
                f"{self._state_format}: rebuild it with the newer version"
            )
        begin, end = self._reach(self._changelog_topic)
        last = self._last_batch(begin, end)
        found = list(self._wrong_with_changelog(progress, begin, last))
        rows_are_whole = not found
        if progress is None or last > progress["batch"]:
            found.append(self._wrong_with_position(progress, last))
            if resume_at is None:
                raise Refused(
                    f"{self.name}: {found[-1]}. Give with --resume-at the offset of {self.sources[0]}-"
                    f"{self.shard} to go on from: what is before it is not read again, "
                    "what is behind it may count twice"
                )
        elif resume_at is not None:
            raise Refused(f"{self.name} has a position: --resume-at is only for a lost position")
        next_offsets: dict[str, int] = {}
        lost: list[Loss] = []
        for topic in self.sources:
            if resume_at is None:
                next_offsets[topic], wrong = self._wrong_with_source(progress, topic, lost)
                found += wrong
            else:
                next_offsets[topic] = self._resumed(topic, resume_at, lost)
        if not found:
            raise Refused(f"{self.name} is whole: there is nothing to rebuild. Start a worker")
        batch = max(last, 0 if progress is None else progress["batch"])
        rows_are_last = progress is None or last >= progress["batch"]
        return Damage(
            tuple(found),
            progress,
            rows_are_whole,
            rows_are_last,
            begin,
            batch,
            next_offsets,
            not self._was_recreated(progress, self.sources[0]),
            tuple(lost),
        )

    def _wrong_with_changelog(self, progress: Progress | None, begin: int, last: int) -> Iterator[str]:
        place = f"{self._changelog_topic}-{self.shard}"
        if self._was_recreated(progress, self._changelog_topic):
            yield f"{self._changelog_topic} was recreated"
        elif begin > rows_begin(progress, self._changelog_topic):
            yield f"{place} begins at offset {begin}: what was before was cut off"
        elif progress is not None and last < progress["batch"]:
            yield f"{place} ends with batch {last}, but batch {progress['batch']} was committed: its end was lost"

    def _wrong_with_position(self, progress: Progress | None, last: int) -> str:
        place = f"{topics.progress(self.step)}-{self.shard}"
        if progress is not None:
            return f"{place} ends with batch {progress['batch']}, but batch {last} was committed: its end was lost"
        return f"{place} has no position. A shard that has never worked has none; of any other it was lost"

    def _resumed(self, topic: str, resume_at: int, lost: list[Loss]) -> int:
        """Where to continue in a source whose position was lost. In all but the first, records count as read."""
        place, (begin, end) = f"{topic}-{self.shard}", self._reach(topic)
        if topic != self.sources[0]:
            lost.append(Loss(f"what {place} held that was not read"))
            return end
        if not begin <= resume_at <= end:
            raise Refused(f"--resume-at {resume_at}: {place} reaches from offset {begin} to {end}")
        lost.append(Loss(f"what {place} held before offset {resume_at} and was not read"))
        return resume_at

    def _wrong_with_source(self, progress: Progress | None, topic: str, lost: list[Loss]) -> tuple[int, list[str]]:
        """Where to continue in a source, and its damage; its losses go to ``lost``."""
        place, (begin, end) = f"{topic}-{self.shard}", self._reach(topic)
        inputs = () if progress is None else progress["inputs"]
        known = next((each["next_offset"] for each in inputs if each["topic"] == topic), 0)
        if self._was_recreated(progress, topic):
            lost.append(Loss(f"what {topic} held behind offset {known} when it was deleted, and was not read"))
            return begin, [f"{topic} was recreated"]
        if known > end:
            lost.append(Loss(f"offsets of {place} that were read and are not there any more", known - end))
            return end, [f"{place} ends at offset {end}, but was read up to {known}: its end was lost"]
        return known, []

    def _was_recreated(self, progress: Progress | None, topic: str) -> bool:
        inputs = () if progress is None else progress["inputs"]
        return any(known["topic"] == topic and known["topic_id"] != self._ids[topic] for known in inputs)

    def _last_batch(self, begin: int, end: int) -> int:
        """The last batch number in the changelog, 0 if there is none."""
        for start in dict.fromkeys((max(begin, end - _TAIL), begin)):
            found = committed_portions(self.cluster, self._changelog_topic, self.shard, start, end)
            last = max((portion(messages, start)[1] for messages in found), default=0)
            if last:
                return last
        return 0

    def surviving(self, damage: Damage) -> Iterator[Portion]:
        """The rows that the changelog still has."""
        return self._changelog.read(damage.begin)

    def records(self, topic: str, *, start: int | None = None, end: int | None = None) -> Iterator[Record]:
        """The committed records of the shard's partition of a topic, as far as it has them, or from and up to these
        offsets."""
        begin, last = self._reach(topic)
        first, limit = max(begin, start or 0), last if end is None else min(last, end)
        for message in committed(self.cluster, topic, self.shard, first, limit):
            record = as_record(message)
            if record.offset >= limit:
                return
            yield record

    def records_since(self, topic: str, since_ms: int, end: int) -> Iterator[Record]:
        """The committed records from a time on, up to an offset."""
        start = offset_at(self.cluster, topic, self.shard, since_ms)
        return iter(()) if start is None else self.records(topic, start=start, end=end)

    def again(self, damage: Damage) -> Damage:
        """To begin from nothing: no row of the changelog counts, and every source is read from where it begins."""
        begins = {topic: self.begin(topic) for topic in self.sources}
        return replace(damage, begin=self._reach(self._changelog_topic)[1], next_offsets=begins)

    def begin(self, topic: str) -> int:
        """The first offset that the shard's partition of a topic still has."""
        return begin_offset(self.cluster, topic, self.shard)

    def _reach(self, topic: str) -> tuple[int, int]:
        return begin_offset(self.cluster, topic, self.shard), end_offset(self.cluster, topic, self.shard)

    def take_over(self, damage: Damage, rows: Iterable[RowChange], now_ms: int) -> Position:
        """Write rows and position in one transaction; the position. ``fence`` comes first.

        Raises ProducerFenced if a worker has taken the shard meanwhile, and TransientError if it did not go
        through: then it is done again from the beginning.
        """
        found = self._log.progress()
        if found != damage.progress:
            raise ProducerFenced(
                f"{self.name}: a worker has gone on with it meanwhile. Stop {self.cluster.nation}'s workers, then try "
                "again"
            )
        time_ms = now_ms if found is None else max(now_ms, found["shard_time_ms"])
        offsets = {Input(topic, self.shard): offset for topic, offset in damage.next_offsets.items()}
        position = Position(damage.batch + 1, time_ms, offsets)
        self._log.begin_rows_at(damage.begin)
        self._log.commit((), rows, position)
        return position

    def time_ms(self) -> int:
        """The shard's time. Raises Refused if it has no position."""
        position = self._log.position()
        if position is None:
            raise Refused(f"{self.name} has no position: it has never worked")
        return position.shard_time_ms

    def rows(self) -> Iterator[Sequence[RowChange]]:
        """All rows that the changelog has, earlier ones first."""
        for rows, _, _ in self._log.changelog(0):
            yield rows

    def put_back(self, rows: Iterable[RowChange], time_ms: int, *, from_nothing: bool) -> int:
        """Write these rows, and a position at this time, in one transaction; the number of its batch.

        With ``from_nothing`` no other row counts, and every source is read from where it begins. ``fence`` comes first.
        """
        found = self._log.position() or Position()
        offsets = found.next_offsets
        if from_nothing:
            self._log.begin_rows_at(self._reach(self._changelog_topic)[1])
            offsets = {Input(topic, self.shard): self.begin(topic) for topic in self.sources}
        self._log.commit((), rows, Position(found.batch + 1, time_ms, offsets))
        return found.batch + 1

    def close(self) -> None:
        """Let go."""
        self._log.close()
