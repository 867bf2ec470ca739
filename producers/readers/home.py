"""Which addresses are ours: the private networks, and those that the operator names.

Of a flow between two addresses the threat is the side that is not ours. If neither is ours it cannot be known which one
is the threat, and publishing the wrong one would publish a victim.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
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
_PRIVATE: Final = {
    version: tuple(network for network in PRIVATE_NETWORKS if network.version == version) for version in (4, 6)
}
_REMEMBERED: Final = 4_096
Address = IPv4Address | IPv6Address


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
    return _is_in(address, defaults.home_networks)


@lru_cache(_REMEMBERED)
def _is_in(address: Address, home_networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address in network for network in (*_PRIVATE[address.version], *home_networks))


@lru_cache(_REMEMBERED)
def address_of(text: str | None) -> Address | None:
    """A text as an address; ``None`` if it is not one."""
    try:
        return ip_address(text.strip()) if text else None
    except ValueError:
        return None
