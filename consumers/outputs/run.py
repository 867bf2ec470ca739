"""One process of outputs: it keeps the picture if no other process does, and each target current in its own thread."""

import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from consumers.outputs.follow import Following
from consumers.picture.keep import Origin
from consumers.picture.keeping import Keeping
from consumers.picture.shown import LOOK_EVERY_S, Shown
from exchange import logs
from exchange.clock import now_ms
from exchange.health import Health
from exchange.kafka.clients import Cluster
from exchange.metrics import spec
from exchange.metrics.kinds import Role
from exchange.metrics.labels import NotCarried, TurnOutcome
from exchange.metrics.registry import Metrics
from exchange.role import StopRequest, end_at_once, serve_metrics
from exchange.settings import Settings

_JOIN_S: Final = 30.0


def run(
    cluster: Cluster,
    settings: Settings,
    path: Path,
    origins: Mapping[str, Origin],
    outputs: Sequence[Following],
    loglevel: str,
) -> None:
    """Keep these targets current until asked to stop."""
    logs.start(loglevel, settings.log_format)
    known = {"output": [each.name for each in outputs], "origin": list(origins)}
    metrics = Metrics(Role.OUTPUT, cluster.nation, version("kakehashi"), known)
    stopping = StopRequest()

    def written(output: Following, succeeded: bool) -> None:
        outcome = TurnOutcome.WRITTEN if succeeded else TurnOutcome.FAILED
        metrics.add(spec.OUTPUT_TURNS, 1, output.name, outcome)

    def work(output: Following) -> None:
        try:
            output.run(stopping, written)
        except Exception as error:  # the thread's outermost frame
            end_at_once(error)

    keeping = Keeping(path, cluster.nation, origins, cluster.codec(), now_ms, end_at_once).start()
    threads = [threading.Thread(target=work, args=(each,), name=each.name, daemon=True) for each in outputs]
    for each in outputs:
        each.take()
    for thread in threads:
        thread.start()
    serve_metrics(metrics, settings, [cluster], live=lambda: _live(threads), ready=lambda: _ready(outputs, keeping))
    shown = Shown(metrics, path, cluster.nation, keeping)
    while not stopping.wait(LOOK_EVERY_S):
        if shown.look():
            _show(metrics, outputs)
    stopping.report()
    for thread in threads:
        thread.join(_JOIN_S)
    keeping.stop()
    for each in outputs:
        each.close()


def _live(threads: Sequence[threading.Thread]) -> Health:
    ended = [thread.name for thread in threads if not thread.is_alive()]
    return Health(not ended, f"{', '.join(ended)} has ended" if ended else "every output runs")


def _ready(outputs: Sequence[Following], keeping: Keeping) -> Health:
    wrong = [f"{each.name}: {each.standing.trouble}" for each in outputs if each.standing.trouble]
    wrong += [keeping.trouble] if keeping.trouble else []
    return Health(not wrong, "; ".join(wrong) or "every target is current")


def _show(metrics: Metrics, outputs: Sequence[Following]) -> None:
    """Show the status of this process's targets."""
    for output in outputs:
        if output.standing.indicators is not None:
            metrics.set(spec.OUTPUT_INDICATORS, output.standing.indicators, output.name)
        if output.standing.differences is not None:
            metrics.set(spec.OUTPUT_DIFFERENCES, output.standing.differences, output.name)
        for reason in NotCarried:
            metrics.set(spec.OUTPUT_LEFT_OUT, output.standing.left_out.get(reason, 0), output.name, reason)
