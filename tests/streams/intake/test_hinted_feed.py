"""A shard reads every report, in order and once, whatever hints it gets."""

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.feeds.assigned import AssignedFeed
from exchange.feeds.hinted import HintedFeed, Mailbox
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Input, Record

SOURCE = Input("sensor.reports.v1", 0)


def _record(offset: int) -> Record:
    return Record(SOURCE.topic, SOURCE.partition, offset, b"edge-1", b"report", 0)


class Topic(AssignedFeed):
    """A topic in memory, read like the real one: a poll may come back with nothing although there is something."""

    def __init__(self, records: int = 0, *, silent_polls: int = 0, most: int = 3) -> None:
        super().__init__(Cluster("GBR", ""), [SOURCE])
        self.end, self.silent_polls, self.answers = records, silent_polls, True
        self._most, self._at, self._paused = most, 0, False

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        self._at = self._starts[SOURCE] = next_offsets.get(SOURCE, 0)
        return 0

    def end_of(self, source: Input) -> int | None:  # noqa: ARG002  # there is only one
        return self.end if self.answers else None

    def pause(self) -> None:
        self._paused = True

    def seek(self, source: Input, offset: int) -> None:  # noqa: ARG002  # there is only one
        self._at, self._paused = offset, False

    def poll(self, timeout_s: float) -> Sequence[Record]:  # noqa: ARG002  # it never waits
        assert not self._paused, "reads a topic that it has paused"
        if self.silent_polls:
            self.silent_polls -= 1
            return []
        records = [_record(offset) for offset in range(self._at, min(self._at + self._most, self.end))]
        self._at += len(records)
        return records


def _offsets(feed: HintedFeed, polls: int) -> list[int]:
    return [record.offset for _ in range(polls) for record in feed.poll(0)]


def test_a_silent_broker_is_not_taken_for_the_end_of_the_topic() -> None:
    feed = HintedFeed(SOURCE, Mailbox(), Topic(5, silent_polls=4))
    feed.resume({})
    assert _offsets(feed, 8) == [0, 1, 2, 3, 4]


def test_an_unreachable_broker_is_not_taken_for_the_end_of_the_topic() -> None:
    topic = Topic(5, silent_polls=3)
    topic.answers = False
    feed = HintedFeed(SOURCE, Mailbox(), topic)
    feed.resume({SOURCE: 2})
    assert _offsets(feed, 6) == [2, 3, 4]


def test_the_last_hint_may_get_lost() -> None:
    topic, mailbox = Topic(2), Mailbox()
    feed = HintedFeed(SOURCE, mailbox, topic)
    feed.resume({})
    assert _offsets(feed, 3) == [0, 1]
    topic.end = 4
    feed.ask_again_s = 0.0  # instead of waiting until it wonders by itself
    assert _offsets(feed, 5) == [2, 3]


def test_hints_come_from_the_mailbox_and_gaps_from_the_topic() -> None:
    topic, mailbox = Topic(1), Mailbox()
    feed = HintedFeed(SOURCE, mailbox, topic)
    feed.resume({})
    assert _offsets(feed, 2) == [0]
    topic.end = 6
    for offset in (0, 1, 2, 4, 5):
        mailbox.offer(_record(offset))
    assert _offsets(feed, 1) == [1, 2]
    assert _offsets(feed, 3) == [3, 4, 5]


@given(st.lists(st.sampled_from(["append", "hint", "again", "poll", "mute", "resume"]), max_size=60))
@settings(max_examples=300)
def test_every_record_is_read_once_and_in_order_whatever_the_hints_are(steps: list[str]) -> None:
    topic, mailbox = Topic(), Mailbox(records=4)
    feed = HintedFeed(SOURCE, mailbox, topic)
    feed.ask_again_s = 0.0
    feed.resume({})
    got: list[int] = []
    for step in steps:
        match step:
            case "append":
                topic.end += 1
            case "hint" if topic.end:
                mailbox.offer(_record(topic.end - 1))
            case "again" if topic.end:
                mailbox.offer(_record(topic.end // 2))
            case "poll":
                got += _offsets(feed, 1)
            case "mute":
                topic.silent_polls += 1
            case "resume":
                topic.seek(SOURCE, len(got))
                feed.resume({SOURCE: len(got)})
    topic.silent_polls = 0
    got += _offsets(feed, 2 * topic.end + 4)
    assert got == list(range(topic.end))
