"""Clusters for day-to-day work: they outlive the command that started them, and keep their ports and data.

Each nation's cluster has one file, ``<home>/<nation>/cluster.json``; a local broker's data and log are next
to it, a container's in Docker.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from exchange.errors import ConfigurationError, FatalError
from localkafka.broker import await_answer, contents_of
from localkafka.jars import fetch_jars
from localkafka.local import LocalBroker, LocalBrokerSettings
from localkafka.ports import Ports, free_ports
from localkafka.provider import Say, choose
from localkafka.settings import BrokerSettings, Provider, bootstrap_setting, home_folder

_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 15.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Cluster:
    """One nation's persistent cluster. ``pid`` is a local broker's process, ``container`` a container's id."""

    nation: str
    provider: Provider
    bootstrap: str
    controller_port: int = 0
    pid: int = 0
    container: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A cluster's current state. ``records`` counts offsets from each partition's first to its last."""

    nation: str
    provider: str
    bootstrap: str
    runs_as: str | None
    running: bool
    answers: bool
    topics: int | None
    records: int | None
    data_bytes: int | None
    log: str | None


def up(settings: BrokerSettings, say: Say) -> list[Cluster]:
    """Bring up a cluster for each nation, or leave it up. Raises BrokerUnavailable or ConfigurationError."""
    if _are_given(settings):
        return known(settings)
    with _alone(settings.home):
        before = {nation: remembered(settings.home, nation) for nation in settings.nations}
        idle = {
            nation: cluster
            for nation, cluster in before.items()
            if cluster is None or not is_running(settings.home, cluster)
        }
        # A cluster's data is with its first provider: only a new cluster may use another.
        provider = choose(settings, say) if None in idle.values() else Provider.LOCAL
        uses = {cluster.provider if cluster else provider for cluster in idle.values()}
        if Provider.LOCAL in uses:
            fetch_jars(settings.jars, say)
        with ThreadPoolExecutor(max(1, len(idle))) as pool:
            list(pool.map(lambda nation: _bring_up(nation, idle[nation], provider, settings), idle))
        return known(settings)


def down(home: Path, nations: tuple[str, ...], *, wipe: bool) -> list[Cluster]:
    """Stop the clusters that are up; with ``wipe``, delete their data and their files, too."""
    with _alone(home):
        stopped = []
        for nation in nations:
            cluster = remembered(home, nation)
            if cluster is None:
                continue
            if is_running(home, cluster):
                _stop(home, cluster)
                stopped.append(cluster)
            if wipe:
                _wipe(home, cluster)
        return stopped


def remembered(home: Path, nation: str) -> Cluster | None:
    """The stored description of a nation's cluster, running or not. Raises FatalError if its file is damaged."""
    path = _file(home, nation)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Cluster(**(known | {"provider": Provider(known["provider"])}))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise FatalError(
            f"{path} is damaged ({error}); stop the process or container that it names and delete it"
        ) from error


def find_bootstrap(nation: str, environ: Mapping[str, str]) -> str:
    """A nation's brokers: by its setting, else those that ``up`` runs. Raises ConfigurationError if neither."""
    given = bootstrap_setting(environ, nation)
    if given is not None:
        return given
    home = home_folder(environ)
    cluster = remembered(home, nation)
    if cluster is None:
        raise ConfigurationError(
            f"no Kafka is configured for {nation}: {home} has no cluster of it. Run `kakehashi up`; or, if it runs "
            f"elsewhere, set KAKEHASHI_HOME to the folder .kakehashi where it was started, or "
            f"KAKEHASHI_{nation}_BOOTSTRAP=host:port"
        )
    return cluster.bootstrap


def is_running(home: Path, cluster: Cluster) -> bool:
    """Whether the cluster's process or container runs; it may not answer yet."""
    if cluster.provider == Provider.DOCKER:
        from localkafka.docker_daemon import status

        return status(cluster.container) == "running"
    return _is_ours(cluster.pid, home / cluster.nation)


def known(settings: BrokerSettings) -> list[Cluster]:
    """The clusters that settings name, or else those that ``up`` has made."""
    if _are_given(settings):
        return [Cluster(nation, Provider.SETTINGS, address) for nation, address in settings.given.items()]
    return [cluster for nation in settings.nations if (cluster := remembered(settings.home, nation))]


def _are_given(settings: BrokerSettings) -> bool:
    return bool(settings.given) and settings.provider in (Provider.AUTO, Provider.SETTINGS)


