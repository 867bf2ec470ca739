"""Values that name a host inside a network: no guard lets them pass, whatever the rules decided. Pure.

The guards' own table: it shares nothing with the enrichment that the rules use (``streams.enrichment.special_use``). It
leaves out what is reserved for documentation, which names no one's host.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from schemas.vocabulary import IndicatorType

_LOCAL: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network, RFC 791
        "10.0.0.0/8",  # private, RFC 1918
        "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
        "127.0.0.0/8",  # loopback, RFC 1122
        "169.254.0.0/16",  # link-local, RFC 3927
        "172.16.0.0/12",  # private, RFC 1918
        "192.0.0.0/29",  # DS-Lite, RFC 6333
        "192.168.0.0/16",  # private, RFC 1918
        "198.18.0.0/15",  # benchmarks, RFC 2544
        "224.0.0.0/3",  # multicast and reserved, RFC 1112
    )
)
_GLOBAL: Final = IPv6Network("2000::/3")  # RFC 4291: all that is assigned to global unicast
# Addresses of IPv6 that hold one of IPv4: the network, and how many bits are before it.
_HOLDING: Final = (
    (IPv6Network("64:ff9b::/96"), 96),  # NAT64, RFC 6052
    (IPv6Network("2002::/16"), 16),  # 6to4, RFC 3056
)
_HOST: Final = 128  # bits of an address
_TEREDO: Final = IPv6Network("2001::/32")  # RFC 4380: the client's address is inverted
# Special-use names (RFC 6761, 6762 with its appendix G, 7686, 8375, 9476; ICANN 2024 for "internal").
_TOP: Final = frozenset(
    {"internal", "local", "localhost", "localdomain", "intranet", "private", "corp", "home", "lan", "test", "invalid"}
    | {"onion", "alt"}
)
_REVERSE: Final = ".in-addr.arpa"
_AUTHORITY_END: Final = re.compile(r"[/?#\\]")
_QUAD: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")


def is_local(kind: IndicatorType, value: str) -> bool:
    """Whether a canonical value names a host or network that is not on the public Internet, or may include one."""
    match kind:
        case IndicatorType.IPV4_ADDR | IndicatorType.IPV6_ADDR | IndicatorType.IPV4_NET | IndicatorType.IPV6_NET:
            return _is_local_network(value)
        case IndicatorType.DOMAIN_NAME:
            return _is_local_host(value)
        case IndicatorType.EMAIL_ADDR:
            return _is_local_host(value.rpartition("@")[2])
        case IndicatorType.URL:
            return _is_local_url(value)
    return False


def _is_local_url(value: str) -> bool:
    """Its host, or an address anywhere in it: a query that carries a victim's address is as local as the address."""
    authority = _AUTHORITY_END.split(value.partition("://")[2], maxsplit=1)[0].rpartition("@")[2]
    host = authority.partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]
    return _is_local_host(host) or any(_is_local_network(quad) for quad in _QUAD.findall(value))


def _is_local_host(host: str) -> bool:
    host = host.strip("[]").removeprefix("IPv6:").rstrip(".").lower()
    if ":" in host or _QUAD.fullmatch(host):
        return _is_local_network(host)
    if host.endswith(_REVERSE):
        return _is_local_reverse(host.removesuffix(_REVERSE))
    return host.rpartition(".")[2] in _TOP or host == "home.arpa" or host.endswith(".home.arpa")


def _is_local_reverse(labels: str) -> bool:
    octets = labels.split(".")[::-1][:4]
    if not all(octet.isdecimal() for octet in octets):
        return False
    return _is_local_network(".".join([*octets, "0", "0", "0"][:4]) + f"/{8 * len(octets)}")


def _is_local_network(text: str) -> bool:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return False  # four numbers that are not an address
    return _is_local_v4(network) if isinstance(network, IPv4Network) else _is_local_v6(network)


def _is_local_v4(network: IPv4Network) -> bool:
    return any(network.overlaps(local) for local in _LOCAL)


def _is_local_v6(network: IPv6Network) -> bool:
    address = int(network.network_address)
    for holding, before in _HOLDING:
        if network.subnet_of(holding):
            return _is_local_v4(_held(address >> (96 - before), min(network.prefixlen - before, 32)))
    if network.subnet_of(_TEREDO) and network.prefixlen == _HOST:
        return _is_local_v4(_held(~address, 32))
    return not network.subnet_of(_GLOBAL)


def _held(number: int, length: int) -> IPv4Network:
    return IPv4Network((number & 0xFFFF_FFFF, length), strict=False)
