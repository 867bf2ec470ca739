"""A feed that empties its topic: what is acknowledged is gone for every reader, and what is not stays."""

import logging

import pytest

from exchange.feeds.consumed import ConsumedFeed
from exchange.kafka.clients import Cluster, begin_offset
from exchange.protocol.record import Input, Record
from tests.conftest import Brokers
from tests.exchange.kafka_step import KafkaStep
from tests.polling import eventually


@pytest.fixture
def step(brokers: Brokers, unique: str) -> KafkaStep:
    return KafkaStep(Cluster("GBR", brokers.gbr), unique)


def _feed(step: KafkaStep, *inputs: Input) -> ConsumedFeed:
    return ConsumedFeed(step.cluster, inputs or [step.source], every_s=0.05)


def _begin(step: KafkaStep) -> int:
    return begin_offset(step.cluster, step.source.topic, step.source.partition)


def test_what_was_acknowledged_is_deleted_though_nothing_more_comes(step: KafkaStep) -> None:
    step.send(b"1", b"2", b"3")
    feed = _feed(step)
    feed.resume({})
    read: list[Record] = []

    def is_read() -> bool:
        read.extend(feed.poll(0.05))
        return len(read) == 3

    eventually(is_read, 30, "it has read what it will acknowledge")
    feed.acknowledge({step.source: 2})

    def is_deleted() -> bool:
        feed.poll(0.05)
        return _begin(step) == 2

    eventually(is_deleted, 30, "the first two records are gone")
    assert step.committed(step.source) == [b"3"]
    feed.close()


def test_a_successor_deletes_what_its_predecessor_had_no_time_for_and_begins_behind_it(step: KafkaStep) -> None:
    step.send(b"1", b"2")
    feed = _feed(step)
    feed.resume({step.source: 1})
    records = list(feed.poll(10))
    assert [record.value for record in records] == [b"2"]

    def is_deleted() -> bool:
        feed.poll(0.05)
        return _begin(step) == 1

    eventually(is_deleted, 30, "what was committed before is gone")
    feed.close()


def test_what_it_does_not_read_and_may_not_delete_is_left_and_stated(
    step: KafkaStep, caplog: pytest.LogCaptureFixture
) -> None:
    """Kafka deletes records of topics that delete; of a compacted one it refuses to."""
    compacted = Input(step.changelog, 0)
    feed = _feed(step, compacted)
    feed.resume({})
    feed.acknowledge({compacted: 0, step.source: 1})
    with caplog.at_level(logging.WARNING):

        def is_logged() -> bool:
            feed.poll(0.05)
            return "feed.undeleted" in caplog.text

        eventually(is_logged, 30, "it says what it could not delete")
    assert _begin(step) == 0
    feed.close()
