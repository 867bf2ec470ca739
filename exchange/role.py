"""What every long-running role does around its work: logging, the metrics page, and how it ends."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from importlib.metadata import version
from types import FrameType
from typing import Final

from exchange.errors import ExchangeError, Exit
from exchange.health import Health, all_of, reach
from exchange.kafka.clients import Cluster
from exchange.kafka.reach_watch import UNREACHABLE_S, ReachWatch
from exchange.metrics.kinds import Role
from exchange.metrics.registry import Metrics, serve
from exchange.settings import Settings

STALLED_AFTER_MS: Final = 180_000

_log = logging.getLogger(__name__)


class StopRequest(threading.Event):
    """Set once the role is asked to stop: by SIGTERM, SIGINT, or SIGHUP of a terminal that is closed, which ``nohup``
    turns off. Made in the main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._by = ""
        numbers = [signal.SIGTERM, signal.SIGINT]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        for number in numbers:
            signal.signal(number, self._request)

    def report(self) -> None:
        """Log who asked. Not done where the signal arrives: that may be within another log line."""
        _log.warning("role.stopping signal=%s", self._by)

    def _request(self, number: int, _frame: FrameType | None) -> None:
        self._by = signal.Signals(number).name
        self.set()


def metrics_of(role: Role, nation: str, partners: tuple[str, ...], steps: tuple[str, ...]) -> Metrics:
    """The metrics of this process."""
    known = {"partner": partners, "origin": partners, "from": (nation,), "to": partners, "step": steps}
    return Metrics(role, nation, version("kakehashi"), known)


def serve_metrics(
    metrics: Metrics,
    settings: Settings,
    clusters: Sequence[Cluster],
    *,
    live: Callable[[], Health],
    ready: Callable[[], Health],
) -> None:
    """Serve them, and whether this process is well, for as long as it lives. It is not ready while one of these
    clusters does not answer."""
    watches = [ReachWatch(cluster).start(metrics) for cluster in clusters]

    def all_ready() -> Health:
        return all_of(ready(), reach({each.cluster.nation: each.silent_s() for each in watches}, UNREACHABLE_S))

    serve(metrics, settings.metrics_port, settings.metrics_address, live=live, ready=all_ready)


def end_at_once(error: Exception) -> None:
    """End the process if its world or its code is broken: nothing that is not committed may look as if it were.

    Its supervisor starts it again; uncommitted work is then done again.
    """
    code = error.exit_code if isinstance(error, ExchangeError) else Exit.DEFECT
    _log.error("process.broken exit=%d: %s", code, error, exc_info=None if isinstance(error, ExchangeError) else error)
    logging.shutdown()
    os._exit(code)
