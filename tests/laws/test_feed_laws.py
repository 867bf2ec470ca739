"""The laws of a feed, held against each implementation: each record once, in order, from the position on."""

from typing import Any, Final

import pytest

from exchange.errors import FatalError
from exchange.protocol.feed import Feed
from exchange.protocol.record import Record
from tests.laws.feeds import FeedSubject
from tests.polling import eventually

WITHIN_S: Final = 30.0
COUNT: Final = 20


def read(feed: Feed[Any], count: int) -> list[Record]:
    """So many more records, by ``poll``, behind it by ``more`` and, if it may have any, by ``ahead``."""
    records: list[Record] = []

    def has_read() -> bool:
        if polled := feed.poll(0.1):
            records.extend([*polled, *feed.more()])
        if feed.looks_ahead:
            records.extend(feed.ahead())
        return len(records) >= count

    eventually(has_read, WITHIN_S, f"{count} records are read")
    return records


def numbers(records: list[Record]) -> list[int]:
    """The numbers that were written, in the order in which they were handed out."""
    return [int(record.value or b"-1") for record in records]


def test_an_input_without_a_position_is_read_from_its_beginning_each_record_once_in_order(feeds: FeedSubject) -> None:
    feeds.write(0, COUNT)
    feed = feeds.make()
    assert feed.resume({}) == 0
    records = read(feed, COUNT)
    feed.acknowledge({feeds.source: records[-1].offset + 1})
    feeds.write(COUNT, 2 * COUNT)
    records += read(feed, COUNT)
    assert numbers(records) == list(range(2 * COUNT))
    assert [(record.topic, record.partition, record.offset) for record in records] == [
        (feeds.source.topic, feeds.source.partition, offset) for offset in range(2 * COUNT)
    ]
    eventually(lambda: not feed.poll(0) and feed.lag() == 0, WITHIN_S, "no record waits")


def test_reading_goes_on_at_the_position_with_what_the_feed_has_marked(feeds: FeedSubject) -> None:
    feeds.write(0, COUNT)
    first = feeds.make()
    first.resume({})
    read(first, COUNT)
    position = {feeds.source: 5, **first.marks()}
    first.close()
    second = feeds.make()
    assert second.resume(position) == 0
    assert numbers(read(second, COUNT - 5)) == list(range(5, COUNT))


def test_a_feed_that_is_resumed_again_drops_what_it_had_fetched(feeds: FeedSubject) -> None:
    feeds.write(0, COUNT)
    feed = feeds.make()
    feed.resume({})
    read(feed, 1)
    feed.resume({feeds.source: 3})
    assert numbers(read(feed, COUNT - 3)) == list(range(3, COUNT))


def test_without_records_it_hands_out_nothing_knows_no_facts_and_stops_no_one(feeds: FeedSubject) -> None:
    feed = feeds.make()
    feed.resume({})
    assert not feed.poll(0)
    assert not feed.facts(())
    feed.recheck(())
    feeds.write(0, 3)
    if not feed.looks_ahead:
        assert not feed.ahead(), "only a feed that looks ahead has records ahead"
    assert numbers(read(feed, 3)) == [0, 1, 2]
    assert not feed.poll(0)
    assert not feed.ahead()


def test_a_question_is_answered_by_a_fact_until_it_is_acknowledged_or_refused_at_once(feeds: FeedSubject) -> None:
    feed = feeds.make()
    feed.resume({})
    if not feeds.answers:
        with pytest.raises(FatalError, match="answers no questions"):
            feed.ask({b"a": 1})
        return
    feed.ask({b"a": 1})
    eventually(lambda: bool(feed.facts(())), WITHIN_S, "the answer comes")
    assert set(feed.facts(())) == {b"a"}
    feed.acknowledge({})
    assert not feed.facts(())


def test_closing_again_or_before_it_is_resumed_does_nothing(feeds: FeedSubject) -> None:
    feeds.make().close()
    feed = feeds.make()
    feed.resume({})
    feed.close()
    feed.close()
