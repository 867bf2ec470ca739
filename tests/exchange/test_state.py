"""``exchange.protocol.state``: a cache that may be killed, damaged, held or full, and is never wrong."""

import resource
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from exchange.protocol.record import RowChange
from exchange.protocol.state import RocksState, StateDamaged, StateInUse, StateRefused, open_state
from tests.exchange.state_writer import CHANGELOG, end, rows_of, table, table_after, writer_of

_FAR = 1 << 60


def _filled(folder: Path, batches: int = 30) -> None:
    """A state on disk with files of rows, closed in good order."""
    state = RocksState(folder, CHANGELOG, 1)
    for batch in range(1, batches + 1):
        state.apply(rows_of(batch), batch, batch * 10)
    state._db.flush()
    state.close()


def test_it_knows_what_it_takes_of_its_disk(tmp_path: Path, state: RocksState) -> None:
    before = state.footprint()
    state.apply([RowChange(b"row", Random(1).randbytes(1 << 20))], 1, 1)
    after = state.footprint()
    assert 1 << 20 <= after.used_bytes - before.used_bytes < 2 << 20
    assert after.used_bytes == sum(path.stat().st_size for path in (tmp_path / "state").iterdir())
    assert after.free_bytes > 0


# -- what it keeps --------------------------------------------------------------------------------------------------


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    random = Random(5)
    folder = tmp_path / "state"
    seen = 0
    for _ in range(4):
        process = writer_of(folder)
        assert process.stdout is not None
        for _ in range(random.randrange(1, 60)):
            process.stdout.readline()
        process.kill()
        rest, _ = process.communicate()
        state = RocksState(folder, CHANGELOG, 1)
        next_offset, batch = state.start()
        assert next_offset == batch * 10
        assert table(state) == table_after(batch)
        assert batch > seen
        assert batch >= int(rest.split("\n")[-2] if "\n" in rest else 0), "what was told to be applied is there"
        seen = batch
        state.close()


# -- whose it is ----------------------------------------------------------------------------------------------------


def test_rows_of_another_format_are_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    _filled(folder)
    state = RocksState(folder, CHANGELOG, 2)
    assert state.start() == (0, 0)
    assert table(state) == {}
    assert state.due(_FAR, 1_000) == []
    state.close()


# -- held ------------------------------------------------------------------------------------------------------------


def test_a_folder_that_another_process_holds_is_stated_to_be_in_use(tmp_path: Path) -> None:
    holder = writer_of(tmp_path / "state")
    try:
        with pytest.raises(StateInUse, match="give each worker its own folder"):
            RocksState(tmp_path / "state", CHANGELOG, 1)
    finally:
        end(holder)


