"""The output cluster as one shard sees it: its transactions, its position and its changelog."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

from confluent_kafka import KafkaError, Message, Producer

from exchange.errors import SchemaIncompatible
from exchange.kafka.clients import BATCH_BYTES, TRANSACTION_TIMEOUT_MS, Cluster, end_offset, topic_ids
from exchange.kafka.produce import OnDelivery, produce, produce_all, produce_output
from exchange.kafka.progress import last_progress, position_of, progress_of, rows_begin
from exchange.kafka.transactions import Transactions
from exchange.protocol.changelog import BATCH_KEY, Changelog, batch_value
from exchange.protocol.kept_rows import kept
from exchange.protocol.log import ChangelogPortion, Log, rebuild_command
from exchange.protocol.record import Input, Output, Position, RowChange
from schemas import topics
from schemas.codec import Codec
from schemas.records import Progress


class KafkaLog(Log):
    """A log on Kafka. Only this shard writes to its partition of the progress and changelog topics.

    ``input_ids`` are Kafka's ids of the topics whose recreation would be a loss: the inputs, and the changelog.
    ``state_format`` is None for a step without rows.
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
        self._state_format, self._codec = state_format, codec or cluster.codec()
        self._changelog_topic = topics.changelog(step)
        self._changelog = Changelog(cluster, self._changelog_topic, shard, step)
        self._transactions = Transactions(
            cluster, step, shard, timeout_ms=transaction_timeout_ms, batch_bytes=batch_bytes
        )
        self._rows_begin = 0

    # -- taking the shard ---------------------------------------------------------------------------------------

    def fence(self) -> None:
        """Become the owner; the broker fences the previous one. Raises as ``Transactions.fence``, and
        SchemaIncompatible if the changelog was recreated."""
        self._transactions.fence()
        self._check_changelog()

    def _check_changelog(self) -> None:
        """Our id of the changelog is from before we fenced: its name may belong to another topic by now."""
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

        Raises SchemaIncompatible if a newer version has written it, or if one of its topics was recreated.
        """
        progress = self.progress()
        if progress is None:
            return None
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
        return position_of(progress, (each for each in progress["inputs"] if each["topic"] != self._changelog_topic))

    def progress(self) -> Progress | None:
        """The last record in our partition of the progress topic, whatever it contains."""
        return last_progress(self._cluster, self._step, self._shard, self._codec)

    @property
    def rows_begin(self) -> int:
        """The offset from which the changelog has every row, as ``position`` has found it."""
        return self._rows_begin

    def begin_rows_at(self, offset: int) -> None:
        """The changelog has every row from this offset on, because the rows were rebuilt; the position keeps it."""
        self._rows_begin = offset

    def remembers(self, start: int) -> bool:
        """Whether the changelog still has every deleted row from ``start`` on: none was cut off before the rows were
        rebuilt, and no tombstone is so old that it may have been compacted away."""
        is_behind = not self._rows_begin or start > self._rows_begin  # a state that ends there has the rows of before
        return is_behind and self._changelog.remembers(start)

    def changelog(self, start: int) -> Iterator[ChangelogPortion]:
        """The committed rows of our changelog partition from ``start`` to its end; raises ChangelogLost."""
        return self._changelog.read(max(start, self._rows_begin))

    def distance(self, start: int) -> int:
        """The offsets from ``start`` to the end of our changelog partition, those of compacted records included."""
        return end_offset(self._cluster, self._changelog_topic, self._shard) - max(start, self._rows_begin)

    def follow(self, start: int, wait_s: float) -> Generator[ChangelogPortion, None, None]:
        """The committed rows of our changelog partition as they arrive; raises ChangelogLost. Needs no fencing."""
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
        placed: list[int] = []

        def place(error: KafkaError | None, message: Message) -> None:
            if error is None:
                placed.append(message.offset() or 0)

        def fill(producer: Producer, watch: OnDelivery | None) -> None:
            # First, because a partition is added to a transaction by its first record, and what is produced within a
            # millisecond is added by one request: behind a large batch the position would cost another round trip.
            produce_output(producer, self._progress_record(position), watch)
            produce_all(producer, outputs, watch)
            if self._state_format is not None:
                topic, shard = self._changelog_topic, self._shard
                produce_all(producer, (Output(topic, shard, row.key, kept(row)) for row in rows), watch)
                number = batch_value(position.batch)
                produce(producer, self._changelog_topic, self._shard, BATCH_KEY, number, on_delivery=place)

        self._transactions.write(fill, on_handed_over)
        return placed[0] + 1 if placed and placed[0] >= 0 else 0

    def _progress_record(self, position: Position) -> Output:
        """The position's record, with the offset where the changelog's rows begin: with it, the changelog's id is kept,
        which reveals one that was recreated while we own the shard."""
        offsets = dict(position.next_offsets)
        if self._changelog_topic in self._input_ids:
            offsets[Input(self._changelog_topic, self._shard)] = self._rows_begin
        whole = Position(position.batch, position.shard_time_ms, offsets)
        return progress_of(self._codec, self._step, self._shard, whole, self._state_format, self._input_ids)

    @property
    def _name(self) -> str:
        return f"{self._step} shard {self._shard}"

    @property
    def _remedy(self) -> str:
        if self._state_format is None:  # a bridge has no rows to rebuild: its outputs are on the other side
            return "Restore the topic before the shard may go on"
        return rebuild_command(self._cluster.nation, self._step, self._shard)

    def close(self) -> None:
        """Drop the producer. An open transaction ends when the next owner fences this one."""
        self._transactions.close()
