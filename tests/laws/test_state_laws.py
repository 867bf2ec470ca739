"""The laws of a state, held against each implementation: it is a cache of a committed changelog, and knows how far."""

from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.protocol.record import RowChange
from tests.laws.states import STATES, StateSubject

CHANGELOG: Final = 7
_FAR: Final = 1 << 60
_KEYS: Final = [b"a", b"b", b"aa", b"\x00", b"\xff\xff"]


def test_a_new_state_is_empty(states: StateSubject) -> None:
    with closing(states(CHANGELOG)) as state:
        assert (state.start(), state.size()) == ((0, 0), 0)
        assert state.get_many([b"a"]) == [None]
        assert (state.scan(b"", 10), state.due(_FAR, 10)) == ([], [])


def test_rows_and_their_offset_are_found_together_when_it_is_opened_again(states: StateSubject) -> None:
    with closing(states(CHANGELOG)) as first:
        first.apply([RowChange(b"a", b"1"), RowChange(b"empty", b""), RowChange(b"b", b"2")], 1, 4)
        first.apply([RowChange(b"b", None)], 2, 6)
    with closing(states(CHANGELOG)) as second:
        assert second.start() == (6, 2)
        assert second.get_many([b"a", b"b", b"empty", b"never", b"a"]) == [b"1", None, b"", None, b"1"]
        assert second.get_many([]) == []


def test_rows_of_another_changelog_are_deleted(states: StateSubject) -> None:
    with closing(states(CHANGELOG)) as first:
        first.apply([RowChange(b"a", b"1", 5)], 1, 4)
    with closing(states(CHANGELOG + 1)) as second:
        assert second.start() == (0, 0)
        assert second.get_many([b"a"]) == [None]
        assert second.due(_FAR, 10) == []


def test_a_cleared_state_is_as_new_and_belongs_to_the_same_changelog(states: StateSubject) -> None:
    with closing(states(CHANGELOG)) as state:
        state.apply([RowChange(b"a", b"1", 5)], 1, 4)
        state.clear()
        assert (state.start(), state.get_many([b"a"]), state.due(_FAR, 10)) == ((0, 0), [None], [])
        state.apply([RowChange(b"b", b"2")], 1, 2)
    with closing(states(CHANGELOG)) as again:
        assert (again.start(), again.get_many([b"a", b"b"])) == ((2, 1), [None, b"2"])


@pytest.mark.parametrize("portion", [1, 7, 1_000])
def test_a_scan_in_portions_finds_each_row_once_in_the_order_of_its_key(states: StateSubject, portion: int) -> None:
    with closing(states(CHANGELOG)) as state:
        state.apply([RowChange(b"%d" % number, b"%d" % number, number) for number in range(40)], 1, 40)
        state.apply([RowChange(b"%d" % number, None) for number in range(0, 40, 3)], 2, 54)
        found: list[tuple[bytes, bytes]] = []
        while rows := state.scan(found[-1][0] if found else b"", portion):
            found += rows
            assert len(rows) <= portion
        assert found == sorted((b"%d" % number, b"%d" % number) for number in range(40) if number % 3)


def test_the_rows_that_are_due_come_earliest_due_first_and_no_more_than_the_limit(states: StateSubject) -> None:
    with closing(states(CHANGELOG)) as state:
        state.apply([RowChange(b"%d" % due, b"", due) for due in (30, 10, 20, 40)] + [RowChange(b"never", b"")], 1, 1)
        assert state.due(9, 10) == []
        assert state.due(30, 10) == [b"10", b"20", b"30"]
        assert state.due(_FAR, 2) == [b"10", b"20"]
        assert state.due(_FAR, 2) == [b"10", b"20"], "to ask changes nothing"


def test_it_reports_what_it_uses_of_its_disk(states: StateSubject) -> None:
    with closing(states(CHANGELOG)) as state:
        state.apply([RowChange(b"a", bytes(1 << 10))], 1, 1)
        footprint = state.footprint()
        assert footprint.used_bytes >= 1 << 10
        assert footprint.free_bytes > 0


def test_closing_again_does_nothing(states: StateSubject) -> None:
    state = states(CHANGELOG)
    state.close()
    state.close()


_change = st.builds(
    RowChange,
    st.sampled_from(_KEYS),
    st.one_of(st.none(), st.binary(max_size=3)),
    st.sampled_from([0, 1, 5, 6, 1_000, _FAR]),
)


@pytest.mark.parametrize("kind", STATES)
@given(
    batches=st.lists(
        st.tuples(st.lists(_change, max_size=4), st.integers(0, 1_200), st.sampled_from([1, 2, 100])), max_size=12
    )
)
def test_rows_and_due_rows_are_those_of_the_last_change_of_each_key(
    tmp_path_factory: pytest.TempPathFactory, kind: str, batches: list[tuple[list[RowChange], int, int]]
) -> None:
    folder: Path = tmp_path_factory.mktemp("due")
    table: dict[bytes, RowChange] = {}
    with closing(STATES[kind](folder)(CHANGELOG)) as state:
        for number, (changes, now_ms, limit) in enumerate(batches, 1):
            state.apply(changes, number, number)
            table |= {change.key: change for change in changes}
            rows = {key: row for key, row in table.items() if row.value is not None}
            assert state.get_many(_KEYS) == [rows[key].value if key in rows else None for key in _KEYS]
            due = sorted((row.due_ms, key) for key, row in rows.items() if 0 < row.due_ms <= now_ms)
            assert state.due(now_ms, limit) == [key for _, key in due[:limit]]
