"""Producing without a cluster: what is read, what is refused, and that one never stops the other."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import ConfigurationError, DeliveryTimeout
from producers.produce import Options, produce
from producers.readers.reading import Defaults
from producers.report import observations_of
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from schemas.tearline import is_fit
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.producers.producing import CODEC, NOWHERE, SENSOR, Unwatched, quarantined_in, reports_in, run, values_in
from tests.producers.reading_feeds import FEEDS, defaults_of, manifest


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: f"{entry['nation']}-{entry['file']}")
def test_every_recorded_feed_gives_what_its_manifest_states(entry: dict[str, Any], sensor_spool: Spool) -> None:
    summary = run(sensor_spool, FEEDS / entry["file"], defaults=defaults_of(entry["options"]))
    assert (summary.observations, summary.rejected.total()) == (entry["observations"], entry["rejected"])
    values = sum(len(report["values"]) for report in reports_in(sensor_spool))
    assert values == entry["observations"] + summary.withdrawn
    assert len({record["key"] for record in quarantined_in(sensor_spool)}) == entry["rejected"]
    assert {report["tool"] for report in reports_in(sensor_spool)} <= {entry["format"]}


def test_a_whole_nation_of_feeds_is_one_sequence_a_sensor(sensor_spool: Spool) -> None:
    entries = [entry for entry in manifest() if (entry["nation"], entry["sensor"]) == ("GBR", "vendor-unit42")]
    summary = run(sensor_spool, *(FEEDS / entry["file"] for entry in entries))
    assert [report["sequence"] for report in reports_in(sensor_spool)] == list(range(summary.reports))
    assert summary.files == len(entries)
    assert max(len(report["values"]) for report in reports_in(sensor_spool)) == 500


def test_a_refusal_is_a_quarantine_record_with_its_place_and_original(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_bytes(b"bad.example.com\nnot an indicator\nn\xe4me.example\n")
    summary = run(sensor_spool, file)
    first, second = quarantined_in(sensor_spool)
    assert first | {"detail": "", "digest": b""} == {
        "key": first["key"],
        "reason": RejectReason.UNKNOWN_TYPE,
        "detail": "",
        "stage": "produce",
        "at_ms": NOW_MS,
        "sensor": "edge-1",
        "topic": "",
        "partition": -1,
        "offset": -1,
        "index": -1,
        "place": f"{file}:2",
        "content_type": "text",
        "original": b"not an indicator",
        "excerpt": "",
        "size": 16,
        "digest": b"",
    }
    assert (second["reason"], second["original"]) == (RejectReason.UNREADABLE_LINE, b"n\xe4me.example")
    assert summary.rejected == Counter({RejectReason.UNKNOWN_TYPE: 1, RejectReason.UNREADABLE_LINE: 1})
    assert [refused.place.line for refused in summary.first_rejected] == [2, 3]


def test_the_key_of_a_refusal_is_the_same_whenever_the_same_content_is_read(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text("no indicator\n")
        with Spool(tmp_path / name / "spool", "GBR", "edge-1", NOW_MS) as spool:
            run(spool, tmp_path / name / f"{name}.txt")
            keys.append([record["key"] for record in quarantined_in(spool)])
    assert keys[0] == keys[1]
    assert keys[0][0].startswith("sensor-edge-1-")
    assert keys[0][0].endswith("-1-1")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", RejectReason.UNKNOWN_FORMAT),
        (b"<?xml version='1.0'?><a/>", RejectReason.UNKNOWN_FORMAT),
        (b"\x7fELF\x00\x00", RejectReason.UNKNOWN_FORMAT),
        ("198.51.100.7\n".encode("utf-16"), RejectReason.UNREADABLE_LINE),
        (b"\x1f\x8b not gzip", RejectReason.UNKNOWN_FORMAT),
    ],
)
def test_a_file_that_no_one_can_read_is_refused_whole_and_the_next_one_is_read(
    content: bytes, reason: RejectReason, sensor_spool: Spool, tmp_path: Path
) -> None:
    (tmp_path / "bad").write_bytes(content)
    (tmp_path / "good").write_text("good.example.com\n")
    summary = run(sensor_spool, tmp_path / "bad", tmp_path / "good")
    [refused] = quarantined_in(sensor_spool)
    assert (refused["reason"], refused["place"]) == (reason, str(tmp_path / "bad"))
    assert values_in(sensor_spool) == ["good.example.com"]
    assert summary.files == 2


def test_a_line_of_50_mb_is_refused_and_the_rest_of_the_file_is_read(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    with file.open("wb") as stream:
        stream.write(b"before.example.com\n")
        for _ in range(50):
            stream.write(b"x" * (1 << 20))
        stream.write(b"\nafter.example.com\n")
    run(sensor_spool, file)
    [refused] = quarantined_in(sensor_spool)
    assert (refused["reason"], refused["original"]) == (RejectReason.LINE_TOO_LONG, None)
    assert refused["size"] == (50 << 20) + 1
    assert values_in(sensor_spool) == ["before.example.com", "after.example.com"]


def test_a_value_that_no_record_could_carry_is_refused_alone(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"type,value\nurl,http://a.example/{'x' * 9000}\nurl,http://b.example/\n")
    run(sensor_spool, file)
    assert [record["reason"] for record in quarantined_in(sensor_spool)] == [RejectReason.VALUE_TOO_LONG]
    assert values_in(sensor_spool) == ["http://b.example/"]


def test_a_long_description_is_cut_and_its_indicator_kept(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"type,value,notes\nurl,http://a.example/,{'架け橋' * 3000}x\n")
    run(sensor_spool, file)
    [[row]] = [list(observations_of(report)) for report in reports_in(sensor_spool)]
    assert 4090 < len(row.description.encode()) <= 4096
    assert row.description[-1] == "…"


def test_a_tearline_is_cleaned_and_cut_so_that_it_may_leave(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    lines = [
        "type,value,tearline",
        'url,http://a.example/,"block\x07\tit\r\nnow"',
        f"url,http://b.example/,{'長' * 999}",
    ]
    file.write_text("\n".join([*lines, 'url,http://c.example/,"\t\x07"']), "utf-8", newline="")
    run(sensor_spool, file)
    [rows] = [list(observations_of(report)) for report in reports_in(sensor_spool)]
    reported = [dict(row.context).get("tearline", "") for row in rows]
    assert (reported[0], reported[2]) == ("block  it\nnow", "")
    assert reported[1].endswith("長…")
    assert [is_fit(text) for text in reported] == [True, True, False]


def test_a_file_name_in_any_bytes_can_be_reported(sensor_spool: Spool, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\x88\xea\x97\x97.txt"
    with open(name, "wb") as stream:
        stream.write(b"no indicator\n")
    run(sensor_spool, os.fsdecode(name))
    assert quarantined_in(sensor_spool)[0]["place"].endswith(".txt:1")


def test_a_file_that_cannot_be_opened_is_reported(sensor_spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        run(sensor_spool, tmp_path / "nothing")


def test_no_one_answering_costs_time_and_nothing_else(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\n")
    publisher = Publisher(NOWHERE, sensor_spool, SENSOR.name)
    options = Options(SENSOR, (str(file),), deadline_s=0.5)
    with pytest.raises(DeliveryTimeout, match=r"They are safe in .*the next `kakehashi produce"):
        produce(options, sensor_spool, publisher, Unwatched(), codec=CODEC, now_ms=lambda: NOW_MS)
    assert values_in(sensor_spool) == ["a.example.com"]
    assert publisher.trouble


def test_a_full_spool_holds_reading_back(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("".join(f"n{number}.example.com\n" for number in range(5000)))
    publisher = Publisher(NOWHERE, sensor_spool, SENSOR.name)
    options = Options(SENSOR, (str(file),), deadline_s=0.3, max_pending_bytes=20_000)
    with pytest.raises(DeliveryTimeout):
        produce(options, sensor_spool, publisher, Unwatched(), codec=CODEC, now_ms=lambda: NOW_MS)
    assert 20_000 < sensor_spool.pending_bytes < 40_000


def test_defaults_reach_every_observation(sensor_spool: Spool, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("a.example.com\n")
    run(sensor_spool, file, defaults=Defaults(confidence=33, labels=("x",)))
    [[row]] = [list(observations_of(report)) for report in reports_in(sensor_spool)]
    assert (row.confidence, row.labels) == (33, ("x",))
