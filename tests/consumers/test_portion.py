"""A portion grows while it is carried quickly, and shrinks if it is not."""

from consumers.bridge.portion import FIRST_BYTES, MAX_BYTES, MIN_BYTES, QUICK_S, SLOW_S, Portion


def _send(portion: Portion, took_s: float, size: int | None = None) -> int:
    portion.sent(portion.bytes if size is None else size, 100.0)
    portion.carried(100.0 + took_s)
    return portion.bytes


def test_quick_transactions_grow_to_the_maximum() -> None:
    portion = Portion()
    assert portion.bytes == FIRST_BYTES
    assert [_send(portion, 1.0) for _ in range(4)] == [2 * FIRST_BYTES, 4 * FIRST_BYTES, MAX_BYTES, MAX_BYTES]


def test_slow_transactions_shrink_to_the_minimum() -> None:
    portion = Portion()
    found = [_send(portion, SLOW_S + 1) for _ in range(9)]
    assert found[:2] == [FIRST_BYTES // 2, FIRST_BYTES // 4]
    assert found[-1] == MIN_BYTES


def test_transactions_between_quick_and_slow_keep_their_size() -> None:
    assert _send(Portion(), (QUICK_S + SLOW_S) / 2) == FIRST_BYTES


def test_a_small_transaction_does_not_change_the_size() -> None:
    assert _send(Portion(), 0.1, size=300) == FIRST_BYTES


def test_a_turn_without_bulk_does_not_change_the_size() -> None:
    portion = Portion()
    portion.sent(FIRST_BYTES, 100.0)
    portion.carried(101.0)
    portion.carried(200.0)
    assert portion.bytes == 2 * FIRST_BYTES
