"""Every input of the door becomes exactly what its table has: each piece is observed, refused or left out by a rule."""

from pathlib import Path

import pytest

from tests.door.outcomes import INPUTS, Outcome, inputs, outcomes, table_of

_COMPARED = {"line", "left_out", "refused", "type", "value", "marking", "withdrawal", "withdrawn"}


def _as_expected(found: Outcome, expected: Outcome) -> Outcome:
    """The found outcome in the detail of the table: a table need not repeat times, counts and whole messages."""
    compared = {key: value for key, value in found.items() if key in _COMPARED | set(expected)}
    detail = expected.get("detail")
    if detail is None:
        compared.pop("detail", None)
    elif detail in compared.get("detail", ""):
        compared["detail"] = detail
    return compared


@pytest.mark.parametrize("path", inputs(), ids=lambda path: path.name)
def test_each_piece_of_an_input_has_its_outcome(path: Path) -> None:
    table = table_of(path)
    found, expected = list(outcomes(path, table)), table["readings"]
    paired = [_as_expected(each, expected[place]) for place, each in enumerate(found[: len(expected)])]
    assert paired + found[len(expected) :] == expected


def test_every_input_has_a_table_and_every_table_an_input() -> None:
    files = {path.name for path in INPUTS.iterdir()} - {"README.md"}
    assert files == {name for path in inputs() for name in (path.name, f"{path.name}.toml")}
