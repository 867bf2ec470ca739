"""Waits for a condition, never for a time."""

import time
from collections.abc import Callable

_POLL_S = 0.02


def eventually(condition: Callable[[], bool], within_s: float, what: str) -> None:
    """Return as soon as the condition holds; fail with ``what`` was expected when the time is over."""
    give_up = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(_POLL_S)