def test_beside_a_held_folder_there_is_room_for_a_successor_but_not_for_any_number(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    holder = writer_of(folder)
    opened = []
    try:
        for spare in (1, 2, 3):
            opened.append(open_state(folder, CHANGELOG, 1))
            assert opened[-1].folder == tmp_path / f"state.{spare}"
        with pytest.raises(StateInUse, match="stop the workers that are left over"):
            open_state(folder, CHANGELOG, 1)
    finally:
        end(holder)
        for state in opened:
            state.close()


def test_a_folder_whose_name_speaks_of_locks_and_is_damaged_is_not_taken_for_held(tmp_path: Path) -> None:
    folder = tmp_path / "clock" / "block"
    _filled(folder)
    for manifest in folder.glob("MANIFEST*"):
        manifest.write_bytes(b"\xff" * 60)
    state = RocksState(folder, CHANGELOG, 1)
    assert state.start() == (0, 0)
    state.close()


# -- damaged ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["CURRENT", "MANIFEST*", "*.sst", "OPTIONS*", "rocksdict-config.json"])
@pytest.mark.parametrize("how", ["garbled", "emptied", "deleted"])
def test_a_damaged_file_costs_a_rebuild_and_never_a_wrong_row(tmp_path: Path, what: str, how: str) -> None:
    folder = tmp_path / "state"
    _filled(folder)
    for path in folder.glob(what):
        if how == "deleted":
            path.unlink()
        else:
            path.write_bytes(b"" if how == "emptied" else bytes(byte ^ 0x5A for byte in path.read_bytes()))
    state = RocksState(folder, CHANGELOG, 1)
    try:
        assert table(state) == table_after(state.start()[1])
    except StateDamaged:
        state = RocksState(folder, CHANGELOG, 1)
        assert (state.start(), table(state)) == ((0, 0), {})
    state.apply([RowChange(b"1", b"x")], 1, 2)
    state.close()


def _with_a_damaged_block(folder: Path) -> RocksState:
    """A state that opens well, and whose rows cannot all be read."""
    state = RocksState(folder, CHANGELOG, 1)
    random = Random(1)
    for batch in range(1, 41):
        rows = [RowChange(b"%d-%d" % (batch, number), random.randbytes(200), batch) for number in range(50)]
        state.apply(rows, batch, batch * 10)
    state._db.flush()
    state.close()
    [path] = sorted(folder.glob("*.sst"))[:1]
    content = bytearray(path.read_bytes())
    for place in range(20_000, 60_000):
        content[place] ^= 0xFF
    path.write_bytes(content)
    return RocksState(folder, CHANGELOG, 1)


def test_damage_that_shows_in_a_row_is_stated_and_does_not_come_back(tmp_path: Path) -> None:
    state = _with_a_damaged_block(tmp_path / "state")
    keys = [b"%d-%d" % (batch, number) for batch in range(1, 41) for number in range(50)]
    with pytest.raises(StateDamaged, match="was damaged and has been removed"):
        state.get_many(keys)
    state.close()
    again = RocksState(tmp_path / "state", CHANGELOG, 1)
    assert again.start() == (0, 0)
    again.close()


def test_damage_among_the_due_times_is_not_taken_for_theirend(tmp_path: Path) -> None:
    state = RocksState(tmp_path / "state", CHANGELOG, 1)
    for batch in range(1, 201):
        state.apply([RowChange(b"%d-%d" % (batch, number), b"", batch) for number in range(100)], batch, batch * 10)
    state._db.flush()
    state.close()
    [path] = sorted((tmp_path / "state").glob("*.sst"))[:1]
    content = bytearray(path.read_bytes())
    middle = len(content) * 3 // 4  # the index of times is behind the rows
    content[middle : middle + 8_000] = bytes(byte ^ 0xFF for byte in content[middle : middle + 8_000])
    path.write_bytes(content)
    state = RocksState(tmp_path / "state", CHANGELOG, 1)
    with pytest.raises(StateDamaged):
        state.due(_FAR, 1_000_000)


# -- refused ---------------------------------------------------------------------------------------------------------


def test_a_file_in_its_place_is_stated_and_kept(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("somebody's")
    with pytest.raises(StateRefused, match="cannot be made"):
        RocksState(tmp_path / "state", CHANGELOG, 1)
    assert (tmp_path / "state").read_text() == "somebody's"


def test_a_full_disk_is_stated_and_what_was_applied_is_kept(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: RocksDB learns of it in the same way."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from exchange.protocol.state import StateRefused\n"
        "from tests.exchange.state_writer import write\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({1 << 20}, {resource.RLIM_INFINITY}))\n"
        "try:\n"
        "    for batch in write(Path(sys.argv[1])): pass\n"
        "except StateRefused as refused:\n"
        "    print(batch, refused)\n"
    )
    folder = tmp_path / "state"
    ran = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    batch, _, why = ran.stdout.partition(" ")
    assert "make room" in why, ran.stderr
    state = RocksState(folder, CHANGELOG, 1)
    found = state.start()[1]
    assert found >= int(batch)
    assert table(state) == table_after(found)
    state.close()


def test_a_disk_that_is_still_full_when_the_state_is_closed_is_stated_in_the_same_words(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from exchange.protocol.record import RowChange\n"
        "from exchange.protocol.state import RocksState, StateRefused\n"
        "state = RocksState(Path(sys.argv[1]), 'changelog', 1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    for batch in range(1, 1 << 16): state.apply([RowChange(b'k' * 100, b'v' * 1000, 0)], batch, batch)\n"
        "except StateRefused: pass\n"
        "try:\n"
        "    state.close()\n"
        "except StateRefused as refused:\n"
        "    print(refused)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state")], capture_output=True, text=True, timeout=60, check=False
    )
    assert "make room" in ran.stdout, ran.stderr
