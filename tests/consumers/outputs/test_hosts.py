"""A hosts file, read by the C library's own rules: an address, then a name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.outputs.known import opened
from consumers.outputs.protocol import Held, LeftOut
from exchange.errors import ConfigurationError
from tests.builders import an_entry
from tests.consumers.outputs.writing import HOSTILE, NAMES, entries, written

HELD = Held("p", "all", 5)


def test_each_name_is_a_line_that_resolves_to_nowhere(tmp_path: Path) -> None:
    _, _, writer = opened(f"hosts:{tmp_path}/hosts", "JPN")
    report = writer.write([an_entry("bad.example"), an_entry("xn--r8jz45g.example")], HELD)
    lines = [line for line in (tmp_path / "hosts").read_text().splitlines() if not line.startswith("#")]
    assert lines == ["0.0.0.0 bad.example", "0.0.0.0 xn--r8jz45g.example"]
    assert report.written == 2


@pytest.mark.parametrize(
    "value", ["two names.example", "a\nb.example", "", "#.example", "a" * 300, "ä.example", "-a.example"]
)
def test_what_is_no_name_is_left_out_and_counted(tmp_path: Path, value: str) -> None:
    _, _, writer = opened(f"hosts:{tmp_path}/hosts", "JPN")
    assert writer.write([an_entry(value)], HELD).left_out == {LeftOut.VALUE: 1}
    assert (tmp_path / "hosts").read_text().count("\n") == 1


@given(st.lists(st.one_of(HOSTILE, NAMES)))
def test_whatever_comes_each_line_is_an_address_and_one_name(values: list[str]) -> None:
    text, report = written("hosts", entries(values))
    lines = [line.partition("#")[0].split() for line in text.splitlines()]  # as the C library reads them
    assert all(len(fields) == 2 and fields[0] == "0.0.0.0" for fields in lines)  # noqa: S104  # nothing is bound
    assert {name for _, name in lines} <= set(values)
    assert len(lines) == report.written == len(set(values)) - sum(report.left_out.values())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hosts", "write NAME:TARGET"),
        ("host:/x", "did you mean `hosts`?"),
        ("hosts:", "the target is missing"),
        ("hosts:/x?sink=::", "hosts has no option sink"),
        ("hosts:/no/such/folder/hosts", "does not exist"),
        ("hosts:/", "this is a folder"),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused_with_a_remedy(text: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        opened(text, "JPN")


def test_a_file_of_somebody_else_is_not_ours_to_resume(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    _, _, writer = opened(f"hosts:{tmp_path}/hosts", "JPN")
    assert writer.held() is None
    assert [each.detail for each in writer.check([])] == []
