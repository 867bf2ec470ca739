"""The output cluster as one shard sees it: fencing, the position, the changelog, the transaction."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NoReturn

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from exchange.errors import BrokerUnavailable, ConfigurationError, ProducerFenced, SchemaIncompatible, Unwritable
from exchange.kafka.clients import BATCH_BYTES, TRANSACTION_TIMEOUT_MS, Cluster, topic_ids, transactional_producer
from exchange.kafka.produce import produce, watching
from exchange.kafka.progress import last_progress, progress_of, rows_begin
from exchange.protocol.changelog import BATCH_KEY, Changelog, Portion, batch_value, value_of
from exchange.protocol.log import CommitUncertain, TransactionAborted, rebuild_command
from exchange.protocol.record import Input, Output, Position, RowChange
from schemas import topics
from schemas.codec import PROGRESS, Codec
from schemas.records import Progress

CALL_S: Final = 20.0
GIVE_UP_S: Final = 120.0
_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0
_FENCED: Final = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}


class KafkaLog:
    """A ``Log`` on Kafka. One partition of the progress and changelog topics is all its own.

    ``input_ids`` are Kafka's ids of the topics whose recreation would be a loss: the inputs, and the changelog.
    """

    def __init__(
        self,
        cluster: Cluster,
        step: str,
        shard: int,
        *,
        input_ids: Mapping[str, str],
        state_format: int | None,
        codec: Codec | None = None,
        transaction_timeout_ms: int = TRANSACTION_TIMEOUT_MS,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._cluster, self._step, self._shard, self._input_ids = cluster, step, shard, input_ids
        self._state_format = state_format
        self._codec = codec or cluster.codec()
        self._progress_topic = topics.progress(step)
        self._changelog_topic = topics.changelog(step)
        self._changelog = Changelog(cluster, self._changelog_topic, shard, step)
        self._transaction_timeout_ms, self._batch_bytes = transaction_timeout_ms, batch_bytes
        self._rows_begin = 0
        self._producer: Producer | None = None
        self._aborts = 0

    # -- taking the shard ---------------------------------------------------------------------------------------

    def fence(self) -> None:
        """A producer of our transactional id: the broker fences and settles whoever had it before.

        A new producer each time: librdkafka does not speak KIP-890's second part, so one whose commit was
        uncertain is never used again.
        """
        self._producer = transactional_producer(
            self._cluster,
            f"kakehashi.{self._step}.{self._shard}",
            timeout_ms=self._transaction_timeout_ms,
            batch_bytes=self._batch_bytes,
        )
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                self._producer.init_transactions(CALL_S)
            except KafkaException as exception:
                error = exception.args[0]
                if error.code() in _FENCED:
                    raise ProducerFenced(f"{self._name}: another owner took it while we did") from exception
                if error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
                    raise ConfigurationError(
                        f"{self._name}: {self._cluster.nation}'s Kafka at {self._cluster.bootstrap} does not let this "
                        f"user own the transactional id kakehashi.{self._step}.{self._shard}: its administrator runs "
                        f"`kakehashi acls --nation {self._cluster.nation}`"
                    ) from exception
                if not error.retriable() or time.monotonic() > deadline:
                    raise BrokerUnavailable(
                        f"{self._name}: cannot be taken at {self._cluster.bootstrap}: {error.str()}"
                    ) from exception
            else:
                break
        self._check_changelog()

    def _check_changelog(self) -> None:
        """Our id of the changelog was asked for before we fenced: by now it may be another topic's name."""
        topic = self._changelog_topic
        known = self._input_ids.get(topic)
        if known is None:
            return
        found = topic_ids(self._cluster, [topic])[topic]
        if found != known:
            raise SchemaIncompatible(
                f"{self._name}: topic {topic} was recreated (id {found}, was {known}). {self._remedy}"
            )

    def position(self) -> Position | None:
        """The last position in our partition of the progress topic.

        Raises SchemaIncompatible where it is not for us: of a newer version, or of topics that are others now.
        """
        found = self.progress()
        return None if found is None else self._as_position(found)

    def progress(self) -> Progress | None:
        """The last record in our partition of the progress topic, whatever it says."""
        return last_progress(self._cluster, self._step, self._shard, self._codec)

    def _as_position(self, progress: Progress) -> Position:
        if self._state_format is not None and progress["state_format"] > self._state_format:
            raise SchemaIncompatible(
                f"{self._name}: its state is of format {progress['state_format']}, this version reads up to "
                f"{self._state_format}: start the newer version again"
            )
        for source in progress["inputs"]:
            known = self._input_ids.get(source["topic"])
            if known is not None and known != source["topic_id"]:
                raise SchemaIncompatible(
                    f"{self._name}: topic {source['topic']} was recreated (id {known}, was {source['topic_id']}): "
                    f"offsets mean nothing in it. {self._remedy}"
                )
        self._rows_begin = rows_begin(progress, self._changelog_topic)
        return Position(
            progress["batch"],
            progress["shard_time_ms"],
            {
                Input(source["topic"], source["partition"]): source["next_offset"]
                for source in progress["inputs"]
                if source["topic"] != self._changelog_topic
            },
        )

    def begin_rows_at(self, offset: int) -> None:
        """From this offset on the changelog has every row, as whoever has rebuilt them says; the position keeps it."""
        self._rows_begin = offset

    def remembers(self, start: int) -> bool:
        """Whether nothing that stood from ``start`` on is forgotten: neither cut off before the rows were rebuilt, nor
        a tombstone so old that it may have been compacted away."""
        is_behind = not self._rows_begin or start > self._rows_begin  # who stands right there has what was before
        return is_behind and self._changelog.remembers(start)

    def changelog(self, start: int) -> Iterator[Portion]:
        """The committed rows of our changelog partition from ``start`` to its end; raises ChangelogLost."""
        return self._changelog.read(max(start, self._rows_begin))

    def follow(self, start: int, wait_s: float) -> Generator[Portion, None, None]:
        """The committed rows of our changelog partition as they come; raises ChangelogLost. Needs no fencing."""
        return self._changelog.follow(max(start, self._rows_begin), wait_s)

    # -- the transaction ----------------------------------------------------------------------------------------

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Iterable[RowChange],
        position: Position,
        on_handed_over: Callable[[], None] = lambda: None,
    ) -> int:
        """Outputs, rows, batch number and position in one transaction; the changelog's next offset, 0 if not known."""
        producer = self._producer
        if producer is None:
            raise RuntimeError(f"{self._name}: not taken")
        placed: list[int] = []
        refusals: list[Unwritable] = []
        try:
            producer.begin_transaction()
            self._fill(producer, outputs, rows, position, placed, refusals)
        except Unwritable:
            _let_go(producer)
            raise
        except KafkaException as exception:
            self._abort(producer, exception)
        on_handed_over()
        try:
            self._end(producer)
        except KafkaException as exception:
            _serve(producer)
            if refusals:
                _let_go(producer)
                raise refusals[0] from exception
            self._judge(producer, exception)
        _serve(producer)
        self._aborts = 0
        return placed[0] + 1 if placed and placed[0] >= 0 else 0

    def _fill(
        self,
        producer: Producer,
        outputs: Sequence[Output],
        rows: Iterable[RowChange],
        position: Position,
        placed: list[int],
        refusals: list[Unwritable],
    ) -> None:
        # An abort does not say which record it was, and a callback for each record costs: so they are only
        # watched when the batch is tried again.
        watch = watching(refusals) if self._aborts else None

        def place(error: KafkaError | None, message: Message) -> None:
            if error is None:
                placed.append(message.offset() or 0)

        # First, because a partition is added to a transaction by its first record, and what is produced within a
        # millisecond is added by one request: behind a large batch the position alone would cost another round trip.
        produce(producer, *self._progress_record(position), on_delivery=watch)
        for output in outputs:
            produce(producer, output.topic, output.partition, output.key, output.value, output.headers, watch)
        if self._state_format is not None:
            for row in rows:
                produce(producer, self._changelog_topic, self._shard, row.key, value_of(row), on_delivery=watch)
            number = batch_value(position.batch)
            produce(producer, self._changelog_topic, self._shard, BATCH_KEY, number, on_delivery=place)

    def _progress_record(self, position: Position) -> tuple[str, int, bytes, bytes]:
        """The record that keeps a position: topic, partition, key and value."""
        pinned, ids = self._pinned(position), self._input_ids
        progress = progress_of(self._step, self._shard, position, self._state_format, pinned, ids)
        return self._progress_topic, self._shard, b"%d" % self._shard, self._codec.encode(PROGRESS, progress)

    def _pinned(self, position: Position) -> Mapping[Input, int]:
        """The inputs, and where the changelog's rows begin: by its id, one that was recreated under us is found out."""
        if self._changelog_topic not in self._input_ids:
            return position.next_offsets
        return {**position.next_offsets, Input(self._changelog_topic, self._shard): self._rows_begin}

    def _end(self, producer: Producer) -> None:
        """Commit; a retriable error means that the same call is made again (librdkafka, INTRODUCTION.md)."""
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                producer.commit_transaction(CALL_S)
            except KafkaException as exception:
                error = exception.args[0]
                if not error.retriable() or error.txn_requires_abort() or time.monotonic() > deadline:
                    raise
            else:
                return

    def _judge(self, producer: Producer, exception: KafkaException) -> NoReturn:
        """Say what a failed commit means."""
        error = exception.args[0]
        if error.txn_requires_abort():
            self._abort(producer, exception)
        if error.code() in _FENCED:
            raise self._fenced() from exception
        raise CommitUncertain(f"{self._name}: {error.str()}") from exception

    def _abort(self, producer: Producer, exception: KafkaException) -> NoReturn:
        """Abort what was not asked to be committed.

        A producer that was fenced while it filled says so only now: to ask by fencing would take the shard from
        its new owner.
        """
        error = exception.args[0]
        try:
            producer.abort_transaction(CALL_S)
        except KafkaException as second:
            why = second.args[0]
            if why.code() in _FENCED:
                raise self._fenced() from exception
            raise CommitUncertain(f"{self._name}: {error.str()}; abort: {why.str()}") from exception
        threading.Event().wait(min(_PAUSE_S * 2**self._aborts, _LONGEST_PAUSE_S))
        self._aborts += 1
        raise TransactionAborted(f"{self._name}: {error.str()}") from exception

    def _fenced(self) -> ProducerFenced:
        return ProducerFenced(
            f"{self._name}: another owner has taken it over, or the broker has ended its transaction after "
            f"{self._transaction_timeout_ms / 1000:g} s"
        )

    @property
    def _name(self) -> str:
        return f"{self._step} shard {self._shard}"

    @property
    def _remedy(self) -> str:
        if self._state_format is None:  # a bridge has no rows to rebuild: its outputs are on the other side
            return "Restore the topic before the shard may go on"
        return rebuild_command(self._cluster.nation, self._step, self._shard)

    def close(self) -> None:
        """Drop the producer. An open transaction is left to the next owner's fencing."""
        if self._producer is not None:
            self._producer.purge(in_flight=True, in_queue=True, blocking=False)
            self._producer = None


def _let_go(producer: Producer) -> None:
    """Abort if it can be had: readers need not wait for the transaction's timeout then."""
    with suppress(KafkaException):
        producer.abort_transaction(CALL_S)


def _serve(producer: Producer) -> None:
    """Call the delivery callbacks. A broken producer says so here too: whoever uses it next will hear of it."""
    with suppress(KafkaException):
        producer.poll(0)
