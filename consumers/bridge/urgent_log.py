"""The log of a bridge's fast lane on the partner's cluster: copies, each written at least once.

The bulk carries the originals exactly once, and the receiving nation drops a version that it has. So a copy needs
neither a transaction, which takes three round trips and delays its readers until it ends, nor an owner: it is
acknowledged after one round trip, and written again if the acknowledgement is lost.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaException, Producer

from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import produce_output, send
from exchange.kafka.progress import last_progress, position_of, progress_of
from exchange.protocol.log import Log, TransactionAborted
from exchange.protocol.record import Output, Position, RowChange
from schemas.codec import Codec

DELIVERY_S: Final = 20.0
_PAUSE_S: Final = 0.5


class UrgentLog(Log):
    """A log that promises less than others: it fences no one, and it writes outputs before their position.

    Two owners at once, or an owner that ends between the two, write copies again, which is harmless.
    """

    def __init__(self, partner: Cluster, step: str, shard: int, *, input_ids: Mapping[str, str], codec: Codec) -> None:
        self._partner, self._step, self._shard, self._ids, self._codec = partner, step, shard, input_ids, codec
        self._producer: Producer | None = None

    def fence(self) -> None:
        """Make a producer. A previous owner is not stopped."""
        self._producer = idempotent_producer(
            self._partner,
            **{
                "linger.ms": 0,
                "message.timeout.ms": int(DELIVERY_S * 1000),
                "socket.nagle.disable": True,  # the last part of a record does not wait for an answer to the first
            },
        )

    def position(self) -> Position | None:
        """The last position, without recreated topics: the bulk reads the same ones and reports them."""
        found = last_progress(self._partner, self._step, self._shard, self._codec)
        if found is None:
            return None
        known = (each for each in found["inputs"] if each["topic_id"] == self._ids.get(each["topic"]))
        return position_of(found, known)

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Sequence[RowChange],  # noqa: ARG002  # a bridge has no rows
        position: Position,
        on_handed_over: Callable[[], None] = lambda: None,
    ) -> int:
        """Returns when all outputs are acknowledged; the position follows; if lost, they are written again.

        Raises Unwritable if an output will never be written, TransactionAborted if one was not acknowledged in time.
        """
        if self._producer is None:
            raise RuntimeError(f"{self._name}: not taken")
        try:
            failures = send(self._producer, outputs, DELIVERY_S * 1.5, on_handed_over).failures
            if not failures:
                progress = progress_of(self._codec, self._step, self._shard, position, None, self._ids)
                produce_output(self._producer, progress)
        except KafkaException as exception:
            failures = [exception.args[0].str()]
        if failures:
            self._producer.purge(blocking=False)
            threading.Event().wait(_PAUSE_S)
            self.fence()
            raise TransactionAborted(f"{self._name}: {failures[0]}")
        return 0

    @property
    def _name(self) -> str:
        return f"{self._step} shard {self._shard}"

    def close(self) -> None:
        """Drop the producer."""
        if self._producer is not None:
            self._producer.purge(in_flight=True, in_queue=True, blocking=False)
            self._producer = None
