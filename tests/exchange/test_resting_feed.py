"""A feed at rest has no clients: no record is lost by that, none is late, and whoever must can end its wait."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
from confluent_kafka import Producer

from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.bells import Bells
from exchange.feeds.consumed import ConsumedFeed
from exchange.feeds.hinted import HintedFeed, Mailbox
from exchange.feeds.resting import TURN_S, RestingFeed
from exchange.feeds.urgent import UrgentFeed
from exchange.kafka.clients import Cluster, idempotent_producer, transactional_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record
from schemas.topics import Topic
from tests.conftest import Brokers
from tests.polling import eventually

WITHIN_S = 20.0


class Resting:
    """A feed over an urgent input and another one, which rests as soon as nothing comes."""

    def __init__(self, cluster: Cluster, unique: str, closing: ExitStack) -> None:
        self.cluster, self.unique, self._closing = cluster, unique, closing
        self.urgent, self.rest = Input(f"{unique}urgent", 0), Input(f"{unique}rest", 0)
        ensure_topics(cluster, [Topic(each.topic, "key", 1) for each in (self.urgent, self.rest)])
        self.writer: Producer = idempotent_producer(cluster, **{"linger.ms": 0})
        self.bells = Bells(cluster, look_s=0.01, fetch_ms=20)
        closing.callback(self.bells.stop)
        self.inside = UrgentFeed(self.urgent, self.reader(self.urgent), self.reader(self.rest))
        self.feed = self.around(self.inside)
        self.read: list[Record] = []

    def reader(self, source: Input) -> AssignedFeed:
        return AssignedFeed(self.cluster, [source])

    def around(self, feed: Feed[None]) -> RestingFeed[None]:
        resting = RestingFeed(feed, self.bells, after_s=0.0)
        self._closing.callback(resting.close)
        return resting

    def write(self, source: Input, count: int) -> None:
        for number in range(count):
            self.writer.produce(source.topic, b"%d" % number, partition=source.partition)
        assert self.writer.flush(WITHIN_S) == 0

    def poll(self, timeout_s: float = 0.1) -> int:
        self.read += self.feed.poll(timeout_s)
        return len(self.read)

    def await_rest(self) -> None:
        eventually(lambda: self.poll() >= 0 and self.feed.idle_s == TURN_S, WITHIN_S, "it rests")

    def places(self) -> Sequence[tuple[str, int]]:
        return [(record.topic, record.offset) for record in self.read]


@pytest.fixture
def at(brokers: Brokers, unique: str) -> Iterator[Resting]:
    with ExitStack() as closing:
        yield Resting(Cluster("GBR", brokers.gbr), unique, closing)


def test_at_rest_it_has_no_clients_and_the_first_record_of_any_input_ends_that(at: Resting) -> None:
    at.write(at.rest, 3)
    assert at.feed.resume({}) == 0
    at.await_rest()
    assert at.poll() == 3
    assert at.inside.places() is None, "its clients are closed"
    at.write(at.urgent, 1)
    eventually(lambda: at.poll() == 4, WITHIN_S, "the urgent record")
    at.await_rest()
    at.write(at.rest, 2)
    eventually(lambda: at.poll() == 6, WITHIN_S, "and two of the rest")
    rest = [(at.rest.topic, offset) for offset in range(5)]
    assert at.places() == [*rest[:3], (at.urgent.topic, 0), *rest[3:]]


def test_a_wait_at_rest_is_as_long_as_it_may_be_and_ends_at_once_when_it_is_woken(at: Resting) -> None:
    at.feed.resume({})
    at.await_rest()
    began = time.monotonic()
    threading.Timer(0.2, at.feed.wake).start()
    assert not at.feed.poll(WITHIN_S)
    assert time.monotonic() - began < WITHIN_S / 2
    assert at.feed.idle_s == TURN_S, "woken by no record, it still rests"


def test_urgent_records_come_first_behind_a_rest_too(at: Resting) -> None:
    at.feed.resume({})
    at.await_rest()
    at.write(at.urgent, 1)
    at.write(at.rest, 5)
    eventually(lambda: at.poll() == 6, WITHIN_S, "all")
    assert [record.topic for record in at.read] == [at.urgent.topic] + [at.rest.topic] * 5
    at.await_rest()
    at.feed.resume({at.urgent: 0, at.rest: 0})
    at.read.clear()
    eventually(lambda: at.poll() == 6, WITHIN_S, "all again")
    assert [record.topic for record in at.read] == [at.urgent.topic] + [at.rest.topic] * 5


def test_what_goes_ahead_while_the_bell_is_being_hung_is_not_read_again_behind_the_rest(at: Resting) -> None:
    at.feed.resume({})
    eventually(lambda: at.inside.places() is not None or at.poll() > 0, WITHIN_S, "it could rest")
    at.poll(0)
    at.write(at.urgent, 1)

    def has_gone_ahead() -> bool:
        at.read += at.feed.ahead()
        return bool(at.read)

    eventually(has_gone_ahead, WITHIN_S, "it goes ahead")
    at.await_rest()
    at.write(at.rest, 1)
    eventually(lambda: at.poll() >= 2, WITHIN_S, "the rest")
    at.await_rest()
    assert at.places() == [(at.urgent.topic, 0), (at.rest.topic, 0)]


def test_each_record_is_read_once_however_rests_transactions_and_aborts_fall_together(at: Resting) -> None:
    at.feed.resume({})
    dice, sure, done = random.Random(76), [0], threading.Event()

    def write() -> None:
        producer = transactional_producer(at.cluster, f"{at.unique}writer")
        producer.init_transactions(WITHIN_S)
        for _ in range(40):
            producer.begin_transaction()
            count = dice.randint(1, 3)
            for _ in range(count):
                producer.produce(at.rest.topic, b"%d" % sure[0], partition=0)
                sure[0] += 1
            if dice.random() < 0.3:
                producer.flush(WITHIN_S)
                sure[0] -= count
                producer.abort_transaction(WITHIN_S)
            else:
                producer.commit_transaction(WITHIN_S)
            time.sleep(dice.choice([0, 0, 0.05, 0.2]))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    rests = 0
    while not (done.is_set() and len(at.read) >= sure[0]):
        at.poll(0.01)
        rests += at.feed.idle_s == TURN_S
        assert writer.is_alive() or done.is_set()
    writer.join()
    at.await_rest()
    assert [int(record.value or b"") for record in at.read] == list(range(sure[0]))
    assert rests, "it has rested between"


def test_a_hint_or_the_bell_ends_the_rest_of_a_feed_that_is_handed_records(at: Resting) -> None:
    mailbox = Mailbox()
    inside = HintedFeed(at.rest, mailbox, at.reader(at.rest))
    inside.ask_again_s = 0.1
    at.feed = at.around(inside)
    at.feed.resume({})
    at.await_rest()
    at.write(at.rest, 1)
    eventually(lambda: at.poll() == 1, WITHIN_S, "without any hint")
    at.await_rest()
    at.write(at.rest, 1)
    assert mailbox.offer(Record(at.rest.topic, 0, 1, None, b"0", 0))
    eventually(lambda: at.poll() == 2, WITHIN_S, "the hinted one")
    at.await_rest()
    assert at.places() == [(at.rest.topic, 0), (at.rest.topic, 1)]


def test_what_was_read_is_deleted_before_it_rests(at: Resting) -> None:
    consumed = ConsumedFeed(at.cluster, [at.rest], every_s=0.5)
    at.feed = at.around(consumed)
    at.write(at.rest, 2)
    at.feed.resume({})
    eventually(lambda: at.poll() == 2, WITHIN_S, "both")
    at.feed.acknowledge({at.rest: 2})
    assert consumed.places() is None
    at.await_rest()
    fresh = at.reader(at.rest)
    assert fresh.resume({at.rest: 0}) == 1, "they are gone"
    fresh.close()


def test_without_bells_it_keeps_its_clients(at: Resting) -> None:
    at.feed.resume({})
    at.await_rest()
    at.bells.stop()
    at.write(at.rest, 2)
    eventually(lambda: at.poll() == 2, WITHIN_S, "it reads by itself again")
    for _ in range(5):
        at.poll(0.01)
        assert at.feed.idle_s < TURN_S


def test_a_bell_that_is_forgotten_does_not_ring_and_another_of_the_same_input_does(at: Resting) -> None:
    old = at.bells.listen({at.rest: 0})
    assert old.is_heard.wait(WITHIN_S)
    assert at.bells.forget(old) == {at.rest: 0}
    at.write(at.rest, 2)
    new = at.bells.listen({at.rest: 1})
    assert _until(lambda: new.wait(1.0))
    assert not old.has_rung.is_set()
    assert at.bells.forget(new) == {at.rest: 1}


def _until(condition: Callable[[], bool]) -> bool:
    eventually(condition, WITHIN_S, "it rings")
    return True
