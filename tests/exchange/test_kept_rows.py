"""Rows that are passed on as they were read are the rows that were written, and make the same state."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from exchange.protocol.entries import NEVER, CacheHead, entries_of
from exchange.protocol.kept_rows import KeptRows, kept, pairs_of
from exchange.protocol.record import RowChange
from exchange.protocol.state import open_state

ROWS = st.lists(
    st.builds(
        RowChange,
        st.binary(max_size=3),
        st.none() | st.binary(max_size=20),
        st.sampled_from([0, 1, 7, 255, 256, NEVER]),
    ).map(lambda row: RowChange(row.key, None) if row.value is None else row),
    max_size=8,
)


@given(ROWS)
def test_what_is_in_a_row_is_found_in_what_was_kept_of_it(rows: list[RowChange]) -> None:
    read = KeptRows([(row.key, kept(row)) for row in rows])
    assert read == rows
    assert [*read] == rows
    assert read[1:] == rows[1:]
    assert len(read) == len(rows)
    assert read != [*rows, RowChange(b"more", b"")]


@given(ROWS)
def test_rows_make_the_same_entries_as_what_was_kept_of_them(rows: list[RowChange]) -> None:
    place = CacheHead("id", 1, 8, 1)
    entries, first_due_ms = entries_of(KeptRows(pairs_of(rows)), place)
    assert (entries, first_due_ms) == entries_of(rows, place)
    assert first_due_ms == min((row.due_ms for row in rows if row.due_ms), default=NEVER)


def test_a_state_of_rows_as_they_were_read_has_the_rows_and_their_times(tmp_path: Path) -> None:
    rows = [
        RowChange(b"later", b"1", 9),
        RowChange(b"first", b"2", 7),
        RowChange(b"never", b"3"),
        RowChange(b"x", None),
    ]
    state = open_state(tmp_path / "state", "id", 1)
    with state.restoring():
        state.apply(KeptRows(pairs_of(rows)), 1, 8)
    assert state.get_many([row.key for row in rows]) == [b"1", b"2", b"3", None]
    assert state.due(8, 10) == [b"first"]
    assert state.due(9, 10) == [b"first", b"later"]
    state.close()
