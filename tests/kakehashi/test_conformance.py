"""`kakehashi conformance` over inputs: what it finds and prints, and how it ends."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from exchange.errors import Exit
from producers.conformance.standard import standard
from producers.readers.formats import readers
from tests.kakehashi.conforming import ENERGY, GOOD, HEAD, LINE, SEEN, application, code, found, report_of, run
from tests.producers.reading_feeds import FEEDS, defaults_of, manifest, observations, recorded, refusals


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.csv"
    path.write_text(GOOD, "utf-8")
    return path


def test_a_feed_that_states_all_that_it_can_is_met_as_far_as_a_file_shows_it(feed: Path) -> None:
    report = report_of(feed, *ENERGY)
    assert report["outcome"] == "met-as-far-as-judged"
    assert {name for name, result in found(report).items() if result == "met"} >= {"KKH-MRK-01", "KKH-CMP-01"}
    assert found(report)["KKH-IDS-03"] == "cannot-be-judged"
    assert (report["counts"]["observations"], report["counts"]["left_out"]) == (2, {"header": 1})
    assert code(run(feed, *ENERGY)) == Exit.OK
    assert code(run(feed, *ENERGY, "--strict")) == Exit.REFUSED, "a file cannot show everything"


@pytest.mark.parametrize(
    ("content", "requirement"),
    [
        (b"", "KKH-CMP-01"),
        (b"", "KKH-CMP-02"),
        (b"<!DOCTYPE html><html><body>503</body></html>", "KKH-CMP-01"),
        (HEAD.encode(), "KKH-CMP-01"),
        (gzip.compress(GOOD.encode())[:-20], "KKH-CMP-02"),
        (GOOD.replace("TLP:AMBER", "").encode(), "KKH-MRK-01"),
        (GOOD.replace("TLP:AMBER", "TLP:PURPLE").encode(), "KKH-MRK-02"),
        (GOOD.replace("bad.kakenet", "bad..kakenet").encode(), "KKH-CAN-01"),
        (GOOD.replace("domain,", "domein,").encode(), "KKH-REF-01"),
        (GOOD.replace("2999-", "2001-", 1).encode(), "KKH-WDR-02"),
        (GOOD.replace("2026-11-01T09", "2999-11-01T09", 1).encode(), "KKH-CAN-03"),
        (GOOD.replace(",2026-11-01T01:00:00Z,2026-11-01T09:00:00Z", ",,").encode(), "KKH-TIM-01"),
    ],
)
def test_a_feed_that_does_not_meet_a_must_is_refused(tmp_path: Path, content: bytes, requirement: str) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(content)
    result = run(path, *ENERGY, "--json")
    report = json.loads(result.stdout)["report"]
    assert found(report)[requirement] == "not-met"
    assert (report["outcome"], code(result)) == ("not-met", Exit.REFUSED)


def test_what_one_of_our_own_nations_has_released_is_left_out_as_a_producer_leaves_it_out(tmp_path: Path) -> None:
    path = tmp_path / "released.json"
    path.write_text(json.dumps(json.loads(readers()["released-indicator"].example) | {"origin": "JPN"}), "utf-8")
    counts = report_of(path, "--format", "released-indicator", *ENERGY)["counts"]
    assert (counts["observations"], counts["left_out"]) == (0, {"own-nation": 1})


def test_a_line_that_cannot_be_read_leaves_the_rest_not_shown_and_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(GOOD.encode() + b"domain,\xff\xfe.example,TLP:GREEN,PAP:GREEN,,,,,,c2\n")
    [refusals] = [each for each in report_of(path, *ENERGY)["results"] if each["id"] == "KKH-REF-01"]
    assert [example["at"] for example in refusals["examples"]] == [4]
    assert found(report_of(path, *ENERGY))["KKH-MRK-01"] == "cannot-be-judged"


def test_values_are_shown_only_if_they_are_asked_for_and_their_marking_allows_it(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    red = f"domain,secret.kakenet-mal.org,TLP:RED,PAP:GREEN,,{SEEN},\n"
    path.write_text(HEAD + LINE.replace(",c2", ",") + red, "utf-8")
    page = tmp_path / "report.html"
    quiet = run(path, *ENERGY, "--html", page).stdout + page.read_text("utf-8")
    asked = run(path, *ENERGY, "--html", page, "--show-values").stdout + page.read_text("utf-8")
    assert "kakenet-mal" not in quiet
    assert "bad.kakenet-mal.org" in asked
    assert "secret.kakenet-mal.org" not in asked


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_text_fits_80_columns_and_names_each_requirement_once(feed: Path, language: str) -> None:
    feed.write_text(GOOD.replace("TLP:AMBER", ""), "utf-8")
    lines = run(feed, *ENERGY, "--lang", language, "--aware-at", "2h").stdout.splitlines()
    wide = [line for line in lines if cell_len(line) > 80 and str(feed) not in line]
    assert not wide
    for each in standard().requirements:
        assert sum(line.startswith(f"  {each.id} ") for line in lines) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--profile", "energie"), Exit.CONFIGURATION),
        (("--profile", "energy", "--incident", "fire"), Exit.USAGE),
        (("--profile", "energy", "--lang", "fr"), Exit.USAGE),
        (("--profile", "energy", "--topic", "other"), Exit.USAGE),
        (("--profile", "energy", "--topic", "sensor.reports.v1"), Exit.USAGE),
        (("--profile", "energy", "--aware-at", "soon"), Exit.USAGE),
        (("--profile", "energy", "--tlp", "TLP:PURPLE"), Exit.USAGE),
        (("--profile", "energy", "--sign-key", "/dev/null"), Exit.CONFIGURATION),
    ],
)
def test_a_mistake_on_the_command_line_is_an_exit_code(feed: Path, arguments: tuple[str, ...], expected: Exit) -> None:
    assert code(run(feed, *arguments)) == expected


def test_without_a_feed_there_is_nothing_to_check_and_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert code(run("--profile", "energy")) == Exit.USAGE
    assert code(run(tmp_path / "none.csv", "--profile", "energy")) == Exit.USAGE


def test_a_sensors_profile_states_how_its_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("Host,Seen\nbad.kakenet-mal.org,2026-11-01T09:00:00Z\n", "utf-8")
    profile = tmp_path / "edge-1.yaml"
    text = "nation: GBR\nsensor: edge-1\nmarking:\n  tlp: TLP:GREEN\nconfidence: 60\ninputs:\n  - at: list.csv\n"
    text = "home_networks: [192.0.2.0/24]\n" + text
    profile.write_text(text + "    mapping:\n      Host: domain-name\n      Seen: last_seen\n", "utf-8")
    report = report_of("--sensor-profile", profile, *ENERGY)
    assert (report["nation"], report["sensor"], report["counts"]["observations"]) == ("GBR", "edge-1", 1)
    assert report["settings"] == {"tlp": "TLP:GREEN", "confidence": "60", "home_networks": "1"}
    assert found(report)["KKH-MRK-01"] == "met"


def test_a_profile_that_reads_servers_is_judged_by_what_it_published(tmp_path: Path, feed: Path) -> None:
    profile = tmp_path / "edge-1.yaml"
    inputs = "  - at: feed.csv\n  - at: https://feeds.example/list.txt\n"
    profile.write_text(f"nation: GBR\nsensor: edge-1\ninputs:\n{inputs}", "utf-8")
    refused = run("--sensor-profile", profile, *ENERGY)
    assert (code(refused), "reads servers, too" in refused.output) == (Exit.USAGE, True)
    assert report_of(feed, "--sensor-profile", profile, *ENERGY)["counts"]["observations"] == 2


def test_standard_input_is_judged_with_its_digest(feed: Path) -> None:
    env = {"NO_COLOR": "1", "KAKEHASHI_NATIONS": "GBR,JPN"}
    arguments = ["conformance", "-", *ENERGY, "--json"]
    piped = CliRunner(env=env).invoke(application(), arguments, input=GOOD.encode())
    report = json.loads(piped.stdout)["report"]
    assert report["feed"][0]["sha256"] == hashlib.sha256(GOOD.encode()).hexdigest()
    assert found(report) == found(report_of(feed, *ENERGY))


_SMALL = 1_250
_MANIFEST = {each["file"]: each for each in manifest() if each["observations"] <= _SMALL}
_MET = frozenset(
    {
        *("suricata/honeypot-2018-alerts.json", "suricata/alert-testmyids.json"),
        *("csv/tweetfeed-20210912.csv.gz", "csv/tweetfeed-20220227.csv.gz", "csv/tweetfeed-20240201.csv.gz"),
        *("misp/existing-event.json.gz", "stix/tweetfeed-taxii-page.json.gz"),
        *(f"misp/tweetfeed-{each}.json.gz" for each in ("600940a0", "4a9d0b3b", "371658dc")),
    }
)
"""Recorded feeds that state all that energy companies must state: with a time, a marking and only valid values."""


_ASKED = ("tlp", "encoding", "home-net")


def _as_defaults(options: dict[str, Any]) -> dict[str, Any]:
    defaults = defaults_of(options)
    return {name: getattr(defaults, name) for name in ("marking", "encoding", "home_networks")}


@pytest.mark.parametrize("name", sorted(_MANIFEST))
def test_a_recorded_feed_goes_through_and_its_numbers_are_those_of_its_reader(name: str) -> None:
    entry = _MANIFEST[name]
    options = entry["options"]
    asked = [
        word
        for option in _ASKED
        for value in (options.get(option) if isinstance(options.get(option), list) else [options.get(option)])
        if value
        for word in (f"--{option}", value)
    ]
    report = report_of(FEEDS / name, "--profile", "energy", *asked)
    counts = report["counts"]
    assert (report["outcome"] == "met-as-far-as-judged") == (name in _MET)
    if entry["format"]:
        read = recorded(name, entry["format"], **_as_defaults({key: options[key] for key in _ASKED if key in options}))
        assert counts["observations"] == len(observations(read))
        assert sum(counts["refused"].values()) >= len(refusals(read)), "intake refuses some of what was read"
    if not entry["observations"]:
        assert found(report)["KKH-CMP-01"] == "not-met"
