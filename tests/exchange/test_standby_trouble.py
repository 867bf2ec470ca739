"""A shard's copy in trouble: whatever fails it is tried again, and a disk that refuses ends it."""

import threading
from collections.abc import Generator, Sequence
from pathlib import Path

from exchange.errors import BrokerUnavailable
from exchange.protocol.record import Position, RowChange
from exchange.protocol.standby import Standby
from exchange.protocol.state import RocksState, StateRefused
from tests.exchange.test_standby import SOON_S, follows_to
from tests.polling import eventually


class Broken:
    """A changelog that cannot be followed, until it can."""

    def __init__(self, failures: list[Exception]) -> None:
        self.failures = failures

    def position(self) -> Position | None:
        return None

    def remembers(self, start: int) -> bool:  # noqa: ARG002  # as the protocol states
        return True

    def follow(self, start: int, wait_s: float) -> Generator[tuple[list[RowChange], int, int], None, None]:
        if self.failures:
            raise self.failures.pop(0)
        yield [RowChange(b"a", b"1")], 1, start + 1
        while True:
            threading.Event().wait(wait_s)
            yield [], 0, start + 1


def test_whatever_goes_wrong_the_copy_is_tried_again(tmp_path: Path) -> None:
    broken = Broken([BrokerUnavailable("away"), RuntimeError("a bare exception of some library")])
    standby = Standby("step-0", lambda: (broken, lambda: RocksState(tmp_path, "id", 1)), settle_s=0, pause_s=0.01)
    standby.start()
    follows_to(standby, 1)
    assert standby.stop(SOON_S)


def test_a_disk_that_refuses_ends_the_copy_and_gets_its_room_back(tmp_path: Path) -> None:
    class Full(RocksState):
        def apply(self, rows: Sequence[RowChange], batch: int, next_offset: int) -> None:
            if batch > 1:
                raise StateRefused("No space left on device")
            super().apply(rows, batch, next_offset)

    class Filling(Broken):
        def follow(self, start: int, wait_s: float) -> Generator[tuple[list[RowChange], int, int], None, None]:  # noqa: ARG002  # as the protocol states
            yield [RowChange(b"a", b"1")], 1, 1
            yield [RowChange(b"a", b"2")], 2, 2

    standby = Standby("step-0", lambda: (Filling([]), lambda: Full(tmp_path, "id", 1)), settle_s=0)
    standby.start()
    eventually(lambda: not standby.alive, SOON_S, "the copy given up")
    state = RocksState(tmp_path, "id", 1)
    assert (state.start(), state.get_many([b"a"])) == ((0, 0), [None])
    state.close()