def look(home: Path, cluster: Cluster) -> Look:
    """Query a cluster's state. It has two seconds to answer each query."""
    contents = contents_of(cluster.bootstrap)
    running = contents is not None or is_running(home, cluster)
    names = {
        Provider.LOCAL: f"process {cluster.pid}",
        Provider.DOCKER: f"container {cluster.container[:12]}",
        Provider.SETTINGS: "given by settings",
    }
    folder = home / cluster.nation
    return Look(
        nation=cluster.nation,
        provider=cluster.provider.value,
        bootstrap=cluster.bootstrap,
        runs_as=names[cluster.provider] if running else None,
        running=running,
        answers=contents is not None,
        topics=contents.topics if contents else None,
        records=contents.records if contents else None,
        data_bytes=_size(folder / "data") if cluster.provider == Provider.LOCAL else None,
        log=str(folder / "server.log") if cluster.provider == Provider.LOCAL else None,
    )


def _bring_up(nation: str, before: Cluster | None, provider: Provider, settings: BrokerSettings) -> None:
    if (before.provider if before else provider) == Provider.LOCAL:
        _bring_up_local(nation, before, settings)
    elif before is None:
        _bring_up_container(nation, settings)
    else:
        _wake_container(before)


def _bring_up_local(nation: str, before: Cluster | None, settings: BrokerSettings) -> None:
    ports = Ports(int(before.bootstrap.rpartition(":")[2]), before.controller_port) if before else free_ports()
    java = LocalBrokerSettings(heap=settings.heap)
    broker = LocalBroker(settings.home / nation, settings.jars, ports=ports, settings=java)
    broker.start()
    cluster = Cluster(nation, Provider.LOCAL, broker.bootstrap, ports.controller, pid=broker.pid or 0)
    _remember(settings.home, cluster)
    broker.release()


def _bring_up_container(nation: str, settings: BrokerSettings) -> None:
    from localkafka.container import ContainerBroker

    broker = ContainerBroker(nation, settings.image, heap=settings.heap, home=str(settings.home))
    broker.start()
    _remember(settings.home, Cluster(nation, Provider.DOCKER, broker.bootstrap, container=broker.container_id))
    broker.release()


def _wake_container(cluster: Cluster) -> None:
    from localkafka.docker_daemon import start, status

    if status(cluster.container) is None:
        raise ConfigurationError(
            f"{cluster.nation}'s container {cluster.container[:12]} is gone, and its data with it: "
            "run `kakehashi down --wipe`, then `kakehashi up`"
        )
    start(cluster.container)
    await_answer(cluster.bootstrap, _START_TIMEOUT_S, lambda: None)


def _remember(home: Path, cluster: Cluster) -> None:
    path = _file(home, cluster.nation)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(asdict(cluster), indent=2) + "\n", encoding="utf-8")
    scratch.replace(path)


def _stop(home: Path, cluster: Cluster) -> None:
    if cluster.provider == Provider.DOCKER:
        from localkafka.docker_daemon import stop

        stop(cluster.container, int(_STOP_TIMEOUT_S))
        return
    os.kill(cluster.pid, signal.SIGTERM)
    give_up = time.monotonic() + _STOP_TIMEOUT_S
    while _is_ours(cluster.pid, home / cluster.nation):
        if time.monotonic() > give_up:
            os.kill(cluster.pid, signal.SIGKILL)
            give_up += _STOP_TIMEOUT_S
        time.sleep(_POLL_S)


def _wipe(home: Path, cluster: Cluster) -> None:
    if cluster.provider == Provider.DOCKER:
        from localkafka.docker_daemon import remove

        remove(cluster.container)
    shutil.rmtree(home / cluster.nation)


def _file(home: Path, nation: str) -> Path:
    return home / nation / "cluster.json"


def _is_ours(pid: int, folder: Path) -> bool:
    """Whether the process is the broker of that folder, and not another that was given its id later."""
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()  # empty once it has ended and waits for its parent
    except OSError:
        return not Path("/proc/self").exists()  # no /proc on this system: the id must suffice
    return str(folder / "server.properties").encode() in command


def _size(folder: Path) -> int:
    """The disk space of a folder's files (Kafka's indexes are sparse), while files are created and deleted."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One ``up`` or ``down`` at a time. The kernel drops the lock when its holder dies."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
