"""``kakehashi produce`` as an operator meets it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from exchange.errors import Exit
from exchange.kafka.clients import Cluster
from kakehashi.main import Invocation, command_line
from producers.report import observations_of
from schemas.markings import Caveat, understand
from tests.conftest import Brokers
from tests.polling import eventually
from tests.producers.reading_feeds import FEEDS, observations, recorded
from tests.producers.reading_topics import published_refusals, published_reports, with_topics

COMMAND = (sys.executable, "-c", "from kakehashi.main import main; main()", "produce", "--nation", "GBR")
DEADLINE_S = 90


@pytest.fixture
def environ(brokers: Brokers, tmp_path: Path) -> dict[str, str]:
    with_topics(Cluster("GBR", brokers.gbr))
    return os.environ | {
        "KAKEHASHI_GBR_BOOTSTRAP": brokers.gbr,
        "KAKEHASHI_JPN_BOOTSTRAP": brokers.jpn,
        "KAKEHASHI_HOME": str(tmp_path / "home"),
    }


@pytest.fixture
def gbr(brokers: Brokers) -> Cluster:
    return Cluster("GBR", brokers.gbr)


def finished(environ: dict[str, str], *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*COMMAND, *arguments), env=environ, capture_output=True, text=True, timeout=DEADLINE_S, check=False, **options
    )


def test_the_summary_states_what_was_read_sent_and_refused(
    environ: dict[str, str], gbr: Cluster, unique: str, tmp_path: Path
) -> None:
    sensor = f"{unique}edge"
    (tmp_path / "bad.txt").write_text("no indicator\n" * 13)
    feeds = [*(str(FEEDS / name) for name in ("csv/patchwork.csv", "txt/ua-ru-iocs")), str(tmp_path / "bad.txt")]
    run = finished(environ, "--sensor", sensor, "--tlp", "TLP:AMBER", "--releasable-to", "JPN", *feeds)
    assert run.returncode == Exit.OK
    lines = run.stdout.splitlines()
    read = sum(len(Path(feed).read_bytes().splitlines()) for feed in feeds)
    of_each, lines = lines[:3], lines[3:]
    assert [line.partition(": ")[0] for line in of_each] == feeds
    assert of_each[2].endswith(": txt-list, 13 lines: 0 observations, 13 refused")
    assert lines[0] == f"3 files, {read} lines: 103 observations in 2 reports"
    assert lines[1].startswith("acknowledged by GBR's Kafka at ")
    assert lines[1].endswith(": 2 reports with 103 observations")
    assert lines[2] == "your marking, 103 observations: 103 without a marking took it"
    assert lines[3] == "left out: 1 header"
    assert lines[4] == "refused and kept in quarantine: 16 unknown-type, 1 unreadable-line"
    assert lines[5].startswith(f"  {feeds[0]}:27: unreadable-line: the row has a quote that is not closed")
    assert lines[-1] == "  and 12 more"
    assert run.stderr == ""
    seen = [row for report in published_reports(gbr, sensor) for row in observations_of(report)]
    assert {(row.marking.tlp, row.marking.releasable_to) for row in seen} == {("TLP:AMBER", ("JPN",))}
    assert len(published_refusals(gbr, sensor)) == 17


def test_a_second_run_reads_nothing_again_and_json_reports_it(environ: dict[str, str], unique: str) -> None:
    feed = str(FEEDS / "txt" / "skimmer.txt")
    first = finished(environ, "--sensor", f"{unique}edge", "--json", feed)
    second = finished(environ, "--sensor", f"{unique}edge", "--json", feed)
    assert json.loads(first.stdout) == {
        "files": 1,
        "skipped": [],
        "records": 108,
        "observations": 108,
        "reports": 1,
        "rejected": {},
        "not_carried": {},
        "left_out": {},
        "marking_applied": 0,
        "marking_joined": 0,
        "by_file": [
            {
                "file": feed,
                "format": "txt-list",
                "records": 108,
                "observations": 108,
                "withdrawn": 0,
                "left_out": 0,
                "rejected": 0,
            }
        ],
        "unreviewed": [],
        "marking_not_needed": 0,
        "withdrawn": 0,
        "kept": 0,
        "gaps": [],
        "acknowledged_reports": 1,
        "acknowledged_observations": 108,
    }
    assert json.loads(second.stdout)["skipped"] == [feed]
    assert json.loads(second.stdout)["observations"] == 0


def test_what_an_options_marking_did_is_counted_and_it_loosens_nothing(
    environ: dict[str, str], gbr: Cluster, unique: str
) -> None:
    sensor = f"{unique}edge"
    rows = ("a,TLP:RED", "b,TLP:AMBER", "c,TLP:GREEN", "d,TLP:CLEAR", "e,", "f,TLP:PURPLE")
    feed = "domain,tlp\n" + "".join(f"{row[0]}.example.com{row[1:]}\n" for row in rows)
    shown = finished(environ, "--sensor", sensor, "--tlp", "TLP:GREEN", "-", input=feed).stdout
    counts = "1 without a marking took it, 2 whose own it completes or makes stricter, 3 kept their own, as strict or"
    assert f"your marking, 6 observations: {counts} stricter\n" in shown
    seen = [row for report in published_reports(gbr, sensor) for row in observations_of(report)]
    labels = [understand(row.marking).tlp.label for row in seen]
    assert labels == ["TLP:RED", "TLP:AMBER", "TLP:GREEN", "TLP:GREEN", "TLP:GREEN", "TLP:GREEN"]
    assert [Caveat.UNRECOGNISED in understand(row.marking).caveats for row in seen] == [False] * 5 + [True]
    assert "your marking" not in finished(environ, "--sensor", sensor, "-", input="domain\nc.example.com\n").stdout


def test_a_folder_is_read_file_by_file_and_a_report_in_prose_keeps_no_file_back(
    environ: dict[str, str], gbr: Cluster, unique: str, tmp_path: Path
) -> None:
    folder, sensor = tmp_path / "drop", f"{unique}edge"
    (folder / "older").mkdir(parents=True)
    (folder / "older" / "x.txt").write_text("no.example.com\n")
    (folder / ".hidden.txt").write_text("no.example.com\n")
    (folder / "b.txt").write_text("b.example.com\nb2.example.com\n")
    (folder / "a.eml").write_text("From: a@example.com\nSubject: report\n\nSeen at bad[.]example[.]net\n")
    (folder / "c.csv").write_text("domain,tlp\nc.example.com,TLP:GREEN\n")
    run = finished(environ, "--sensor", sensor, str(folder))
    lines = run.stdout.splitlines()
    assert lines[:3] == [
        f"{folder}/b.txt: txt-list, 2 lines: 2 observations",
        f"{folder}/c.csv: csv-list, 2 lines: 1 observation, 1 left out",
        "2 files, 4 lines: 3 observations in 2 reports",
    ]
    assert any(line.startswith(f"{folder}/a.eml is a report in prose") for line in lines)
    assert run.stderr == f"{folder}: files of 1 folder in it are not read: name them\n"
    assert run.returncode == Exit.REFUSED, "the report waits for a person"
    seen = [row.value for report in published_reports(gbr, sensor) for row in observations_of(report)]
    assert seen == ["b.example.com", "b2.example.com", "c.example.com"]


def test_withdrawals_are_counted_in_the_line_of_what_was_read(
    environ: dict[str, str], unique: str, tmp_path: Path
) -> None:
    feed, shown = tmp_path / "list.txt", ""
    for text in ("a.example.com\nb.example.com\n", "b.example.com\n"):
        feed.write_text(text)
        shown = finished(environ, "--sensor", f"{unique}edge", "--snapshot", str(feed)).stdout
    lines = shown.splitlines()
    assert len(lines) == 2, shown
    assert lines[0] == "1 file, 1 line: 1 observation and 1 withdrawal in 2 reports"
    assert lines[1].endswith(": 2 reports with 2 observations, withdrawals included")


def test_standard_input_is_read_and_strict_makes_refusals_an_exit_code(
    environ: dict[str, str], gbr: Cluster, unique: str
) -> None:
    arguments = ("--sensor", f"{unique}edge", "--strict", "-")
    assert finished(environ, *arguments, input="bad.example.com\n").returncode == Exit.OK
    assert finished(environ, *arguments, input="no indicator\n").returncode == Exit.REFUSED
    assert [report["values"] for report in published_reports(gbr, f"{unique}edge")] == [["bad.example.com"]]


def test_pieces_that_are_left_out_are_counted_by_rule_and_printed_if_asked_for(
    environ: dict[str, str], unique: str
) -> None:
    arguments = ("--sensor", f"{unique}edge", "--explain-skips", "-")
    run = finished(environ, *arguments, input="# a\nbad.example.com\n# b\n")
    assert run.stdout.splitlines()[0] == "1 file, 3 lines: 1 observation in 1 report"
    assert run.stdout.splitlines()[2] == "left out: 2 comment"
    assert run.stderr.splitlines() == ["-:1: left out: comment", "-:3: left out: comment"]


def test_a_producer_that_is_killed_and_run_again_publishes_all_of_it(
    environ: dict[str, str], gbr: Cluster, unique: str
) -> None:
    sensor, feed = f"{unique}edge", "txt/ipsum-20000.txt.gz"
    arguments = (*COMMAND, "--sensor", sensor, "--rate", "1000", str(FEEDS / feed))
    for seen_before in (0, 5):
        with subprocess.Popen(arguments, env=environ) as process:
            eventually(lambda: len(published_reports(gbr, sensor)) > seen_before, 30, "some reports arrive")  # noqa: B023
            process.kill()
            assert process.wait(DEADLINE_S) == -signal.SIGKILL
    run = finished(environ, "--sensor", sensor, "--json", str(FEEDS / feed))
    assert run.returncode == Exit.OK
    reports = published_reports(gbr, sensor)
    identities = {(report["epoch"], report["sequence"]): report for report in reports}
    assert all(identities[report["epoch"], report["sequence"]] == report for report in reports)
    assert len({epoch for epoch, _ in identities}) == 1
    in_order = [identities[identity] for identity in sorted(identities)]
    assert [report["sequence"] for report in in_order] == list(range(len(in_order)))
    seen = [(row.value, row.count) for report in in_order for row in observations_of(report)]
    assert seen == [(row.value, row.count) for row in observations(recorded(feed, "txt-list"))]


def test_a_request_to_end_leaves_the_rest_for_the_next_run(environ: dict[str, str], gbr: Cluster, unique: str) -> None:
    sensor, feed = f"{unique}edge", str(FEEDS / "txt" / "formbook.txt.gz")
    arguments = (*COMMAND, "--sensor", sensor, "--rate", "2000", feed)
    with subprocess.Popen(arguments, env=environ, stderr=subprocess.PIPE, text=True) as process:
        eventually(lambda: bool(published_reports(gbr, sensor)), 30, "some reports arrive")
        process.terminate()
        _, shown = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == Exit.INTERRUPTED
    assert "the same command goes on from here" in shown.replace("\n", " ")
    finished(environ, "--sensor", sensor, feed)
    # What was in flight at the end may be there twice, as the same report: intake counts it once.
    reports = {(report["epoch"], report["sequence"]): report["values"] for report in published_reports(gbr, sensor)}
    assert sum(map(len, reports.values())) == 15_606


def test_a_cluster_that_does_not_answer_is_reported_and_the_deadline_kept(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("bad.example.com\n")
    environ = os.environ | {
        "KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1",
        "KAKEHASHI_JPN_BOOTSTRAP": "127.0.0.1:1",
        "KAKEHASHI_HOME": str(tmp_path),
    }
    run = finished(environ, "--sensor", "edge-1", "--deadline", "1.5", str(tmp_path / "list.txt"))
    assert run.returncode == Exit.UNAVAILABLE
    shown = run.stderr.replace("\n", " ")
    assert "waiting for GBR's Kafka at 127.0.0.1:1" in shown
    assert "kakehashi: GBR's Kafka at 127.0.0.1:1 has not acknowledged 1 record within 1.5 s" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("arguments", "expected_text"),
    [
        (["--tlp", "TLP:PURPLE"], "TLP:AMBER+STRICT"),
        (["--pap", "pink"], "PAP:AMBER"),
        (["--releasable-to", "Japan"], "ISO 3166-1"),
        (["--caveat", "SECRETISH"], "UK EYES ONLY"),
        (["--encoding", "klingon"], "no such encoding"),
        (["--home-net", "here"], "198.51.100.0/24"),
        (["/no/such/file"], "no readable file"),
        (["--snapshot", str(FEEDS)], "needs its files by name"),
        (["--dry-run", "--snapshot", str(FEEDS / "txt" / "*")], "needs its files by name"),
        (["/no/such/*.txt"], "no file matches the pattern"),
        (["--dry-run", "--sensor-key", "/no/such/key", str(FEEDS / "txt/skimmer.txt")], "`kakehashi sensor keygen"),
        (["--dry-run", "--follow"], "--follow needs files"),
        (["--format", "zeek"], "suricata-eve"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_with_what_can(
    arguments: list[str], expected_text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for nation in ("GBR", "JPN"):
        monkeypatch.setenv(f"KAKEHASHI_{nation}_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("KAKEHASHI_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(
        command_line(Invocation()), ["produce", "--nation", "GBR", "--sensor", "edge-1", *arguments]
    )
    assert result.exit_code == Exit.USAGE
    assert expected_text in result.output
    assert not (tmp_path / "spool").exists()
