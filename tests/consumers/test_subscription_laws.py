"""The laws of a subscription, over a model of Kafka: what comes first, nothing twice, nothing lost, gaps declared."""

from collections.abc import Callable, Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.subscription.cursor import Cursor
from consumers.subscription.subscription import Event, Gap, GapReason, Quiet, SnapshotEnd, Subscription
from exchange.errors import ConfigurationError
from exchange.protocol.record import Record
from schemas.topics import DAY_MS
from tests.consumers.model_topic import PARTITIONS, ModelTopic

NOW_MS: Final = 1_800_000_000_000

Write = tuple[int, str, str | None, bool]
WRITES = st.lists(
    st.tuples(
        st.integers(0, PARTITIONS - 1),
        st.sampled_from("abcd"),
        st.one_of(st.none(), st.sampled_from("123456789")),
        st.booleans(),
    ),
    max_size=14,
)


def _clock() -> int:
    return NOW_MS


def _write(topic: ModelTopic, writes: Sequence[Write]) -> None:
    for partition, key, value, commit in writes:
        topic.write(partition, f"{partition}{key}", value, commit=commit)


def _now(subscription: Subscription) -> list[Event]:
    """Everything that there is."""
    return list(subscription.events(follow=False))


def _records(events: Sequence[Event]) -> list[Record]:
    return [event for event in events if isinstance(event, Record)]


def _places(records: Sequence[Record]) -> list[tuple[int, int]]:
    return [(record.partition, record.offset) for record in records]


def _applied(records: Sequence[Record], before: dict[bytes, bytes] | None = None) -> dict[bytes, bytes]:
    """What a consumer holds after these records."""
    held = dict(before or {})
    for record in records:
        key = record.key or b""
        held.pop(key, None)
        if record.value is not None:
            held[key] = record.value
    return held


def _truth(topic: ModelTopic) -> dict[bytes, bytes]:
    """What the topic says, read record by record."""
    bounds = topic.look().bounds
    return _applied([each for number, (begin, end) in bounds.items() for each in topic.read(number, begin, end)])


@given(WRITES, st.booleans())
def test_the_latest_of_each_key_comes_first_and_then_the_end_of_the_snapshot(
    writes: list[Write], compacted: bool
) -> None:
    topic = ModelTopic()
    _write(topic, writes)
    if compacted:
        topic.compact()
    events = _now(Subscription(topic, clock_ms=_clock))
    assert events[-1] == SnapshotEnd()
    keys = [record.key for record in _records(events)]
    assert len(keys) == len(set(keys)) == len(events) - 1
    assert _applied(_records(events)) == _truth(topic)


@given(WRITES, st.lists(WRITES, max_size=4))
def test_a_follower_gets_every_later_record_once_and_in_order(first: list[Write], later: list[list[Write]]) -> None:
    topic = ModelTopic()
    _write(topic, first)
    ends = {number: end for number, (_, end) in topic.look().bounds.items()}
    waiting = list(later)

    def write_more() -> None:
        if waiting:
            _write(topic, waiting.pop(0))

    topic.between = write_more
    rounds = iter(range(len(later) + 2))
    events = list(Subscription(topic, clock_ms=_clock).events(follow=True, stopping=lambda: next(rounds, None) is None))
    after = events[events.index(SnapshotEnd()) + 1 :]
    expected = [
        each for number, end in ends.items() for each in topic.read(number, end, topic.look().bounds[number][1])
    ]
    assert sorted(_places(_records(after))) == _places(expected)
    for partition in range(PARTITIONS):
        offsets = [record.offset for record in _records(after) if record.partition == partition]
        assert offsets == sorted(set(offsets))


@given(WRITES, WRITES, st.integers(0, 14), st.booleans())
def test_a_reader_resumed_at_any_position_loses_nothing_and_repeats_nothing(
    first: list[Write], later: list[Write], stop_after: int, compacted: bool
) -> None:
    topic = ModelTopic()
    _write(topic, first)
    before: list[Event] = []
    reading = Subscription(topic, clock_ms=_clock)
    for event in reading.events(follow=False):
        before.append(event)
        if len(before) > stop_after:
            break
    saved = reading.cursor.to_json()
    _write(topic, later)
    if compacted:
        topic.compact()
    resumed = _now(Subscription(topic, Cursor.from_json(saved), clock_ms=_clock))
    assert not [event for event in resumed if isinstance(event, Gap)]
    assert resumed[-1] == SnapshotEnd()
    records = [*_records(before), *_records(resumed)]
    assert len(set(_places(records))) == len(records)
    assert _applied(records) == _truth(topic)


