"""How many bytes a second something may send, by the time of day; and what that leaves at a moment. Pure.

A schedule is one rate for all day, ``2MB/s``, or windows that cover the day in order,
``00:00-06:00=unlimited,06:00-24:00=2MB/s``. Times are UTC; a rate is ``unlimited`` or a whole number with ``kB/s``,
``MB/s`` or ``GB/s`` (thousands, SI).
"""

import re
from typing import Final

import msgspec

UNLIMITED: Final = "unlimited"
BURST_S: Final = 2.0  # bytes not sent in time may follow at once: as long as a transaction over a long link takes
_DAY_MIN: Final = 24 * 60
_RATE: Final = re.compile(r"([1-9][0-9]{0,8})(kB|MB|GB)/s")
_UNITS: Final = {"kB": 10**3, "MB": 10**6, "GB": 10**9}
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Window(msgspec.Struct, frozen=True, gc=False):
    """From one minute of the day, UTC, up to another; ``rate`` is bytes a second, None without a limit."""

    begin_min: int
    end_min: int
    rate: int | None


class Schedule(msgspec.Struct, frozen=True):
    """A rate for each minute of the day: the windows are in order and leave no gap."""

    windows: tuple[Window, ...] = (Window(0, _DAY_MIN, None),)

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Raises ValueError with the reason if it is invalid."""
        if "=" not in text:
            return cls((Window(0, _DAY_MIN, _rate(text.strip())),))
        windows = tuple(_window(part.strip()) for part in text.split(","))
        reached = 0
        for window in windows:
            if window.begin_min != reached:
                raise ValueError(
                    f"{_clock(reached)} is followed by {_clock(window.begin_min)}: windows cover the day in order"
                )
            reached = window.end_min
        if reached != _DAY_MIN:
            raise ValueError(f"nothing is said of {_clock(reached)} to 24:00")
        return cls(windows)

    def rate_at(self, time_ms: int) -> int | None:
        """Bytes a second at a moment, in milliseconds since 1970; None without a limit."""
        minute = time_ms // 60_000 % _DAY_MIN
        return next(window.rate for window in self.windows if minute < window.end_min)

    def __str__(self) -> str:
        if len(self.windows) == 1:
            return _said(self.windows[0].rate)
        return ",".join(f"{_clock(each.begin_min)}-{_clock(each.end_min)}={_said(each.rate)}" for each in self.windows)


ALWAYS: Final = Schedule()  # without a limit


def _window(text: str) -> Window:
    span, _, rate = text.partition("=")
    begin, dash, end = span.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is no window: HH:MM-HH:MM=RATE")
    window = Window(_minute(begin), _minute(end), _rate(rate))
    if window.begin_min >= window.end_min:
        raise ValueError(f"{text!r} ends before it begins: a window over midnight is two")
    return window


def _minute(text: str) -> int:
    if text == "24:00":
        return _DAY_MIN
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day: HH:MM, 00:00 to 24:00, UTC")
    return int(found[1]) * 60 + int(found[2])


def _rate(text: str) -> int | None:
    if text == UNLIMITED:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no rate: {UNLIMITED}, or a whole number above 0 with kB/s, MB/s or GB/s")
    return int(found[1]) * _UNITS[found[2]]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _said(rate: int | None) -> str:
    if rate is None:
        return UNLIMITED
    unit = next(unit for unit in reversed(_UNITS) if rate % _UNITS[unit] == 0)
    return f"{rate // _UNITS[unit]}{unit}/s"


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """A token bucket: the bytes that may be sent, below 0 if more was sent, at a monotonic time in seconds."""

    tokens: float
    at_s: float

    def filled(self, now_s: float, rate: float) -> "Bucket":
        """Its state now, filled at so many bytes a second since; it holds no more than ``BURST_S`` of them."""
        gained = max(0.0, now_s - self.at_s) * rate
        return Bucket(min(self.tokens + gained, rate * BURST_S), now_s)

    def spent(self, size: int) -> "Bucket":
        """Its state after sending this many bytes."""
        return Bucket(self.tokens - size, self.at_s)

    def wait_s(self, rate: float) -> float:
        """How long until something may be sent again; 0 if it may now."""
        return 0.0 if self.tokens > 0 else -self.tokens / rate
