"""How much one client may ask for: requests a minute, and requests at once. Memory is bounded for all of them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from typing import Final

from consumers.taxii.refusal import Refusal

AT_ONCE: Final = 4
_MINUTE_S: Final = 60.0
_KEPT: Final = 4_096


class _Account:
    """``left`` requests at ``at_s``; ``running`` are being answered."""

    __slots__ = ("at_s", "left", "running")

    def __init__(self, left: float, at_s: float) -> None:
        self.left, self.at_s, self.running = left, at_s, 0


class Limits:
    """A budget for each name: a minute's requests, which grow again by the second. Thread-safe.

    The names are kept up to a number; the one that asked longest ago is forgotten, and has its whole budget again.
    """

    def __init__(self, clock_s: Callable[[], float], kept: int = _KEPT) -> None:
        self._clock_s, self._kept = clock_s, kept
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def one(self, name: str, a_minute: int) -> Iterator[None]:
        """One request. Raises a Refusal, 429, if there were too many, or if too many are running."""
        account = self._taken(name, a_minute)
        try:
            yield
        finally:
            with self._lock:
                account.running -= 1

    def spend(self, name: str, a_minute: int) -> None:
        """The same for a request that needs no work."""
        with self.one(name, a_minute):
            pass

    def _taken(self, name: str, a_minute: int) -> _Account:
        with self._lock:
            now_s = self._clock_s()
            account = self._accounts.setdefault(name, _Account(a_minute, now_s))
            self._accounts.move_to_end(name)
            while len(self._accounts) > self._kept:
                self._accounts.popitem(last=False)
            account.left = min(float(a_minute), account.left + (now_s - account.at_s) * a_minute / _MINUTE_S)
            account.at_s = now_s
            if account.left < 1:
                raise _too_many((1 - account.left) * _MINUTE_S / a_minute)
            if account.running >= AT_ONCE:
                raise _too_many(1)
            account.left -= 1
            account.running += 1
            return account


def _too_many(wait_s: float) -> Refusal:
    return Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many requests: wait", {"Retry-After": str(max(1, ceil(wait_s)))})
