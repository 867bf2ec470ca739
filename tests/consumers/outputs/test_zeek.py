"""A Zeek intelligence file, read back by the rules of Zeek's ASCII reader, and what a sensor knows that follows it."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.outputs.known import opened
from consumers.outputs.protocol import LeftOut
from consumers.outputs.zeek import ZeekFile
from consumers.picture.entry import Entry
from exchange.errors import ConfigurationError
from tests.builders import an_entry
from tests.consumers.outputs.writing import HELD, HOSTILE, entries, written, written_to

HOUR_MS = 3_600_000
Known = set[tuple[str, str, str]]


def rows(text: str) -> list[dict[str, str | None]]:
    """By Zeek's documentation of the ASCII reader: ``#fields`` names the columns, other lines that begin with ``#`` are
    comments, tabs separate, ``-`` is no value, ``\\xHH`` is a character."""
    columns: list[str] = []
    found = []
    for line in text.split("\n"):
        if line.startswith("#fields\t"):
            columns = line.split("\t")[1:]
        elif line and not line.startswith("#"):
            values = line.split("\t")
            assert len(values) == len(columns)
            plain = [re.sub(r"\\x([0-9a-f]{2})", lambda each: chr(int(each[1], 16)), value) for value in values]
            found.append(
                {name: None if raw == "-" else value for name, raw, value in zip(columns, values, plain, strict=True)}
            )
    return found


def sensor(known: Known, text: str) -> Known:
    """What Zeek knows after it has read a file: with ``meta.remove`` the same source's item goes, else it comes."""
    known = set(known)
    for row in rows(text):
        item = (f"{row['indicator']}", f"{row['indicator_type']}", f"{row['meta.source']}")
        (known.discard if row["meta.remove"] == "T" else known.add)(item)
    return known


def a_file(path: Path, now: list[int], keep_ms: int = HOUR_MS) -> ZeekFile:
    return ZeekFile(path, keep_ms, lambda: now[0])


def in_order(*content: Entry) -> list[Entry]:
    return sorted(content, key=lambda entry: entry.id)


@given(st.lists(HOSTILE))
def test_every_value_is_read_back_as_it_is_or_left_out(values: list[str]) -> None:
    text, report = written("zeek", entries(values, "file-name"))
    found = rows(text)
    assert {row["indicator"] for row in found} <= set(values)
    assert len(found) == report.written == len(set(values)) - report.left_out.get(LeftOut.VALUE, 0)
    assert {row["indicator_type"] for row in found} <= {"Intel::FILE_NAME"}


SETS = st.lists(st.sets(st.sampled_from(["a.example", "b.example", "c.example", "d.example"])), min_size=1, max_size=6)


@given(SETS, st.data())
@settings(max_examples=40)  # each syncs files
def test_a_sensor_that_misses_any_files_knows_what_the_last_one_holds(
    tmp_path_factory: pytest.TempPathFactory, steps: list[set[str]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("zeek") / "intel.dat"
    known: Known = set()
    for number, step in enumerate(steps):
        a_file(path, [number + 1]).write(entries(step), HELD)
        if number == len(steps) - 1 or data.draw(st.booleans()):
            known = sensor(known, path.read_text())
    assert {item[0] for item in known} == steps[-1]


def test_a_tombstone_stays_as_long_as_stated_and_then_goes_with_its_value(tmp_path: Path) -> None:
    now, path = [HOUR_MS], tmp_path / "intel.dat"
    writer = a_file(path, now)
    writer.write(entries(["gone.example", "stays.example"]), HELD)
    assert writer.write(entries(["stays.example"]), HELD).removed == 1
    now[0] += HOUR_MS - 1
    assert writer.write(entries(["stays.example"]), HELD).removed == 0
    assert [row["indicator"] for row in rows(path.read_text()) if row["meta.remove"] == "T"] == ["gone.example"]
    now[0] += 1
    writer.write(entries(["stays.example"]), HELD)
    assert "gone" not in path.read_text()


def test_what_comes_back_is_no_tombstone_any_more(tmp_path: Path) -> None:
    path = tmp_path / "intel.dat"
    writer = a_file(path, [1])
    for content in (["a.example"], [], ["a.example"]):
        writer.write(entries(content), HELD)
    assert [row["meta.remove"] for row in rows(path.read_text())] == ["F"]


def test_what_one_nation_withdraws_stays_while_another_asserts_it(tmp_path: Path) -> None:
    path = tmp_path / "intel.dat"
    own, partner = an_entry("a.example", origin="JPN"), an_entry("a.example")
    writer = a_file(path, [1])
    writer.write([own, partner], HELD)
    known = sensor(set(), path.read_text())
    writer.write([own], HELD)
    assert sensor(known, path.read_text()) == {("a.example", "Intel::DOMAIN", "kakehashi-JPN")}


def test_an_url_with_tls_stays_if_the_one_without_leaves(tmp_path: Path) -> None:
    path = tmp_path / "intel.dat"
    both = in_order(an_entry("http://a.example/x", "url"), an_entry("https://a.example/x", "url"))
    writer = a_file(path, [1])
    writer.write(both, HELD)
    known = sensor(set(), path.read_text())
    writer.write([each for each in both if each.value.startswith("https")], HELD)
    assert {item[0] for item in sensor(known, path.read_text())} == {"a.example/x"}


def test_only_what_may_be_blocked_makes_a_notice(tmp_path: Path) -> None:
    content: Iterable[Entry] = in_order(
        *(an_entry(f"{pap[4:].lower()}.example", pap=pap) for pap in ("PAP:RED", "PAP:AMBER", "PAP:GREEN"))
    )
    text, _ = written_to(tmp_path / "intel.dat", "zeek", content)
    notices = {row["indicator"]: row["meta.do_notice"] for row in rows(text)}
    assert notices == {"red.example": "F", "amber.example": "F", "green.example": "T"}


@pytest.mark.parametrize("keep", ["0", "-1", "1h", "", "1.5", "99999"])
def test_a_time_that_is_no_number_of_hours_is_refused(keep: str) -> None:
    with pytest.raises(ConfigurationError, match="write whole hours"):
        opened(f"zeek:/tmp/intel.dat?keep={keep}", "JPN")
