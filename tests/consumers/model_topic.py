"""A topic of several partitions in memory, as a subscription's source: the model of Kafka, and no network."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from consumers.subscription.subscription import Look, Portion, PositionLost
from exchange.protocol.record import Input, Record
from tests.exchange.model_kafka import ModelKafka

PARTITIONS: Final = 2
_TOPIC: Final = "topic"
_OWNER: Final = "writer"


class ModelTopic:
    """Writes and reads. ``between`` is called whenever a follower finds nothing: it may write more."""

    def __init__(self) -> None:
        self.kafka = ModelKafka()
        self.between: Callable[[], None] = lambda: None
        self.places = [Input(_TOPIC, partition) for partition in range(PARTITIONS)]
        for place in self.places:
            self.kafka.partition(place)

    def write(self, partition: int, key: str, value: str | None, *, commit: bool = True) -> None:
        """One record in a transaction, which leaves a marker behind it."""
        epoch = self.kafka.initialise(_OWNER)
        self.kafka.append(_OWNER, epoch, self.places[partition], key.encode(), value.encode() if value else None)
        self.kafka.end_transaction(_OWNER, epoch, commit=commit)
        self.kafka.mark(_OWNER)

    def compact(self) -> None:
        """Keep the last record of each key, deletions included."""
        for place in self.places:
            self.kafka.compact(place)

    def forget(self) -> None:
        """Compact, and drop all deletions too."""
        for place in self.places:
            self.kafka.age(place)
            self.kafka.compact(place)

    def cut(self) -> None:
        """Lose the first half of each partition."""
        for place in self.places:
            self.kafka.cut(place)

    def recreate(self) -> None:
        """Delete the topic and create it again."""
        for place in self.places:
            self.kafka.recreate(place)

    def look(self) -> Look:
        """As it is now."""
        found = [self.kafka.partition(place) for place in self.places]
        ends = [self.kafka.stable(place) for place in self.places]
        bounds = {number: (each.begin, end) for number, (each, end) in enumerate(zip(found, ends, strict=True))}
        return Look("-".join(str(each.topic_id) for each in found), bounds)

    def read(self, partition: int, start: int, end: int) -> Iterator[Record]:
        """Committed records below ``end``."""
        place = self.places[partition]
        self._check(partition, start)
        for entry in list(self.kafka.committed(place, start)):
            if entry.offset < end:
                yield Record(_TOPIC, partition, entry.offset, entry.key, entry.value, 0)

    def follow(self, next_offsets: Mapping[int, int], stopping: Callable[[], bool]) -> Iterator[Portion]:
        """What is new, one partition at a time; ``between`` whenever there is nothing."""
        starts = dict(next_offsets)
        while not stopping():
            for partition in range(PARTITIONS):
                self._check(partition, starts[partition])
                end = self.kafka.stable(self.places[partition])
                records = list(self.read(partition, starts[partition], end))
                starts[partition] = end
                yield Portion(records, {partition: end})
            self.between()

    def _check(self, partition: int, start: int) -> None:
        begin, end = self.look().bounds[partition]
        if not begin <= start <= end:
            raise PositionLost(f"{_TOPIC}-{partition} has no offset {start}")
