"""The inputs of a shard, read by explicit assignment from the shard's position."""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaException, Message, TopicPartition

from exchange.errors import RecordDamaged
from exchange.feeds.gathering import Gathering
from exchange.kafka.clients import Cluster, begin_offset, end_offset, raise_end_of_reading, reader
from exchange.kafka.committed import as_record
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record

_log = logging.getLogger(__name__)

MAX_RECORDS: Final = 2_000
MAX_BYTES: Final = 4 << 20
_PORTION: Final = 64  # records fetched from a client at a time: this many may wait here for the next batch
_ASK_S: Final = 2.0
# The broker answers with the first byte, so an idle shard need not ask often. Other requests to this client wait
# behind the fetch, though: a broker answers one connection in order.
_FETCH_MS: Final = 600


class AssignedFeed(Feed[None]):
    """A ``Feed`` over one or more topic-partitions of one cluster, without any consumer group.

    A batch has at most so many records, and so many bytes of keys and values unless its first record alone has
    more: this bounds how long a shard works on one batch, and so how late records that arrive meanwhile are.
    """

    def __init__(
        self,
        cluster: Cluster,
        inputs: Sequence[Input],
        *,
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_BYTES,
        gather_s: float = 0.0,
    ) -> None:
        """``gather_s`` is how long records gather behind a batch (``exchange.feeds.gathering``)."""
        self._cluster, self._inputs = cluster, tuple(inputs)
        self._max, self.max_bytes = max_records, max_bytes
        self._ahead_kbytes = max(max_bytes, MAX_BYTES) >> 10  # one batch is fetched while one is processed
        self._consumer: Consumer | None = None
        self._held: deque[Record] = deque()  # fetched beyond the last batch
        self._count = self._size = 0  # of the last batch: its records, and their bytes
        self._gathering = Gathering(gather_s)
        self._starts: dict[Input, int] = {}
        self._bell: Input | None = None
        self._rung = 0

    def wake_for(self, other: Input) -> None:
        """A record of this input ends a wait: the client reads it, too, and drops it."""
        self._bell = other

    def rung(self) -> int:
        """The offset behind the last record that was dropped since the last call."""
        rung, self._rung = self._rung, 0
        return rung

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at these offsets. If a topic no longer holds them, that is a gap: it is logged, and counted.

        Raises RecordDamaged if a topic ends before its offset: records that were read are gone.
        """
        places, gaps = [], 0
        for source in self._inputs:
            begin = begin_offset(self._cluster, source.topic, source.partition)
            wanted = next_offsets.get(source, begin)
            if wanted < begin:
                gaps += 1
                _log.error(
                    "feed.gap topic=%s partition=%d from=%d to=%d: deleted by retention before they were read; "
                    "reconcile with the other side",
                    source.topic, source.partition, wanted, begin,
                )  # fmt: skip
            elif wanted > begin and wanted > (end := end_offset(self._cluster, source.topic, source.partition)):
                raise RecordDamaged(
                    f"{source.topic}-{source.partition} ends at {end}, but was read up to {wanted}: its end was lost. "
                    "Rebuild the shard before it may go on"
                )
            places.append(TopicPartition(source.topic, source.partition, max(begin, wanted)))
        self._starts = {Input(place.topic, place.partition): place.offset for place in places}
        self._held.clear()
        self._count = 0
        self._read(places, next_offsets)
        return gaps

    def _read(self, places: list[TopicPartition], others: Mapping[Input, int]) -> Consumer:
        """Make the client."""
        self._consumer = consumer = reader(
            self._cluster, **{"queued.max.messages.kbytes": self._ahead_kbytes, "fetch.wait.max.ms": _FETCH_MS}
        )
        if places and self._bell is not None:
            offset = others.get(self._bell, OFFSET_BEGINNING)
            places = [*places, TopicPartition(self._bell.topic, self._bell.partition, offset)]
        consumer.assign(places)
        return consumer

    def places(self) -> Mapping[Input, int] | None:
        """The next offset of each input; None while records are held here."""
        if self._consumer is None or self._held:
            return None
        read = self._consumer.position([TopicPartition(source.topic, source.partition) for source in self._inputs])
        offsets = {Input(place.topic, place.partition): place.offset for place in read}
        return {source: max(offsets[source], self._starts[source]) for source in self._inputs}

    def close_clients(self) -> None:
        """Close the client."""
        self.close()

    def open_clients(self, places: Mapping[Input, int]) -> None:
        """Read on at these offsets, with a new client."""
        self._starts = {source: places[source] for source in self._inputs}
        self._read([TopicPartition(each.topic, each.partition, at) for each, at in self._starts.items()], places)

    def start_of(self, source: Input) -> int:
        """The offset at which ``resume`` has begun with this input."""
        return self._starts[source]

    def end_of(self, source: Input) -> int | None:
        """The offset after the last record of this input now; None if there is no answer.

        For an input without transactions: with them, its last offset may be no record's.
        """
        consumer = self._consumer or self._read([], {})
        try:
            place = TopicPartition(source.topic, source.partition)
            _, end = consumer.get_watermark_offsets(place, timeout=_ASK_S)
        except KafkaException as error:
            _log.warning("feed.end topic=%s partition=%d error=%s", source.topic, source.partition, error)
            return None
        return end

    def pause(self) -> None:
        """Fetch nothing until ``seek``."""
        self._held.clear()
        self._count = 0
        if self._consumer is not None:
            self._consumer.unassign()

    def seek(self, source: Input, offset: int) -> None:
        """Go on at ``offset``, with this input only; records fetched before are dropped, by the client too."""
        self._held.clear()
        self._count = 0
        consumer = self._consumer or self._read([], {})
        consumer.assign([TopicPartition(source.topic, source.partition, offset)])

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records; returns with the first ones that are there."""
        if self._consumer is None:
            raise RuntimeError("resume() comes first")
        self._count = self._size = 0
        if not self._gathering.wait(timeout_s):
            return []
        # consume(n, t) waits for n records or all of t: ask for one, then for what else has arrived.
        if not self._held and not self._fetch(self._consumer, 1, timeout_s):
            return []
        batch = self._fill(self._consumer)
        self._gathering.began(left_some=self._left_some())
        return batch

    def more(self) -> Sequence[Record]:
        """What has arrived since, within the limits of the same batch."""
        if self._consumer is None or not self._count:
            return []
        batch = self._fill(self._consumer)
        if self._left_some():
            self._gathering.began(left_some=True)
        return batch

    def _fill(self, consumer: Consumer) -> list[Record]:
        """The records that still fit into the batch."""
        batch: list[Record] = []
        while self._count < self._max and (self._held or self._fetch(consumer, _PORTION, 0)):
            size = len(self._held[0].value or b"") + len(self._held[0].key or b"")
            if self._count and self._size + size > self.max_bytes:
                break
            batch.append(self._held.popleft())
            self._count, self._size = self._count + 1, self._size + size
        return batch

    def _left_some(self) -> bool:
        return bool(self._held) or self._count == self._max

    def gathering_s(self) -> float:
        """For how long records still gather behind the last batch."""
        return self._gathering.left_s()

    def _fetch(self, consumer: Consumer, number: int, timeout_s: float) -> bool:
        """Hold the records that arrive in time; whether anything is held now."""
        messages = consumer.consume(number, timeout_s)
        if self._bell is not None:
            messages = [message for message in messages if not self._rings(consumer, message, self._bell)]
        self._held.extend(as_record(message) for message in messages if _is_record(message))
        return bool(self._held)

    def _rings(self, consumer: Consumer, message: Message, bell: Input) -> bool:
        """Whether this is of the other input, of which only the presence matters."""
        if (message.topic(), message.partition()) != (bell.topic, bell.partition):
            return False
        if message.error() is None:
            self._rung = (message.offset() or 0) + 1
        else:  # the record was deleted, or is damaged: its own reader detects that
            place = TopicPartition(bell.topic, bell.partition, OFFSET_END)
            consumer.incremental_unassign([place])
            consumer.incremental_assign([place])
        return True

    def facts(self, records: Sequence[Record]) -> None:  # see its result
        """Nothing besides the records."""

    def lag(self) -> int:
        """Records between the last one handed out and the end, as the last fetch has seen it."""
        if self._consumer is None:
            return 0
        places = [place for place in self._consumer.assignment() if not self._is_bell(place)]
        waiting = 0
        for place in self._consumer.position(places):
            _, end = self._consumer.get_watermark_offsets(place, cached=True)
            waiting += max(0, end - place.offset) if end >= 0 and place.offset >= 0 else 0
        return waiting + len(self._held)

    def _is_bell(self, place: TopicPartition) -> bool:
        return self._bell is not None and (place.topic, place.partition) == (self._bell.topic, self._bell.partition)

    def close(self) -> None:
        """Stop reading."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _is_record(message: Message) -> bool:
    """True for a record, False for an error that passes; raises if the feed cannot continue."""
    error = message.error()
    if error is None:
        return True
    raise_end_of_reading(message)
    _log.warning("feed.error topic=%s partition=%s error=%s", message.topic(), message.partition(), error.str())
    return False
