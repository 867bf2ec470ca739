"""The part on readers: files of every format, each record read once, and what is compared with whom."""

import json
from pathlib import Path

import pytest

import bench
from bench import intelmq_home, reading
from bench.feeds import FEEDS, Feed
from bench.goals import goals
from bench.readers import LEFT_OUT, RIVALS, ZAT_PINS, ZAT_VERSION, wrong
from bench.rival_parsers import PARSERS
from bench.tables import readers as shown
from producers.readers.formats import readers

RECORDS = 45
RUN = {
    "feed": "CSV",
    "what": "csv-list",
    "records": 9,
    "rate": 300_001,
    "peak_mib": 40,
    "times_memory": 1.2,
    "void": "",
}
INSTALLED_APART = {"zat", "IntelMQ"}


def test_every_reader_has_a_file_or_is_left_out_with_a_reason() -> None:
    assert {feed.reader for feed in FEEDS} | LEFT_OUT.keys() == readers().keys()
    assert not {feed.reader for feed in FEEDS} & LEFT_OUT.keys()
    assert all(LEFT_OUT.values())
    assert RIVALS.keys() <= readers().keys()
    assert {name for names in RIVALS.values() for name in names} == PARSERS.keys()


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_a_reader_takes_every_record_of_its_file_once(
    feed: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = feed.write(tmp_path, RECORDS)
    reading.main(path, path)
    run = json.loads(capsys.readouterr().out)
    assert wrong(feed, RECORDS, run) == ""
    assert run["records"] >= RECORDS
    assert run["cpu_s"] > 0
    assert wrong(feed, RECORDS, run | {"seen": run["seen"] - 1})
    assert wrong(feed, RECORDS, run | {"rejected": 1})
    assert wrong(feed, RECORDS, run | {"reader": ""})


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_no_two_records_are_alike(feed: Feed) -> None:
    assert len({feed.record(number) for number in range(3_000)}) == 3_000


@pytest.mark.parametrize(
    ("feed", "rival"),
    [(feed, name) for feed in FEEDS for name in RIVALS.get(feed.reader, ()) if name not in INSTALLED_APART],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_rival_makes_an_object_of_every_record_of_the_same_file(feed: Feed, rival: str, tmp_path: Path) -> None:
    assert PARSERS[rival]()(feed.write(tmp_path, RECORDS)) == RECORDS


def test_the_rivals_that_are_installed_apart_are_pinned_and_named_on_the_page() -> None:
    page = (Path(bench.__file__).parent / "performance.md.in").read_text("utf-8")
    assert f"zat=={ZAT_VERSION} " in ZAT_PINS.read_text("utf-8")
    assert f"zat](https://github.com/SuperCowPowers/zat) {ZAT_VERSION}," in page
    assert f"parser of IntelMQ {intelmq_home.VERSION}," in page


def test_only_a_run_that_lost_nothing_is_held_against_the_goals() -> None:
    lines = [line for line in goals({"readers": {"data": {"runs": [RUN]}}}).splitlines() if "CSV" in line]
    assert [line.rsplit("|", 2)[1].strip() for line in lines] == ["met", "short"]
    rivals = [RUN | {"what": "IntelMQ", "times_memory": None}, RUN | {"void": "8 indicators of 9, 1 refused"}]
    assert "CSV" not in goals({"readers": {"data": {"runs": rivals}}})
    assert "VOID: 8 indicators of 9, 1 refused" in shown({"runs": rivals})
