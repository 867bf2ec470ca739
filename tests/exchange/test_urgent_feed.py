"""What is urgent comes first: all that is there when a shard is taken, and later before each batch of the rest."""

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.urgent import UrgentFeed
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Input, Record
from schemas.topics import Topic
from tests.conftest import Brokers
from tests.polling import eventually

WITHIN_S = 20.0


class Feeds:
    """Two topics with one partition each, and what the feed over both has handed out."""

    def __init__(self, cluster: Cluster, unique: str) -> None:
        self.urgent, self.rest = Input(f"{unique}urgent", 0), Input(f"{unique}rest", 0)
        ensure_topics(cluster, [Topic(each.topic, "key", 1) for each in (self.urgent, self.rest)])
        self._producer: Producer = idempotent_producer(cluster)
        self.own = AssignedFeed(cluster, [self.urgent])
        self.feed = UrgentFeed(self.urgent, self.own, AssignedFeed(cluster, [self.rest], max_records=10))
        self.polled: list[list[Record]] = []

    def write(self, source: Input, count: int) -> None:
        for number in range(count):
            self._producer.produce(source.topic, b"%d" % number, partition=0)
        assert self._producer.flush(WITHIN_S) == 0

    def poll(self) -> int:
        """One more portion; how many records were handed out so far."""
        records = list(self.feed.poll(0.05))
        if records:
            self.polled.append(records)
        return len(self.topics)

    @property
    def topics(self) -> list[str]:
        return [record.topic for records in self.polled for record in records]


@pytest.fixture
def feeds(brokers: Brokers, unique: str) -> Feeds:
    return Feeds(Cluster("GBR", brokers.gbr), unique)


def test_all_that_is_urgent_when_a_shard_is_taken_comes_before_anything_else(feeds: Feeds) -> None:
    feeds.write(feeds.rest, 50)
    feeds.write(feeds.urgent, 5)
    feeds.feed.resume({})
    eventually(lambda: feeds.poll() >= 55, WITHIN_S, "all of both")
    assert feeds.topics == [feeds.urgent.topic] * 5 + [feeds.rest.topic] * 50
    feeds.feed.close()


def test_what_becomes_urgent_later_does_not_wait_behind_what_was_fetched_of_the_rest(feeds: Feeds) -> None:
    feeds.write(feeds.rest, 5000)
    feeds.feed.resume({})
    eventually(lambda: feeds.poll() >= 10, WITHIN_S, "the rest has begun")
    feeds.write(feeds.urgent, 1)
    before = len(feeds.topics)
    eventually(lambda: feeds.poll() > 0 and feeds.urgent.topic in feeds.topics, WITHIN_S, "the urgent one")
    assert feeds.topics.index(feeds.urgent.topic) - before < 4000, "it overtook what had been fetched"
    feeds.feed.close()


def test_what_is_urgent_goes_by_itself_and_the_rest_comes_all_the_same(feeds: Feeds) -> None:
    feeds.write(feeds.rest, 500)
    feeds.feed.resume({})
    eventually(lambda: feeds.poll() >= 10, WITHIN_S, "the rest has begun")
    feeds.write(feeds.urgent, 3000)  # more than a batch
    eventually(lambda: feeds.poll() == 3500, WITHIN_S, "all of both")
    batches = [{record.topic for record in records} for records in feeds.polled]
    assert next(batch for batch in batches if feeds.urgent.topic in batch) == {feeds.urgent.topic}
    feeds.feed.close()


def test_what_is_urgent_goes_ahead_of_the_rest_and_never_of_its_own_kind(feeds: Feeds) -> None:
    feeds.write(feeds.rest, 20)
    feeds.write(feeds.urgent, 1)
    feeds.feed.resume({})
    eventually(lambda: feeds.poll() == 1, WITHIN_S, "the urgent one")
    feeds.write(feeds.urgent, 1)
    eventually(lambda: feeds.own.lag() == 1, WITHIN_S, "its client has fetched the second one")
    assert not feeds.feed.ahead(), "the first one may not be committed yet"
    # The second one may be handed out first, if the rest's client has fetched nothing yet.
    eventually(lambda: feeds.poll() > 1 and feeds.topics[-1] == feeds.rest.topic, WITHIN_S, "a batch of the rest")
    feeds.write(feeds.urgent, 1)
    before = feeds.topics.count(feeds.urgent.topic)
    ahead: list[Record] = []

    def are_ahead() -> bool:
        ahead.extend(feeds.feed.ahead())
        return len(ahead) == 3 - before

    eventually(are_ahead, WITHIN_S, "the third one, ahead")
    assert [(record.topic, record.offset) for record in ahead] == [(feeds.urgent.topic, at) for at in range(before, 3)]
    feeds.feed.close()


def test_a_wait_for_the_rest_is_ended_by_what_is_urgent(feeds: Feeds) -> None:
    feeds.write(feeds.rest, 1)
    feeds.write(feeds.urgent, 1)
    feeds.feed.resume({})
    eventually(lambda: feeds.poll() == 2, WITHIN_S, "both clients read")
    for number in range(3):
        feeds.write(feeds.urgent, 1)
        # Behind an urgent batch the rest is looked at without waiting.
        records = feeds.feed.poll(WITHIN_S) or feeds.feed.poll(WITHIN_S)
        assert [(record.topic, record.offset) for record in records] == [(feeds.urgent.topic, 1 + number)]
    assert feeds.feed.lag() == 0, "what has only ended a wait is no record of the rest"
    feeds.feed.close()


def test_what_is_urgent_is_noticed_though_what_was_before_it_has_been_deleted(feeds: Feeds, brokers: Brokers) -> None:
    feeds.write(feeds.urgent, 3)
    admin = AdminClient({"bootstrap.servers": brokers.gbr})
    [gone] = admin.delete_records([TopicPartition(feeds.urgent.topic, 0, 2)]).values()
    gone.result(WITHIN_S)
    rest = AssignedFeed(Cluster("GBR", brokers.gbr), [feeds.rest])
    rest.wake_for(feeds.urgent)
    rest.resume({feeds.urgent: 1})  # it is out of the range that is still there
    rungs: list[int] = []

    def has_rung() -> bool:
        feeds.write(feeds.urgent, 1)
        assert not rest.poll(0.2)
        rungs.append(rest.rung())
        return rungs[-1] > 3

    eventually(has_rung, WITHIN_S, "it notices a record behind the gap")
    rest.close()
