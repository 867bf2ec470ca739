"""One indicator with any number of sources: its row, its records and the cost of a report stay bounded, and nothing of
what the sources assert is lost or loosened (docs/adr/0038)."""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import INDICATOR
from schemas.identity import indicator_key
from schemas.marking_records import marking_record
from schemas.markings import Marking, Pap, Tlp, joined
from schemas.vocabulary import IndicatorType, Withdrawal
from streams.correlate import row as rows_of
from streams.correlate.branches import Branches
from streams.correlate.further import name_of
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import MAX_SOURCES
from tests.builders import NOW_MS
from tests.officers import ALICE, CAROL
from tests.streams.correlate.popular import (
    GREEN,
    KEY,
    KIB,
    RED,
    ROLL_UP_MS,
    PopularBench,
    Stated,
    block_of,
    largest,
    written_bytes,
)
from tests.streams.officers_bench import OfficersBench

MARKINGS = st.sampled_from(
    [
        Marking(Tlp.CLEAR, releasable_to=None),
        GREEN,
        Marking(Tlp.AMBER, releasable_to=("JPN",)),
        RED,
        Marking(Tlp.GREEN, Pap.RED, releasable_to=None),
        Marking(),
    ]
)
REPORTS = st.builds(
    Stated,
    sensor=st.integers(0, 79).map("sensor-{}".format),
    sequence=st.integers(0, 3),
    marking=MARKINGS,
    confidence=st.sampled_from([-1, 10, 50, 80, 90]),
    labels=st.sampled_from([(), ("c2",), ("botnet", "c2")]),
    context=st.sampled_from([(), (("tearline", "for release"),)]),
    withdrawal=st.sampled_from([0, 0, 0, int(Withdrawal.REMOVED), int(Withdrawal.LAPSED)]),
    count=st.integers(1, 9),
    seen_ms=st.integers(NOW_MS - 1000, NOW_MS),
    valid_until_ms=st.sampled_from([0, 0, NOW_MS + 1_000_000]),
)


def in_batches(stated: Sequence[Stated], random: Random) -> list[list[Stated]]:
    """These cut anywhere."""
    batches, rest = [], list(stated)
    while rest:
        size = random.randint(1, 30)
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


def unlike(stated: Sequence[Stated]) -> list[Stated]:
    """These with the identity of each report once: intake lets no report through twice."""
    return list({(each.sensor, each.sequence): each for each in stated}.values())


@settings(max_examples=25, deadline=None)
@given(st.lists(REPORTS, min_size=60, max_size=250), st.randoms(use_true_random=False))
def test_the_rows_are_the_same_for_every_order_and_every_cut(stated: list[Stated], random: Random) -> None:
    reports = unlike(stated)
    one, other = PopularBench(), PopularBench()
    for batch in in_batches(reports, random):
        one.observes(*batch)
    random.shuffle(reports)
    for batch in in_batches(reports, random):
        other.observes(*batch)
    assert one.kept() == other.kept()


@settings(max_examples=25, deadline=None)
@given(st.lists(REPORTS, min_size=60, max_size=250), st.randoms(use_true_random=False))
def test_the_national_record_has_what_a_plain_dictionary_of_all_sources_has(
    stated: list[Stated], random: Random
) -> None:
    reports = unlike(stated)
    bench = PopularBench()
    for batch in in_batches(reports, random):
        bench.observes(*batch)
    if not bench.row.is_seen:
        return
    bench.settles()
    sources: dict[str, list[Stated]] = {}
    for each in reports:
        sources.setdefault(each.sensor, []).append(each)
    last = {sensor: max(given, key=lambda each: each.sequence) for sensor, given in sources.items()}
    seen = [each for each in reports if not each.withdrawal]
    national = bench.national()
    assert national["source_count"] == len(sources)
    assert len(national["sources"]) == min(len(sources), MAX_SOURCES)
    assert national["sightings"] == sum(each.count for each in seen)
    assert national["first_seen_ms"] == min(each.seen_ms for each in seen)
    assert national["last_seen_ms"] == max(each.seen_ms for each in seen)
    assert bench.row.marking == joined(each.marking for each in last.values())
    assert (bench.row.withdrawal is None) == any(not each.withdrawal for each in last.values())
    assert set(national["labels"]) == {label for each in last.values() for label in each.labels}


