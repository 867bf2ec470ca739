"""All hops at one rate for minutes, by the minute; and ten minutes at 80 % of the rate that they sustain."""

from collections.abc import Generator
from typing import Any, Final

from bench.latency import measuring
from bench.load import Load
from bench.role import resident_bytes
from bench.stand import Stand
from bench.stream import reports

LOAD: Final = 0.8
MINUTE_S: Final = 60.0
_LONGER: Final = 1.2  # a stream is, than its minutes: each ends with its last probe, and that may be late


def measure(stand: Stand, sustained: float, seconds: float, now_ms: int) -> dict[str, Any]:
    """One entry for each minute."""
    rate, minutes = LOAD * sustained, max(1, round(seconds / MINUTE_S))
    return {"rate": round(rate), "load": LOAD, "minutes": list(by_minute(stand, rate, minutes, now_ms))}


def by_minute(stand: Stand, rate: float, minutes: int, now_ms: int) -> Generator[dict[str, Any], None, None]:
    """Each minute as it ends, from empty topics, of one stream; behind the minute in which that becomes even.

    An indicator is seen for a minute, and rolled up a minute after its first record: so the first minute that is
    measured has all roll-ups, too.
    """
    stream = reports(rate, MINUTE_S, _LONGER * MINUTE_S * (1 + minutes), now_ms, 1_000)
    with measuring(stand, now_ms) as hops, Load(stand, stream) as load:
        hops.probes.run(MINUTE_S)
        for minute in range(1, minutes + 1):
            sent = load.sent
            taken = hops.run(MINUTE_S - 1)
            load.check()
            mib = round(resident_bytes(hops.roles[0].pid) / (1 << 20))
            yield {
                "minute": minute,
                "observations_per_s": round(rate),
                "observations": load.sent - sent,
                "mib": mib,
                **taken,
            }
