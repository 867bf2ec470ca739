"""`kakehashi get`, `search` and `export` on a real cluster, as an analyst uses them; and a program of theirs."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from exchange.clock import now_ms
from exchange.errors import Exit
from kakehashi.main import Invocation, command_line
from kakehashi.terminal import utc
from schemas import topics
from schemas.codec import SENSOR_REPORT
from tests.builders import DAY_MS
from tests.docs.pages import ROOT
from tests.kakehashi.soc import FORMULA, Soc

pytestmark = pytest.mark.kafka


def test_an_indicator_is_shown_with_everything_that_its_nation_may_know(soc: Soc) -> None:
    shown = soc.run("get", "--nation", "JPN", "c2[.]example[.]com")
    for text in (
        "live from JPN",
        "live from GBR",
        "TLP:GREEN",
        "edge-1",
        "Beacon of Quartzfinch",
        "dest_ip: 192.0.2.7",
        "tranco",
        "Infrastructure of Quartzfinch",
        "T1566",
        "RELEASED to GBR",
        "disputed",
        "APPLIED to GBR",
    ):
        assert text in shown, text
    lines = soc.lines("get", "--nation", "JPN", "--json", "c2.example.com")
    assert [line["origin"] for line in lines[:2]] == ["JPN", "GBR"]
    assert lines[0]["sources"][0]["context"] == {"dest_ip": "192.0.2.7"}
    assert {key for line in lines[2:] for key in line} >= {"decision", "sentences", "released", "receipts", "receipt"}
    assert soc.lines("get", "--nation", "JPN", "--local", "--json", "c2.example.com") == lines[:2]


def test_what_no_one_sees_is_not_found(soc: Soc) -> None:
    assert "JPN sees no 203.0.113.99" in soc.run("get", "--nation", "JPN", "203.0.113.99", code=Exit.REFUSED)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["quartzfinch"], {"c2.example.com"}),
        (["--partner", "GBR", "quartzfinch"], {"c2.example.com"}),
        (["--cidr", "198.51.100.7"], {"198.51.100.7", "198.51.100.0/24"}),
        (["--cidr", "198.51.100.0/25"], {"198.51.100.7", "198.51.100.0/24"}),
        (["--technique", "T1566"], {"c2.example.com"}),
        (["--value", "198.51.100[.]7"], {"198.51.100.7"}),
        (["--value", "c2.*"], {"c2.example.com"}),
        (["--tlp-max", "tlp:clear"], {"198.51.100.7"}),
        (["--label", "BOT*", "--since", "1h"], {"198.51.100.7"}),
        (["--type", "ipv4-net", "--type", "ipv4-addr", "--label", "botnet"], {"198.51.100.7"}),
        (["--own"], {"c2.example.com"}),
        (["--since", "2099-01-01"], set()),
    ],
    ids=lambda words: " ".join(sorted(words)),
)
def test_a_search_finds(soc: Soc, asked: list[str], found: set[str]) -> None:
    assert {line["value"] for line in soc.lines("search", "--nation", "JPN", *asked)} == found


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["--type", "ipv4"], "--type ipv4: one of"),
        (["--cidr", "198.51.100.7/33"], "an address or a network"),
        (["--technique", "phishing"], "an id of ATT&CK"),
        (["--since", "soon"], "write 2h, 3d, today"),
        (["--tlp-max", "TLP:PUCE"], "a TLP 2.0 label"),
        (["--state", "gone"], "one of live, ended"),
    ],
    ids=" ".join,
)
def test_a_filter_that_cannot_be_meant_is_a_usage_error(soc: Soc, asked: list[str], why: str) -> None:
    assert why in " ".join(soc.run("search", "--nation", "JPN", *asked, code=Exit.USAGE).split())


@pytest.mark.parametrize("command", ["search", "export"])
def test_who_asks_for_what_ended_is_told_since_when_the_picture_has_it(soc: Soc, command: str) -> None:
    runner = CliRunner(env=soc.environ | {"NO_COLOR": "1"})
    ended = runner.invoke(command_line(Invocation()), [command, "--nation", "JPN", "--state", "revoked"])
    assert f"this picture was made at {utc(now_ms())[:10]}" in ended.stderr
    assert "of what ended before, only ids" in ended.stderr
    assert runner.invoke(command_line(Invocation()), [command, "--nation", "JPN"]).stderr == ""


def test_an_export_is_for_another_program(soc: Soc) -> None:
    lines = soc.lines("export", "--nation", "JPN")
    assert {line["value"] for line in lines} >= {"198.51.100.7", "198.51.100.0/24", "c2.example.com"}
    rows = list(csv.DictReader(io.StringIO(soc.run("export", "--nation", "JPN", "--format", "csv"), newline="")))
    assert len(rows) == len(lines)
    [formula] = [row for row in rows if row["type"] == "file-name"]
    assert (formula["value"], formula["labels"]) == (f"'{FORMULA}", "'+SUM(1)")
    values = soc.run("export", "--nation", "JPN", "--format", "values", "--activity", "active").splitlines()
    assert "198.51.100.7" in values
    assert "198.51.100.0/24" not in values
    assert values.count("c2.example.com") == 1
    soc.run("export", "--nation", "JPN", "--format", "values", "--out", str(soc.folder / "all.txt"))
    assert "198.51.100.0/24" in (soc.folder / "all.txt").read_text()


def test_a_tools_hits_are_reported_once_with_its_own_time(soc: Soc) -> None:
    log, value = soc.folder / "eve.json", "203.0.113.77"
    soc.release(value, "ipv4-addr", tlp="TLP:GREEN")
    alert = {"timestamp": "2026-11-20T08:00:00+0000", "event_type": "alert", "alert": {"signature_id": 3_900_001}}
    hits = [alert | {"dest_ip": address} for address in (value, "192.0.2.1")]
    log.write_text("".join(f"{json.dumps(each)}\n" for each in hits), "utf-8")
    asked = ("sighting", "follow", "--nation", "JPN", "--partner", "GBR", "--tlp", "TLP:AMBER", "--once", "--json")
    [summary] = soc.lines(*asked, "--format", "suricata-eve", str(log))
    assert (summary["observations"], summary["acknowledged_observations"]) == (1, 1)
    assert summary["left_out"] == {"not-exchanged": 1}
    with log.open("a") as file:
        file.write(f"{json.dumps(hits[0])}\n")
    for expected in (1, 0):
        [summary] = soc.lines(*asked, "--format", "suricata-eve", str(log))
        assert summary["observations"] == expected
    reports = soc.records(topics.SENSOR_REPORTS, SENSOR_REPORT)
    [first, _] = [each for each in reports if each["sensor"] == "sightings-gbr"]
    assert (first["values"], first["tool"], first["first_seen_ms"]) == (
        [value],
        "sighting",
        [1_795_161_600_000],
    )
    assert [(each["tlp"], each["releasable_to"]) for each in first["markings"]] == [("TLP:AMBER", ["GBR"])]
    soc.release(value, "ipv4-addr", record="revoked")
    [summary] = soc.lines(*asked, "--format", "suricata-eve", str(log))
    assert (summary["observations"], summary["withdrawn"]) == (0, 1)


def test_a_time_is_understood_in_days() -> None:
    from kakehashi.times import moment

    at_ms = 1_795_392_000_000 + 5 * 3_600_000
    assert moment("today", "--since", at_ms) == 1_795_392_000_000
    assert moment("yesterday", "--since", at_ms) == 1_795_392_000_000 - DAY_MS
    assert moment("2h", "--since", at_ms) == at_ms - 2 * 3_600_000
    assert moment("2026-11-23", "--since", at_ms) == 1_795_392_000_000
    assert moment("2026-11-23T09:00+09:00", "--since", at_ms) == 1_795_392_000_000


def test_a_program_follows_in_ten_lines(soc: Soc) -> None:
    from kakehashi.api import Current, Put, Remove, Restart, Subscriber

    def changes() -> list[str]:
        environ = soc.environ | {"KAKEHASHI_HOME": str(soc.folder / "api")}
        found = []
        for change in Subscriber("JPN", "GBR", name="mine", activity="active", follow=False, environ=environ):
            match change:
                case Put(entry=entry):
                    found.append(f"+{entry.value}")
                case Remove(value=value):
                    found.append(f"-{value}")
                case Restart() | Current():
                    found.append(type(change).__name__)
        return found

    soc.release("program.example")
    first = changes()
    assert (first[0], first[-1]) == ("Restart", "Current")
    assert "+198.51.100.7" in first
    assert "+198.51.100.0/24" not in first
    soc.release("program.example", record="recalled")
    assert changes() == ["Current", "-program.example", "Current"]


def test_the_documented_program_runs(
    soc: Soc, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (soc.environ | {"KAKEHASHI_HOME": str(soc.folder / "documented")}).items():
        monkeypatch.setenv(name, value)
    page = (ROOT / "docs" / "outputs" / "subscriber.md").read_text("utf-8")
    program = page.partition("```python\n")[2].partition("```")[0]
    assert 'activity="active")' in program
    exec(program.replace('activity="active")', 'activity="active", follow=False)'), {})  # noqa: S102
    [printed] = capsys.readouterr().out.splitlines()
    assert printed.endswith("values to block")
    assert int(printed.split()[0]) >= 3
