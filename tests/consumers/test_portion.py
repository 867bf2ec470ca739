"""A portion grows while it is carried quickly, and shrinks if it is not."""

from consumers.bridge.portion import FIRST_BYTES, MAX_BYTES, MIN_BYTES, QUICK_S, SLOW_S, Portion


def _send(portion: Portion, took_s: float, size: int | None = None) -> int:
    portion.sent(portion.bytes if size is None else size, 100.0)
    portion.carried(100.0 + took_s)
    return portion.bytes


def test_what_is_quick_grows_to_its_most() -> None:
    portion = Portion()
    assert portion.bytes == FIRST_BYTES
    assert [_send(portion, 1.0) for _ in range(4)] == [2 * FIRST_BYTES, 4 * FIRST_BYTES, MAX_BYTES, MAX_BYTES]


def test_what_is_slow_shrinks_to_its_least() -> None:
    portion = Portion()
    found = [_send(portion, SLOW_S + 1) for _ in range(9)]
    assert found[:2] == [FIRST_BYTES // 2, FIRST_BYTES // 4]
    assert found[-1] == MIN_BYTES


def test_what_is_neither_stays() -> None:
    assert _send(Portion(), (QUICK_S + SLOW_S) / 2) == FIRST_BYTES


def test_a_trickle_says_nothing_of_what_more_would_take() -> None:
    assert _send(Portion(), 0.1, size=300) == FIRST_BYTES


def test_a_turn_without_bulk_says_nothing() -> None:
    portion = Portion()
    portion.sent(FIRST_BYTES, 100.0)
    portion.carried(101.0)
    portion.carried(200.0)
    assert portion.bytes == 2 * FIRST_BYTES