def test_a_source_that_is_not_kept_in_full_is_obeyed_when_it_tightens_its_marking() -> None:
    bench = PopularBench()
    bench.observes(*(Stated(f"sensor-{number}", seen_ms=NOW_MS - number) for number in range(500)))
    kept = {assertion.sensor for assertion in bench.row.assertions}
    further = next(number for number in range(499, 0, -1) if f"sensor-{number}" not in kept)
    [first] = bench.released()
    assert (first["content"]["sightings"], first["recalled_through"]) == (500, 0)
    bench.observes(Stated(f"sensor-{further}", 1, RED))
    released = bench.released()[-1]
    assert released["recalled_through"] == first["version"]
    assert released["content"]["sightings"] == 499
    assert bench.national()["sightings"] == 501


@pytest.mark.parametrize("withdrawal", [Withdrawal.REVOKED, Withdrawal.LAPSED])
def test_withdrawals_of_all_sources_end_the_indicator(withdrawal: Withdrawal) -> None:
    bench = PopularBench()
    sensors = [f"sensor-{number}" for number in range(200)]
    bench.observes(*(Stated(sensor) for sensor in sensors))
    bench.observes(*(Stated(sensor, 1, withdrawal=withdrawal) for sensor in sensors[1:]))
    assert bench.released()[-1]["kind"] == "content"
    bench.observes(Stated(sensors[0], 1, withdrawal=withdrawal))
    assert bench.released()[-1]["kind"] == ("revoked" if withdrawal is Withdrawal.REVOKED else "expired")


def test_a_further_source_waits_for_the_roll_up_unless_it_is_news() -> None:
    bench = PopularBench()
    bench.observes(*(Stated(f"sensor-{number}", labels=("c2",)) for number in range(40)))
    reported = len(bench.correlate.written(topics.NATIONAL, INDICATOR))

    def is_news(stated: Stated) -> bool:
        nonlocal reported
        bench.observes(stated)
        before, reported = reported, len(bench.correlate.written(topics.NATIONAL, INDICATOR))
        return reported > before

    assert not is_news(Stated("more-1", labels=("c2",)))
    assert not is_news(Stated("more-2"))
    assert is_news(Stated("more-3", marking=Marking(Tlp.CLEAR, releasable_to=None)))
    assert is_news(Stated("more-4", labels=("botnet",)))
    assert is_news(Stated("more-5", confidence=20))
    assert is_news(Stated("more-6", valid_until_ms=NOW_MS + 5_000_000))
    assert is_news(Stated("more-7", withdrawal=Withdrawal.REMOVED))
    assert [is_news(Stated(f"further-{number}", labels=("c2",))) for number in range(20)].index(True) == 64 - 47 - 1
    bench.settles()
    assert bench.national()["source_count"] == 67


def test_100_000_sources_are_the_same_in_every_order_and_a_report_of_one_costs_little() -> None:
    random = Random(13)
    markings = [GREEN, Marking(Tlp.CLEAR, releasable_to=None), RED, Marking(Tlp.AMBER, releasable_to=("JPN",))]
    stated = [
        Stated(f"sensor-{number}", marking=random.choice(markings), count=random.randint(1, 9), labels=("c2",))
        for number in range(100_000)
    ]
    one, other = PopularBench(), PopularBench()
    for start in range(0, len(stated), 60_000):
        one.observes(*stated[start : start + 60_000])
    random.shuffle(stated)
    for start in range(0, len(stated), 40_000):
        other.observes(*stated[start : start + 40_000])
    assert one.kept() == other.kept()
    one.settles()
    assert one.national()["source_count"] == 100_000
    assert one.national()["sightings"] == sum(each.count for each in stated)
    allowed = [each for each in stated if each.marking.tlp <= Tlp.AMBER]
    assert one.released()[-1]["content"]["sightings"] == sum(each.count for each in allowed)
    further = next(each.sensor for each in allowed if all(each.sensor != kept.sensor for kept in one.row.assertions))
    effects = one.observes(Stated(further, 1, RED))
    assert one.released()[-1]["recalled_through"]
    assert largest(effects) < 16 * KIB
    assert written_bytes(effects) < 48 * KIB


