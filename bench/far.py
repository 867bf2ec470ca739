"""The bridge over a distance: the partner's cluster has an address more, which leads through a relay that delays."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.stand import PARTNER, Stand
from localkafka.jars import cache_folder, fetch_jars
from localkafka.local import LocalBroker, LocalBrokerSettings
from localkafka.ports import free_ports
from localkafka.properties import second_address
from localkafka.relay import Relay

ROUND_TRIPS_MS: Final = (0, 100, 250)


@dataclass(frozen=True)
class Far:
    """A stand whose partner can be reached at two addresses: near, to look, and far, for the bridge."""

    stand: Stand
    link: int
    relay: int

    @contextmanager
    def away(self, round_trip_ms: int, bytes_per_s: float = 0.0) -> Iterator[dict[str, str]]:
        """So far, and so narrow unless 0, until the block ends; the settings for the bridge's environment."""
        with Relay(self.relay, self.link, round_trip_ms / 1000) as relay:
            relay.throttle(bytes_per_s)
            yield {f"KAKEHASHI_{PARTNER}_BOOTSTRAP": f"127.0.0.1:{self.relay}"}


@contextmanager
def far_partner(stand: Stand, environ: dict[str, str]) -> Iterator[Far]:
    """A partner's cluster of our own from the Apache jars, wherever the others come from."""
    near, more = free_ports(), free_ports()
    properties = second_address(near.client, near.controller, more.client, f"127.0.0.1:{more.controller}")
    settings = LocalBrokerSettings(heap="1g", properties=properties)
    folder: Path = stand.folder / "far"
    with LocalBroker(folder, fetch_jars(cache_folder(environ)), ports=near, settings=settings) as broker:
        brokers = {**stand.brokers, PARTNER: broker}
        yield Far(replace(stand, brokers=brokers), more.client, more.controller)
