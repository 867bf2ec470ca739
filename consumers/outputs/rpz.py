"""A response policy zone (RPZ, draft-vixie-dnsop-dns-rpz-00): what a resolver answers for listed names and addresses.

A name has its wildcard beside it, which covers all below it. Its owner is relative, so the server's configuration
decides the zone's name. The serial is the time in seconds, or one more than the last: it never goes back (RFC 1982).
"""

import ipaddress
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from consumers.outputs.edit import Named
from consumers.outputs.line_file import LineFile
from consumers.outputs.names import is_name
from consumers.outputs.networks import ADDRESSES, Network, network_of
from consumers.outputs.places import chosen, file_of
from consumers.outputs.protocol import LeftOut, Output, Target
from exchange.clock import now_ms
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType

_NAME: Final = "rpz"
_ANSWERS: Final = {"nxdomain": ".", "nodata": "*.", "drop": "rpz-drop."}
_MOST_CHARACTERS: Final = 180  # of 253: the rest is for the wildcard and the zone's name
_TRIGGERS: Final = ("rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname")
_SERIAL: Final = re.compile(r"@ SOA localhost\. hostmaster\.localhost\. ([0-9]{1,10}) ")
_MOST_BYTES: Final = 1_024
_LONGEST_ZEROS: Final = re.compile(r"(?:^|(?<=\.))0(?:\.0)+(?:$|(?=\.))")


class Zone:
    """The lines of a zone file. ``answer`` is the target of each CNAME."""

    def __init__(self, path: Path, answer: str, clock_ms: Callable[[], int] = now_ms) -> None:
        self._path, self._answer, self._clock_ms = path, answer, clock_ms

    def heading(self) -> Sequence[str]:
        """TTL, SOA and NS; secondaries keep the zone for a week without this server."""
        serial = next_serial(_serial_in(self._path), self._clock_ms() // 1000)
        return (
            "$TTL 60",
            f"@ SOA localhost. hostmaster.localhost. {serial} 60 60 604800 60",
            "@ NS localhost.",
        )

    def lines(self, entry: Named) -> Sequence[str] | LeftOut:
        """The records of an indicator."""
        if entry.type == IndicatorType.DOMAIN_NAME.label:
            if not is_name(entry.value) or entry.value.rpartition(".")[2] in _TRIGGERS:
                return LeftOut.VALUE
            owners = [entry.value, f"*.{entry.value}"]
        else:
            network = network_of(entry.value)
            if network is None:
                return LeftOut.VALUE
            owners = [f"{trigger_of(network)}.rpz-ip"]
        if len(owners[0]) > _MOST_CHARACTERS:
            return LeftOut.LIMIT
        return [f"{owner} CNAME {self._answer}" for owner in owners]

    def value_of(self, line: str) -> str:
        """The name, or the trigger of the address."""
        owner, middle, _ = line.partition(" CNAME ")
        return owner.removeprefix("*.") if middle else ""


def next_serial(last: int | None, now_s: int) -> int:
    """The serial after ``last``: the time, if that is later by RFC 1982, 3.2; else one more."""
    now = now_s % 2**32
    if last is None or 0 < (now - last) % 2**32 < 2**31:
        return now
    return (last + 1) % 2**32


def trigger_of(network: Network) -> str:
    """``24.0.2.0.192``, or ``32.zz.db8.2001``: the prefix length, then the address in reverse; ``zz`` stands for the
    longest run of zeros."""
    address = network.network_address
    if isinstance(address, ipaddress.IPv4Address):
        parts = f"{address}".split(".")
        return ".".join([f"{network.prefixlen}", *reversed(parts)])
    groups = [f"{int(address) >> shift & 0xFFFF:x}" for shift in range(0, 128, 16)]
    text = ".".join(groups)
    runs = list(_LONGEST_ZEROS.finditer(text))
    if runs:
        longest = max(runs, key=lambda run: len(run[0]))
        text = f"{text[: longest.start()]}zz{text[longest.end() :]}"
    return f"{network.prefixlen}.{text}"


def _serial_in(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            head = file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    found = _SERIAL.search(head)
    return int(found[1]) if found is not None else None


def _answer(target: Target) -> str:
    return _ANSWERS[chosen(target, _NAME, "answer", tuple(_ANSWERS))]


def _open(target: Target) -> LineFile:
    path = file_of(target, _NAME)
    zone = Zone(path, _answer(target))
    return LineFile(path, zone.lines, zone.value_of, heading=zone.heading, comment=";")


OUTPUT: Final = Output(
    name=_NAME,
    writes="response policy zone: names, wildcards, `rpz-ip`",
    place="FILE",
    carries=ADDRESSES | {IndicatorType.DOMAIN_NAME},
    activity=Activity.ACTIVE,
    merges=True,
    open=_open,
    options={"answer": "what the resolver answers: `nxdomain` if not given, `nodata` or `drop`"},
    rewrites=True,
)
