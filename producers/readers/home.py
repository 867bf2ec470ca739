"""Which addresses are ours: the private networks, and those that the operator names.

Of a flow between two addresses the threat is the side that is not ours. If neither is ours it cannot be known which one
is the threat, and publishing the wrong one would publish a victim.
"""

import socket
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

import msgspec

from producers.readers.reading import Defaults
from schemas.vocabulary import RejectReason

PRIVATE_NETWORKS: Final = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        *("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),  # RFC 6598, RFC 1122, RFC 3927
        *("fc00::/7", "fe80::/10", "::1/128"),  # RFC 4193, RFC 4291
    )
)
Network = IPv4Network | IPv6Network


def _bits(network: Network) -> tuple[int, int]:
    """The mask and the address of a network."""
    return int(network.netmask), int(network.network_address)


_PRIVATE: Final = {
    version: tuple(_bits(network) for network in PRIVATE_NETWORKS if network.version == version) for version in (4, 6)
}
_MULTICAST: Final = {4: (28, 0xE), 6: (120, 0xFF)}  # RFC 5771, RFC 4291: the first bits
_BROADCAST: Final = 0xFFFFFFFF  # RFC 919
_REMEMBERED: Final = 1_024
_LONGEST_ADDRESS: Final = 128  # of IPv6 with a scope, and blanks around it


class Address(msgspec.Struct, frozen=True, gc=False):
    """An IP address: ``text`` as RFC 5952 writes it, also with a scope (RFC 4007)."""

    version: int
    number: int
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def is_host(self) -> bool:
        """Whether it can be the address of one host: no multicast or broadcast, and not unspecified."""
        shift, first = _MULTICAST[self.version]
        return self.number >> shift != first and self.number not in (0, _BROADCAST if self.version == 4 else 0)


class Undecided(msgspec.Struct, frozen=True):
    """Why it cannot be known what the threat is, or why its value cannot be taken: a refusal."""

    detail: str
    reason: RejectReason = RejectReason.UNKNOWN_THREAT
    kind: str = ""


class Nothing(msgspec.Struct, frozen=True):
    """Why there is nothing to share: a piece that is left out."""

    detail: str


def is_ours(address: Address, defaults: Defaults) -> bool:
    """Whether an address is in a private or a home network."""
    number = address.number
    if any(number & mask == network for mask, network in _PRIVATE[address.version]):
        return True
    return bool(defaults.home_networks) and _is_in(number, address.version, defaults.home_networks)


@lru_cache(_REMEMBERED)
def _is_in(number: int, version: int, networks: tuple[Network, ...]) -> bool:
    bits = (_bits(network) for network in networks if network.version == version)
    return any(number & mask == network for mask, network in bits)


def address_of(text: str | None) -> Address | None:
    """A text as an address; ``None`` if it is not one."""
    return _address_of(text) if text and len(text) <= _LONGEST_ADDRESS else None


@lru_cache(_REMEMBERED)
def _address_of(text: str) -> Address | None:
    text = text.strip()
    version, family = (6, socket.AF_INET6) if ":" in text else (4, socket.AF_INET)
    try:
        packed = socket.inet_pton(family, text)
    except (OSError, ValueError):
        return _other(text)
    return Address(version, int.from_bytes(packed), _canonical(family, packed))


def _canonical(family: int, packed: bytes) -> str:
    """The address as ``ipaddress`` writes it, which takes ten times as long."""
    text = socket.inet_ntop(family, packed)
    return str(IPv6Address(packed)) if family == socket.AF_INET6 and "." in text else text


def _other(text: str) -> Address | None:
    """An address that only Python reads, such as one with a scope."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return Address(found.version, int(found), str(found))
