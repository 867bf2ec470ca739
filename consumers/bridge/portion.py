"""How much one shard of a bridge's bulk sends in one transaction: as much as its link carries in good time."""

from typing import Final

FIRST_BYTES: Final = 1 << 20
MAX_BYTES: Final = 4 << 20
MIN_BYTES: Final = 64 << 10
# A broker ends a transaction after 30 s, and the client gives up on a record after four fifths of that.
QUICK_S: Final = 4.0
SLOW_S: Final = 8.0


class Portion:
    """A transaction takes three round trips, whatever is in it: over a long link only large ones keep the rate. Over a
    narrow one the same bytes would not be through before the broker ends it, again and again."""

    def __init__(self) -> None:
        self.bytes = FIRST_BYTES
        self._sent: tuple[int, float] | None = None

    def sent(self, size: int, now_s: float) -> None:
        """So many bytes go, at this monotonic time."""
        self._sent = size, now_s

    def carried(self, now_s: float) -> None:
        """What was sent last is committed. Twice as much goes next time if that was much and quick, half if slow."""
        if self._sent is None:
            return
        (size, began_s), self._sent = self._sent, None
        if now_s - began_s > SLOW_S:
            self.bytes = max(MIN_BYTES, self.bytes // 2)
        elif now_s - began_s < QUICK_S and size > self.bytes // 2:
            self.bytes = min(MAX_BYTES, self.bytes * 2)
