"""Each implementation of a feed, and what the laws need of it."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Producer

from consumers.bridge.border_feed import BorderFeed, UrgentBorderFeed
from consumers.bridge.threads import border_watch
from consumers.bridge.throttle import Throttle
from exchange.authority.policy_record import Border as BorderState
from exchange.authority.policy_watch import RuledFeed
from exchange.bandwidth import ALWAYS
from exchange.clock import now_ms
from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.bells import Bells
from exchange.feeds.consumed import ConsumedFeed
from exchange.feeds.hinted import HintedFeed, Mailbox
from exchange.feeds.resting import RestingFeed
from exchange.feeds.urgent import UrgentFeed
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input
from schemas import topics
from schemas.codec import Codec
from schemas.topics import Topic
from streams.settle.feed import SettleFeed, TopicCopies
from tests.conftest import Brokers
from tests.consumers.border import Border
from tests.exchange.model_gate import Fate
from tests.exchange.model_kafka import ModelKafka
from tests.exchange.model_parts import ModelFeed

Write = Callable[[int, int], None]
"""Appends records with these numbers, from the first up to the second, as their values."""


@dataclass(frozen=True)
class FeedSubject:
    """A feed with one input, ``source``, that records are written to, and perhaps others, which stay empty."""

    make: Callable[[], Feed[Any]]
    source: Input
    write: Write
    answers: bool = False


GetBrokers = Callable[[], Brokers]


class _Topics:
    """Topics of one partition each, on one cluster."""

    def __init__(self, brokers: GetBrokers, unique: str) -> None:
        self.cluster, self.unique = Cluster("GBR", brokers().gbr), unique
        self.source, self.other = self.topic("source"), self.topic("other")

    def topic(self, name: str) -> Input:
        ensure_topics(self.cluster, [Topic(f"{self.unique}{name}", "key", 1)])
        return Input(f"{self.unique}{name}", 0)

    def subject(self, make: Callable[[], Feed[Any]], closing: ExitStack, *, answers: bool = False) -> FeedSubject:
        writer = _writer(idempotent_producer(self.cluster), self.source)
        return FeedSubject(_closed(make, closing), self.source, writer, answers)


def _writer(producer: Producer, source: Input) -> Write:
    def write(first: int, end: int) -> None:
        for number in range(first, end):
            producer.produce(source.topic, b"%d" % number, b"k", source.partition)
        assert producer.flush(30) == 0

    return write


def _closed(make: Callable[[], Feed[Any]], closing: ExitStack) -> Callable[[], Feed[Any]]:
    def made() -> Feed[Any]:
        feed = make()
        closing.callback(feed.close)
        return feed

    return made


def _assigned(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    at = _Topics(brokers, unique)
    return at.subject(lambda: AssignedFeed(at.cluster, [at.source, at.other], max_records=7), closing)


def _consumed(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    at = _Topics(brokers, unique)
    return at.subject(lambda: ConsumedFeed(at.cluster, [at.source], max_records=7), closing)


def _hinted(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    """Without hints: it reads by itself. What hints may do is in ``tests/exchange/test_hinted_feed.py``."""
    at = _Topics(brokers, unique)

    def make() -> HintedFeed:
        feed = HintedFeed(at.source, Mailbox(), AssignedFeed(at.cluster, [at.source], max_records=7))
        feed.ask_again_s = 0.1
        return feed

    return at.subject(make, closing)


def _rest_of_urgent(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    at = _Topics(brokers, unique)
    rest = AssignedFeed(at.cluster, [at.source], max_records=7)
    return at.subject(lambda: UrgentFeed(at.other, AssignedFeed(at.cluster, [at.other]), rest), closing)


def _urgent(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    at = _Topics(brokers, unique)
    own = AssignedFeed(at.cluster, [at.source], max_records=7)
    return at.subject(lambda: UrgentFeed(at.source, own, AssignedFeed(at.cluster, [at.other])), closing)


def _resting(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    """It closes its clients whenever nothing comes. What may happen meanwhile is in ``test_resting_feed.py``."""
    at = _Topics(brokers, unique)
    bells = Bells(at.cluster, look_s=0.01, fetch_ms=20)
    closing.callback(bells.stop)

    def make() -> Feed[Any]:
        rest = AssignedFeed(at.cluster, [at.source], max_records=7)
        return RestingFeed(UrgentFeed(at.other, AssignedFeed(at.cluster, [at.other]), rest), bells, after_s=0.0)

    return at.subject(make, closing)


def _settle(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    at = _Topics(brokers, unique)
    copies = TopicCopies(at.cluster, [at.source.topic], 0, Codec())
    inputs = AssignedFeed(at.cluster, [at.source], max_records=7)
    return at.subject(lambda: SettleFeed(inputs, copies, 0), closing, answers=True)


def _ruled(brokers: GetBrokers, unique: str, closing: ExitStack) -> FeedSubject:
    at, border = _Topics(brokers, unique), Border(brokers())
    watch = border_watch(border.here, border.settings, now_ms).start()
    closing.callback(watch.stop)
    return at.subject(lambda: RuledFeed(watch, AssignedFeed(at.cluster, [at.source, at.other], max_records=7)), closing)


def _bulk(brokers: GetBrokers, _unique: str, closing: ExitStack) -> FeedSubject:
    border = Border(brokers())
    released, always, urgent = (
        Input(name(border.partner), 0) for name in (topics.released, topics.receipts, topics.urgent)
    )

    def make() -> BorderFeed:
        throttle = Throttle(ALWAYS, 1, lambda _rate, _waited_s: None)
        codecs = border.codec, border.codec
        return BorderFeed(border.here, released, always, urgent, lambda: BorderState.OPEN, codecs, throttle)

    return FeedSubject(_closed(make, closing), released, _writer(idempotent_producer(border.here), released))


def _fast_lane(brokers: GetBrokers, _unique: str, closing: ExitStack) -> FeedSubject:
    border = Border(brokers())
    urgent = Input(topics.urgent(border.partner), 0)

    def make() -> UrgentBorderFeed:
        return UrgentBorderFeed(border.here, urgent, lambda: BorderState.OPEN, border.codec)

    return FeedSubject(_closed(make, closing), urgent, _writer(idempotent_producer(border.here), urgent))


def _model(_brokers: GetBrokers, _unique: str, _closing: ExitStack) -> FeedSubject:
    kafka, source = ModelKafka(), Input("in", 0)

    def write(first: int, end: int) -> None:
        for number in range(first, end):
            kafka.write(source, b"k", b"%d" % number)

    return FeedSubject(lambda: ModelFeed(kafka, lambda _: Fate.FINE, [source, Input("in", 1)]), source, write)


FEEDS: Final[Mapping[str, Callable[[GetBrokers, str, ExitStack], FeedSubject]]] = {
    "ModelFeed": _model,
    "AssignedFeed": _assigned,
    "ConsumedFeed": _consumed,
    "HintedFeed": _hinted,
    "UrgentFeed, its urgent input": _urgent,
    "UrgentFeed, its other input": _rest_of_urgent,
    "RestingFeed": _resting,
    "RuledFeed": _ruled,
    "SettleFeed": _settle,
    "BorderFeed": _bulk,
    "UrgentBorderFeed": _fast_lane,
}
