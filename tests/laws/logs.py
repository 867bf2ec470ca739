"""Each implementation of a log, and which laws it does not promise."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from consumers.bridge.log import BridgeLog
from consumers.bridge.urgent_log import UrgentLog
from exchange.kafka.clients import Cluster, topic_ids
from exchange.protocol.log import Log
from exchange.protocol.record import Input, Output, Position
from schemas import topics
from tests.conftest import Brokers
from tests.consumers.border import Border
from tests.exchange.kafka_step import KafkaStep
from tests.exchange.model_gate import Fate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import OUT, SHARD_ID, ModelLog


@dataclass(frozen=True)
class LogSubject:
    """The logs of one shard. ``make`` is one that has not fenced yet; ``read`` are the values of all outputs that a
    reader of committed records sees.

    ``has_owner`` is False if a previous owner may continue writing; ``has_rows`` if there is no changelog.
    """

    make: Callable[[], Log]
    read: Callable[[], Sequence[bytes | None]]
    out: Input
    source: Input
    has_owner: bool = True
    has_rows: bool = True

    def owner(self) -> Log:
        """The log of a new owner."""
        log = self.make()
        log.fence()
        return log

    def output(self, value: bytes) -> Output:
        """A record to be written."""
        return Output(self.out.topic, self.out.partition, b"k", value)

    def position(self, batch: int) -> Position:
        """A position at which this many records were read."""
        return Position(batch, batch, {self.source: batch})


GetBrokers = Callable[[], Brokers]


def _kafka_log(brokers: GetBrokers, unique: str, closing: ExitStack) -> LogSubject:
    step = KafkaStep(Cluster("GBR", brokers().gbr), unique)
    return LogSubject(_closed(step.log, closing), step.committed, step.out, step.source)


def _model_log(_brokers: GetBrokers, _unique: str, _closing: ExitStack) -> LogSubject:
    kafka = ModelKafka()

    def read() -> list[bytes | None]:
        for _ in range(10):  # markers arrive in time
            kafka.mark(SHARD_ID)
        return [entry.value for entry in kafka.committed(OUT, 0)]

    return LogSubject(lambda: ModelLog(kafka, lambda _: Fate.FINE), read, OUT, Input("in", 0))


def _bridge_log(brokers: GetBrokers, _unique: str, closing: ExitStack) -> LogSubject:
    border = Border(brokers())
    source, inbox = Input(topics.released(border.partner), 0), topics.inbox(border.home)

    def make() -> BridgeLog:
        return BridgeLog(
            border.there,
            border.home,
            0,
            input_ids=topic_ids(border.here, [source.topic]),
            begins=lambda: {source: 0},
            codec=border.codec,
            on_lost=lambda: None,
            on_gap=lambda: None,
        )

    return LogSubject(_closed(make, closing), _values(border, inbox), Input(inbox, 0), source, has_rows=False)


def _urgent_log(brokers: GetBrokers, _unique: str, closing: ExitStack) -> LogSubject:
    border = Border(brokers())
    source, inbox = Input(topics.urgent(border.partner), 0), topics.urgent_inbox(border.home)
    step, ids = topics.urgent_step(border.home), topic_ids(border.here, [source.topic])

    def make() -> UrgentLog:
        return UrgentLog(border.there, step, 0, input_ids=ids, codec=border.codec)

    subject = _closed(make, closing), _values(border, inbox), Input(inbox, 0), source
    return LogSubject(*subject, has_owner=False, has_rows=False)


def _values(border: Border, topic: str) -> Callable[[], list[bytes | None]]:
    return lambda: [record.value for record in border.read(border.there, topic)]


def _closed(make: Callable[[], Log], closing: ExitStack) -> Callable[[], Log]:
    """Each log that is made is closed after the test."""

    def made() -> Log:
        log = make()
        closing.callback(log.close)
        return log

    return made


LOGS: Final[Mapping[str, Callable[[GetBrokers, str, ExitStack], LogSubject]]] = {
    "ModelLog": _model_log,
    "KafkaLog": _kafka_log,
    "BridgeLog": _bridge_log,
    "UrgentLog": _urgent_log,
}
