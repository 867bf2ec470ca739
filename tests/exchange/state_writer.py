"""Writes batches into a state until it is killed: ``python -m tests.exchange.state_writer FOLDER``.

A line on standard output for each batch that has been applied.
"""

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


def write(folder: Path) -> Iterator[int]:
    """Apply batch after batch, from where the folder is."""
    state = RocksState(folder, CHANGELOG, 1)
    batch = state.start()[1]
    while True:
        batch += 1
        state.apply(rows_of(batch), batch, batch * 10)
        yield batch


if __name__ == "__main__":
    for applied in write(Path(sys.argv[1])):
        sys.stdout.write(f"{applied}\n")
        sys.stdout.flush()
