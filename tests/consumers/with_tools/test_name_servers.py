"""The response policy zone in real name servers: refused while it is listed, answered again after its revocation, and
the removal reaches each secondary by IXFR (RFC 1995), not by the whole zone."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from consumers.outputs.follow import Following
from tests.builders import NOW_MS
from tests.consumers.outputs.following import file_of
from tests.consumers.picture.topics import World
from tests.consumers.with_tools import name_servers
from tests.consumers.with_tools.daemons import free_port, until
from tests.consumers.with_tools.name_servers import ZONE, Server, asked, is_served, serial_of

pytestmark = pytest.mark.tools
LISTED: Final = "listed.example"
MANY: Final = 200  # BIND sends the whole zone if the difference is not smaller
Started = Callable[[Path, int, int], AbstractContextManager[Server]]


class Exchange:
    """A picture, and an output that follows it into a file."""

    def __init__(self, folder: Path, output: str) -> None:
        self._world, self.file = World(folder), folder / f"kakehashi.{output}"
        for number in range(MANY):
            self._world.gbr.release(f"n{number}.example")
        self._world.gbr.release(LISTED)
        self._world.gbr.release("203.0.113.9", "ipv4-addr")
        self.following: Final[Following] = file_of(self._world, output, self.file)
        self.turn()

    def turn(self) -> None:
        """Take in what the partner has sent, and write."""
        self._world.catch_up()
        with self._world.picture() as picture:
            self.following.turn(picture)

    def end(self, value: str, record: str) -> None:
        """The partner revokes or recalls it."""
        self._world.gbr.release(value, version=NOW_MS + 1, record=record)
        self.turn()


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[Exchange]:
    found = Exchange(tmp_path, "rpz")
    yield found
    found.following.close()


def is_refused(server: Server, *names: str) -> bool:
    return all(server.answers(name) == "NXDOMAIN" for name in names)


def is_answered(server: Server, *names: str) -> bool:
    return all(server.answers(name) == "NOERROR" for name in names)


def obeys(server: Server, exchange: Exchange, *, by_address: bool) -> None:
    """A resolver refuses what is listed, answers it again after its end, and refuses all else as before."""
    until(lambda: is_refused(server, LISTED, f"www.{LISTED}", "n7.example"), "listed names are refused")
    assert is_answered(server, "fine.example", "listed.example.fine.example")
    if by_address:
        assert is_refused(server, "listed-address.example")
    exchange.end(LISTED, "revoked")
    server.reload()
    until(lambda: is_answered(server, LISTED, f"www.{LISTED}"), "a revoked name is answered again")
    assert is_refused(server, "n7.example")
    exchange.end("n7.example", "recalled")
    server.reload()
    until(lambda: is_answered(server, "n7.example"), "a recalled name is answered again")
    assert is_refused(server, "n8.example")


def test_bind_refuses_what_is_listed_and_answers_it_again_after_its_revocation(zone: Exchange, tmp_path: Path) -> None:
    with name_servers.bind(tmp_path / "bind", free_port(), primary_of=zone.file) as server:
        obeys(server, zone, by_address=True)


def test_unbound_refuses_what_is_listed_and_answers_it_again_after_its_revocation(
    zone: Exchange, tmp_path: Path
) -> None:
    policy = f'rpz:\n    name: "{ZONE}"\n    zonefile: "{zone.file}"'
    with name_servers.unbound(tmp_path / "unbound", free_port(), policy, f"auth_zone_reload {ZONE}") as server:
        obeys(server, zone, by_address=True)


def test_unbound_obeys_local_zones_and_forgets_what_was_revoked(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, "unbound")
    policy = f'include: "{exchange.file}"'
    with name_servers.unbound(tmp_path / "unbound", free_port(), policy, "reload_keep_cache") as server:
        obeys(server, exchange, by_address=False)
    exchange.following.close()


def bind_primary(folder: Path, port: int, notifies: int, zone: Path) -> AbstractContextManager[Server]:
    return name_servers.bind(folder, port, primary_of=zone, notifies=notifies)


def knot_primary(folder: Path, port: int, notifies: int, zone: Path) -> AbstractContextManager[Server]:
    return name_servers.knot(folder, port, primary_of=zone, notifies=notifies)


def unbound_secondary(folder: Path, port: int, primary: int) -> AbstractContextManager[Server]:
    policy = f'rpz:\n    name: "{ZONE}"\n    primary: 127.0.0.1@{primary}\n    allow-notify: 127.0.0.1\n'
    return name_servers.unbound(folder, port, f"{policy}    for-downstream: yes", "status")


SECONDARIES: Final[dict[str, Started]] = {
    "bind": lambda folder, port, primary: name_servers.bind(folder, port, secondary_of=primary),
    "knot": lambda folder, port, primary: name_servers.knot(folder, port, secondary_of=primary),
    "nsd": lambda folder, port, primary: name_servers.nsd(folder, port, secondary_of=primary),
    "unbound": unbound_secondary,
}
IXFR_SENT: Final = {"bind": r"IXFR ended", "knot": r"IXFR, outgoing, .* finished"}
AXFR_SENT: Final = {"bind": r"AXFR(?:-style IXFR)? ended", "knot": r"AXFR, outgoing, .* finished"}


@pytest.mark.parametrize("primary", [bind_primary, knot_primary], ids=["bind", "knot"])
@pytest.mark.parametrize("secondary", SECONDARIES)
def test_a_removal_reaches_a_secondary_by_ixfr(
    zone: Exchange,
    tmp_path: Path,
    primary: Callable[[Path, int, int, Path], AbstractContextManager[Server]],
    secondary: str,
    request: pytest.FixtureRequest,
) -> None:
    kind = request.node.callspec.id.split("-")[-1]
    ports = free_port(), free_port()
    with (
        primary(tmp_path / "primary", *ports, zone.file) as first,
        SECONDARIES[secondary](tmp_path / "secondary", ports[1], ports[0]) as second,
    ):
        until(lambda: is_served(second.port) and has(second.port, LISTED), "the secondary has the zone")
        before, wholes = serial_of(first.port), len(re.findall(AXFR_SENT[kind], first.log))
        zone.end(LISTED, "recalled")
        first.reload()
        until(lambda: not has(second.port, LISTED), "the removal has reached the secondary")
        assert serial_of(second.port) == serial_of(first.port) > before
        assert has(second.port, "n7.example")
        assert len(re.findall(IXFR_SENT[kind], first.log)) == 1
        assert len(re.findall(AXFR_SENT[kind], first.log)) == wholes
        difference = asked(first.port, ZONE, f"IXFR={before}")
    removed = [line.split()[0].removesuffix(f".{ZONE}.") for line in difference.splitlines() if "CNAME" in line]
    assert removed == [LISTED, f"*.{LISTED}"]


def has(port: int, name: str) -> bool:
    """Whether a server has the name in the zone."""
    return "CNAME" in asked(port, f"{name}.{ZONE}", "CNAME")
