"""BIND, Knot, NSD and Unbound for tests: primaries of the response policy zone, secondaries of it, and resolvers.

Each is started in a folder of its own; ``ports`` are chosen before, because both ends of a transfer name the other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.consumers.with_tools.daemons import call, daemon, free_port, program

ZONE: Final = "kakehashi.rpz"
_KEY: Final = 'key k { algorithm hmac-sha256; secret "bWFkZSBmb3IgdGhlIHRlc3Rz"; };\n'
_UPSTREAM: Final = """$TTL 60
@ SOA localhost. hostmaster.localhost. 1 60 60 604800 60
@ NS localhost.
* A 192.0.2.1
listed-address A 203.0.113.9
"""
"""Every name below ``example`` has an address: what is refused is refused by the policy zone."""


class Server:
    """One that runs. ``reload`` takes in the zone file that has changed; ``log`` is what it has written."""

    def __init__(self, port: int, log: Path, reload: Callable[[], object]) -> None:
        self.port, self.reload, self._log = port, reload, log

    @property
    def log(self) -> str:
        """All of it."""
        return self._log.read_text("utf-8", "replace")

    def answers(self, name: str) -> str:
        """The status of an answer: ``NOERROR`` or ``NXDOMAIN``; empty if there is none."""
        return asked(self.port, name).partition("status: ")[2].partition(",")[0]


def asked(port: int, *question: str) -> str:
    """What ``dig`` shows of an answer."""
    dig = program("dig", "bind9-dnsutils")
    return call(dig, "@127.0.0.1", "-p", f"{port}", "+tries=1", "+time=5", "+noall", "+comments", "+answer", *question)


def is_served(port: int, zone: str = ZONE) -> bool:
    """Whether a server answers for a zone."""
    try:
        return "SOA" in asked(port, zone, "SOA")
    except AssertionError:
        return False


def serial_of(port: int) -> int:
    """The serial of the policy zone that a server has."""
    return int(asked(port, ZONE, "SOA", "+short").split()[2])


@contextmanager
def bind(
    folder: Path, port: int, *, primary_of: Path | None = None, secondary_of: int = 0, notifies: int = 0
) -> Iterator[Server]:
    """BIND: the primary of a zone file, or a secondary; in both cases a resolver that obeys the zone."""
    control, rndc = free_port(), program("rndc", "bind9")
    folder.mkdir(exist_ok=True)
    (folder / "example").write_text(_UPSTREAM)
    (folder / "rndc.conf").write_text(
        f'{_KEY}options {{ default-key "k"; default-server 127.0.0.1; default-port {control}; }};\n'
    )
    zone = (
        f'type primary; file "{primary_of}"; ixfr-from-differences yes'
        if primary_of is not None
        else f'type secondary; primaries {{ 127.0.0.1 port {secondary_of}; }}; file "zone"'
    )
    (folder / "named.conf").write_text(f"""{_KEY}
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ "k"; }}; }};
options {{
  directory "{folder}"; managed-keys-directory "{folder}"; pid-file "pid"; session-keyfile "session"; lock-file none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; dnssec-validation no; allow-transfer {{ any; }};
  notify explicit; {f"also-notify {{ 127.0.0.1 port {notifies}; }};" if notifies else ""} notify-delay 0;
  response-policy {{ zone "{ZONE}"; }} qname-wait-recurse no min-update-interval 0;
}};
zone "{ZONE}" {{ {zone}; }};
zone "example" {{ type primary; file "example"; }};
""")
    log = folder / "log"
    with daemon([program("named", "bind9"), "-g", "-c", folder / "named.conf"], log, lambda: is_served(port)):
        yield Server(port, log, lambda: call(rndc, "-c", folder / "rndc.conf", "reload", ZONE))


@contextmanager
def knot(
    folder: Path, port: int, *, primary_of: Path | None = None, secondary_of: int = 0, notifies: int = 0
) -> Iterator[Server]:
    """Knot: the primary of a zone file with a journal, or a secondary."""
    folder.mkdir(exist_ok=True)
    other = secondary_of or notifies
    zone = (
        f"file: {primary_of}\n    zonefile-load: difference\n    zonefile-sync: -1\n    journal-content: changes\n"
        f"    semantic-checks: off\n    notify: other"
        if primary_of is not None
        else f"file: {folder}/zone\n    master: other"
    )
    (folder / "knot.conf").write_text(f"""server:
    rundir: {folder}
    listen: 127.0.0.1@{port}
log:
  - target: stdout
    any: info
database:
    storage: {folder}
acl:
  - id: here
    address: 127.0.0.1
    action: [transfer, notify]
remote:
  - id: other
    address: 127.0.0.1@{other}
zone:
  - domain: {ZONE}
    acl: here
    {zone}
""")
    log, control = folder / "log", program("knotc", "knot")
    with daemon([program("knotd", "knot"), "-c", folder / "knot.conf"], log, lambda: is_served(port)):
        yield Server(port, log, lambda: call(control, "-s", folder / "knot.sock", "zone-reload", ZONE))


@contextmanager
def nsd(folder: Path, port: int, *, secondary_of: int) -> Iterator[Server]:
    """NSD, a secondary."""
    folder.mkdir(exist_ok=True)
    (folder / "nsd.conf").write_text(f"""server:
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    database: ""
    zonesdir: "{folder}"
    zonelistfile: "{folder}/zone.list"
    xfrdfile: "{folder}/xfrd.state"
    xfrdir: "{folder}"
    pidfile: "{folder}/pid"
    verbosity: 3
remote-control:
    control-enable: no
zone:
    name: {ZONE}
    zonefile: "zone"
    allow-notify: 127.0.0.1 NOKEY
    request-xfr: 127.0.0.1@{secondary_of} NOKEY
""")
    log = folder / "log"
    with daemon([program("nsd", "nsd"), "-d", "-c", folder / "nsd.conf"], log, lambda: is_served(port)):
        yield Server(port, log, lambda: None)


@contextmanager
def unbound(folder: Path, port: int, policy: str, reload: str) -> Iterator[Server]:
    """Unbound, a resolver: ``policy`` is the part of its configuration that names what it must refuse, ``reload`` the
    command of ``unbound-control`` that takes in a changed file."""
    folder.mkdir(exist_ok=True)
    (folder / "example").write_text(f"$ORIGIN example.\n{_UPSTREAM}")
    config = folder / "unbound.conf"
    config.write_text(f"""server:
    interface: 127.0.0.1@{port}
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/pid"
    use-syslog: no
    logfile: ""
    verbosity: 2
    do-daemonize: no
    do-not-query-localhost: no
    module-config: "respip iterator"
    local-zone: "example." nodefault
remote-control:
    control-enable: yes
    control-interface: "{folder}/control"
auth-zone:
    name: "example."
    zonefile: "{folder}/example"
    for-downstream: no
    for-upstream: yes
{policy}
""")
    log, control = folder / "log", program("unbound-control", "unbound")

    def answers() -> bool:
        try:
            return "status: NOERROR" in asked(port, "fine.example")
        except AssertionError:
            return False

    with daemon([program("unbound", "unbound"), "-d", "-c", config], log, answers):
        yield Server(port, log, lambda: call(control, "-c", config, *reload.split()))