@given(WRITES)
def test_a_position_survives_as_json_and_has_nothing_more_to_read(writes: list[Write]) -> None:
    topic = ModelTopic()
    _write(topic, writes)
    subscription = Subscription(topic, clock_ms=_clock)
    _now(subscription)
    restored = Cursor.from_json(subscription.cursor.to_json())
    assert restored == subscription.cursor
    assert _now(Subscription(topic, restored, clock_ms=_clock)) == [SnapshotEnd()]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"topic_id": "1", "current_ms": 0, "next_offsets": {"x": 1}}'])
def test_a_damaged_position_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ConfigurationError, match="delete it to start anew"):
        Cursor.from_json(text)


def _cut(topic: ModelTopic) -> None:
    _write(topic, [(0, "b", "2", True)] * 9)
    topic.cut()


def _recreate(topic: ModelTopic) -> None:
    topic.recreate()
    _write(topic, [(0, "b", "2", True)] * 9)


def _truncate(topic: ModelTopic) -> None:
    for place in topic.places:
        del topic.kafka.partition(place).entries[1:]


LOSSES: Final[dict[GapReason, Callable[[ModelTopic], None]]] = {
    GapReason.OVERTAKEN: _cut,
    GapReason.RECREATED: _recreate,
    GapReason.TRUNCATED: _truncate,
}


@pytest.mark.parametrize("reason", LOSSES)
def test_a_lost_position_is_declared_and_the_whole_topic_follows(reason: GapReason) -> None:
    topic = ModelTopic()
    _write(topic, [(0, "a", "1", True), (0, "b", "1", True)])
    subscription = Subscription(topic, clock_ms=_clock)
    _now(subscription)
    LOSSES[reason](topic)
    gap, *events = _now(Subscription(topic, subscription.cursor, clock_ms=_clock))
    assert isinstance(gap, Gap)
    assert gap.reason is reason
    assert _applied(_records(events)) == _truth(topic)
    assert events[-1] == SnapshotEnd()


@pytest.mark.parametrize("reason", LOSSES)
def test_a_position_that_is_lost_while_it_is_followed_is_declared_too(reason: GapReason) -> None:
    topic = ModelTopic()
    _write(topic, [(0, "a", "1", True), (0, "b", "1", True)])
    clock = iter(range(NOW_MS, NOW_MS + 10**9, 40_000))
    happened: list[None] = []

    def happen() -> None:
        if not happened:
            happened.append(None)
            LOSSES[reason](topic)

    topic.between = happen
    found: list[Event] = []
    for event in Subscription(topic, clock_ms=lambda: next(clock)).events(follow=True):
        found.append(event)
        if found.count(SnapshotEnd()) == 2:
            break
    gaps = [event for event in found if isinstance(event, Gap)]
    assert [gap.reason for gap in gaps] == [reason]
    assert _applied(_records(found[found.index(gaps[0]) :])) == _truth(topic)


def test_a_position_older_than_the_deletions_is_declared_because_one_may_be_missing() -> None:
    topic = ModelTopic()
    _write(topic, [(0, "a", "1", True), (1, "b", "1", True)])
    subscription = Subscription(topic, clock_ms=_clock)
    held = _applied(_records(_now(subscription)))
    _write(topic, [(0, "a", None, True)])
    topic.forget()
    _write(topic, [(0, "z", "1", True)])
    at_the_limit = Subscription(topic, subscription.cursor, clock_ms=lambda: NOW_MS + DAY_MS)
    assert _applied(_records(_now(at_the_limit)), held) != _truth(topic), "this is why there is a limit"
    gap, *events = _now(Subscription(topic, subscription.cursor, clock_ms=lambda: NOW_MS + DAY_MS + 1))
    assert isinstance(gap, Gap)
    assert (gap.reason, gap.detail) == (
        GapReason.OUTDATED,
        "the position was last known to be current 24.0 h ago, and the topic keeps deletions for 24.0 h",
    )
    assert _applied(_records(events)) == _truth(topic)


def test_a_follower_that_has_read_everything_stays_current_however_quiet_it_is() -> None:
    topic = ModelTopic()
    _write(topic, [(0, "a", "1", True)])
    clock = iter(range(NOW_MS, NOW_MS + 10 * DAY_MS, DAY_MS // 8))
    subscription = Subscription(topic, clock_ms=lambda: next(clock))
    quiet = 0
    for event in subscription.events(follow=True):
        assert not isinstance(event, Gap)
        quiet += isinstance(event, Quiet)
        if quiet == 20:
            break
    assert subscription.cursor.current_ms > NOW_MS + DAY_MS
