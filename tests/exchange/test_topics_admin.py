"""``exchange.kafka.topics_admin`` on real Kafka: what was made is there, and what is not as it should be is refused."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from exchange.errors import BrokerUnavailable, TopicMismatch
from exchange.kafka.clients import Cluster, end_offset
from exchange.kafka.reach import reached
from exchange.kafka.topics_admin import check_topics, ensure_topics
from schemas.topics import APPEND_TIME, Topic, step_topics
from tests.conftest import Brokers


@pytest.fixture
def cluster(brokers: Brokers) -> Cluster:
    return Cluster("GBR", brokers.gbr)


def test_what_was_created_is_known_when_the_call_returns(cluster: Cluster, unique: str) -> None:
    """A controller answers before its brokers know: two of three creations once ended in "is missing"."""
    for number in range(5):
        wanted = [*step_topics(f"{unique}{number}", 2, state=True), Topic(f"{unique}{number}plain", "key", 3)]
        assert sorted(ensure_topics(cluster, wanted)) == sorted(topic.name for topic in wanted)
        assert ensure_topics(cluster, wanted) == [], "a second time there is nothing to do"
        check_topics(cluster, wanted)


def test_who_asks_for_the_end_of_a_topic_while_it_is_made_is_answered(cluster: Cluster, unique: str) -> None:
    """For a moment no one leads it, or a broker has not learned of it: no bridge is to end by that."""
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(end_offset, cluster, f"{unique}t", 0)
        ensure_topics(cluster, [Topic(f"{unique}t", "key", 1)])
        assert asked.result() == 0


@pytest.mark.parametrize(
    ("made", "wanted", "why"),
    [
        (Topic("t", "key", 2), Topic("t", "key", 3), "has 2 partitions, not 3"),
        (Topic("t", "key", 1), Topic("t", "key", 1, compacted=True), "has cleanup.policy=delete, not compact"),
        (
            Topic("t", "key", 1, compacted=True, config={"cleanup.policy": "compact,delete"}),
            Topic("t", "key", 1, compacted=True),
            "has cleanup.policy=compact,delete, not compact",
        ),
        (
            Topic("t", "key", 1),
            Topic("t", "key", 1, config=APPEND_TIME),
            "has message.timestamp.type=CreateTime, not LogAppendTime",
        ),
        (
            Topic("t", "key", 1, config={"max.message.bytes": "1000"}),
            Topic("t", "key", 1),
            "has max.message.bytes=1000, not 2097152",
        ),
    ],
)
def test_a_topic_that_promises_cannot_rest_on_is_refused(
    cluster: Cluster, unique: str, made: Topic, wanted: Topic, why: str
) -> None:
    name = f"{unique}t"
    ensure_topics(cluster, [replace(made, name=name)])
    with pytest.raises(TopicMismatch, match=f"{name} {why}"):
        ensure_topics(cluster, [replace(wanted, name=name)])


def test_what_an_operator_may_choose_is_not_refused(cluster: Cluster, unique: str) -> None:
    ensure_topics(cluster, [Topic(f"{unique}t", "key", 1, retention_ms=1_000, config={"max.message.bytes": "4000000"})])
    check_topics(cluster, [Topic(f"{unique}t", "key", 1)])


def test_every_missing_topic_is_named_at_once(cluster: Cluster, unique: str) -> None:
    with pytest.raises(TopicMismatch, match=rf"{unique}a is missing; {unique}b is missing.*kakehashi topics"):
        check_topics(cluster, [Topic(f"{unique}a", "key", 1), Topic(f"{unique}b", "key", 1)])


def test_a_cluster_that_does_not_answer_is_stated() -> None:
    with pytest.raises(BrokerUnavailable, match=r"no answer from GBR's Kafka at 127\.0\.0\.1:1"):
        reached(Cluster("GBR", "127.0.0.1:1"), within_s=0.2)
