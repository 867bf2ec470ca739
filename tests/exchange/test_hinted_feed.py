"""``exchange.feeds.hinted``: whoever hands records over may be as hostile as they like."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st

from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.hinted import HintedFeed, Mailbox
from exchange.kafka.clients import Cluster
from exchange.kafka.topics_admin import ensure_topics
from exchange.protocol.record import Input, Record
from schemas.topics import Topic
from tests.conftest import Brokers

SOURCE = Input("in", 0)


def _record(offset: int, source: Input = SOURCE) -> Record:
    return Record(source.topic, source.partition, offset, None, b"%d" % offset, 0)


class OwnReader(AssignedFeed):
    """``AssignedFeed`` over a list that grows: what a topic without transactions or compaction looks like.

    Like the real one it forgets what it had fetched when it is sent elsewhere, and may be slow: ``silent`` polls
    come back empty although there is something, and ``mute`` times no one shows it the end.
    """

    def __init__(self, log: list[Record], portion: int) -> None:
        super().__init__(Cluster("GBR", ""), [SOURCE])
        self.log, self.portion, self.silent, self.mute = log, portion, 0, 0
        self._at: int | None = None

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        begin = self.log[0].offset if self.log else 0
        self._at = max(begin, next_offsets.get(SOURCE, begin))
        self._starts = {SOURCE: self._at}
        return 0

    def pause(self) -> None:
        self._at = None

    def seek(self, source: Input, offset: int) -> None:  # noqa: ARG002  # there is but one
        self._at = offset

    def end_of(self, source: Input) -> int | None:  # noqa: ARG002  # there is but one
        if self.mute:
            self.mute -= 1
            return None
        return self.log[-1].offset + 1 if self.log else 0

    def poll(self, timeout_s: float) -> Sequence[Record]:  # noqa: ARG002  # nothing takes time here
        assert self._at is not None, "a paused reader was asked"
        if self.silent:
            self.silent -= 1
            return []
        found = [record for record in self.log if record.offset >= self._at][: self.portion]
        if found:
            self._at = found[-1].offset + 1
        return found


def _fed(begin: int, portion: int, records: int = 64) -> tuple[list[Record], Mailbox, OwnReader, HintedFeed]:
    log: list[Record] = []
    mailbox = Mailbox(records=records)
    own = OwnReader(log, portion)
    feed = HintedFeed(SOURCE, mailbox, own)
    feed.ask_again_s = -1.0  # at once
    feed.resume({SOURCE: begin})
    return log, mailbox, own, feed


_hint = st.one_of(st.integers(0, 3), st.integers(0, 60))  # how far before the end the hint is taken from
_turn = st.tuples(st.integers(0, 5), st.lists(_hint, max_size=6), st.integers(0, 2), st.booleans(), st.integers(1, 3))


def _hand_over(mailbox: Mailbox, log: list[Record], hints: list[int]) -> None:
    for back in hints:
        if back < len(log):
            mailbox.offer(log[-1 - back])


@given(begin=st.integers(0, 4), portion=st.integers(1, 5), turns=st.lists(_turn, max_size=25))
def test_each_record_comes_once_and_in_order_whatever_is_handed_over(
    begin: int, portion: int, turns: list[tuple[int, list[int], int, bool, int]]
) -> None:
    log, mailbox, own, feed = _fed(begin, portion, records=4)
    log.extend(_record(offset) for offset in range(begin))
    given_out: list[int] = []
    for grow, hints, silent, wipe, polls in turns:
        log.extend([_record(len(log) + number) for number in range(grow)])
        _hand_over(mailbox, log, hints)
        if wipe:
            mailbox.clear()
        own.silent = own.mute = silent
        for _ in range(polls):
            given_out += [record.offset for record in feed.poll(0)]
            _hand_over(mailbox, log, hints)
            given_out += [record.offset for record in feed.more()]
    own.silent = own.mute = 0
    for _ in range(3 * len(log) + 4):  # no one hands over anything any more
        given_out += [record.offset for record in feed.poll(0)]
    assert given_out == list(range(begin, len(log)))


@given(handed=st.lists(st.integers(0, 30), max_size=60))
def test_repeats_and_leaps_alone_neither_lose_nor_repeat(handed: list[int]) -> None:
    log, mailbox, _, feed = _fed(0, 7)
    given_out: list[int] = []
    for upto in handed:
        log.extend([_record(offset) for offset in range(len(log), upto + 1)])
        mailbox.offer(log[upto])
        given_out += [record.offset for record in feed.poll(0)]
    assert given_out == list(range(len(given_out)))


def test_what_is_handed_over_in_order_is_not_read_from_the_topic() -> None:
    log, mailbox, own, feed = _fed(0, 5)
    assert feed.poll(0) == []
    own.portion = 0  # from now on the topic gives nothing
    for offset in range(20):
        log.append(_record(offset))
        mailbox.offer(log[-1])
        assert feed.poll(0) == [log[-1]]
    assert feed.more() == []
    log += [_record(20), _record(21), _record(22)]
    for record in log[20:]:
        mailbox.offer(record)
        assert [*feed.poll(0), *feed.more()] == [record]


def test_records_that_the_topic_has_lost_are_passed_over_by_reading_not_by_a_hint() -> None:
    log, mailbox, _, feed = _fed(0, 5)
    log.extend(_record(offset) for offset in (0, 1))
    assert [record.offset for record in feed.poll(0)] == [0, 1]
    assert feed.poll(0) == []
    log.extend(_record(offset) for offset in (7, 8))
    mailbox.offer(log[-1])
    offsets = [record.offset for _ in range(4) for record in feed.poll(0)]
    assert offsets == [7, 8]


def test_a_new_position_forgets_what_waits() -> None:
    log, mailbox, _, feed = _fed(0, 5)
    log.extend(_record(offset) for offset in range(6))
    mailbox.offer(log[5])
    feed.resume({SOURCE: 2})
    assert [record.offset for record in feed.poll(0)] == [2, 3, 4, 5]


def test_a_mailbox_is_bounded_by_number_and_bytes_but_takes_one_record_of_any_size() -> None:
    few, small = Mailbox(records=2), Mailbox(size=10)
    assert [few.offer(_record(offset)) for offset in range(3)] == [True, True, False]
    big = Record("in", 0, 0, None, bytes(100), 0)
    assert [small.offer(big), small.offer(big)] == [True, False]
    assert small.take(0) == [big]
    assert small.offer(big)
    assert (len(few), len(small)) == (2, 1)


def test_a_batch_takes_no_more_bytes_from_a_mailbox_than_it_may() -> None:
    mailbox = Mailbox()
    sizes = [60, 40, 1, 250, 30]
    for offset, size in enumerate(sizes):
        assert mailbox.offer(Record("in", 0, offset, None, bytes(size), 0))
    taken: list[list[int]] = []
    while len(mailbox):
        assert mailbox.size == sum(sizes[sum(map(len, taken)) :])
        taken.append([record.offset for record in mailbox.take(0, 100)])
    assert taken == [[0, 1], [2], [3], [4]]
    assert mailbox.size == 0
    mailbox.offer(Record("in", 0, 5, None, bytes(40), 0))
    assert mailbox.take(0, 100, taken=61) == [], "it does not fit into a batch that has so many bytes"
    assert len(mailbox.take(0, 100, taken=60)) == 1


def test_on_real_kafka_a_hostile_hand_over_changes_nothing(brokers: Brokers, unique: str) -> None:
    cluster, source = Cluster("GBR", brokers.gbr), Input(f"{unique}in", 0)
    ensure_topics(cluster, [Topic(source.topic, "key", 1)])
    producer = Producer(cluster.client() | {"enable.idempotence": True})
    for number in range(300):
        producer.produce(source.topic, b"%d" % number, partition=0)
    assert producer.flush(30.0) == 0
    mailbox = Mailbox()
    feed = HintedFeed(source, mailbox, AssignedFeed(cluster, [source], max_records=20))
    feed.resume({source: 5})
    found: list[Record] = []
    hints = iter([*range(290, 300), *range(50, 80), 79, 79, 12, *range(100, 290, 7), *range(299, 5, -1)])
    while not found or found[-1].offset < 299:
        for hint in [next(hints, 299) for _ in range(3)]:
            mailbox.offer(_record(hint, source))
        found += feed.poll(0.5)
    feed.close()
    assert [record.value for record in found] == [b"%d" % number for number in range(5, 300)]
    assert all(later.offset == before.offset + 1 for before, later in pairwise(found))
