"""The laws of a subscription on real Kafka: transactions, deleted records, and a topic that was created again."""

import itertools
from collections.abc import Iterable, Iterator

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from consumers.subscription.cursor import Cursor
from consumers.subscription.subscription import Event, Gap, GapReason, SnapshotEnd, Subscription
from consumers.subscription.topic_reader import TopicReader
from exchange.clock import now_ms
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Output, Record
from schemas.topics import Topic
from tests.consumers.conftest import PARTITIONS, MakeTopic, committed, write
from tests.polling import eventually


def _output(topic: str, name: str, value: str | None) -> Output:
    """A record on the partition of its name's last digit."""
    return Output(topic, int(name[-1]) % PARTITIONS, name.encode(), value.encode() if value else None)


def _applied(events: Iterable[Event]) -> dict[bytes, bytes]:
    held: dict[bytes, bytes] = {}
    for event in events:
        if isinstance(event, Record):
            held.pop(event.key or b"", None)
            if event.value is not None:
                held[event.key or b""] = event.value
    return held


def _places(events: Iterable[Event]) -> list[tuple[int, int]]:
    return [(event.partition, event.offset) for event in events if isinstance(event, Record)]


def _until(events: Iterator[Event], count: int) -> list[Event]:
    """The events up to the one that completes so many records; fails if they do not come."""
    found: list[Event] = []
    for event in itertools.islice(events, 500):
        found.append(event)
        if len(_places(found)) == count:
            return found
    raise AssertionError(f"only {found}")


@pytest.fixture
def topic(make_topic: MakeTopic, writer: Producer) -> str:
    """Five keys on three partitions: two were replaced, one was deleted, and one transaction was aborted."""
    name = make_topic("subscribed")
    committed(writer, [_output(name, key, "1") for key in ("a0", "b1", "c2", "d0", "e1")])
    writer.begin_transaction()
    write(writer, [_output(name, "a0", "aborted"), _output(name, "x2", "aborted")])
    writer.abort_transaction(30)
    committed(writer, [_output(name, "a0", "2"), _output(name, "e1", "2"), _output(name, "c2", None)])
    return name


def test_a_reader_resumed_at_any_position_loses_nothing_and_repeats_nothing(
    gbr: Cluster, topic: str, writer: Producer
) -> None:
    with TopicReader(gbr, topic) as reader:
        subscription = Subscription(reader, clock_ms=now_ms)
        before: list[Event] = []
        saved: list[tuple[str, int]] = []
        for event in subscription.events(follow=False):
            before.append(event)
            saved.append((subscription.cursor.to_json(), len(before)))
        assert before[-1] == SnapshotEnd()
        assert _applied(before) == {b"a0": b"2", b"b1": b"1", b"d0": b"1", b"e1": b"2"}
        assert len(before) == 5
        committed(writer, [_output(topic, "b1", "3"), _output(topic, "d0", None), _output(topic, "f2", "3")])
        for cursor, seen in saved:
            resumed = list(Subscription(reader, Cursor.from_json(cursor), clock_ms=now_ms).events(follow=False))
            assert resumed[-1] == SnapshotEnd()
            places = _places([*before[:seen], *resumed])
            assert len(places) == len(set(places))
            truth = {b"a0": b"2", b"b1": b"3", b"e1": b"2", b"f2": b"3"}
            assert _applied([*before[:seen], *resumed]) == truth


def test_a_follower_gets_each_later_record_once_and_its_position_ends_behind_the_markers(
    gbr: Cluster, topic: str, writer: Producer
) -> None:
    with TopicReader(gbr, topic) as reader:
        subscription = Subscription(reader, clock_ms=now_ms)
        events = subscription.events(follow=True)
        snapshot = _until(events, 4)
        committed(writer, [_output(topic, "b1", "3"), _output(topic, "b1", "4")])
        committed(writer, [_output(topic, "d0", None)])
        later = _until(events, 3)
        assert _applied([*snapshot, *later]) == {b"a0": b"2", b"b1": b"4", b"e1": b"2"}
        assert len(set(_places([*snapshot, *later]))) == 7
        ends = {number: end for number, (_, end) in reader.look().bounds.items()}
        for _ in itertools.islice(events, 40):
            if subscription.cursor.next_offsets == ends:
                break
        assert subscription.cursor.next_offsets == ends
        with TopicReader(gbr, topic) as other:
            resumed = Subscription(other, subscription.cursor, clock_ms=now_ms)
            assert list(resumed.events(follow=False)) == [SnapshotEnd()]


def test_records_that_were_deleted_behind_the_position_are_a_gap(gbr: Cluster, unique: str, writer: Producer) -> None:
    topic = f"{unique}cut"
    ensure_topics(gbr, [Topic(topic, "key", PARTITIONS, compacted=True, config={"cleanup.policy": "compact,delete"})])
    committed(writer, [_output(topic, "a0", "2"), _output(topic, "b1", "2")])
    with TopicReader(gbr, topic) as reader:
        subscription = Subscription(reader, clock_ms=now_ms)
        list(subscription.events(follow=False))
        committed(writer, [_output(topic, "b1", "3"), _output(topic, "e1", "3")])
        end = reader.look().bounds[1][1]
        committed(writer, [_output(topic, "g1", "3")])
        admin, place = AdminClient(gbr.client()), TopicPartition(topic, 1, end)
        admin.delete_records([place])[place].result(30)
        gap, *events = Subscription(reader, subscription.cursor, clock_ms=now_ms).events(follow=False)
        assert isinstance(gap, Gap)
        assert (gap.reason, gap.partition) == (GapReason.OVERTAKEN, 1)
        assert _applied(events) == {b"a0": b"2", b"g1": b"3"}


def test_a_topic_that_is_created_again_while_it_is_followed_is_a_gap_and_a_new_snapshot(
    gbr: Cluster, topic: str, writer: Producer
) -> None:
    clock = itertools.count(now_ms(), 20_000)
    with TopicReader(gbr, topic) as reader:
        events = Subscription(reader, clock_ms=lambda: next(clock)).events(follow=True)
        _until(events, 4)
        _recreate(gbr, topic, reader)
        committed(writer, [_output(topic, name, "new") for name in ["h0", "h1", "h2", "i0", "i1", "i2"] * 3])
        found: list[Event] = []
        for event in itertools.islice(events, 500):
            found.append(event)
            if event == SnapshotEnd() and any(isinstance(each, Gap) for each in found):
                break
        gaps = [event for event in found if isinstance(event, Gap)]
        assert [gap.reason for gap in gaps] == [GapReason.RECREATED]
        expected = {name.encode(): b"new" for name in ("h0", "h1", "h2", "i0", "i1", "i2")}
        assert _applied(found[found.index(gaps[0]) :]) == expected


def _recreate(cluster: Cluster, topic: str, reader: TopicReader) -> None:
    before = reader.look().topic_id
    admin = AdminClient(cluster.client())
    admin.delete_topics([topic])[topic].result(30)

    def is_new() -> bool:
        ensure_topics(cluster, [Topic(topic, "key", PARTITIONS, compacted=True)])
        with TopicReader(cluster, topic) as other:
            return other.look().topic_id != before

    eventually(is_new, 30, "the topic was created again")
