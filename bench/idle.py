"""What a nation's worker and its broker use while nothing arrives."""

import time
from typing import Any, Final

from bench.pipeline import brokers_cpu, streams_worker
from bench.role import cpu_seconds
from bench.stand import Stand
from exchange.feeds.resting import REST_AFTER_S

# After its start: schemas, topics and rules are read, and its shards rest (``exchange.feeds.resting``).
_SETTLES_S: Final = REST_AFTER_S + 15.0


def measure(stand: Stand, seconds: float) -> dict[str, Any]:
    """Percent of a core that one worker uses, and both brokers."""
    stand.refresh()
    with streams_worker(stand, 0) as role:
        time.sleep(_SETTLES_S)
        began, worker_s, brokers_s = time.monotonic(), cpu_seconds(role.pid), brokers_cpu(stand)
        time.sleep(seconds)
        took = time.monotonic() - began
        role.check()
        return {
            "seconds": round(took, 1),
            "worker_percent": round((cpu_seconds(role.pid) - worker_s) / took * 100, 2),
            "brokers_percent": round((brokers_cpu(stand) - brokers_s) / took * 100, 2),
        }
