"""All hops at one rate for minutes, by the minute; and ten minutes at 80 % of the rate that they sustain."""

from collections.abc import Generator
from typing import Any, Final

from bench.latency import SETTLE_S, measuring
from bench.load import Load, records_at
from bench.role import resident_bytes
from bench.stand import Stand
from bench.workload import REPORT_SIZE

LOAD: Final = 0.8
MINUTE_S: Final = 60.0


def measure(stand: Stand, sustained: float, seconds: float, now_ms: int) -> dict[str, Any]:
    """One entry for each minute."""
    rate, minutes = LOAD * sustained, max(1, round(seconds / MINUTE_S))
    return {"rate": round(rate), "load": LOAD, "minutes": list(by_minute(stand, rate, minutes, now_ms))}


def by_minute(stand: Stand, rate: float, minutes: int, now_ms: int) -> Generator[dict[str, Any], None, None]:
    """Each minute as it ends, from empty topics. Reports are made beforehand: indicators of its own for each minute,
    ten times."""
    whole = [record for minute in range(minutes) for record in records_at(rate, MINUTE_S, now_ms, 1_000 + minute)]
    with measuring(stand, now_ms) as hops, Load(stand, rate, whole) as load:
        hops.probes.run(SETTLE_S)
        for minute in range(1, minutes + 1):
            sent = load.sent
            taken = hops.run(MINUTE_S - 1)
            mib = round(resident_bytes(hops.roles[0].pid) / (1 << 20))
            observations = (load.sent - sent) * REPORT_SIZE
            yield {
                "minute": minute,
                "observations_per_s": round(rate),
                "observations": observations,
                "mib": mib,
                **taken,
            }
