"""Files of addresses and networks, aggregated: the fewest networks that hold exactly the same addresses."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Report
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.picture.entry import Entry
from schemas.vocabulary import IndicatorType

ADDRESSES: Final = frozenset(
    {IndicatorType.IPV4_ADDR, IndicatorType.IPV4_NET, IndicatorType.IPV6_ADDR, IndicatorType.IPV6_NET}
)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network_of(value: str) -> Network | None:
    """An address or network; None if it is invalid, has bits set after its prefix, or a scope (RFC 4007)."""
    if "%" in value:
        return None
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        return None


class Networks:
    """A set of networks, as one number for each: which can be aggregated is known only when all are there. A million
    random IPv4 addresses took 207 MiB at most, their aggregated text included."""

    def __init__(self) -> None:
        self._packed: dict[int, list[int]] = {4: [], 6: []}

    def add(self, network: Network) -> None:
        """Add one."""
        self._packed[network.version].append(int(network.network_address) << 8 | network.prefixlen)

    def aggregated(self, version: int) -> list[str]:
        """The networks of IP version 4 or 6 in their order; a single address is without a prefix length."""
        bits = 32 if version == 4 else 128
        found: list[tuple[int, int]] = []
        for packed in sorted(self._packed[version]):
            start, prefix = packed >> 8, packed & 0xFF
            if found and start >> (bits - found[-1][1]) == found[-1][0] >> (bits - found[-1][1]):
                continue
            while found and found[-1][1] == prefix and found[-1][0] ^ start == 1 << (bits - prefix):
                start, prefix = found.pop()[0], prefix - 1
            found.append((start, prefix))
        address = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        return [f"{address(start)}" + (f"/{prefix}" if prefix < bits else "") for start, prefix in found]


class NetworkFile:
    """The writer of such a format. ``lines`` gives the file's lines after the stamp, for the networks of version 4 and
    of version 6: each network on a line of its own, between blanks and commas."""

    def __init__(self, path: Path, lines: Callable[[Sequence[str], Sequence[str]], Iterable[str]]) -> None:
        self._path, self._lines = path, lines

    def held(self) -> Held | None:
        """By the comment in its first line."""
        return read_stamp(self._path)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the file."""
        networks, written, refused = _networks(entries)
        with replaced(self._path) as file:
            file.write(stamp(held))
            for line in self._lines(networks.aggregated(4), networks.aggregated(6)):
                file.write(f"{line}\n".encode("ascii"))
        return Report(written, left_out={LeftOut.VALUE: refused} if refused else {})

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the file: one indicator less can make another aggregate."""
        del changes
        return self.write(whole(), held)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the networks in the file. A network may stand for several indicators, so no ids are given."""
        networks, _, _ = _networks(entries)
        wanted = {*networks.aggregated(4), *networks.aggregated(6)}
        found = self._read()
        for each in sorted(wanted - found):
            yield Difference("missing", "", each)
        for each in sorted(found - wanted):
            yield Difference("extra", "", each)

    def close(self) -> None:
        """Nothing is open between two writes."""

    def _read(self) -> set[str]:
        try:
            text = self._path.read_text("ascii", "replace")
        except OSError:
            return set()
        return {line for each in text.splitlines() if network_of(line := each.strip(" \t,")) is not None}


def _networks(entries: Iterable[Entry]) -> tuple[Networks, int, int]:
    """All of them, how many indicators they stand for, and how many are no address or network."""
    networks, taken, refused = Networks(), 0, 0
    for entry in entries:
        network = network_of(entry.value)
        if network is None:
            refused += 1
        else:
            networks.add(network)
            taken += 1
    return networks, taken, refused
