"""The rate that all hops sustain: the highest at which an indicator is not late, found by bisection."""

from typing import Any, Final

from bench.latency import Hops, measuring
from bench.stand import Stand

LATE_MS: Final = 5_000
_RUNS: Final = 4
_PARTS: Final = (0.2, 1.4)  # of the rate of a backlog: it is looked for between these


def measure(stand: Stand, full_rate: float, seconds: float, now_ms: int) -> dict[str, Any]:
    """The rate in observations a second, and the rates that were tried. ``full_rate`` is that of a backlog."""
    with measuring(stand, now_ms) as hops:
        return bisected(hops, full_rate, seconds)


def bisected(hops: Hops, full_rate: float, seconds: float) -> dict[str, Any]:
    """Half of what is left, each time. If none is sustained, the rate is the lowest that was thought of."""
    low, high = (part * full_rate for part in _PARTS)
    tried = []
    for _ in range(_RUNS):
        found = hops.at((low + high) / 2, seconds)
        found["sustained"] = is_sustained(found)
        tried.append(found)
        low, high = (found["observations_per_s"], high) if found["sustained"] else (low, found["observations_per_s"])
    return {"rate": round(low), "seconds": seconds, "tried": tried}


def is_sustained(found: dict[str, Any]) -> bool:
    """No more than one in a hundred is late, and it does not get later: at the end half are less than half as late."""
    return bool(found["p99_ms"] < LATE_MS and found["last_p50_ms"] < LATE_MS / 2)
