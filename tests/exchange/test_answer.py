"""``exchange.kafka.clients.answer``: a cluster that does not answer is reported in one form, whoever has asked."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

import exchange
from consumers.bridge.worker import must_be_the_same
from exchange.errors import BrokerUnavailable
from exchange.kafka import clients
from exchange.kafka.clients import Cluster, Unanswered, answer, begin_offset, end_offset, topic_ids
from tests.conftest import Brokers

_ROOT: Final = Path(exchange.__file__).parents[1]
_PACKAGES: Final = ("exchange", "consumers", "streams", "producers", "kakehashi")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Someone who listens and answers nothing, for whoever has stood still until its wait is over."""
    monkeypatch.setattr(clients, "ANSWER_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Cluster("GBR", f"127.0.0.1:{server.getsockname()[1]}")


def test_who_does_not_answer_is_named_with_what_was_asked(silent: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    unable = re.escape(f"GBR's Kafka at {silent.bootstrap} does not ")
    with pytest.raises(Unanswered, match=f"{unable}describe topic-a: no answer, .* Try again"):
        topic_ids(silent, ["topic-a"])
    monkeypatch.setattr(clients, "CALL_TIMEOUT_S", 0.1)
    with pytest.raises(Unanswered, match=f"{unable}say where topic-a-3 begins"):
        begin_offset(silent, "topic-a", 3)


def test_a_role_asks_again_for_the_topics_that_it_begins_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that starts beside it may let the first request time out: that once ended a bridge."""
    cluster, asked = Cluster("GBR", "kafka:9092"), list[int]()

    def answers_the_third_time(*_: object) -> dict[str, str]:
        asked.append(1)
        if len(asked) < 3:
            raise Unanswered("no answer")
        return {"topic-a": "id"}

    monkeypatch.setattr(clients, "_topic_ids", answers_the_third_time)
    with pytest.raises(Unanswered):
        topic_ids(cluster, ["topic-a"])
    assert topic_ids(cluster, ["topic-a"], again_s=30.0) == {"topic-a": "id"}


def test_a_topic_that_was_made_just_now_begins_and_ends_at_nothing(brokers: Brokers, unique: str) -> None:
    """Its leader is not known yet when the client asks for it: that once ended a bridge as it started."""
    cluster = Cluster("GBR", brokers.gbr)
    admin = AdminClient(cluster.client())
    for name in [f"{unique}{number}" for number in range(5)]:
        admin.create_topics([NewTopic(name, 2, 1)])
        assert end_offset(cluster, name, 1) == 0


def test_a_bridge_whose_topics_cannot_be_asked_for_goes_on(silent: Cluster) -> None:
    must_be_the_same(silent, {"topic-a": "id"})


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KafkaError(KafkaError._TIMED_OUT, "no answer", retriable=True), Unanswered),
        (KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION, "no answer"), Unanswered),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "no answer"), BrokerUnavailable),
        (KafkaError(KafkaError.TOPIC_ALREADY_EXISTS, "no answer"), KafkaException),
    ],
)
def test_an_error_of_the_cluster_is_one_of_ours_unless_the_caller_knows_it(
    error: KafkaError, raised: type[Exception]
) -> None:
    future: Future[Any] = Future()
    future.set_exception(KafkaException(error))
    with pytest.raises(raised, match="no answer") as caught:
        answer(future, Cluster("GBR", "kafka:9092"), "create it", known=(KafkaError.TOPIC_ALREADY_EXISTS,))
    assert type(caught.value) is raised


def test_no_one_else_waits_for_an_answer() -> None:
    """Any other wait would end its process without a message. What is called back has its answer already.

    An officer's desk has a ``result`` of its own, which waits for a command. A publisher in a program waits for its own
    thread, which answers also if it fails.
    """
    waiting = {
        str(path.relative_to(_ROOT))
        for package in _PACKAGES
        for path in (_ROOT / package).rglob("*.py")
        if re.search(r"(?<!desk)\.(result|exception)\((?![\"'])", path.read_text("utf-8"))
    }
    assert waiting == {"exchange/kafka/clients.py", "exchange/feeds/consumed.py", "producers/api.py"}
