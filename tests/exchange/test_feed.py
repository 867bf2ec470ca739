"""The assigned feed and ``home`` on real Kafka: gaps are declared, damage stops, refusals are named."""

import os
from collections.abc import Sequence
from typing import cast

import pytest
from confluent_kafka import KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from exchange.errors import RecordDamaged, Unwritable
from exchange.feeds.assigned import AssignedFeed
from exchange.kafka.clients import Cluster, raise_damage
from exchange.kafka.produce import produce
from exchange.protocol.home import HomeWriter
from exchange.protocol.record import Output, Record
from tests.conftest import Brokers
from tests.exchange.kafka_step import KafkaStep
from tests.localkafka.kafka import producer_of
from tests.polling import eventually

_CALL_S = 30.0


@pytest.fixture
def step(brokers: Brokers, unique: str) -> KafkaStep:
    return KafkaStep(Cluster("GBR", brokers.gbr), unique)


def _read(feed: AssignedFeed, number: int) -> list[Record]:
    records: list[Record] = []
    while len(records) < number:
        polled: Sequence[Record] = feed.poll(_CALL_S)
        assert polled, f"{number - len(records)} records did not come"
        records += polled
    return records


def test_a_feed_goes_on_where_it_is_asked_to_and_hands_out_no_more_than_it_may(step: KafkaStep) -> None:
    step.send(*[b"%d" % number for number in range(50)])
    feed = AssignedFeed(step.cluster, [step.source], max_records=7)
    assert feed.resume({step.source: 3}) == 0
    assert [record.value for record in _read(feed, 47)] == [b"%d" % number for number in range(3, 50)]
    assert feed.poll(0.0) == []
    assert feed.start_of(step.source) == 3
    feed.resume({step.source: 45})
    first = feed.poll(_CALL_S)
    assert 1 <= len(first) <= 7
    assert first[0].offset == 45
    feed.close()


def test_what_is_added_to_a_batch_keeps_its_limits_and_its_order(step: KafkaStep) -> None:
    step.send(*[b"%d" % number for number in range(5)])
    feed = AssignedFeed(step.cluster, [step.source], max_records=7)
    feed.resume({step.source: 0})
    assert feed.more() == [], "there is no batch that it could be added to"
    batch = list(feed.poll(_CALL_S))
    step.send(*[b"%d" % number for number in range(5, 20)])

    def is_full() -> bool:
        batch.extend(feed.more())
        return len(batch) == 7

    eventually(is_full, _CALL_S, "as many are added as a batch may have")
    assert feed.more() == []
    assert [record.value for record in [*batch, *_read(feed, 13)]] == [b"%d" % number for number in range(20)]
    feed.resume({step.source: 3})
    assert feed.more() == [], "a new position has no batch either"
    feed.close()


def test_a_batch_ends_at_its_bytes_but_for_a_record_that_has_more_by_itself(step: KafkaStep) -> None:
    sizes = [10] * 30 + [95, 150, 5, 10, 101]
    step.send(*[bytes(size) for size in sizes])
    feed = AssignedFeed(step.cluster, [step.source], max_bytes=100)
    feed.resume({step.source: 0})
    batches: list[Sequence[Record]] = []
    while sum(map(len, batches)) < len(sizes):
        batches.append(feed.poll(_CALL_S))
        left = len(sizes) - sum(map(len, batches))
        assert feed.lag() == left, "what was fetched and not handed out waits, too"
    assert [record.offset for batch in batches for record in batch] == list(range(len(sizes)))
    found = [[len(record.value or b"") for record in batch] for batch in batches]
    assert all(sum(batch) <= 100 or len(batch) == 1 for batch in found)
    assert found[-3:] == [[150], [5, 10], [101]]
    feed.resume({step.source: 33})
    assert feed.poll(_CALL_S)[0].offset == 33
    feed.seek(step.source, 2)
    assert feed.poll(_CALL_S)[0].offset == 2, "what was held is of another place"
    feed.close()


def test_records_that_were_deleted_before_they_were_read_are_declared(
    step: KafkaStep, caplog: pytest.LogCaptureFixture
) -> None:
    step.send(*[b"%d" % number for number in range(10)])
    cut = TopicPartition(step.source.topic, 0, 6)
    admin = AdminClient(step.cluster.client())
    admin.delete_records([cut])[cut].result(_CALL_S)
    feed = AssignedFeed(step.cluster, [step.source])
    with caplog.at_level("ERROR"):
        assert feed.resume({step.source: 4}) == 1
    assert f"feed.gap topic={step.source.topic} partition=0 from=4 to=6" in caplog.text
    assert [record.offset for record in _read(feed, 4)] == [6, 7, 8, 9]
    feed.close()
    fresh = AssignedFeed(step.cluster, [step.source])
    assert (fresh.resume({}), fresh.start_of(step.source)) == (0, 6)
    fresh.close()