# -- officers, and rows of before --------------------------------------------------------------------------------------


def test_an_officer_does_not_approve_what_a_sensor_of_theirs_reports_among_many() -> None:
    bench = OfficersBench()
    for number in range(70):
        bench.observes("", f"other-{number}")
    bench.observes("", "edge")
    [(_, row)] = bench.rows()
    assert "edge" not in {assertion.sensor for assertion in row.assertions}
    assert bench.approves(CAROL, marking=marking_record(GREEN)) == "own-report"
    assert bench.approves(ALICE, marking=marking_record(GREEN)) == ""


@pytest.mark.parametrize("sensor", ["edge-38", "new"])
def test_rows_of_format_2_are_read_and_bounded_with_the_next_report(sensor: str) -> None:
    kept = json.loads((Path(__file__).parent / "rows_of_format_2.json").read_text("utf-8"))
    assert kept["format"] == 2
    bench = PopularBench()
    bench.now_ms = kept["now_ms"]
    for key, row in kept["rows"].items():
        bench.correlate.put(bytes.fromhex(key), bytes.fromhex(row["value"]))
    domain = (IndicatorType.DOMAIN_NAME, "popular.example")
    key = indicator_key(*domain)
    before = rows_of.decode(bench.correlate.get_many([key])[0] or b"")
    assert (len(before.assertions), before.further) == (40, None)
    for kind, value in (domain, (IndicatorType.DOMAIN_NAME, "many-markings.example")):
        block = block_of([Stated(sensor, 1, labels=("label-9",))], kind, value)
        bench.now_ms += ROLL_UP_MS
        bench.correlate.turn(bench.now_ms, Record(topics.OBSERVATIONS, 0, 0, b"0", block, bench.now_ms))
    sources = 40 if sensor == "edge-38" else 41
    popular, many = bench.correlate.written(topics.NATIONAL, INDICATOR)[-2:]
    assert (popular["source_count"], popular["sightings"]) == (sources, 41)
    assert popular["labels"] == ["label-0", "label-1", "label-2", "label-9"]
    assert popular["marking"]["tlp"] == Tlp.RED
    assert (many["source_count"], many["sightings"]) == (2, 13)
    after = rows_of.decode(bench.correlate.get_many([key])[0] or b"")
    assert len(after.assertions) == MAX_SOURCES
    assert after.sources == sources
    assert after.marking == before.marking


def test_a_row_of_format_2_with_many_sources_is_bounded_when_only_its_time_has_come() -> None:
    kept = json.loads((Path(__file__).parent / "rows_of_format_2.json").read_text("utf-8"))
    key = indicator_key(IndicatorType.DOMAIN_NAME, "popular.example")
    bench = PopularBench()
    bench.correlate.put(key, bytes.fromhex(kept["rows"][key.hex()]["value"]))
    before = rows_of.decode(bench.correlate.get_many([key])[0] or b"")
    end_ms = before.end(Lifetimes.load())
    bench.correlate.due(key)
    bench.correlate.turn(end_ms)
    [record] = bench.correlate.written(topics.NATIONAL, INDICATOR)
    assert (record["kind"], record["source_count"], record["sightings"]) == ("expired", 40, 40)
    assert len(rows_of.decode(bench.correlate.get_many([key])[0] or b"").assertions) == MAX_SOURCES


def test_the_rows_of_further_sources_of_a_lost_row_count_as_none() -> None:
    bench = PopularBench()
    bench.observes(*(Stated(f"sensor-{number}") for number in range(100)))
    names = [name_of(KEY, f"sensor-{number}") for number in range(100)]
    found = [Branches(bench.correlate, KEY, 0).find(name) for name in names]
    assert sum(each is not None for each in found) == 100 - MAX_SOURCES
    rebuilt = Branches(bench.correlate, KEY, NOW_MS)
    assert not any(rebuilt.find(name) for name in names)
    assert rebuilt.put({names[0]: next(each for each in found if each is not None)}).sources == 1
