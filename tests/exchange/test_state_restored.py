"""What a state holds after a restore, whenever that is killed, and what is due of it."""

from pathlib import Path

from exchange.protocol.record import RowChange
from exchange.protocol.state import RocksState
from tests.exchange.state_writer import CHANGELOG, end, table, table_after, writer_of


def test_a_restore_that_is_killed_leaves_whole_batches_and_goes_on_from_there(tmp_path: Path) -> None:
    folder, lines = tmp_path / "state", 4_000  # more than is gathered for a file
    process = writer_of(folder, 1 << 40)
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    end(process)
    state = RocksState(folder, CHANGELOG, 1)
    next_offset, batch = state.start()
    assert next_offset == batch * 10
    assert batch > 0, "some of it was written"
    assert table(state) == table_after(batch)
    state.close()


def test_what_is_written_behind_a_restore_is_never_there_without_what_was_restored(tmp_path: Path) -> None:
    process = writer_of(tmp_path / "state", 50)
    assert process.stdout is not None
    for _ in range(80):
        process.stdout.readline()
    end(process)
    state = RocksState(tmp_path / "state", CHANGELOG, 1)
    batch = state.start()[1]
    assert batch > 80
    assert table(state) == table_after(batch)
    state.close()


def test_nothing_is_due_before_its_time_whatever_was_asked_before(state: RocksState) -> None:
    assert state.due(1_000, 10) == []
    state.apply([RowChange(b"late", b"v", 5_000)], 1, 1)
    assert state.due(4_999, 10) == []
    state.apply([RowChange(b"soon", b"v", 2_000)], 2, 2)
    assert state.due(1_999, 10) == []
    assert state.due(2_000, 10) == state.due(2_000, 10) == [b"soon"]
    state.apply([RowChange(b"soon", b"v", 9_000)], 3, 3)
    assert state.due(4_999, 10) == []
    assert state.due(9_000, 1) == [b"late"]
    assert state.due(9_000, 10) == [b"late", b"soon"]
    state.clear()
    state.apply([RowChange(b"anew", b"v", 1)], 1, 1)
    assert state.due(1, 10) == [b"anew"]
