"""Which folder a shard's copy is opened in, if a machine has several of it."""

from pathlib import Path

import pytest

from exchange.protocol.record import RowChange
from exchange.protocol.state import RocksState, open_state


def a_folder(folder: Path, next_offset: int, changelog_id: str = "id") -> Path:
    """A folder that has come so far in the changelog."""
    state = RocksState(folder, changelog_id, 1)
    state.apply([RowChange(b"a", b"%d" % next_offset)], next_offset, next_offset)
    state.close()
    return folder


@pytest.mark.parametrize(("first", "spare", "taken"), [(9, 5, 9), (5, 9, 9), (7, 7, 7)])
def test_of_several_folders_the_one_that_has_come_furthest_is_taken(
    tmp_path: Path, first: int, spare: int, taken: int
) -> None:
    a_folder(tmp_path / "0", first)
    a_folder(tmp_path / "0.1", spare)
    state = open_state(tmp_path / "0", "id", 1)
    assert state.start() == (taken, taken)
    state.close()
    assert RocksState(tmp_path / "0.1", "id", 1).start() == (spare, spare), "the other is left as it was"


def test_a_folder_that_another_process_holds_is_passed_over_however_far_it_is(tmp_path: Path) -> None:
    held = RocksState(a_folder(tmp_path / "0", 9), "id", 1)
    state = open_state(tmp_path / "0", "id", 1)
    assert state.start() == (0, 0)
    state.close()
    a_folder(tmp_path / "0.1", 5)
    state = open_state(tmp_path / "0", "id", 1)
    assert state.start() == (5, 5)
    state.close()
    held.close()


def test_a_folder_of_another_changelog_counts_for_nothing(tmp_path: Path) -> None:
    a_folder(tmp_path / "0", 900, "another")
    a_folder(tmp_path / "0.1", 5)
    state = open_state(tmp_path / "0", "id", 1)
    assert state.start() == (5, 5)
    state.close()
