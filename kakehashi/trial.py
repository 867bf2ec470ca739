"""A trial of the exchange in one process tree: nations that live as long as the command, and leave nothing behind."""

import re
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from exchange.errors import BrokerUnavailable, Refused
from kakehashi.local_nations import LocalNations
from kakehashi.trial_view import Look, Nation, View

READY_S: Final = 120.0
_ROLL_UP_MS: Final = 3_000
_LOOK_EVERY_S: Final = 0.2
_COUNT_EVERY_S: Final = 1.0
_ANSWER_S: Final = 1.0
_OF_A_REAL_CLUSTER: Final = re.compile(r"KAKEHASHI_[A-Z]{3}_(BOOTSTRAP|KAFKA_.*|SCHEMA_REGISTRY_.*)")
_NOT_TAKEN: Final = frozenset({"KAKEHASHI_HOME", "KAKEHASHI_STATE", "KAKEHASHI_METRICS_PORT"})
_SERIES: Final = re.compile(r"^kakehashi_(\w+)_total(\{.*\})? (\S+)$", re.M)
_SHOWN: Final = (
    ("reports", "reports", '"accepted"'),
    ("indicators", "indicators", '"new"'),
    ("released", "released_records", '"content"'),
    ("held", "decisions", '"hold"'),
    ("received", "accepted_records", '"content"'),
    ("quarantined", "quarantined_records", ""),
)
"""A count, its metric, and the value of a label that it needs."""


def trial_nations(home: Path, environ: Mapping[str, str]) -> LocalNations:
    """The nations of a trial, in a folder of their own below ``home``.

    Raises Refused if settings name clusters: later commands of the same shell would reach those, not the trial.
    """
    named = sorted(name for name in environ if _OF_A_REAL_CLUSTER.fullmatch(name) or name == "KAFKA_BOOTSTRAP_SERVERS")
    if named:
        raise Refused(
            f"a trial starts clusters of its own, but {', '.join(named)} is set: unset it in this shell first"
        )
    kept = {name: value for name, value in environ.items() if name not in _NOT_TAKEN}
    kept.setdefault("KAKEHASHI_ROLL_UP_MS", str(_ROLL_UP_MS))
    return LocalNations(home / "try", kept, leaves_nothing=True)


def run(nations: LocalNations, view: View) -> NoReturn:
    """Start everything, and stay until a signal ends us. Raises ExchangeError if something does not start or ends."""
    from streams.enrichment.installed import installed_enricher

    began = time.monotonic()
    view.starting([Nation(name, nations.settings.partners(name)) for name in nations.settings.nations])
    # A worker needs them: half a minute on a fresh machine, best spent while the brokers start.
    compiling = threading.Thread(target=installed_enricher, name="warninglists", daemon=True)
    compiling.start()
    nations.bring_up(view.note)
    view.clusters({name: cluster.bootstrap for name, cluster in nations.clusters.items()})
    if compiling.is_alive():
        view.note("compiling the warninglists, once on this machine: half a minute")
        compiling.join()
    nations.start_roles()
    while (ready := nations.ready()) != nations.roles.keys():
        view.roles(ready)
        nations.check()
        if time.monotonic() - began > READY_S:
            missing = sorted(nations.roles.keys() - ready)
            raise BrokerUnavailable(
                f"not ready after {READY_S:g} s: {', '.join(missing)}. The end of its log:\n"
                + nations.end_of_log(missing[0])
            )
        threading.Event().wait(_LOOK_EVERY_S)
    view.roles(ready)
    view.ready(time.monotonic() - began, nations.home, [role.port for role in nations.roles.values()])
    while True:
        nations.check()
        view.look(_look(nations))
        threading.Event().wait(_COUNT_EVERY_S)


def _look(nations: LocalNations) -> Look:
    """What each nation's worker has counted since it started."""
    found: dict[str, Counter[str]] = {}
    for role in nations.roles.values():
        if role.arguments[0] == "streams":
            found[role.arguments[2]] = counts_of(_page(role.port))
    return found


def counts_of(page: str) -> Counter[str]:
    """The counts that are shown, of a page of metrics in Prometheus' text format."""
    counts: Counter[str] = Counter()
    for metric, labels, value in _SERIES.findall(page):
        for shown, of_metric, label in _SHOWN:
            if metric == of_metric and label in labels:
                counts[shown] += int(float(value))
    return counts


def _page(port: int) -> str:
    address = f"http://127.0.0.1:{port}/metrics"
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(address, timeout=_ANSWER_S) as answer:
        return bytes(answer.read()).decode()
    return ""
