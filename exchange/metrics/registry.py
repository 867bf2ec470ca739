"""The values of the specified metrics in one process, and the page where Prometheus and Kubernetes read them.

The only file that knows ``prometheus_client``. The metrics are specified in ``spec``; whether a process
is well is decided in ``health``.
"""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from socketserver import ThreadingMixIn
from typing import Any, Final, TypeVarTuple
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import prometheus_client
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from exchange.errors import ConfigurationError
from exchange.health import Health
from exchange.metrics import spec
from exchange.metrics.kinds import OTHER, Counter, Gauge, Histogram, Label, Metric, Role
from exchange.metrics.labels import SHARD, STEP

Values = TypeVarTuple("Values")
_log = logging.getLogger(__name__)

# A metric with more series than this has each only once it is counted: most never are, and they would crowd the page.
_PRESET_LIMIT: Final = 128
_LOOK_S: Final = 5.0  # a request ends this wait

# A second series per counter with its creation time is not needed, and would double the storage.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one process. Thread-safe; a call costs about two microseconds: once a batch, not once a row.

    ``known`` gives the values of configured labels (``{"partner": ["JPN"]}``), so that the counters of this role
    are there, at 0, from the start: a rate over a counter that appears with its first event misses that event.
    """

    def __init__(self, role: Role, nation: str, version: str, known: Mapping[str, Iterable[str]] | None = None) -> None:
        self.registry: Final = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._families = {metric.name: _family(metric, self.registry) for metric in spec.ALL}
        self._specs = {metric.name: metric for metric in spec.ALL}
        self._children: dict[tuple[str, ...], Any] = {}
        self._seen: dict[Label[Any], set[str]] = {label: set() for label in spec.LABELS}
        self._lock = threading.Lock()
        self._preset(role, known or {})
        self.set(spec.BUILD_INFO, 1, version, nation, role)

    def add(self, counter: Counter[*Values], amount: float, *values: *Values) -> None:
        """Count ``amount`` more."""
        self._child(counter.tally(*values)).inc(amount)

    def count(self, tallies: Mapping[tuple[str, ...], int]) -> None:
        """Count the tallies of pure code; the keys are those of ``Counter.tally``."""
        for key, amount in tallies.items():
            self._child(key).inc(amount)

    def show(self, values: Mapping[tuple[str, ...], float]) -> None:
        """Show the gauges of pure code; the keys are those of ``Gauge.at``."""
        for key, value in values.items():
            self._child(key).set(value)

    def set(self, gauge: Gauge[*Values], value: float, *values: *Values) -> None:
        """Show ``value`` from now on."""
        self._child((gauge.name, *map(str, values))).set(value)

    def ask(self, gauge: Gauge[*Values], value: Callable[[], float], *values: *Values) -> None:
        """Show the result of ``value`` at each scrape; it must be quick, and callable from any thread."""
        self._child((gauge.name, *map(str, values))).set_function(value)

    def observe(self, histogram: Histogram[*Values], value: float, *values: *Values) -> None:
        """Add one observation, in the histogram's unit."""
        self._child((histogram.name, *map(str, values))).observe(value)

    def forget(self, step: str, shard: int) -> None:
        """Drop the gauges of a shard that is no longer here: another process shows them now."""
        for metric in spec.ALL:
            if isinstance(metric, Gauge) and metric.labels.each == (STEP, SHARD):
                key = (metric.name, step, str(shard))
                with self._lock:
                    if self._children.pop(key, None) is not None:
                        self._families[metric.name].remove(step, str(shard))

    def _child(self, key: tuple[str, ...]) -> Any:
        child = self._children.get(key)
        return child if child is not None else self._new_child(key)

    def _new_child(self, key: tuple[str, ...]) -> Any:
        name, values = key[0], key[1:]
        metric = self._specs[name]
        with self._lock:
            allowed = [self._allowed(label, value) for label, value in zip(metric.labels.each, values, strict=True)]
            child = self._families[name].labels(*allowed) if allowed else self._families[name]
            if all(map(str.__eq__, allowed, values)):
                self._children[key] = child  # never for values beyond a limit: that would be unbounded, too
                return child
        self.add(spec.LABEL_OVERFLOWS, 1, name)
        return child

    def _allowed(self, label: Label[Any], value: str) -> str:
        if label.values:
            return value if value in label.values else OTHER
        seen = self._seen[label]
        if value not in seen and len(seen) >= label.limit:
            return OTHER
        seen.add(value)
        return value

    def _preset(self, role: Role, known: Mapping[str, Iterable[str]]) -> None:
        for metric in spec.ALL:
            if role not in metric.roles or not isinstance(metric, Counter | Histogram):
                continue
            series = list(product(*(label.values or tuple(known.get(label.name, ())) for label in metric.labels.each)))
            if len(series) <= _PRESET_LIMIT:
                for values in series:
                    self._child((metric.name, *values))


def _family(metric: Metric[*tuple[Any, ...]], registry: CollectorRegistry) -> Any:
    names = [label.name for label in metric.labels.each]
    match metric:
        case Counter():
            return prometheus_client.Counter(metric.full_name, metric.help, names, registry=registry)
        case Gauge():
            return prometheus_client.Gauge(metric.full_name, metric.help, names, registry=registry)
        case Histogram(buckets=buckets):
            return prometheus_client.Histogram(metric.full_name, metric.help, names, registry=registry, buckets=buckets)
        case _:
            raise TypeError(f"{metric.name} is neither a counter nor a gauge nor a histogram")


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is being served; ``close`` ends it."""

    address: str
    port: int
    close: Callable[[], None]


def _well() -> Health:
    return Health(True, "nothing to watch")


def serve(
    metrics: Metrics,
    port: int,
    address: str = "127.0.0.1",
    *,
    live: Callable[[], Health] = _well,
    ready: Callable[[], Health] = _well,
) -> Page:
    """Serve ``/metrics``, ``/live`` and ``/ready`` from a thread of its own; port 0 picks a free one and logs it.

    ``/live`` and ``/ready`` answer 200 or 503, with the reason as text. Raises ConfigurationError if the
    address is not available.
    """
    exposition: Callable[..., Iterable[bytes]] = make_wsgi_app(metrics.registry, disable_compression=True)

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        match environ.get("PATH_INFO"):
            case "/metrics":
                return exposition(environ, start_response)
            case "/live":
                health = live()
            case "/ready":
                health = ready()
            case _:
                start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [b"/metrics, /live and /ready are here\n"]
        status = "200 OK" if health.ok else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{health.why}\n".encode()]

    try:
        server = _server(address, port)
    except OSError as error:
        raise ConfigurationError(
            f"metrics cannot be served on {address} port {port}: {error.strerror or error}. Choose another port, "
            "or 0 for any free one"
        ) from error
    server.set_app(answer)
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), name="metrics", daemon=True)
    thread.start()
    _log.info("metrics.serving address=%s port=%d", address, server.server_port)

    def close() -> None:
        closing = threading.Thread(target=server.shutdown)
        closing.start()
        with suppress(OSError):  # a connection ends the wait for one
            socket.create_connection((address, server.server_port), _LOOK_S).close()
        closing.join()
        server.server_close()
        thread.join()

    return Page(address, server.server_port, close)


def _server(address: str, port: int) -> "_Server":
    family = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    return (_ServerV6 if family == socket.AF_INET6 else _Server)((address, port), _Handler)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # a reader that sends nothing holds a thread no longer than this

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a scrape every few seconds is not news."""
