"""The log abroad of a bridge's fast lane: copies, each at least once, with nobody to wait for.

What the fast lane carries is a copy of what the bulk carries exactly once, and the receiving side drops a version that
it has. So a copy needs neither a transaction, which is three round trips and holds back its readers until it ends, nor
an owner: it is acknowledged after one round trip, and written again where that was not heard.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message

from exchange.errors import Unwritable
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.log import KafkaLog
from exchange.kafka.produce import produce, watching
from exchange.protocol.log import TransactionAborted
from exchange.protocol.record import Output, Position, RowChange
from schemas.codec import Codec

DELIVERY_S: Final = 20.0
_PAUSE_S: Final = 0.5


class UrgentLog(KafkaLog):
    """A ``Log`` on the partner's cluster. Two owners at once write twice, which is harmless."""

    def __init__(self, partner: Cluster, step: str, shard: int, *, input_ids: Mapping[str, str], codec: Codec) -> None:
        super().__init__(partner, step, shard, input_ids=input_ids, state_format=None, codec=codec)
        self._ids = input_ids

    def position(self) -> Position | None:
        """The last position. In a topic that was deleted and made anew it means nothing: the bulk, which reads the same
        one, declares that."""
        found = self.progress()
        if found is None:
            return None
        inputs = [each for each in found["inputs"] if each["topic_id"] == self._ids.get(each["topic"])]
        return self._as_position({**found, "inputs": inputs})

    def fence(self) -> None:
        """A producer; whoever had one before may go on with it."""
        self._producer = idempotent_producer(
            self._cluster,
            **{
                "linger.ms": 0,
                "message.timeout.ms": int(DELIVERY_S * 1000),
                "socket.nagle.disable": True,  # the last part of a record does not wait for the first one's answer
            },
        )

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Iterable[RowChange],  # noqa: ARG002  # a bridge has no rows
        position: Position,
        on_handed_over: Callable[[], None] = lambda: None,
    ) -> int:
        """Returns when all outputs are acknowledged; the position follows, and may be lost: then they come again.

        Raises Unwritable where an output never will be, TransactionAborted where it was not in time.
        """
        producer = self._producer
        if producer is None:
            raise RuntimeError(f"{self._name}: not taken")
        refusals: list[Unwritable] = []
        failures: list[KafkaError] = []
        watch = watching(refusals)

        def told(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failures.append(error)
                watch(error, message)

        unsent = 0
        try:
            for output in outputs:
                produce(producer, output.topic, output.partition, output.key, output.value, output.headers, told)
            on_handed_over()
            unsent = producer.flush(DELIVERY_S * 1.5)
            if not (failures or unsent):
                produce(producer, *self._progress_record(position))
        except KafkaException as exception:
            failures.append(exception.args[0])
        if refusals:
            raise refusals[0]
        if failures or unsent:
            why = failures[0].str() if failures else f"{unsent} copies are not acknowledged"
            producer.purge(blocking=False)
            threading.Event().wait(_PAUSE_S)
            self.fence()
            raise TransactionAborted(f"{self._name}: {why}")
        return 0
