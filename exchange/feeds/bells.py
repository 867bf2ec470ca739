"""One client that watches the inputs of all shards of a process that are at rest.

A feed at rest has no client of its own: each would have four threads that wake up every second. The bells' client reads
the inputs from the feed's next offsets on, as the feed's own would; the first record of an input rings its bell and
is dropped. The feed then reads it itself, beginning with it.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from exchange.errors import BrokerUnavailable
from exchange.kafka.clients import Cluster, reader
from exchange.protocol.record import Input

_log = logging.getLogger(__name__)

FETCH_MS: Final = 2_000  # the broker answers with the first byte; a new input is in the fetch behind this one
_FETCH_BYTES: Final = 1 << 10  # of an input: a broker sends its first batch in any case
LOOK_S: Final = 1.0  # so late at most are new inputs assigned


@dataclass(frozen=True, slots=True, eq=False)
class Bell:
    """Of one feed. Its thread waits; the bells' thread, and whoever wants to wake the feed, end the wait."""

    places: dict[Input, int]
    """Where the feed may continue: behind its next offset there, there is no record before these."""
    unheard: set[Input]
    is_heard: threading.Event = field(default_factory=threading.Event)
    """The bells' client has read each input to its end: from now on it rings as soon as a record arrives."""
    has_rung: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout_s: float) -> bool:
        """Wait until it rings, for so long or until it is woken; whether it has rung."""
        self._changed.wait(timeout_s)
        self._changed.clear()
        return self.has_rung.is_set()

    def ring(self) -> None:
        """A record has arrived, or its input must be looked at."""
        self.has_rung.set()
        self._changed.set()

    def wake(self) -> None:
        """End a wait."""
        self._changed.set()


class Bells:
    """The bells of one process at one cluster. Any thread may call it.

    Only the bells' own thread assigns, between two messages: so a message that it holds is never of an earlier
    assignment than the one that it is compared with. librdkafka drops those that wait in its queue when an input is
    unassigned (``rd_kafka_op_version_outdated``).
    """

    def __init__(self, cluster: Cluster, *, look_s: float = LOOK_S, fetch_ms: int = FETCH_MS) -> None:
        self._cluster, self._look_s, self._fetch_ms = cluster, look_s, fetch_ms
        self._lock = threading.Lock()
        self._wanted: list[Bell] = []
        self._listening: dict[Input, Bell] = {}
        self._assigned: set[Input] = set()  # the thread's own
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, places: Mapping[Input, int]) -> Bell:
        """A bell for the first record from these offsets on. If the bells are broken it rings at once."""
        bell = Bell(dict(places), set(places))
        with self._lock:
            if self._stopping.is_set():
                bell.ring()
                return bell
            self._wanted.append(bell)
            if self._thread is None:
                self._thread = threading.Thread(target=self._live, name="bells", daemon=True)
                self._thread.start()
        return bell

    def forget(self, bell: Bell) -> Mapping[Input, int]:
        """Listen no more for this bell; where its feed may continue."""
        with self._lock:
            self._wanted = [each for each in self._wanted if each is not bell]
            for source in bell.places:
                if self._listening.get(source) is bell:
                    del self._listening[source]
        return bell.places

    def stop(self) -> None:
        """Ring all bells, and listen no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _live(self) -> None:
        try:
            consumer = self._connected()
            try:
                while not self._stopping.is_set():
                    self._assign(consumer)
                    for message in consumer.consume(1, self._look_s):
                        self._hear(message)
            finally:
                consumer.close()
        except Exception:
            _log.exception("bells.broken: shards keep clients of their own")
        finally:
            with self._lock:
                self._stopping.set()
                for bell in (*self._wanted, *self._listening.values()):
                    bell.ring()

    def _connected(self) -> Consumer:
        return reader(
            self._cluster,
            **{
                "enable.partition.eof": True,
                "fetch.wait.max.ms": self._fetch_ms,
                "fetch.message.max.bytes": _FETCH_BYTES,
                "queued.max.messages.kbytes": 64,
            },
        )

    def _assign(self, consumer: Consumer) -> None:
        """Let the client read what is listened to, and nothing else."""
        with self._lock:
            new = {source: bell for bell in self._wanted for source in bell.places}
            leaving = self._assigned - (self._listening.keys() - new.keys())
            if leaving:
                consumer.incremental_unassign(_partitions(dict.fromkeys(leaving, 0)))
            if new:
                consumer.incremental_assign(_partitions({source: bell.places[source] for source, bell in new.items()}))
            self._listening |= new
            self._wanted.clear()
            self._assigned = set(self._listening)

    def _hear(self, message: Message) -> None:
        """A record, the end of an input, or an error, which the feed's own client detects again."""
        error, offset = message.error(), message.offset() or 0
        source = Input(message.topic() or "", message.partition() or 0)
        if error is not None and error.fatal():
            raise BrokerUnavailable(f"bells: {error.str()}")
        with self._lock:
            bell = self._listening.get(source)
            if bell is None:
                return
            is_end = error is not None and error.code() == KafkaError._PARTITION_EOF
            if error is None or is_end:
                bell.places[source] = max(bell.places[source], offset)
            if is_end:
                bell.unheard.discard(source)
                if not bell.unheard:
                    bell.is_heard.set()
                return
            if error is not None:
                _log.warning("bells.error topic=%s partition=%d error=%s", source.topic, source.partition, error.str())
            del self._listening[source]
            bell.ring()


def _partitions(places: Mapping[Input, int]) -> list[TopicPartition]:
    return [TopicPartition(source.topic, source.partition, offset) for source, offset in places.items()]
