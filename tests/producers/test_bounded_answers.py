"""What readers remember of an input is bounded: many different long texts do not fill the memory."""

import tracemalloc
from collections.abc import Callable

import pytest

from producers.markings.remembered import LONGEST, Answers, remembered
from producers.readers.csv_columns import columns_of
from producers.readers.csv_row_marking import marked_row
from producers.readers.home import address_of
from producers.readers.list_times import list_milliseconds
from producers.readers.not_carried import kind_named
from producers.readers.type_words import folded
from producers.readers.zeek_record import folded_name

_LONG = 20_000
_TIMES = 60
COLUMNS = columns_of(("ip", "note", "tlp", "releasable_to"))


def _row(text: str) -> None:
    assert COLUMNS is not None
    marked_row(("198.51.100.7", text, text, text), COLUMNS)


@pytest.mark.parametrize(
    "function", [_row, folded, folded_name, address_of, kind_named], ids=["row", "word", "zeek", "address", "kind"]
)
def test_long_texts_are_not_remembered(function: Callable[[str], object]) -> None:
    function("warm" * 30_000)
    tracemalloc.start()
    try:
        for number in range(_TIMES):
            function(f"{number} " + "x" * _LONG)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < _TIMES * _LONG / 10


def test_long_names_of_columns_are_not_remembered_with_each_cell() -> None:
    name = "caveat" + "x" * _LONG
    columns = columns_of(("ip", name))
    assert columns is not None
    tracemalloc.start()
    try:
        for number in range(_TIMES):
            marked_row(("198.51.100.7", f"word {number}"), columns)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < _TIMES * _LONG / 10


def test_answers_are_looked_up_and_their_number_is_bounded() -> None:
    asked = list[str]()

    def answer(text: str) -> int:
        asked.append(text)
        return len(text)

    answers = Answers(answer, 2)
    assert [answers[text] for text in ("a", "a", "bb", "a")] == [1, 1, 2, 1]
    assert asked == ["a", "bb"]
    assert answers["ccc"] == 3
    assert len(answers) <= 2
    assert answers["x" * (LONGEST + 1)] == LONGEST + 1
    assert "x" * (LONGEST + 1) not in answers


def test_a_short_text_is_remembered_and_one_with_a_long_context_is_not() -> None:
    asked = list[str]()

    @remembered(8)
    def answer(text: str, where: str) -> int:
        asked.append(text)
        return len(where)

    assert answer("a", "b") == answer("a", "b") == 1
    assert asked == ["a"]
    assert answer("a", "b" * 1_000) == answer("a", "b" * 1_000)
    assert asked == ["a"] * 3


def test_a_long_text_is_no_time_whatever_it_is() -> None:
    assert list_milliseconds("2026-11-20" + " " * 200 + "x") is None
    assert list_milliseconds("2026-11-20") is not None
