"""Rows of earlier formats are read as if this version had written them, but for what they could not hold.

A row of format 3 or 4, and one of format 5 from before docs/adr/0041, kept no tearline of a further source, of each
group only the statement that ends last, and 16 groups apart in all. The rest is equal, and never more than this version
releases.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from schemas import topics
from schemas.codec import INDICATOR
from schemas.markings import Caveat, Marking, Pap, Tlp
from schemas.vocabulary import Withdrawal
from streams.correlate import row as rows_of
from streams.correlate.branches import Branches, Node
from streams.correlate.further import SUM, Group, Summary, name_of
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import FORMAT, MAX_SOURCES, Row
from tests.streams.correlate.popular import GREEN, KEY, PopularBench, Stated

_HERE: Final = Path(__file__).parent
# As 4fb89f8, ebd9e14 and ffd3c02 wrote them for ``before_the_upgrade`` of so many sources.
_KEPT: Final = ((3, 44), (4, 44), (5, 100))
_MARKINGS: Final = (
    GREEN,
    Marking(Tlp.CLEAR, Pap.GREEN, releasable_to=None),
    Marking(Tlp.AMBER, releasable_to=("JPN",)),
    Marking(Tlp.AMBER, releasable_to=("FRA", "JPN"), caveats=(Caveat.EMBARGO,)),
    Marking(),
)
of_each_format: Final = pytest.mark.parametrize(("number", "sources"), _KEPT)


def before_the_upgrade(sources: int) -> Iterator[Stated]:
    """Sources of every kind, more than a row keeps in full."""
    for number in range(sources):
        yield Stated(
            f"sensor-{number}",
            number % 3,
            _MARKINGS[number % len(_MARKINGS)],
            number,
            ("label-0", f"label-{number % 4}"),
            (("rule", "長" * 8), ("tearline", "公開")) if number % 4 == 0 else (),
            Withdrawal.REMOVED if number % 11 == 10 else 0,
            valid_until_ms=0 if number % 2 else 1_900_000_000_000,
        )


def _upgraded(number: int) -> PopularBench:
    """A bench with the rows of this format."""
    bench = PopularBench()
    for key, value in json.loads((_HERE / f"rows_of_format_{number}.json").read_text("utf-8")).items():
        bench.correlate.put(bytes.fromhex(key), bytes.fromhex(value))
    bench.now_ms += 20
    return bench


def _expected(sources: int) -> PopularBench:
    """The same reports, received by this version."""
    bench = PopularBench()
    bench.observes(*before_the_upgrade(sources))
    bench.observes(Stated("sensor-43", 9, _MARKINGS[3]))
    return bench


def _further(bench: PopularBench) -> Summary:
    found = bench.row.further
    assert found is not None
    return found


def _bare_group(group: Group) -> Group:
    """A group without what the earlier formats did not hold: tearlines, and more than one statement."""
    return msgspec.structs.replace(group, tearlines=(), confidence=0, appended_ms=0, valid_until_ms=0, others=())


def _without_tearlines(summary: Summary) -> Summary:
    groups = tuple(msgspec.structs.replace(each, tearlines=()) for each in summary.groups)
    return msgspec.structs.replace(summary, groups=groups)


def _sums(summary: Summary) -> tuple[int, int, int]:
    """Units, sightings and the sum of digests of all groups: nothing is lost, nothing counts twice."""
    groups = summary.groups
    return (
        sum(each.units for each in groups),
        sum(each.count for each in groups),
        sum(each.sum for each in groups) % SUM,
    )


def _kept_in_full(row: Row) -> str:
    return row.assertions[0].sensor


@of_each_format
def test_rows_of_earlier_formats_hold_all_that_they_held(number: int, sources: int) -> None:
    upgraded, expected = _upgraded(number), _expected(sources)
    assert upgraded.row.assertions == expected.row.assertions
    assert any(each.latest.tearline for each in upgraded.row.assertions)
    mine, its = _further(upgraded), _further(expected)
    assert mine.sources == sources - MAX_SOURCES
    assert msgspec.structs.replace(mine, groups=()) == msgspec.structs.replace(its, groups=())
    assert any(group.labels for group in mine.groups)
    assert _sums(mine) == _sums(its)
    if not any(group.mixed for group in mine.groups):
        assert [*map(_bare_group, mine.groups)] == [*map(_bare_group, its.groups)]


@of_each_format
def test_what_may_leave_of_a_row_of_an_earlier_format_is_never_more(number: int, sources: int) -> None:
    upgraded, expected = _upgraded(number), _expected(sources)
    lifetimes, kind = Lifetimes.load(), upgraded.row.kind
    by_key = {group.key: group for group in _further(expected).groups}
    for group in _further(upgraded).groups:
        if group.mixed:
            assert Caveat.UNRECOGNISED in group.marking.caveats  # rules hold it
            continue
        other = by_key[group.key]
        assert (group.marking, group.withdrawal) == (other.marking, other.withdrawal)
        assert group.units <= other.units
        assert group.count <= other.count
        assert {*group.labels} <= {*other.labels}
        assert {*group.lives} <= {*other.lives}
        if group.units == other.units:
            ends = [max(lifetimes.end_of(kind, life) for life in each.lives) for each in (group, other)]
            assert ends[0] == ends[1]


@of_each_format
def test_a_report_of_any_source_makes_the_summary_of_the_sources_again(number: int, sources: int) -> None:
    upgraded, expected = _upgraded(number), _expected(sources)
    report = Stated(_kept_in_full(expected.row), 9, _MARKINGS[1], 90, ("label-9",))
    for bench in (upgraded, expected):
        bench.observes(report)
    assert upgraded.row.bounded
    assert upgraded.row.assertions == expected.row.assertions
    assert _further(upgraded) == _without_tearlines(_further(expected))
    assert _content(upgraded) == _content(expected)


@of_each_format
def test_a_row_of_an_earlier_format_is_made_again_when_only_its_time_has_come(number: int, sources: int) -> None:
    upgraded, expected = _upgraded(number), _expected(sources)
    upgraded.correlate.due(KEY)
    upgraded.correlate.turn(upgraded.now_ms)
    assert upgraded.row.bounded
    assert _further(upgraded) == _without_tearlines(_further(expected))


@of_each_format
def test_once_its_sources_have_reported_again_a_row_is_what_this_version_would_have_written(
    number: int, sources: int
) -> None:
    upgraded, expected = _upgraded(number), _expected(sources)
    again = [msgspec.structs.replace(each, sequence=10) for each in before_the_upgrade(sources)]
    again += [
        Stated(f"sensor-{each}", 7, _MARKINGS[each % 3], 90, ("label-9",)) for each in range(sources, sources + 6)
    ]
    for some in (again[::2], again[1::2]):
        for bench in (upgraded, expected):
            bench.observes(*some)
    assert upgraded.row.sources == sources + 6
    assert upgraded.kept() == expected.kept()
    assert upgraded.national() == expected.national()
    assert _content(upgraded) == _content(expected)


@of_each_format
def test_a_further_source_is_found_and_can_tighten_its_marking(number: int, sources: int) -> None:
    upgraded, expected = _upgraded(number), _expected(sources)
    kept = {assertion.sensor for assertion in expected.row.assertions}
    outside = [name for name in (f"sensor-{each}" for each in range(sources)) if name not in kept]
    tree = Branches(upgraded.correlate, KEY, 0)
    assert all(tree.find(name_of(KEY, name)) is not None for name in outside)
    for bench in (upgraded, expected):
        bench.observes(*(Stated(name, 9, Marking(Tlp.RED), 50) for name in outside))
    assert upgraded.kept() == expected.kept()


def test_a_row_of_a_later_format_is_refused() -> None:
    later = msgspec.structs.replace(_upgraded(3).row, format=FORMAT + 1)
    refused = f"format {FORMAT + 1}.*up to {FORMAT}.*version that wrote it"
    for data in (msgspec.msgpack.encode(later), msgspec.msgpack.encode([*msgspec.structs.astuple(later), 1])):
        with pytest.raises(msgspec.DecodeError, match=refused):
            rows_of.decode(data)


def test_rows_of_further_sources_of_a_later_format_are_refused() -> None:
    bench = _upgraded(3)
    bench.correlate.put(KEY + b"\x00", msgspec.msgpack.encode(Node(0, format=FORMAT + 1)))
    with pytest.raises(msgspec.DecodeError, match=f"format {FORMAT + 1}"):
        Branches(bench.correlate, KEY, 0).find(name_of(KEY, "sensor-1"))


def _content(bench: PopularBench) -> Sequence[Any]:
    """What the partner has of the indicator, and the nation, after the roll-up: but for tearlines."""
    bench.settles()
    national = bench.correlate.written(topics.NATIONAL, INDICATOR)[-1]
    last = next((record for record in reversed(bench.released()) if record["content"]), None)
    content = None if last is None else {**last["content"], "tearline": None}
    return national["marking"], national["labels"], national["source_count"], content
