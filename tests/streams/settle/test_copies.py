"""The search for copies of recalled content reads the topics themselves, after compaction and aborts."""

from collections.abc import Sequence

import pytest
from confluent_kafka import Producer

from exchange.feeds.assigned import AssignedFeed
from exchange.kafka.clients import Cluster, idempotent_producer, transactional_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Input
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec
from schemas.topics import Topic
from streams.settle.feed import SettleFeed, TopicCopies
from streams.settle.holding import Found
from streams.settle.step import ROLL_KEY
from tests.builders import NOW_MS, a_receipt, a_released
from tests.conftest import Brokers
from tests.polling import eventually

CODEC = Codec()
NAME = a_released()["id"].encode()
RECALLED = {NAME: NOW_MS}
LEFT = {NAME: Found(NOW_MS, left=True)}
CONTENT = CODEC.encode(RELEASED_INDICATOR, a_released(version=NOW_MS))
LATER = CODEC.encode(RELEASED_INDICATOR, a_released(version=NOW_MS + 2))
RECALL = CODEC.encode(RELEASED_INDICATOR, a_released(kind="recalled", version=NOW_MS + 1))
ANSWER = CODEC.encode(RECEIPT, a_receipt())


@pytest.fixture
def cluster(brokers: Brokers) -> Cluster:
    return Cluster("JPN", brokers.jpn)


def _write(producer: Producer, topic: str, values: Sequence[bytes | None], key: bytes = NAME) -> None:
    for value in values:
        producer.produce(topic, value, key, 0)
    assert producer.flush(30) == 0


def test_content_is_a_copy_and_a_record_without_content_or_a_newer_one_is_not(cluster: Cluster, unique: str) -> None:
    inbox, picture = f"{unique}inbox", f"{unique}picture"
    ensure_topics(cluster, [Topic(inbox, "id", 1), Topic(picture, "id", 1)])
    copies = TopicCopies(cluster, [inbox, picture], 0, CODEC)
    producer = idempotent_producer(cluster)
    _write(producer, picture, [RECALL, LATER, None])
    _write(producer, inbox, [ANSWER])
    _write(producer, inbox, [CONTENT], key=b"another")
    assert copies.find(RECALLED) == {NAME: Found(NOW_MS, left=False)}
    _write(producer, inbox, [CONTENT])
    assert copies.find(RECALLED) == LEFT
    _write(producer, picture, [b"nobody can read this"], key=b"odd")
    assert copies.find({b"odd": 1}) == {b"odd": Found(1, left=True)}


def test_content_of_an_aborted_transaction_is_a_copy_too(cluster: Cluster, unique: str) -> None:
    topic = f"{unique}inbox"
    ensure_topics(cluster, [Topic(topic, "id", 1)])
    producer = transactional_producer(cluster, f"{unique}writer")
    producer.init_transactions(30)
    producer.begin_transaction()
    _write(producer, topic, [CONTENT])
    producer.abort_transaction(30)
    assert TopicCopies(cluster, [topic], 0, CODEC).find(RECALLED) == LEFT


def test_content_is_gone_when_an_idle_partition_was_rolled_and_compacted(cluster: Cluster, unique: str) -> None:
    topic = f"{unique}picture"
    config = {"max.compaction.lag.ms": "500", "message.timestamp.type": "LogAppendTime"}
    ensure_topics(cluster, [Topic(topic, "id", 1, compacted=True, config=config)])
    feed = SettleFeed(AssignedFeed(cluster, [Input(topic, 0)]), TopicCopies(cluster, [topic], 0, CODEC), 0)
    producer = idempotent_producer(cluster)
    _write(producer, topic, [CONTENT, RECALL])
    was_left = False

    def is_gone() -> bool:
        nonlocal was_left
        answers = feed.facts(())
        assert feed.facts(()) == answers, "an answer is a fact until a batch with it is committed"
        feed.acknowledge({})
        assert NAME not in feed.facts(()) or not answers
        if answers == LEFT:  # as settle does: otherwise the last segment of an idle partition stays for ever
            _write(producer, topic, [None], key=ROLL_KEY)
        was_left |= answers == LEFT
        if not answers:
            feed.ask(RECALLED)
        return answers == {NAME: Found(NOW_MS, left=False)}

    eventually(is_gone, 60, "the cleaner has removed the recalled content")
    assert was_left
