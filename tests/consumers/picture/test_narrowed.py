"""`tail` with a filter: what it lets through, and the ends of that, and nothing else."""

from typing import Any

from consumers.picture.filters import Filter
from consumers.picture.narrowed import narrowed
from consumers.subscription.changes import Change, State, change_of
from consumers.subscription.subscription import Gap, GapReason, SnapshotEnd
from schemas.codec import RELEASED_INDICATOR
from tests.builders import NOW_MS
from tests.consumers.picture.topics import CODEC, TopicInMemory


def through(filters: Filter, *releases: dict[str, Any] | Gap) -> list[tuple[str, State]]:
    """The values' first letters and the states of what comes through."""
    topic, events, names = TopicInMemory(), list[Change | Gap | SnapshotEnd](), dict[str, str]()
    for number, each in enumerate(releases):
        if isinstance(each, Gap):
            events.append(each)
            continue
        indicator = topic.release(version=NOW_MS + number, **each)
        names[indicator] = each["value"]
        last = next(
            r for records in topic.records.values() for r in reversed(records) if (r.key or b"").decode() == indicator
        )
        events.append(change_of(last, RELEASED_INDICATOR, CODEC, NOW_MS))
    found = narrowed([*events, SnapshotEnd()], filters, "JPN")
    return [(names[each.key], each.state) for each in found if isinstance(each, Change)]


def a(value: str, confidence: int = 50, **more: Any) -> dict[str, Any]:
    return {"value": value, "content": {"confidence": confidence}, **more}


def test_only_what_matches_comes_and_later_its_end() -> None:
    changes = [
        a("one.example", 90),
        a("two.example", 10),
        a("two.example", record="recalled"),
        a("one.example", 95),
        a("one.example", record="recalled"),
        a("one.example", record="expired"),
    ]
    assert through(Filter(confidence=50), *changes) == [
        ("one.example", State.LIVE),
        ("one.example", State.LIVE),
        ("one.example", State.RECALLED),
    ]


def test_what_no_longer_matches_comes_once_more() -> None:
    changes = [a("one.example", 90), a("one.example", 10), a("one.example", 5)]
    assert through(Filter(confidence=50), *changes) == [("one.example", State.LIVE)] * 2


def test_after_a_gap_nothing_was_shown() -> None:
    gap = Gap(GapReason.OVERTAKEN, 0, "")
    recalled = a("one.example", record="recalled")
    assert through(Filter(confidence=50), a("one.example", 90), gap, recalled) == [("one.example", State.LIVE)]