def test_an_input_that_ends_before_what_was_read_of_it_is_a_loss(step: KafkaStep) -> None:
    step.send(b"0", b"1")
    feed = AssignedFeed(step.cluster, [step.source])
    feed.resume({step.source: 2})
    feed.close()
    with pytest.raises(RecordDamaged, match=f"{step.source.topic}-0 ends at 2, but was read up to 3"):
        feed.resume({step.source: 3})


def test_aborted_records_and_markers_are_no_records(step: KafkaStep) -> None:
    sender = producer_of(step.cluster.bootstrap, f"{step.name}sender")
    for value, commit in ((b"0", True), (b"aborted", False), (b"1", True)):
        sender.begin_transaction()
        sender.produce(step.source.topic, value, partition=0)
        assert sender.flush(_CALL_S) == 0
        (sender.commit_transaction if commit else sender.abort_transaction)(_CALL_S)
    feed = AssignedFeed(step.cluster, [step.source])
    feed.resume({})
    assert [(record.offset, record.value) for record in _read(feed, 2)] == [(0, b"0"), (4, b"1")]
    feed.resume({step.source: 1})
    assert [record.offset for record in _read(feed, 1)] == [4]
    feed.close()


def test_a_feed_that_was_not_resumed_is_our_defect(step: KafkaStep) -> None:
    with pytest.raises(RuntimeError, match="resume"):
        AssignedFeed(step.cluster, [step.source]).poll(0)


class _Event:
    """What a client hands out instead of a record. Only a damaged disk makes it hand out this one."""

    def __init__(self, code: int) -> None:
        self._error = KafkaError(code, "failed CRC32C check")

    def error(self) -> KafkaError:
        return self._error

    def topic(self) -> str:
        return "in"

    def partition(self) -> int:
        return 0


@pytest.mark.parametrize("code", [KafkaError._BAD_MSG, KafkaError._BAD_COMPRESSION, KafkaError.INVALID_MSG])
def test_a_record_that_cannot_be_read_is_not_stepped_over(code: int) -> None:
    with pytest.raises(RecordDamaged, match=r"in-0.*CRC32C"):
        raise_damage(cast("Message", _Event(code)))


def test_an_outage_is_no_damage() -> None:
    raise_damage(cast("Message", _Event(KafkaError._TRANSPORT)))


# -- home, and the way into a producer -------------------------------------------------------------------------------


def test_what_is_written_at_home_is_there_when_the_call_returns(step: KafkaStep) -> None:
    home = HomeWriter(step.cluster)
    headers = (("origin", b"GBR"),)
    home.write([Output(step.out.topic, 0, b"k", b"%d" % number, headers) for number in range(500)])
    home.write([])
    assert step.committed() == [b"%d" % number for number in range(500)]


def test_what_is_refused_at_home_is_named(step: KafkaStep) -> None:
    home = HomeWriter(step.cluster)
    with pytest.raises(Unwritable, match=rf"{step.narrow.topic}-0 .*culprit.*5000 bytes"):
        home.write([step.output(b"fine"), step.output(os.urandom(5_000), b"culprit", step.narrow)])
    with pytest.raises(Unwritable, match=r"culprit.*3145728 bytes"):
        home.write([step.output(bytes(3 << 20), b"culprit")])


def test_a_full_queue_is_waited_for(step: KafkaStep) -> None:
    narrow = Producer(step.cluster.client() | {"enable.idempotence": True, "queue.buffering.max.messages": 10})
    full = 0
    for number in range(200):
        full += len(narrow) == 10
        produce(narrow, step.out.topic, 0, b"k", b"%d" % number)
    assert full, "the queue was never full"
    assert narrow.flush(_CALL_S) == 0
    assert step.committed() == [b"%d" % number for number in range(200)]


def test_refusals_name_the_place_of_a_record_without_a_value() -> None:
    offline = Producer({"bootstrap.servers": "192.0.2.1:9092", "message.max.bytes": 1_000, "log_level": 0})
    with pytest.raises(Unwritable, match=r"t-0 .*\(0 bytes\)"):
        produce(offline, "t", 0, bytes(2_000), None)
