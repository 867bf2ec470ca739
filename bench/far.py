"""The bridge over a distance: the partner's cluster has an address more, which leads through a relay that delays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.distance import distance
from bench.stand import PARTNER, Stand
from exchange.brokers.jars import cache_folder, fetch_jars
from exchange.brokers.local import LocalBroker, LocalBrokerSettings, Ports, free_ports

ROUND_TRIPS_MS: Final = (0, 100, 250)


@dataclass(frozen=True)
class Far:
    """A stand whose partner can be reached at two addresses: near, to look, and far, for the bridge."""

    stand: Stand
    link: int
    relay: int

    @contextmanager
    def away(self, round_trip_ms: int) -> Iterator[dict[str, str]]:
        """So far, until the block ends; what the bridge's environment must say."""
        with distance(self.relay, self.link, round_trip_ms / 1000):
            yield {f"KAKEHASHI_{PARTNER}_BOOTSTRAP": f"127.0.0.1:{self.relay}"}


def link_listener(near: Ports, link: int, relay: int) -> dict[str, str]:
    """Properties of a broker that tells clients of its second address to come by the relay."""
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{near.client},CONTROLLER://127.0.0.1:{near.controller},"
        f"LINK://127.0.0.1:{link}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{near.client},LINK://127.0.0.1:{relay}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LINK:PLAINTEXT",
    }


@contextmanager
def far_partner(stand: Stand, environ: dict[str, str]) -> Iterator[Far]:
    """A partner's cluster of our own from the Apache jars, wherever the others come from."""
    near, more = free_ports(), free_ports()
    settings = LocalBrokerSettings(heap="1g", properties=link_listener(near, more.client, more.controller))
    folder: Path = stand.folder / "far"
    with LocalBroker(folder, fetch_jars(cache_folder(environ)), ports=near, settings=settings) as broker:
        brokers = {**stand.brokers, PARTNER: broker}
        yield Far(replace(stand, brokers=brokers), more.client, more.controller)
