"""Many records are handed to the client in their order, also if its queue is full in between."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from exchange.errors import Unwritable
from exchange.kafka.produce import produce_all
from exchange.protocol.record import Output


class FullProducer:
    """A client whose queue has room for ``room`` records until it is polled."""

    def __init__(self, room: int) -> None:
        self.room, self.queued, self.taken = room, 0, list[tuple[Any, ...]]()

    def produce(self, *record: Any, **more: Any) -> None:
        """Take a record, or raise if there is no room or the record is too large."""
        if record[1] == b"too large":
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        if self.queued == self.room:
            raise BufferError
        self.queued += 1
        self.taken.append((*record[:4], tuple(more.get("headers") or ())))

    def poll(self, _timeout_s: float) -> None:
        """The broker has taken them."""
        self.queued = 0


def _output(number: int, value: bytes = b"v") -> Output:
    headers = (("decision", b"d"),) if number % 2 else ()
    return Output("topic", 1, b"%d" % number, value, headers)


def test_records_keep_their_order_and_headers_though_the_queue_is_full_again_and_again() -> None:
    producer: Any = FullProducer(room=3)
    outputs = [_output(number) for number in range(10)]
    produce_all(producer, outputs)
    assert producer.taken == [(each.topic, each.value, each.key, each.partition, each.headers) for each in outputs]


def test_a_record_that_will_never_be_written_is_named() -> None:
    producer: Any = FullProducer(room=9)
    with pytest.raises(Unwritable, match="b'1'"):
        produce_all(producer, [_output(0), _output(1, b"too large"), _output(2)])
    assert len(producer.taken) == 1
