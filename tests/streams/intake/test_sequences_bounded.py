"""A sensor's row, which is written with each of its reports, is bounded over all its epochs."""

import msgspec

from streams.intake.sequences import MAX_EPOCHS, MAX_INTERVALS, SequenceFate, Sequences
from tests.builders import NOW_MS

QUOTA = 1 << 20


def test_a_sensor_with_gaps_in_every_epoch_has_a_row_of_a_few_kibibytes() -> None:
    known = Sequences()
    for epoch in range(1, MAX_EPOCHS + 1):
        for number in range(MAX_INTERVALS):
            known = known.counted(epoch, (1 << 60) + 2 * number, 0, NOW_MS)
            assert len(msgspec.msgpack.encode(known)) < 4096
    assert len(known.epochs) == MAX_EPOCHS
    assert sum(len(epoch.intervals) for epoch in known.epochs) == MAX_INTERVALS


def test_gaps_close_from_the_oldest_epoch_on() -> None:
    older = Sequences()
    for number in range(MAX_INTERVALS):
        older = older.counted(1, 2 * number, 0, NOW_MS)
    newer = older.counted(2, 0, 0, NOW_MS).counted(2, 2, 0, NOW_MS)
    assert newer.epochs[0].closed_below == 4
    assert newer.fate_of(1, 3, 0, NOW_MS, QUOTA) is SequenceFate.STALE
    assert newer.fate_of(1, 5, 0, NOW_MS, QUOTA) is SequenceFate.NEW
    assert newer.fate_of(2, 1, 0, NOW_MS, QUOTA) is SequenceFate.NEW
