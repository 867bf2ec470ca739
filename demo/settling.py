"""Detects when processing is complete: every step at the end of its input, and no roll-up left."""

from collections.abc import Callable, Iterator, Mapping

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not exported to type checkers by the package

from demo.observer import Observer
from demo.tally import Tally
from exchange.clock import now_ms
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster
from exchange.kafka.log import KafkaLog
from exchange.protocol.record import Input
from schemas import topics


class Watch:
    """One nation's cluster: its observers, the records read, and the ends of its topics."""

    def __init__(self, cluster: Cluster, partner: str, shards: int, roll_up_ms: int) -> None:
        self.tally = Tally(cluster.nation, partner)
        self.observer = Observer(cluster, self.tally.topics, shards, self.tally.take)
        self._admin: AdminClient | None = AdminClient(cluster.client())
        self._roll_up_ms = roll_up_ms
        self._roll_ups = [RollUps(cluster, shard) for shard in range(shards)]

    def has_read(self, *names: str) -> bool:
        """Whether all current records of these topics were read: open transactions count as unread."""
        if self._admin is None:
            raise RuntimeError("it is closed")
        places = [each for each in self.observer.inputs if each.topic in names]
        asked = {TopicPartition(*_place(each)): OffsetSpec.latest() for each in places}  # type: ignore[no-untyped-call]
        futures = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=CALL_TIMEOUT_S
        )
        try:
            ends = {
                Input(place.topic, place.partition): int(future.result(CALL_TIMEOUT_S).offset)
                for place, future in futures.items()
            }
        except (KafkaException, TimeoutError):  # queried again soon, while the caller waits
            return False
        return self.observer.has_read_to(ends)

    def has_written_all(self) -> bool:
        """Whether no indicator waits for its roll-up. Rows due later than one roll-up, such as ends, may wait."""
        until_ms = now_ms() + self._roll_up_ms
        return not any(each.are_pending(until_ms) for each in self._roll_ups)

    def close(self) -> None:
        """Stop reading."""
        self.observer.close()
        self._admin = None  # it would keep looking for its broker


class RollUps:
    """The rows of one shard of correlate that wait for their time, by its changelog."""

    def __init__(self, cluster: Cluster, shard: int) -> None:
        self._log = KafkaLog(cluster, "correlate", shard, input_ids={}, state_format=None)
        self._next = 0
        self._due_ms: dict[bytes, int] = {}

    def are_pending(self, until_ms: int) -> bool:
        """Read on, and return whether a row is due until then."""
        for rows, _, next_offset in self._log.changelog(self._next):
            self._next = next_offset
            for row in rows:
                self._due_ms[row.key] = row.due_ms
        return any(0 < due_ms <= until_ms for due_ms in self._due_ms.values())


def stages(watches: Mapping[str, Watch]) -> Iterator[tuple[str, Callable[[], bool]]]:
    """The conditions to wait for, in this order, each with its name: after one holds, the next gets no more input."""
    both = [(watch, watches[watch.tally.partner]) for watch in watches.values()]

    def each(condition: Callable[[Watch, Watch], bool]) -> Callable[[], bool]:
        return lambda: all(condition(home, partner) for home, partner in both)

    yield (
        "intake to take the last report",
        each(
            lambda home, _: home.has_read(topics.SENSOR_REPORTS) and home.tally.is_done("intake", topics.SENSOR_REPORTS)
        ),
    )
    yield (
        "correlate to merge the last observation",
        each(
            lambda home, _: home.has_read(topics.OBSERVATIONS) and home.tally.is_done("correlate", topics.OBSERVATIONS)
        ),
    )
    yield "the last roll-ups", each(lambda home, _: home.has_written_all())
    yield "the bridges to carry the last release", each(_is_bridged)
    yield "the partners to receive it", each(_is_received)
    yield "the observers to see all of it", each(lambda home, _: home.has_read(*home.tally.counted()))


def _is_bridged(home: Watch, partner: Watch) -> bool:
    released = topics.released(partner.tally.nation)
    step = topics.bridge_step(home.tally.nation)
    return home.has_read(released) and partner.tally.is_done_to(step, home.tally.seen(released))


def _is_received(home: Watch, partner: Watch) -> bool:
    inbox = topics.inbox(home.tally.nation)
    return partner.has_read(inbox) and partner.tally.is_done(f"receive.{home.tally.nation}", inbox)


def _place(each: Input) -> tuple[str, int]:
    return each.topic, each.partition
