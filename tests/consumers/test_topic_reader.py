"""Reading a topic on real Kafka: to its end, then each new record; only committed ones; everything once."""

import socket
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from consumers.subscription import topic_reader
from consumers.subscription.subscription import Portion
from consumers.subscription.topic_reader import TopicReader
from exchange.errors import BrokerUnavailable, NotFound
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Output
from tests.consumers.conftest import PARTITIONS, MakeTopic, committed, write


def _outputs(topic: str, *names: str) -> list[Output]:
    """A record of each name, on the partition of its last digit."""
    return [Output(topic, int(name[-1]) % PARTITIONS, name.encode(), name.encode()) for name in names]


def _all(reader: TopicReader) -> list[str]:
    return [
        str(record.value, "ascii")
        for partition in reader.partitions
        for record in reader.records(partition)
        if record.value
    ]


def _ends(reader: TopicReader) -> dict[int, int]:
    return {partition: end for partition, (_, end) in reader.look().bounds.items()}


def _next(portions: Iterator[Portion], count: int) -> list[str]:
    """The next so many records, whatever the portions; fails if none comes for long."""
    found: list[str] = []
    for _, portion in zip(range(200), portions, strict=False):
        found += [str(record.value, "ascii") for record in portion.records if record.value]
        if len(found) >= count:
            return sorted(found)
    raise AssertionError(f"only {found}")


def test_existing_records_are_read_once_and_then_new_ones(
    gbr: Cluster, make_topic: MakeTopic, writer: Producer
) -> None:
    topic = make_topic("grows")
    committed(writer, _outputs(topic, "a0", "b1", "c2", "d0"))
    with TopicReader(gbr, topic) as reader:
        assert reader.partitions == [0, 1, 2]
        assert sorted(_all(reader)) == ["a0", "b1", "c2", "d0"]
        following = reader.follow(_ends(reader), lambda: False)
        committed(writer, _outputs(topic, "e1", "f2"))
        assert _next(following, 2) == ["e1", "f2"]
        committed(writer, _outputs(topic, "g0"))
        assert _next(following, 1) == ["g0"]


def test_an_aborted_record_is_never_read(gbr: Cluster, make_topic: MakeTopic, writer: Producer) -> None:
    topic = make_topic("aborted")
    committed(writer, _outputs(topic, "a0"))
    writer.begin_transaction()
    write(writer, _outputs(topic, "x0", "x1"))
    writer.abort_transaction(30)
    with TopicReader(gbr, topic) as reader:
        assert _all(reader) == ["a0"]
        ends = _ends(reader)
        committed(writer, _outputs(topic, "b0", "b1"))
        assert _next(reader.follow(ends, lambda: False), 2) == ["b0", "b1"]


def test_an_open_transaction_is_not_waited_for_and_read_once_it_is_committed(
    gbr: Cluster, make_topic: MakeTopic, writer: Producer
) -> None:
    topic = make_topic("open")
    committed(writer, _outputs(topic, "a0", "a1"))
    writer.begin_transaction()
    write(writer, _outputs(topic, "b0", "b1"))
    with TopicReader(gbr, topic) as reader:
        assert sorted(_all(reader)) == ["a0", "a1"]
        ends = _ends(reader)
        writer.commit_transaction(30)
        assert _next(reader.follow(ends, lambda: False), 2) == ["b0", "b1"]


def test_an_empty_topic_is_read_as_empty_and_followed(gbr: Cluster, make_topic: MakeTopic, writer: Producer) -> None:
    topic = make_topic("empty")
    with TopicReader(gbr, topic) as reader:
        assert _all(reader) == []
        ends = _ends(reader)
        committed(writer, _outputs(topic, "a2"))
        assert _next(reader.follow(ends, lambda: False), 1) == ["a2"]


def test_following_ends_when_it_is_stopped(gbr: Cluster, make_topic: MakeTopic) -> None:
    with TopicReader(gbr, make_topic("stops")) as reader:
        assert list(reader.follow(_ends(reader), lambda: True)) == []


def test_a_topic_that_is_not_there_reports_it(gbr: Cluster, unique: str) -> None:
    with pytest.raises(NotFound, match=f"topic {unique}missing is not on GBR's cluster"):
        TopicReader(gbr, f"{unique}missing")


def test_a_cluster_that_is_not_there_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_reader, "CALL_TIMEOUT_S", 0.3)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: no one answers there
        with pytest.raises(BrokerUnavailable, match="no answer from JPN's Kafka"):
            TopicReader(Cluster("JPN", f"127.0.0.1:{taken.getsockname()[1]}"), "any")
