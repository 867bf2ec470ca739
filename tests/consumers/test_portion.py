"""A portion grows while it is carried quickly, and shrinks if it is not."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.bridge.border_feed import MAX_RECORDS_OF_BULK
from consumers.bridge.portion import FIRST_BYTES, MAX_BYTES, MIN_BYTES, QUICK_S, SLOW_S, Portion
from schemas.topics import INBOX_BATCH_BYTES


def _send(portion: Portion, took_s: float, size: int | None = None) -> int:
    portion.sent(portion.bytes if size is None else size, 100.0)
    portion.carried(100.0 + took_s)
    return portion.bytes


def test_quick_transactions_grow_to_the_maximum() -> None:
    portion = Portion()
    assert portion.bytes == FIRST_BYTES
    assert [_send(portion, QUICK_S * 0.9) for _ in range(4)] == [2 * FIRST_BYTES, 4 * FIRST_BYTES, MAX_BYTES, MAX_BYTES]


def test_over_a_long_and_wide_link_the_second_transaction_is_as_large_as_its_time_allows() -> None:
    assert _send(Portion(), 0.6) == MAX_BYTES
    assert _send(Portion(), 1.5) == int(FIRST_BYTES * QUICK_S / 1.5)
    assert _send(Portion(), 1.5, size=FIRST_BYTES * 3 // 4) == 2 * FIRST_BYTES
    assert _send(Portion(), 0.0) == MAX_BYTES


@given(st.floats(0.01, 7.9))
def test_if_the_time_grows_with_the_size_no_larger_transaction_is_slow(seconds_a_mebibyte: float) -> None:
    portion = Portion()
    for _ in range(8):
        took_s = seconds_a_mebibyte * portion.bytes / (1 << 20)
        assert took_s <= SLOW_S
        _send(portion, took_s)


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
    portion.carried(100.0 + QUICK_S * 0.9)
    portion.carried(200.0)
    assert portion.bytes == 2 * FIRST_BYTES


def test_the_largest_transaction_is_one_batch_of_the_producer() -> None:
    """A client keeps one batch of a partition in flight, so a second one costs another round trip."""
    itself, headers = 36, len("origin") + len("hops") + 2 * len("GBR") + 4  # bytes, as librdkafka counts a record
    assert MAX_BYTES + MAX_RECORDS_OF_BULK * (itself + headers) <= INBOX_BATCH_BYTES
