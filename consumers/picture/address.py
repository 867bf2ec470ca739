"""Addresses and networks, so that an index finds which of them lie in a network, and which networks hold one.

IPv4 is a whole number, IPv6 is 16 bytes: SQLite keeps the two apart in one index, each in numerical order. A network is
filed under its first address.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

from schemas.normalise import Invalid, canonical
from schemas.vocabulary import IndicatorType

ADDRESSES: Final = frozenset(
    {IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR, IndicatorType.IPV4_NET, IndicatorType.IPV6_NET}
)
LABELS: Final = frozenset(kind.label for kind in ADDRESSES)

Network = IPv4Network | IPv6Network
Place = int | bytes


def network_of(text: str) -> Network | None:
    """The network, or the address as one, that a person wrote; None if it is neither."""
    found = canonical(IndicatorType.IPV4_NET, text)
    return None if isinstance(found, Invalid) else ip_network(found[1])


def place_of(type_label: str, value: str) -> Place | None:
    """The place of a value in the index; None if it is no address or network."""
    if type_label not in LABELS:
        return None
    base = value.partition("/")[0]
    try:
        return inet_pton(AF_INET6, base) if ":" in base else int.from_bytes(inet_pton(AF_INET, base))
    except OSError:  # a record of other software
        return None


def places_in(network: Network) -> tuple[Place, Place]:
    """The first and the last place in a network."""
    first, last = int(network.network_address), int(network.broadcast_address)
    return (first, last) if network.version == 4 else (first.to_bytes(16), last.to_bytes(16))


def holding(network: Network) -> Iterator[tuple[IndicatorType, str]]:
    """The type and value of every network that holds this one, and of this one: at most 129."""
    for length in range(network.prefixlen, -1, -1):
        found = canonical(IndicatorType.IPV4_NET, str(network.supernet(new_prefix=length)))
        if not isinstance(found, Invalid):
            yield found


def related(value: str, network: Network) -> bool:
    """Whether an address or network lies in ``network`` or holds it."""
    try:
        other = ip_network(value)
    except ValueError:
        return False
    if other.version != network.version:
        return False
    short, long = sorted((other, network), key=lambda each: each.prefixlen)
    return int(long.network_address) >> (long.max_prefixlen - short.prefixlen) == int(short.network_address) >> (
        short.max_prefixlen - short.prefixlen
    )
