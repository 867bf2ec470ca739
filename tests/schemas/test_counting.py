"""Numbers with their nouns."""

import pytest

from schemas.counting import counted


@pytest.mark.parametrize(
    ("number", "noun", "shown"),
    [
        (0, "file", "0 files"),
        (1, "file", "1 file"),
        (2, "entry", "2 entries"),
        (1, "entry", "1 entry"),
        (3, "day", "3 days"),
        (2, "process", "2 processes"),
        (12345, "line", "12,345 lines"),
    ],
)
def test_a_number_agrees_with_its_noun(number: int, noun: str, shown: str) -> None:
    assert counted(number, noun) == shown
