"""A rate that all hops sustain: the highest that was tried at which an indicator is not late, for minutes.

It is looked for by bisection in short runs. These have few roll-ups, so it must then hold for minutes with all of them.
If it does not hold, less is tried.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from math import sqrt
from typing import Any, Final

from bench.latency import Hops, ProbesLate, measuring
from bench.long_run import MINUTE_S, by_minute
from bench.show import show
from bench.stand import Stand
from exchange.errors import FatalError

LATE_MS: Final = 5_000
_RUNS: Final = 3
_PARTS: Final = (0.1, 0.6)  # of the rate of a backlog: found between these to a quarter
_SOON_S: Final = 30.0  # for so long, behind a short run, may it go on as in it
_LESS: Final = 0.85
_MUCH_LESS: Final = 0.7  # if it was late by far
_LAST_QUARTER: Final = 0.375  # of a run, from its middle to the middle of its last quarter
_TRIES: Final = 5  # each takes minutes, and the other parts need theirs

Minutes = Callable[[float], Generator[dict[str, Any], None, None]]
"""Runs at a rate; each minute as it ends."""


def measure(stand: Stand, full_rate: float, seconds: float, minutes: int, now_ms: int) -> dict[str, Any]:
    """The rate in observations a second, and the rates that were tried. ``full_rate`` is that of a backlog."""
    with measuring(stand, now_ms) as hops:
        tried = bisected(hops, full_rate, seconds)
    held = stepped_down(partial(by_minute, stand, minutes=minutes, now_ms=now_ms), found(tried, full_rate), minutes)
    return {"rate": held[-1]["rate"], "seconds": seconds, "tried": tried, "held": held}


def bisected(hops: Hops, full_rate: float, seconds: float) -> list[dict[str, Any]]:
    """The middle of the ratios that are left, each time: each run with whether it would be sustained for a while."""
    low, high = (part * full_rate for part in _PARTS)
    tried = []
    for _ in range(_RUNS):
        rate = sqrt(low * high)
        run = _judged(partial(hops.at, rate, seconds), rate, seconds, _SOON_S)
        tried.append(run)
        low, high = (rate, high) if run["sustained"] else (low, rate)
    return tried


def found(tried: Sequence[dict[str, Any]], full_rate: float) -> float:
    """The highest that would be sustained; the lowest that was thought of if there is none."""
    return max((run["observations_per_s"] for run in tried if run["sustained"]), default=_PARTS[0] * full_rate)


def stepped_down(run: Minutes, rate: float, minutes: int) -> list[dict[str, Any]]:
    """Each rate that was tried, by the minute, down to the first that holds in all of them: it is the last.

    Raises FatalError if none of ``_TRIES`` does: what did not hold is no result.
    """
    tried: list[dict[str, Any]] = []
    for _ in range(_TRIES):
        by_the_minute: list[dict[str, Any]] = []
        with closing(run(rate)) as entries:
            for minute in range(1, minutes + 1):
                entry = _judged(partial(next, entries), rate, MINUTE_S, minutes * MINUTE_S)
                by_the_minute.append({"minute": minute, **entry})
                if not entry["sustained"]:
                    break
        tried.append({"rate": round(rate), "minutes": by_the_minute})
        if by_the_minute[-1]["sustained"]:
            return tried
        rate *= _LESS if by_the_minute[-1].get("p99_ms", 2 * LATE_MS) < 2 * LATE_MS else _MUCH_LESS
    rates = ", ".join(f"{each['rate']:,}" for each in tried)
    raise FatalError(f"none of these rates held for {minutes} min: {rates} observations/s. Is the machine idle?")


def _judged(run: Callable[[], dict[str, Any]], rate: float, seconds: float, for_s: float) -> dict[str, Any]:
    """The run, and whether its rate is sustained: not if probes are late by far, and then it has no figures."""
    try:
        found = run()
    except ProbesLate as late:
        show(f"  {rate:10,.0f} observations/s: {late}: too much")
        return {"observations_per_s": round(rate), "sustained": False}
    found["sustained"] = is_sustained(found, seconds, for_s)
    verdict = "sustained" if found["sustained"] else "too much"
    show(f"  {rate:10,.0f} observations/s: p99 {found['p99_ms']:,} ms: {verdict}")
    return found


def is_sustained(run: dict[str, Any], seconds: float, for_s: float) -> bool:
    """No more than one in a hundred is late; and if the median goes on growing for ``for_s`` as from the middle of
    these ``seconds`` to their last quarter, half are not late either."""
    median, last = run["p50_ms"], run["last_p50_ms"]
    growth = max(0.0, last - median) / (_LAST_QUARTER * seconds)
    return bool(run["p99_ms"] < LATE_MS and last + growth * for_s < LATE_MS)
