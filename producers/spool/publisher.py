"""Sends the spool's reports to the cluster, and deletes them once the cluster has acknowledged them.

The spool is the queue: what is in flight is bounded, a failed delivery is sent again unchanged, and a cluster
that is down costs nothing but time. A record that was acknowledged but not yet forgotten when the process died is
sent once more, with the same identity: intake counts it once.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from exchange.errors import ConfigurationError, DeliveryTimeout
from exchange.kafka.clients import Cluster, idempotent_producer
from producers.signing import Sign
from producers.spool.spool import REPORT, Entry, Spool
from schemas import topics
from schemas.counting import counted
from schemas.identity import shard_of_sensor

MAX_IN_FLIGHT: Final = 128
MAX_IN_FLIGHT_BYTES: Final = 16 << 20
_ASK_EVERY_S: Final = 1.0
_ASK_TIMEOUT_S: Final = 1.0
_PORTION: Final = 64
# Errors that no retry can fix: a person must act.
_PERMANENT: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "this sensor may not write to the topic: grant it WRITE",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "this sensor may not write idempotently: grant it IDEMPOTENT_WRITE",
    KafkaError.MSG_SIZE_TOO_LARGE: "the topic's max.message.bytes is below the contract's: create the topics anew",
    KafkaError.INVALID_RECORD: "the cluster refuses the record: is the topic's cleanup policy the contract's?",
    KafkaError._UNKNOWN_PARTITION: "the topic has fewer partitions than it had when this process started",
    KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT: "the cluster's message format is too old for idempotent producers",
}
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())  # the client's own lines: `trouble` has the same information


class Publisher:
    """Publishes the spool of one sensor. ``trouble`` is the cluster's present fault, empty if there is none."""

    def __init__(self, cluster: Cluster, spool: Spool, sensor: str, sign: Sign | None = None) -> None:
        """``sign`` gives the header with the sensor's signature of a report; without it reports are not signed."""
        self._cluster, self._spool, self._sensor, self._sign = cluster, spool, sensor, sign
        self._producer = self._connected()
        self._partition: dict[str, int] = {}
        self._asked_at = -_ASK_EVERY_S
        self._waiting: deque[Entry] = deque()
        self._last_id = 0
        self._in_flight: dict[int, Entry] = {}
        self._in_flight_bytes = 0
        self._acknowledged: list[Entry] = []
        self._failed: list[tuple[Entry, KafkaError]] = []
        self.trouble = ""
        self.reports = self.observations = self.errors = 0

    def _connected(self) -> Producer:
        return idempotent_producer(self._cluster, error_cb=self._note, logger=_log)

    def _note(self, error: KafkaError) -> None:
        self.trouble = error.str()

    def pump(self, timeout_s: float = 0.0) -> None:
        """Send as much as fits, and take acknowledgements for up to ``timeout_s``.

        Raises ConfigurationError for errors that no retry can fix.
        """
        if not self._partition and not self._found_topics():
            self._producer.poll(timeout_s)
            return
        self._top_up()
        self._producer.poll(timeout_s)
        if self._acknowledged:
            done, self._acknowledged = self._acknowledged, []
            self._spool.acknowledge(done)
            self.reports += sum(entry.kind == REPORT for entry in done)
            self.observations += sum(entry.observations for entry in done)
            self.trouble = ""
        if self._failed:
            self._take_back()

    def drain(
        self,
        deadline_s: float | None,
        waiting: Callable[[], None] = lambda: None,
        *,
        keep_bytes: int = 0,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Return when the cluster has the spooled records, all but ``keep_bytes``, or if ``given_up`` is true.

        ``waiting`` is called now and then. Raises DeliveryTimeout after ``deadline_s`` seconds without an end; with
        ``None`` it tries for ever.
        """
        began = time.monotonic()
        while self._spool.pending_bytes > keep_bytes and not given_up():
            self.pump(0.1)
            waiting()
            if deadline_s is not None and time.monotonic() - began > deadline_s:
                raise DeliveryTimeout(
                    f"{self._cluster.nation}'s Kafka at {self._cluster.bootstrap} has not acknowledged "
                    f"{counted(self._spool.pending_records, 'record')} within {deadline_s:g} s"
                    f"{f' ({self.trouble})' if self.trouble else ''}. They are safe in {self._spool.folder}: the next "
                    f"`kakehashi produce --nation {self._cluster.nation} --sensor {self._sensor}` sends them"
                )

    def _found_topics(self) -> bool:
        """Learn the partitions. Asked now and then only, since an answer that does not come takes time."""
        if time.monotonic() - self._asked_at < _ASK_EVERY_S:
            return False
        try:
            found = self._producer.list_topics(timeout=_ASK_TIMEOUT_S).topics
        except KafkaException as error:
            self.trouble = self.trouble or error.args[0].str()
            return False
        finally:
            self._asked_at = time.monotonic()
        missing = [name for name in (topics.SENSOR_REPORTS, topics.QUARANTINE) if name not in found]
        if missing:
            raise ConfigurationError(
                f"{self._cluster.nation}'s cluster at {self._cluster.bootstrap} has no topic {' and no '.join(missing)}"
                f": create them with `kakehashi topics --nation {self._cluster.nation}`. What was read is safe in "
                f"{self._spool.folder}"
            )
        counts = {name: len(found[name].partitions) for name in (topics.SENSOR_REPORTS, topics.QUARANTINE)}
        if not all(counts.values()):
            self.trouble = "the topics are still being made"
            return False
        self._partition = {name: shard_of_sensor(self._sensor, count) for name, count in counts.items()}
        return True

    def _top_up(self) -> None:
        while len(self._in_flight) < MAX_IN_FLIGHT and self._in_flight_bytes < MAX_IN_FLIGHT_BYTES:
            if not self._waiting:
                self._waiting.extend(self._spool.unsent(self._last_id, _PORTION))
                if not self._waiting:
                    return
                self._last_id = self._waiting[-1].id
            entry = self._waiting[0]
            is_report = entry.kind == REPORT
            topic = topics.SENSOR_REPORTS if is_report else topics.QUARANTINE
            headers: list[tuple[str, str | bytes | None]] = []
            if is_report and self._sign is not None:
                headers.append(self._sign(entry.payload))
            try:
                self._producer.produce(
                    topic,
                    entry.payload,
                    entry.key,
                    self._partition[topic],
                    headers=headers,
                    on_delivery=partial(self._delivered, entry),
                )
            except BufferError:
                return
            except KafkaException as error:  # a producer with a fatal error takes nothing more
                self._failed.append((entry, error.args[0]))
                return
            self._waiting.popleft()
            self._in_flight[entry.id] = entry
            self._in_flight_bytes += len(entry.payload)

    def _delivered(self, entry: Entry, error: KafkaError | None, _message: Message) -> None:
        if self._in_flight.pop(entry.id, None) is None:
            return  # of a producer that was given up: it has been sent anew
        self._in_flight_bytes -= len(entry.payload)
        if error is None:
            self._acknowledged.append(entry)
        else:
            self._waiting.appendleft(entry)
            self._failed.append((entry, error))

    def _take_back(self) -> None:
        """Judge the records that were not delivered. They are at the head of the queue again already."""
        failed, self._failed = self._failed, []
        self.errors += len(failed)
        self._waiting = deque(sorted(self._waiting, key=lambda entry: entry.id))
        for _entry, error in failed:
            if error.code() in _PERMANENT:
                raise ConfigurationError(
                    f"{self._cluster.nation}'s Kafka at {self._cluster.bootstrap}: {error.str()}: "
                    f"{_PERMANENT[error.code()]}. What was read is safe in {self._spool.folder}"
                )
            self.trouble = error.str()
        if any(error.fatal() or error.name() == "_FATAL" for _entry, error in failed):
            # An idempotent producer that lost its place is of no use any more. Its successor sends anew what was in
            # flight; what did arrive arrives twice, with one identity.
            self._waiting.extendleft(sorted(self._in_flight.values(), key=lambda entry: -entry.id))
            self._in_flight, self._in_flight_bytes = {}, 0
            self._producer = self._connected()
