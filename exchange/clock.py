"""The wall clock. Code that decides takes its time as an argument; a process asks here."""

import time


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000
