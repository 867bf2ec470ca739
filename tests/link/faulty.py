"""Two clusters, each reached by its partner's bridge through a link of its own, by a name: both may fail.

A name is looked up in a file of hosts. That of the machine is no one's to change, so a bridge runs in a mount namespace
where ours stands in its place (``unshare``); where that is not allowed, links have addresses and names cannot fail.
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from localkafka.broker import Broker
from localkafka.jars import fetch_jars
from localkafka.local import LocalBroker, LocalBrokerSettings
from localkafka.ports import free_ports
from localkafka.properties import second_address
from localkafka.relay import Relay
from localkafka.settings import BrokerSettings

_UNSHARE: Final = ("unshare", "--map-root-user", "--mount")
_IN_ITS_PLACE: Final = 'mount --bind "$0" /etc/hosts && exec "$@"'
_LOOPBACK: Final = "127.0.0.1"


def names_can_fail() -> bool:
    """Whether this machine lets us give a process a file of hosts of its own."""
    if shutil.which(_UNSHARE[0]) is None:
        return False
    tried = [*_UNSHARE, "sh", "-c", _IN_ITS_PLACE, "/dev/null", "true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, slots=True)
class FaultyLink:
    """The way to one cluster. ``hosts`` is None if its name is an address."""

    name: str
    relay: Relay
    hosts: Path | None

    @property
    def bootstrap(self) -> str:
        """Where the bridge is to go."""
        return f"{self.name}:{self.relay.port}"

    @property
    def launcher(self) -> tuple[str, ...]:
        """What stands before the command of a process that is to go this way. It keeps its process id."""
        return () if self.hosts is None else (*_UNSHARE, "sh", "-c", _IN_ITS_PLACE, str(self.hosts))

    def forget_the_name(self) -> None:
        """No one finds it any more; whoever is connected stays so."""
        if self.hosts is not None:
            self.hosts.write_text("", encoding="utf-8")

    def restore(self) -> None:
        """All is well again."""
        if self.hosts is not None:
            self.hosts.write_text(f"{_LOOPBACK} {self.name}\n", encoding="utf-8")
        self.relay.restore()


@contextmanager
def linked_clusters(
    settings: BrokerSettings, folder: Path
) -> Iterator[tuple[Mapping[str, Broker], Mapping[str, FaultyLink]]]:
    """A cluster for each nation, from the Apache jars wherever others come from, and the link to each."""
    folder.mkdir(parents=True, exist_ok=True)
    jars, by_name = fetch_jars(settings.jars), names_can_fail()
    brokers: dict[str, Broker] = {}
    links: dict[str, FaultyLink] = {}
    with ExitStack() as stack:
        for nation in settings.nations:
            own, more = free_ports(), free_ports()
            name = f"{nation.lower()}.example" if by_name else _LOOPBACK
            hosts = folder / f"{nation}.hosts" if by_name else None
            link = links[nation] = FaultyLink(name, stack.enter_context(Relay(more.controller, more.client)), hosts)
            link.restore()
            properties = second_address(own.client, own.controller, more.client, link.bootstrap)
            java = LocalBrokerSettings(heap=settings.heap, properties=properties)
            brokers[nation] = stack.enter_context(LocalBroker(folder / nation, jars, ports=own, settings=java))
        yield brokers, links
