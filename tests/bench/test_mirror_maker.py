"""The bridge's rival is the one that is named: MirrorMaker 2 of the brokers' Kafka, exactly once, one topic."""

import json
import re
from pathlib import Path

import bench
from bench import mirror_maker
from exchange.kafka.clients import Cluster
from localkafka.jars import KAFKA_VERSION, pinned_jars
from schemas import topics

_PINS = Path(bench.__file__).parent / "mirror_maker_jars"
_TOPIC = topics.released("JPN")


def _properties() -> dict[str, str]:
    return mirror_maker.properties(Cluster("GBR", "127.0.0.1:1"), Cluster("JPN", "127.0.0.1:2"), _TOPIC)


def test_it_is_of_the_same_release_as_the_brokers() -> None:
    pinned = pinned_jars(_PINS)
    assert f"connect-mirror-{KAFKA_VERSION}.jar" in pinned
    assert f"<version>{KAFKA_VERSION}</version>" in (_PINS / "pom.xml").read_text("utf-8")


def test_a_jar_that_the_brokers_have_too_is_the_same_jar() -> None:
    brokers, rival = pinned_jars(), pinned_jars(_PINS)
    both = brokers.keys() & rival.keys()
    assert f"kafka-clients-{KAFKA_VERSION}.jar" in both
    assert {name: rival[name] for name in both} == {name: brokers[name] for name in both}


def test_it_copies_exactly_once_and_reads_what_is_committed() -> None:
    given = _properties()
    assert given["JPN.exactly.once.source.support"] == "enabled"
    assert given["GBR.consumer.isolation.level"] == "read_committed"


def test_it_copies_the_topic_that_the_bridge_copies_and_no_other() -> None:
    chosen = re.compile(_properties()["GBR->JPN.topics"])
    assert chosen.fullmatch(_TOPIC)
    assert not chosen.fullmatch(_TOPIC.replace(".", "x"))
    assert not chosen.fullmatch(topics.receipts("JPN"))
    assert _properties()["JPN->GBR.enabled"] == "false"


def test_its_committed_places_are_read_as_the_next_to_be_copied() -> None:
    progress = mirror_maker.MirrorProgress(Cluster("JPN", "127.0.0.1:2"), _TOPIC)
    key = json.loads(f'["MirrorSourceConnector",{{"cluster":"GBR","partition":3,"topic":"{_TOPIC}"}}]')
    other = json.loads('["MirrorSourceConnector",{"cluster":"GBR","partition":3,"topic":"another"}]')
    progress.take(key, {"offset": 41})
    progress.take(other, {"offset": 99})
    progress.close()
    assert progress.next_offset == {3: 42}
