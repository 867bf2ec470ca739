"""Topics of a test's own on the shared clusters, and how to write to them."""

from collections.abc import Callable, Iterable

import pytest
from confluent_kafka import Producer

from exchange.kafka.clients import Cluster, transactional_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Output
from schemas.topics import Topic
from tests.conftest import Brokers

PARTITIONS = 3
MakeTopic = Callable[[str], str]


@pytest.fixture(scope="session")
def gbr(brokers: Brokers) -> Cluster:
    """The first of the run's clusters."""
    return Cluster("GBR", brokers.gbr)


@pytest.fixture
def make_topic(gbr: Cluster, unique: str) -> MakeTopic:
    """Makes a compacted topic of three partitions; gives its name."""

    def make(name: str) -> str:
        ensure_topics(gbr, [Topic(unique + name, "key", PARTITIONS, compacted=True)])
        return unique + name

    return make


@pytest.fixture
def writer(gbr: Cluster, unique: str) -> Producer:
    """An initialised transactional producer."""
    producer = transactional_producer(gbr, f"{unique}writer")
    producer.init_transactions(30)
    return producer


def write(producer: Producer, outputs: Iterable[Output]) -> None:
    """Inside of the transaction that is open."""
    for output in outputs:
        producer.produce(output.topic, output.value, output.key, partition=output.partition)
    producer.flush(30)


def committed(producer: Producer, outputs: Iterable[Output]) -> None:
    """In one transaction."""
    producer.begin_transaction()
    write(producer, outputs)
    producer.commit_transaction(30)
