"""Quotas, redrives and gaps of a sensor, through intake."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from exchange.metrics import spec
from exchange.metrics.labels import GapChange, ReportFate
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, QUARANTINED, SENSOR_REPORT, Codec
from schemas.records import SensorReport
from streams.intake.sequences import MAX_EPOCHS, MAX_INTERVALS
from streams.intake.step import Intake
from tests.builders import NOW_MS, a_report, an_observation
from tests.officers import BOB, ROSTER, signed_by
from tests.streams.workbench import Workbench

MINUTE_MS = 60_000
QUOTA = 10
CODEC = Codec()


# -- through intake ------------------------------------------------------------------------------------------------


def report_of(sequence: int, size: int = 1, **changes: object) -> SensorReport:
    """A report of so many distinct domains."""
    rows = [an_observation(value=f"n{sequence}-{number}.example.com") for number in range(size)]
    fields: dict[str, object] = {"sequence": sequence, "epoch": 1} | changes
    return a_report(rows, **fields)


def records_of(reports_: Sequence[SensorReport], appended_ms: Sequence[int]) -> list[Record]:
    return [
        _record_of(offset, report, at_ms)
        for offset, (report, at_ms) in enumerate(zip(reports_, appended_ms, strict=True))
    ]


def _record_of(offset: int, report: SensorReport, at_ms: int) -> Record:
    """What is redriven is signed by an officer."""
    value = CODEC.encode(SENSOR_REPORT, report)
    headers = signed_by(BOB, value) if report["redrive_of"] else ()
    return Record(topics.SENSOR_REPORTS, 0, offset, b"edge-1", value, at_ms, headers)


def an_intake(quota: int = QUOTA) -> Workbench:
    return Workbench(Intake("GBR", 0, 1, CODEC, quota=quota, roster=lambda: ROSTER))


def test_a_report_over_the_quota_is_refused_whole_with_what_to_do() -> None:
    bench = an_intake()
    bench.turn(NOW_MS, *records_of([report_of(0, 6), report_of(1, 6)], [NOW_MS, NOW_MS]))
    [entry] = bench.written(topics.QUARANTINE, QUARANTINED)
    assert (entry["reason"], entry["sensor"], entry["index"]) == ("over-quota", "edge-1", -1)
    assert "redrive" in entry["detail"]
    assert sum(len(block["values"]) for block in bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)) == 6


def test_a_report_larger_than_the_quota_is_refused_in_any_minute_with_the_reason() -> None:
    bench = an_intake()
    for minute in range(3):
        bench.turn(NOW_MS, *records_of([report_of(0, QUOTA + 1)], [NOW_MS + minute * MINUTE_MS]))
    entries = bench.written(topics.QUARANTINE, QUARANTINED)
    assert [entry["reason"] for entry in entries] == ["over-quota"] * 3
    assert all(f"has {QUOTA + 1} observations" in entry["detail"] for entry in entries)
    assert all("KAKEHASHI_SENSOR_QUOTA" in entry["detail"] for entry in entries)


def test_a_report_over_the_quota_is_accepted_when_it_is_redriven_in_a_quieter_minute() -> None:
    bench = an_intake()
    late = report_of(1, 6)
    bench.turn(NOW_MS, *records_of([report_of(0, 6), late], [NOW_MS, NOW_MS]))
    [entry] = bench.written(topics.QUARANTINE, QUARANTINED)
    again = late | {"redrive_of": entry["key"]}
    for _ in range(2):
        bench.turn(NOW_MS, *records_of([again], [NOW_MS + MINUTE_MS]))
    bench.turn(NOW_MS, *records_of([late], [NOW_MS + 2 * MINUTE_MS]))  # and the sensor sends it again, too
    assert sum(len(block["values"]) for block in bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)) == 12


def test_of_several_copies_that_were_refused_only_one_counts_when_all_are_redriven() -> None:
    bench = an_intake()
    copies = [report_of(1) | {"redrive_of": f"sensor.reports.v1-0-{offset}--1"} for offset in (3, 4)]
    for copy in copies:
        bench.turn(NOW_MS, *records_of([copy], [NOW_MS]))
    assert sum(len(block["values"]) for block in bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)) == 1


def test_two_observations_of_one_report_are_redriven_separately() -> None:
    bench = an_intake()
    bench.turn(NOW_MS, *records_of([report_of(1)], [NOW_MS]))
    for index in (3, 4):
        parts = report_of(1) | {"redrive_of": f"sensor.reports.v1-0-0-{index}"}
        bench.turn(NOW_MS, *records_of([parts], [NOW_MS]))
    assert sum(len(block["values"]) for block in bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)) == 3


def test_redriven_reports_do_not_bypass_the_quota() -> None:
    bench = an_intake()
    floods = [report_of(number, 1) | {"redrive_of": f"made-up-{number}-7"} for number in range(3 * QUOTA)]
    effects = bench.turn(NOW_MS, *records_of(floods, [NOW_MS] * len(floods)))
    assert effects.tallies[spec.REPORTS.tally(ReportFate.REDRIVEN)] == QUOTA
    assert effects.tallies[spec.REPORTS.tally(ReportFate.QUARANTINED)] == 2 * QUOTA
    assert len(effects.rows) == QUOTA + 1, "a row for each that was accepted, and the sensor's"


def test_a_sensor_over_its_quota_does_not_affect_the_others() -> None:
    bench = an_intake()
    mad = [report_of(number, QUOTA) for number in range(20)]
    good = [report_of(number, 1, sensor="edge-2") for number in range(5)]
    effects = bench.turn(NOW_MS, *records_of([*mad, *good], [NOW_MS] * 25))
    assert effects.tallies[spec.REPORTS.tally(ReportFate.ACCEPTED)] == 1 + 5
    assert effects.notes == [
        f"sensor.near_quota sensor='edge-1' used={QUOTA} quota={QUOTA}",
        f"sensor.over_quota sensor='edge-1' quota={QUOTA}: its reports go to quarantine",
    ]


def test_the_busiest_sensors_use_of_its_quota_is_shown_for_each_batch() -> None:
    bench = an_intake()

    def used(*reports: tuple[SensorReport, int]) -> float:
        effects = bench.turn(NOW_MS, *records_of([report for report, _ in reports], [at_ms for _, at_ms in reports]))
        return effects.gauges[spec.SENSOR_QUOTA_USED.at("intake", 0)]

    assert used((report_of(0, 3), NOW_MS), (report_of(0, 2, sensor="edge-2"), NOW_MS)) == 3 / QUOTA
    assert used((report_of(1, 2, sensor="edge-2"), NOW_MS)) == 4 / QUOTA
    assert used((report_of(1, 6), NOW_MS)) == 9 / QUOTA
    assert used((report_of(2, 2), NOW_MS)) == 9 / QUOTA, "a refused report uses nothing"
    assert used((report_of(3, 1), NOW_MS + MINUTE_MS)) == 1 / QUOTA


def test_the_log_names_the_sensor_whose_reports_are_missing_and_which() -> None:
    bench = an_intake()
    effects = bench.turn(NOW_MS, *records_of([report_of(0), report_of(4), report_of(2)], [NOW_MS] * 3))
    epoch = report_of(0)["epoch"]
    assert effects.notes == [
        f"sensor.gap sensor='edge-1' epoch={epoch} from=1 to=3: these reports are missing",
        f"sensor.gap_filled sensor='edge-1' epoch={epoch} sequence=2",
    ]


def test_a_sensor_with_many_gaps_does_not_fill_the_log() -> None:
    names = [f"edge-{number}\n" for number in range(100)]
    reports = [report_of(number, sensor=name) for name in names for number in (0, 5)]
    effects = an_intake(quota=1_000).turn(NOW_MS, *records_of(reports, [NOW_MS] * len(reports)))
    assert len(effects.notes) == 21
    assert effects.notes[-1] == "sensor.more notes=80"
    assert not any("\n" in note for note in effects.notes)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, 9_000)), min_size=1, max_size=20),
    st.lists(st.integers(1, 20), max_size=8),
)
def test_the_same_log_has_the_same_result_in_any_batches(log: list[tuple[int, int, int]], cuts: list[int]) -> None:
    """The broker's times continue by up to nine seconds each, so that quotas end and begin within the log."""
    times = [NOW_MS]
    for _, _, pause_ms in log[1:]:
        times.append(times[-1] + pause_ms)
    records = records_of([report_of(sequence, size) for sequence, size, _ in log], times)
    whole, cut = an_intake(), an_intake()
    whole.turn(NOW_MS, *records)
    borders = [0, *sorted({min(border, len(records)) for border in cuts}), len(records)]
    for begin, end in pairwise(borders):
        cut.turn(NOW_MS, *records[begin:end])
    assert refused(whole) == refused(cut)
    assert seen(whole) == seen(cut)
    assert whole.get_many([b"sedge-1"]) == cut.get_many([b"sedge-1"])


