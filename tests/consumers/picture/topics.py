"""A topic in memory with the records of indicators, and pictures of it."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from consumers.picture.answer_feed import Answers
from consumers.picture.entry import Ended, Entry
from consumers.picture.keep import Keeper, Origin, take
from consumers.picture.picture import Picture
from consumers.picture.tables import path_of
from consumers.subscription.subscription import Look, Portion, PositionLost, latest
from exchange.protocol.record import Record
from schemas.codec import INDICATOR, RECEIPT, RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key, key_of_id, shard_of_key
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, a_content, a_receipt, a_released, an_indicator

PARTITIONS: Final = 2
CODEC: Final = Codec()
NATION: Final = "JPN"


class TopicInMemory:
    """Records by partition; each has the time of the clock. ``between`` is called whenever a follower finds nothing."""

    def __init__(self, name: str = "partner.GBR.indicator.v1") -> None:
        self.name, self.topic_id = name, "id-1"
        self.records: dict[int, list[Record]] = {number: [] for number in range(PARTITIONS)}
        self.begins = dict.fromkeys(range(PARTITIONS), 0)
        self.between: Callable[[], None] = lambda: None

    def append(self, partition: int, key: bytes | None, value: bytes | None, at_ms: int = NOW_MS) -> None:
        """One record."""
        offset = self._end(partition)
        self.records[partition].append(Record(self.name, partition, offset, key, value, at_ms))

    def release(
        self, value: str = "c2.example.com", kind: str = "domain-name", *, at_ms: int = NOW_MS, **changes: Any
    ) -> str:
        """A partner's record: with content, or with ``kind_of_record`` and no content. Its id."""
        record_kind = changes.pop("record", "content")
        given = changes.pop("content", {})
        content = a_content(type=kind, value=value, **given) if record_kind == "content" else None
        key = indicator_key(IndicatorType[kind.upper().replace("-", "_")], value)
        record = a_released(kind=record_kind, content=content, **{"id": indicator_id(key), **changes})
        self.append(
            shard_of_key(key, PARTITIONS), record["id"].encode(), CODEC.encode(RELEASED_INDICATOR, record), at_ms
        )
        return record["id"]

    def own(self, value: str = "own.example.com", *, at_ms: int = NOW_MS, **changes: Any) -> str:
        """A national record."""
        key = indicator_key(IndicatorType.DOMAIN_NAME, value)
        record = an_indicator(value=value, **{"id": indicator_id(key), **changes})
        self.append(shard_of_key(key, PARTITIONS), record["id"].encode(), CODEC.encode(INDICATOR, record), at_ms)
        return record["id"]

    def answer(self, indicator: str, **changes: Any) -> None:
        """A receipt: JPN has searched for it and not seen it, if the changes state nothing else."""
        receipt = a_receipt(indicator_id=indicator, **{"code": "received", "reason": "not-seen", **changes})
        shard = shard_of_key(key_of_id(indicator), PARTITIONS)
        self.append(shard, indicator.encode(), CODEC.encode(RECEIPT, receipt))

    def delete(self, indicator: str) -> None:
        """A tombstone."""
        self.append(shard_of_key(key_of_id(indicator), PARTITIONS), indicator.encode(), None)

    def compact(self) -> None:
        """Keep the last record of each key, and no deletion."""
        self.records = {number: latest(records) for number, records in self.records.items()}
        self._ends = dict.fromkeys(self.records, 0)

    def cut(self, partition: int) -> None:
        """Retention takes all there is."""
        self.begins[partition] = self._end(partition)
        self.records[partition] = []

    def look(self) -> Look:
        """As it is now."""
        return Look(self.topic_id, {number: (self.begins[number], self._end(number)) for number in self.records})

    def read(self, partition: int, start: int, end: int) -> Iterator[Record]:
        """Records from ``start`` below ``end``."""
        if start < self.begins[partition]:
            raise PositionLost(f"partition {partition}")
        records = self.records[partition]
        begin, behind = (bisect_left(records, offset, key=lambda record: record.offset) for offset in (start, end))
        yield from records[begin:behind]

    def follow(self, next_offsets: Mapping[int, int], stopping: Callable[[], bool]) -> Iterator[Portion]:
        """What is new, one partition at a time."""
        starts = dict(next_offsets)
        while not stopping():
            for partition in self.records:
                end = self._end(partition)
                records = list(self.read(partition, starts[partition], end))
                starts[partition] = end
                yield Portion(records, {partition: end})
            self.between()

    def _end(self, partition: int) -> int:
        records = self.records[partition]
        return records[-1].offset + 1 if records else self.begins[partition]

    @contextmanager
    def opened(self) -> Iterator["TopicInMemory"]:
        """As a source."""
        yield self


class World:
    """A nation's picture on disk, of topics in memory, at a time that stands still unless it is moved."""

    def __init__(self, home: Path, **topics: TopicInMemory) -> None:
        self.path = path_of(home, NATION)
        self.topics = topics or {"GBR": TopicInMemory()}
        self.answers = dict[tuple[str, str], TopicInMemory]()
        self.now_ms = NOW_MS

    @property
    def gbr(self) -> TopicInMemory:
        """The partner's topic."""
        return self.topics["GBR"]

    def clock_ms(self) -> int:
        """Its time."""
        return self.now_ms

    def keeper(self) -> Keeper:
        """Take the picture."""
        keeper = take(self.path, NATION, self.clock_ms)
        assert keeper is not None
        return keeper

    def catch_up(self) -> str:
        """Take it, bring in what there is, and give it back. Why it was made anew, if it was."""
        with self.keeper() as keeper:
            keeper.catch_up(self.origins(), CODEC)
            return keeper.made_anew

    def origins(self) -> dict[str, Origin]:
        """Its origins, with the topics of ``answers``, which are by origin and nation."""
        return {
            name: Origin(
                name,
                topic.name,
                topic.opened,
                [Answers(nation, found.opened) for (origin, nation), found in self.answers.items() if origin == name],
            )
            for name, topic in self.topics.items()
        }

    def answering(self, origin: str, nation: str) -> TopicInMemory:
        """A new topic of the receipts of one nation for an origin."""
        self.answers[origin, nation] = TopicInMemory(f"receipts.{origin}.v1")
        return self.answers[origin, nation]

    def picture(self) -> Picture:
        """Read it."""
        return Picture(self.path, NATION, self.clock_ms)

    def held(self, indicator: str) -> Entry | Ended:
        """What it has of one indicator, from its one origin."""
        with self.picture() as picture:
            [found] = picture.get(indicator)
            return found

    def bytes_on_disk(self) -> bytes:
        """Of every file of it."""
        return b"".join(file.read_bytes() for file in sorted(self.path.parent.glob("*")))
