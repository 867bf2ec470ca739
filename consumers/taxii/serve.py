"""One process of the TAXII server: it keeps the picture if no other process does, and answers its clients."""

import logging
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Final

from consumers.picture.keep import Origin
from consumers.picture.keeping import Keeping
from consumers.picture.picture import Picture
from consumers.picture.shown import LOOK_EVERY_S, Shown
from consumers.taxii.clients import Clients
from consumers.taxii.collections import Collection
from consumers.taxii.door import Counted, Door
from consumers.taxii.endpoints import Endpoints
from consumers.taxii.limits import Limits
from consumers.taxii.listening import ListenAddress, Listening
from consumers.taxii.readers import Readers
from exchange import logs
from exchange.clock import now_ms
from exchange.errors import NotFound
from exchange.health import Health, all_of
from exchange.kafka.clients import Cluster
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.metrics.labels import RequestOutcome
from exchange.metrics.registry import Metrics
from exchange.role import StopRequest, end_at_once, serve_metrics
from exchange.settings import Settings

_log = logging.getLogger(__name__)
_NOBODY: Final = "-"


def serve(
    cluster: Cluster,
    settings: Settings,
    path: Path,
    origins: Mapping[str, Origin],
    collections: Mapping[str, Collection],
    clients: Clients,
    place: ListenAddress,
    loglevel: str,
) -> None:
    """Answer clients until asked to stop. Raises ConfigurationError if the address cannot be bound."""
    logs.start(loglevel, settings.log_format)
    metrics = Metrics(Role.TAXII, cluster.nation, version("kakehashi"), {"client": [_NOBODY], "origin": list(origins)})
    stopping = StopRequest()
    readers = Readers(path, cluster.nation, now_ms)
    endpoints = Endpoints(cluster.nation, collections, readers)
    door = Door(endpoints.application, clients, Limits(time.monotonic), counting(metrics))
    listening = Listening(door, place, end_at_once)
    keeping = Keeping(path, cluster.nation, origins, cluster.codec(), now_ms, end_at_once).start()
    listening.start()
    _log.info("taxii.serving address=%s port=%d tls=%s", place.address, listening.port, listening.tls is not None)
    serve_metrics(
        metrics,
        settings,
        [cluster],
        live=lambda: Health(listening.is_running(), "the server runs" if listening.is_running() else "it has ended"),
        ready=lambda: all_of(_known(clients), _kept(keeping), whole(path, cluster.nation, origins)),
    )
    shown = Shown(metrics, path, cluster.nation, keeping)
    while not stopping.wait(LOOK_EVERY_S):
        listening.look()
        shown.look()
    stopping.report()
    listening.stop()
    readers.close()
    keeping.stop()


def counting(metrics: Metrics) -> Counted:
    """Counts each request."""

    def counted(client: str, status: int, objects: int, seconds: float) -> None:
        name = client or _NOBODY
        metrics.add(spec.TAXII_REQUESTS, 1, name, outcome_of(status))
        metrics.observe(spec.TAXII_SECONDS, seconds)
        if status == HTTPStatus.OK:
            metrics.add(spec.TAXII_OBJECTS, objects, name)
            metrics.set(spec.TAXII_ANSWERED_AT, now_ms() / 1000, name)

    return counted


def outcome_of(status: int) -> RequestOutcome:
    """What a status means; 0 if the client left before there was one."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS):
        return RequestOutcome.UNKNOWN if status == HTTPStatus.UNAUTHORIZED else RequestOutcome.LIMITED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == 0:
        return RequestOutcome.FAILED
    return RequestOutcome.REFUSED if status >= HTTPStatus.BAD_REQUEST else RequestOutcome.ANSWERED


def whole(path: Path, nation: str, origins: Iterable[str]) -> Health:
    """Yes once every origin's topic was read to its end."""
    try:
        with Picture(path, nation, now_ms) as picture:
            read = {each.origin for each in picture.origins() if each.is_whole}
            partial = [origin for origin in origins if origin not in read]
    except NotFound as error:
        return Health(False, str(error))
    return Health(not partial, f"{', '.join(partial)}: still being read" if partial else "the picture is whole")


def _known(clients: Clients) -> Health:
    return Health(not clients.trouble, clients.trouble or "the clients are known")


def _kept(keeping: Keeping) -> Health:
    return Health(not keeping.trouble, keeping.trouble or "the picture is kept")
