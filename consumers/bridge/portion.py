"""How many bytes one shard of a bridge's bulk sends in one transaction: as many as its link carries in a few
seconds."""

from typing import Final

FIRST_BYTES: Final = 1 << 20
MAX_BYTES: Final = 6 << 20
MIN_BYTES: Final = 64 << 10
# A broker ends a transaction after 30 s, and the client gives up on a record after four fifths of that.
QUICK_S: Final = 4.0
SLOW_S: Final = 8.0


class Portion:
    """Adapts to the link. A transaction takes three round trips, so over a long link only large ones keep the rate.
    Over a narrow link the broker would end each large one before it is written."""

    def __init__(self) -> None:
        self.bytes = FIRST_BYTES
        self._sent: tuple[int, float] | None = None

    def sent(self, size: int, now_s: float) -> None:
        """Note the number of bytes sent, at this monotonic time in seconds."""
        self._sent = size, now_s

    def carried(self, now_s: float) -> None:
        """The last bytes are committed. If that was quick and they filled half, the next size is what takes ``QUICK_S``
        at this pace, and twice as much at least; if slow, it halves."""
        if self._sent is None:
            return
        (size, began_s), self._sent = self._sent, None
        took_s = max(now_s - began_s, 0.001)
        if took_s > SLOW_S:
            self.bytes = max(MIN_BYTES, self.bytes // 2)
        elif took_s < QUICK_S and size > self.bytes // 2:
            self.bytes = min(MAX_BYTES, max(2 * self.bytes, int(size * QUICK_S / took_s)))
