"""Intake under bad and huge input: bounded in what it writes, and one poisoned observation takes nothing along."""

from typing import Any

import pytest

from exchange.authority.roster import Roster
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, QUARANTINED, SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.topics import MAX_RECORD_BYTES
from schemas.vocabulary import IndicatorType
from streams.intake.step import MAX_KEPT_BYTES, Intake
from tests.builders import NOW_MS, a_report, an_observation
from tests.streams.workbench import Workbench

CODEC = Codec()
SHARDS = 3
SHARD = shard_of_sensor("edge-1", SHARDS)


def an_intake() -> Workbench:
    return Workbench(Intake("GBR", SHARD, SHARDS, CODEC, quota=1_000_000, roster=lambda: Roster("GBR")))


def a_record(report: SensorReport | bytes | None, offset: int = 0) -> Record:
    """A record of the sensors' topic."""
    value = CODEC.encode(SENSOR_REPORT, report) if isinstance(report, dict) else report
    return Record(topics.SENSOR_REPORTS, SHARD, offset, b"edge-1", value, NOW_MS)


def quarantined(bench: Workbench) -> list[dict[str, Any]]:
    return bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_batch_of_invalid_and_valid_reports_counts_every_valid_one() -> None:
    bench = an_intake()
    values = [None, b"", b"\0\0\0\0\1", a_report(sequence=1), b"\xff" * 100, a_report(sequence=2)]
    bench.turn(NOW_MS, *(a_record(value, offset) for offset, value in enumerate(values)))
    assert [entry["offset"] for entry in quarantined(bench)] == [0, 1, 2, 4]
    blocks = bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)
    assert sorted(number for block in blocks for number in block["sequences"]) == [1, 2]


def test_many_bad_observations_that_share_much_do_not_become_gigabytes() -> None:
    """One description of 900 kB that 5 000 observations point to."""
    rows = [an_observation(description="d" * 900_000), *(an_observation() for _ in range(4_999))]
    report = a_report(rows)
    report["context_index"] = [0] * len(rows)
    bench = an_intake()
    bench.turn(NOW_MS, a_record(report))
    found = quarantined(bench)
    assert [entry["index"] for entry in found] == list(range(5_000))
    assert {entry["reason"] for entry in found} == {"too-large"}
    assert sum(len(output.value or b"") for output in bench.outputs) < MAX_KEPT_BYTES + 5_000 * 1_000


def test_kept_originals_of_refused_observations_are_bounded_for_each_report() -> None:
    rows = [an_observation(value="no domain " + "x" * 5_000) for _ in range(300)]
    bench = an_intake()
    bench.turn(NOW_MS, *(a_record(a_report(rows, sequence=number), number) for number in range(2)))
    found = quarantined(bench)
    assert len(found) == 600
    for offset in (0, 1):
        of_report = [entry for entry in found if entry["offset"] == offset]
        kept = [len(entry["original"]) for entry in of_report if entry["original"] is not None]
        assert sum(kept) <= MAX_KEPT_BYTES + max(kept)
        assert all(entry["size"] and len(entry["digest"]) == 32 for entry in of_report)


def test_a_tearline_that_may_not_leave_costs_its_observation() -> None:
    written = ["for release\n公開", "x" * 1024, "x" * 1025, "長" * 342, "bell\x07", "a\r\nb", "\x85", ""]
    bench = an_intake()
    rows = [
        an_observation(value=f"c{number}.example", context=(("tearline", text),)) for number, text in enumerate(written)
    ]
    bench.turn(NOW_MS, a_record(a_report(rows)))
    found = quarantined(bench)
    assert [entry["index"] for entry in found] == [2, 3, 4, 5, 6]
    assert {entry["reason"] for entry in found} == {"malformed-content"}


def test_a_thousand_labels_are_one_observations_fault() -> None:
    labels = tuple(f"label-{number}" for number in range(1000))
    bench = an_intake()
    bench.turn(NOW_MS, a_record(a_report([an_observation(labels=labels), an_observation()])))
    (entry,) = quarantined(bench)
    assert (entry["reason"], entry["index"]) == ("too-many-labels", 0)
    (block,) = bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)
    assert len(block["values"]) == 1


@pytest.mark.parametrize("label", ["", "bell \x07", "escape \x1b[31m", "c1 \x85", "x" * 257])
def test_a_label_that_no_guard_lets_pass_is_refused_here(label: str) -> None:
    bench = an_intake()
    bench.turn(NOW_MS, a_record(a_report([an_observation(labels=(label,))])))
    assert [entry["reason"] for entry in quarantined(bench)] == ["too-many-labels"]


def test_ten_thousand_urls_of_two_kilobytes_fit_their_topic() -> None:
    """Several reports of one batch meet in one block: that has a size too."""
    wide = [
        [
            Observation(kind=IndicatorType.URL, value=f"http://{report}-{row}.example/{'p' * 1950}")
            for row in range(1_000)
        ]
        for report in range(3)
    ]
    bench = an_intake()
    bench.turn(NOW_MS, *(a_record(a_report(rows, sequence=number), number) for number, rows in enumerate(wide)))
    assert quarantined(bench) == []
    blocks = [output for output in bench.outputs if output.topic == topics.OBSERVATIONS]
    assert all(len(output.value or b"") < MAX_RECORD_BYTES for output in blocks)
    assert sum(len(block["values"]) for block in bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)) == 3_000


def test_a_report_on_another_partition_is_refused_for_it_would_be_counted_there_again() -> None:
    bench = an_intake()
    other = next(name for name in map("edge-{}".format, range(100)) if shard_of_sensor(name, SHARDS) != SHARD)
    bench.turn(NOW_MS, a_record(a_report(sensor=other)))
    (entry,) = quarantined(bench)
    assert entry["reason"] == "key-mismatch"
    assert f"belong on {shard_of_sensor(other, SHARDS)}" in entry["detail"]
