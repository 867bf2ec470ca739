"""The topic of JSON on a real Kafka, read back by an ordinary consumer."""

import json
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from consumers.outputs.follow import Following
from consumers.outputs.kafka_json import value_of
from consumers.outputs.known import opened
from consumers.outputs.protocol import Change, Held, OutputUnavailable, Put
from consumers.outputs.targets import followings
from consumers.picture.as_record import record_of
from consumers.picture.filters import Filter
from exchange.errors import ConfigurationError
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from schemas.markings import Pap
from schemas.topics import Topic
from tests.builders import NOW_MS, an_entry
from tests.conftest import Brokers
from tests.consumers.outputs.test_output_laws import removal, whole
from tests.consumers.outputs.writing import HOSTILE, HOSTILE_EXAMPLES
from tests.consumers.picture.topics import NATION, World

HELD = Held("p", "all", 1)


def records(bootstrap: str, topic: str) -> list[tuple[str, dict[str, Any] | None]]:
    """All records of the topic's only partition, by a consumer that knows nothing of the exchange."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    found: list[tuple[str, dict[str, Any] | None]] = []
    try:
        while True:
            message = consumer.poll(30)
            assert message is not None
            if (error := message.error()) is not None:
                assert error.code() == KafkaError._PARTITION_EOF
                return found
            key, value = message.key(), message.value()
            assert isinstance(key, bytes)
            assert value is None or isinstance(value, bytes)
            found.append((key.decode(), None if value is None else json.loads(value)))
    finally:
        consumer.close()


def test_a_reader_of_json_has_each_indicator_under_its_key_and_a_removal_deletes_it(
    brokers: Brokers, unique: str, tmp_path: Path
) -> None:
    topic = f"{unique}indicators"
    ensure_topics(Cluster("GBR", brokers.gbr), [Topic(topic, "key", 1, compacted=True)])
    writer = opened(f"kafka:{topic}?brokers={brokers.gbr}", "JPN", tmp_path)[2]
    content = sorted((an_entry(value, "file-name") for value in HOSTILE_EXAMPLES), key=lambda entry: entry.id)
    writer.write(content, HELD)
    keys = [f"{each.origin}/{each.id}" for each in content]
    assert records(brokers.gbr, topic) == [
        (key, json.loads(json.dumps(record_of(each)))) for key, each in zip(keys, content, strict=True)
    ]
    changes: list[Change] = [Put(an_entry("new.exe", "file-name")), removal(content[0])]
    writer.apply(changes, Held("p", "all", 2), whole([]))
    later = records(brokers.gbr, topic)[len(content) :]
    assert later[0] == (keys[0], None)
    assert [None if value is None else value["value"] for _, value in later] == [None, "new.exe"]
    writer.close()


@given(HOSTILE, st.lists(HOSTILE, max_size=3))
def test_every_value_and_label_is_read_back_as_it_is(value: str, labels: list[str]) -> None:
    written = value_of(Put(an_entry(value, "file-name", labels=tuple(labels))))
    assert written is not None
    read = json.loads(written.decode("utf-8"))
    assert (read["value"], read["labels"]) == (value, labels)


def test_a_broker_that_is_away_confirms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.outputs.kafka_json._TIMEOUT_S", 0.3)
    monkeypatch.setattr("consumers.outputs.push._WAITS_S", ())
    writer = opened("kafka:topic?brokers=localhost:1", "JPN", tmp_path)[2]
    with pytest.raises(OutputUnavailable, match="has not taken 1 records"):
        writer.write([an_entry()], HELD)
    assert writer.held() is None
    writer.close()


def test_recalls_come_first_after_an_outage_and_are_counted_until_then(
    brokers: Brokers, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.outputs.push._WAITS_S", ())
    cluster, topic = Cluster("GBR", brokers.gbr), f"{unique}indicators"
    ensure_topics(cluster, [Topic(topic, "key", 1, compacted=True)])
    world, text = World(tmp_path), f"kafka:{topic}?brokers={brokers.gbr}"
    gone = world.gbr.release("bad.example")
    world.catch_up()
    found = following(world, text, tmp_path)
    with world.picture() as picture:
        found.turn(picture)
        world.gbr.release("new.example")
        world.gbr.release("bad.example", version=NOW_MS + 1, record="recalled")
        world.catch_up()
        found.close()
        away = following(world, text, tmp_path)
        monkeypatch.setattr("consumers.outputs.kafka_json._TIMEOUT_S", 0.0)  # no broker is so fast
        with pytest.raises(OutputUnavailable):
            away.turn(picture)
        assert [each.unapplied_recalls for each in picture.followers()] == [1]
        monkeypatch.setattr("consumers.outputs.kafka_json._TIMEOUT_S", 30.0)
        away.turn(picture)
        assert [each.unapplied_recalls for each in picture.followers()] == [0]
        away.close()
    later = [(key.partition("/")[2], value is None) for key, value in records(brokers.gbr, topic)[1:]]
    assert later[0] == (gone, True)
    assert later[-1][1] is False


def following(world: World, text: str, home: Path) -> Following:
    [found] = followings(text, NATION, home, Filter(), Pap.UNSTATED, world.path, world.clock_ms)
    return found


@pytest.mark.parametrize(
    ("options", "message"),
    [("", "write brokers="), ("?config=/no/such/file", "cannot be read"), ("?config=FILE", "name=value")],
)
def test_brokers_that_are_not_named_are_asked_for(tmp_path: Path, options: str, message: str) -> None:
    (tmp_path / "config").write_text("bootstrap.servers\n")
    with pytest.raises(ConfigurationError, match=message):
        opened(f"kafka:topic{options.replace('FILE', str(tmp_path / 'config'))}", "JPN", tmp_path)
