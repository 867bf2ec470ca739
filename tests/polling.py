"""Waits for a condition, never for a time."""

import time
from collections.abc import Callable

_POLL_S, _MOST_S = 0.02, 0.25


def eventually(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Return as soon as the condition holds; fail with ``what`` was expected when the time is over.

    Between two looks it leaves the processor for as long as a look takes, a quarter of a second at most: the process
    that is waited for needs it, too.
    """
    began = time.monotonic()
    give_up_at = began + within_s
    while not condition():
        looked = time.monotonic()
        if looked > give_up_at:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(min(max(_POLL_S, looked - began), _MOST_S))
        began = time.monotonic()
