"""Chooses where Kafka comes from, and runs one cluster per nation while a block of code needs them.

The order: brokers named in settings; a running Docker daemon that has, or can pull, the image; the Apache
jars. Always a real Apache Kafka, never an imitation.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from exchange.errors import BrokerUnavailable, Refused
from localkafka.broker import Broker, await_answer
from localkafka.jars import fetch_jars
from localkafka.local import LocalBroker, LocalBrokerSettings
from localkafka.settings import BrokerSettings, Provider

Say = Callable[[str], None]
"""Called with one line of information for a person who waits."""

_GIVEN_TIMEOUT_S = 10.0


class ExternalBroker:
    """Brokers named in settings: used, never started, stopped or killed by us."""

    def __init__(self, nation: str, bootstrap: str) -> None:
        self._nation = nation
        self._bootstrap = bootstrap

    @property
    def bootstrap(self) -> str:
        """As the settings give it."""
        return self._bootstrap

    def stop(self) -> None:
        """Refused: it is not ours."""
        raise self._refused("stopped")

    def kill(self) -> None:
        """Refused: it is not ours."""
        raise self._refused("killed")

    def restart(self) -> None:
        """Refused: it is not ours."""
        raise self._refused("restarted")

    def _refused(self, done: str) -> Refused:
        return Refused(
            f"{self._nation}'s Kafka at {self._bootstrap} is given by settings and cannot be {done} from here. "
            f"Unset KAKEHASHI_{self._nation}_BOOTSTRAP to use one that can."
        )


class _Startable(Broker, Protocol):
    def start(self) -> None: ...


def choose(settings: BrokerSettings, say: Say) -> Provider:
    """The provider to use: the one that the settings force, or the first available in the order.

    Raises ConfigurationError or BrokerUnavailable if a forced one is not available.
    """
    if settings.provider in (Provider.SETTINGS, Provider.LOCAL):
        return settings.provider
    if settings.provider == Provider.AUTO and settings.given:
        return Provider.SETTINGS
    hindrance = _docker_hindrance(settings.image, say)
    if hindrance is None:
        return Provider.DOCKER
    if settings.provider == Provider.DOCKER:
        raise BrokerUnavailable(f"KAKEHASHI_BROKER_PROVIDER=docker, but {hindrance}")
    say(f"{hindrance}: using the Apache jars")
    return Provider.LOCAL


@contextmanager
def clusters(
    settings: BrokerSettings,
    folder: Path,
    say: Say,
    properties: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Broker]]:
    """One running cluster for each nation, by its code, until the block ends; then nothing of them is left.

    ``folder`` is for a local broker's files; ``properties`` are added to the brokers' own. Raises
    BrokerUnavailable or ConfigurationError.
    """
    provider = choose(settings, say)
    if provider == Provider.SETTINGS:
        for address in settings.given.values():
            await_answer(address, _GIVEN_TIMEOUT_S, lambda: None)
        yield {nation: ExternalBroker(nation, address) for nation, address in settings.given.items()}
        return
    with ExitStack() as running:
        make = _containers if provider == Provider.DOCKER else _local_brokers
        brokers = make(settings, folder, properties or {}, say, running)
        with ThreadPoolExecutor(len(brokers)) as pool:
            for started in [pool.submit(broker.start) for broker in brokers.values()]:
                started.result()
        yield dict(brokers)


def _local_brokers(
    settings: BrokerSettings, folder: Path, properties: Mapping[str, str], say: Say, running: ExitStack
) -> Mapping[str, _Startable]:
    jars = fetch_jars(settings.jars, say)
    java = LocalBrokerSettings(heap=settings.heap, properties=properties)
    brokers = {nation: LocalBroker(folder / nation, jars, settings=java) for nation in settings.nations}
    for broker in brokers.values():
        running.callback(broker.stop)
    return brokers


def _containers(
    settings: BrokerSettings, _folder: Path, properties: Mapping[str, str], say: Say, running: ExitStack
) -> Mapping[str, _Startable]:
    from localkafka.container import ContainerBroker
    from localkafka.docker_daemon import sweep

    for orphan in sweep():
        say(f"Removed container {orphan}, whose owner is gone")
    brokers = {
        nation: ContainerBroker(nation, settings.image, heap=settings.heap, properties=properties)
        for nation in settings.nations
    }
    for broker in brokers.values():
        running.callback(broker.remove)
    return brokers


def _docker_hindrance(image: str, say: Say) -> str | None:
    """Why Docker cannot run a broker, or None if it can."""
    if importlib.util.find_spec("testcontainers") is None:
        return "the testcontainers package is not installed"
    from localkafka.docker_daemon import docker_answers, obtain_image

    version = docker_answers()
    if version is None:
        return "no Docker daemon answers"
    say(f"Docker {version} answers; getting {image}")
    why_not = obtain_image(image)
    if why_not is not None:
        return f"Docker runs, but the image {image} is not here and cannot be pulled ({why_not})"
    return None