def refused(bench: Workbench) -> list[tuple[str, str]]:
    return [(entry["key"], entry["reason"]) for entry in bench.written(topics.QUARANTINE, QUARANTINED)]


def seen(bench: Workbench) -> Counter[tuple[str, int]]:
    found: Counter[tuple[str, int]] = Counter()
    for block in bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK):
        for value, sequence, count in zip(block["values"], block["sequences"], block["counts"], strict=True):
            found[value, sequence] += count
    return found


# -- bounds --------------------------------------------------------------------------------------------------------


def test_too_many_gaps_are_counted_as_given_up_and_not_as_filled() -> None:
    bench = an_intake(quota=1 << 40)
    odd = [report_of(2 * number, 0) for number in range(MAX_INTERVALS + 2)]
    total = bench.turn(NOW_MS, *records_of(odd, [NOW_MS] * len(odd))).tallies
    assert total[spec.SEQUENCE_GAPS.tally(GapChange.OPENED)] == MAX_INTERVALS + 1
    assert total[spec.SEQUENCE_GAPS.tally(GapChange.GIVEN_UP)] == 2
    assert not total[spec.SEQUENCE_GAPS.tally(GapChange.FILLED)]
    bench.turn(NOW_MS, *records_of([report_of(1, 0)], [NOW_MS]))
    assert refused(bench) == [("sensor.reports.v1-0-0--1", "stale-epoch")]


def test_an_epoch_that_is_forgotten_gives_its_gaps_up() -> None:
    bench = an_intake(quota=1 << 40)
    total: Counter[tuple[str, ...]] = Counter()
    for epoch in range(1, MAX_EPOCHS + 2):
        total.update(bench.turn(NOW_MS, *records_of([report_of(1, 0, epoch=epoch)], [NOW_MS])).tallies)
    assert total[spec.SEQUENCE_GAPS.tally(GapChange.OPENED)] == MAX_EPOCHS + 1
    assert total[spec.SEQUENCE_GAPS.tally(GapChange.GIVEN_UP)] == 1
