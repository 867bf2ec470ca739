"""Writes batches into a state until it is killed: ``python -m tests.exchange.state_writer FOLDER [RESTORED]``.

The first RESTORED batches are written as in a restore; none if it is not given. A line on standard output for each
batch that has been applied.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exchange.protocol.record import RowChange
from exchange.protocol.state import RocksState

CHANGELOG: Final = "of-the-writer"
KEYS: Final = 40


def rows_of(batch: int) -> list[RowChange]:
    """What batch number ``batch`` changes: a run of rows, every third of which is dropped."""
    numbers = [(batch * 7 + step) % KEYS for step in range(10)]
    return [
        RowChange(b"%d" % number, None if (batch + number) % 3 == 0 else b"%d" % batch * 500, batch)
        for number in numbers
    ]


def table_after(batch: int) -> dict[bytes, bytes]:
    """All rows after batches 1 to ``batch``."""
    table: dict[bytes, bytes] = {}
    for change in (change for number in range(1, batch + 1) for change in rows_of(number)):
        if change.value is None:
            table.pop(change.key, None)
        else:
            table[change.key] = change.value
    return table


def write(folder: Path, restored: int = 0) -> Iterator[int]:
    """Apply batch after batch, from where the folder is."""
    state = RocksState(folder, CHANGELOG, 1)
    with state.restoring():
        yield from _apply(state, state.start()[1] + 1, restored)
    yield from _apply(state, state.start()[1] + 1, 1 << 40)


def _apply(state: RocksState, first: int, last: int) -> Iterator[int]:
    for batch in range(first, last + 1):
        state.apply(rows_of(batch), batch, batch * 10)
        yield batch


def table(state: RocksState) -> dict[bytes, bytes]:
    """The rows that it has."""
    keys = [b"%d" % number for number in range(KEYS)]
    return {key: row for key, row in zip(keys, state.get_many(keys), strict=True) if row is not None}


def writer_of(folder: Path, restored: int = 0) -> subprocess.Popen[str]:
    """Another process that has the folder open."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.exchange.state_writer", str(folder), str(restored)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def end(process: subprocess.Popen[str]) -> None:
    """Kill it."""
    process.kill()
    process.communicate()


if __name__ == "__main__":
    for applied in write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0):
        sys.stdout.write(f"{applied}\n")
        sys.stdout.flush()
