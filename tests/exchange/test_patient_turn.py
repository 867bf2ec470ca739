"""A step that no one waits for lets the others compute first, but not for ever."""

import threading
import time

import pytest

from exchange.protocol import turns
from exchange.protocol.record import Record
from exchange.protocol.step import Batch
from exchange.protocol.turns import COMPUTING, SMALL_ITEMS, PatientTurn

_LARGE = Batch([Record("t", 0, number, b"k", b"v", 0) for number in range(SMALL_ITEMS + 1)], (), None)
_SMALL = Batch(_LARGE.records[:1], (), None)


def test_a_patient_turn_does_not_come_while_another_shard_computes() -> None:
    turn = PatientTurn()
    with COMPUTING:
        assert not turn.begin(_LARGE, None)
        assert turn.begin(_SMALL, None), "a small batch waits for no one"
    assert turn.begin(_LARGE, None)
    assert COMPUTING.locked()
    turn.end()
    assert not COMPUTING.locked()


def test_under_a_load_that_lasts_a_patient_turn_comes_like_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.0)
    turn = PatientTurn()
    COMPUTING.acquire()
    freeing = threading.Timer(0.1, COMPUTING.release)
    freeing.start()
    assert turn.begin(_LARGE, None), "it waits until the other has computed"
    turn.end()
    freeing.join()
    with COMPUTING:
        assert not turn.begin(_LARGE, 0.0), "a limit of its own holds"


def test_its_patience_begins_anew_once_it_has_caught_up_and_not_because_it_once_came_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    turn = PatientTurn()
    with COMPUTING:
        assert not turn.begin(_LARGE, 0.0)
    assert turn.begin(_LARGE, None), "between two others"
    turn.end()
    clock[0] = 2 * turns.PATIENCE_S
    freeing = threading.Timer(0.1, COMPUTING.release)
    COMPUTING.acquire()
    freeing.start()
    assert turn.begin(_LARGE, None), "the load has lasted: it waits like all others"
    turn.end()
    freeing.join()
    assert turn.begin(_SMALL, None)
    with COMPUTING:
        assert not turn.begin(_LARGE, None), "without patience it would wait for ever"
