"""Which addresses, AS numbers and names IANA reserves, so that they never identify one host on the public Internet.

This table is used and not the properties of ``ipaddress``: those change with Python's patch releases, and a decision
must be the same on every machine.
"""

import hashlib
from bisect import bisect_right
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from schemas.markings import Activity

# IANA IPv4 Special-Purpose Address Registry (RFC 6890) and IPv4 Multicast Address Space (RFC 5771).
# An empty use is a more specific block that the registry calls globally reachable.
IPV4_BLOCKS = {
    "0.0.0.0/8": "reserved",  # "this network", RFC 791
    "10.0.0.0/8": "private",  # RFC 1918
    "100.64.0.0/10": "shared",  # carrier-grade NAT, RFC 6598
    "127.0.0.0/8": "loopback",  # RFC 1122
    "169.254.0.0/16": "link-local",  # RFC 3927
    "172.16.0.0/12": "private",  # RFC 1918
    "192.0.0.0/24": "reserved",  # IETF protocol assignments, RFC 6890
    "192.0.0.9/32": "",  # Port Control Protocol anycast, RFC 7723
    "192.0.0.10/32": "",  # TURN anycast, RFC 8155
    "192.0.2.0/24": "documentation",  # RFC 5737
    "192.168.0.0/16": "private",  # RFC 1918
    "198.18.0.0/15": "benchmarking",  # RFC 2544
    "198.51.100.0/24": "documentation",  # RFC 5737
    "203.0.113.0/24": "documentation",  # RFC 5737
    "224.0.0.0/4": "multicast",  # RFC 5771
    "240.0.0.0/4": "reserved",  # RFC 1112, with limited broadcast
}

# IANA IPv6 Special-Purpose Address Registry (RFC 6890) and IPv6 Address Space (RFC 4291): only
# 2000::/3 is assigned to global unicast, so all the rest is reserved unless a line differs.
_IPV6_BLOCKS = {
    "::/0": "reserved",
    "::1/128": "loopback",  # RFC 4291
    "64:ff9b::/96": "",  # translation of public IPv4, RFC 6052
    "2000::/3": "",
    "2001::/23": "reserved",  # IETF protocol assignments, RFC 2928
    "2001::/32": "",  # Teredo, RFC 4380
    "2001:1::1/128": "",  # Port Control Protocol anycast, RFC 7723
    "2001:1::2/128": "",  # TURN anycast, RFC 8155
    "2001:1::3/128": "",  # DNS-SD registration anycast, RFC 9665
    "2001:2::/48": "benchmarking",  # RFC 5180
    "2001:3::/32": "",  # AMT, RFC 7450
    "2001:4:112::/48": "",  # AS112, RFC 7535
    "2001:20::/28": "",  # ORCHIDv2, RFC 7343
    "2001:30::/28": "",  # drone remote id, RFC 9374
    "2001:db8::/32": "documentation",  # RFC 3849
    "3fff::/20": "documentation",  # RFC 9637
    "fc00::/7": "private",  # unique local, RFC 4193
    "fe80::/10": "link-local",  # RFC 4291
    "ff00::/8": "multicast",  # RFC 4291
}

# IPv6 prefixes whose next 32 bits are an IPv4 address: such an address means what the IPv4 address means.
_PREFIXES_OF_IPV4 = (
    "64:ff9b::/96",  # translation, RFC 6052
    "2002::/16",  # 6to4, RFC 3056
    "2001::/32",  # Teredo, by its server, RFC 4380
)


def _embedded(prefix: IPv6Network, block: IPv4Network) -> str:
    """The addresses of an IPv6 prefix that embed those of an IPv4 block."""
    first = int(prefix.network_address) | int(block.network_address) << (96 - prefix.prefixlen)
    return f"{IPv6Address(first)}/{prefix.prefixlen + block.prefixlen}"


IPV6_BLOCKS = _IPV6_BLOCKS | {
    _embedded(IPv6Network(prefix), IPv4Network(block)): use
    for prefix in _PREFIXES_OF_IPV4
    for block, use in IPV4_BLOCKS.items()
}

# IANA Special-Purpose AS Numbers (RFC 7249), first and last. AS112 is not here: it is announced on the Internet.
AS_NUMBERS = (
    (0, 0, "reserved"),  # RFC 7607
    (23456, 23456, "reserved"),  # AS_TRANS, RFC 6793
    (64496, 64511, "documentation"),  # RFC 5398
    (64512, 65534, "private"),  # RFC 6996
    (65535, 65535, "reserved"),  # RFC 7300
    (65536, 65551, "documentation"),  # RFC 5398
    (65552, 131071, "reserved"),  # IANA
    (4200000000, 4294967294, "private"),  # RFC 6996
    (4294967295, 4294967295, "reserved"),  # RFC 7300
)

# IANA Special-Use Domain Names (RFC 6761), and "internal" as reserved by ICANN in 2024.
DOMAINS = {
    "10.in-addr.arpa": "private",
    **{f"{octet}.172.in-addr.arpa": "private" for octet in range(16, 32)},
    "168.192.in-addr.arpa": "private",
    "254.169.in-addr.arpa": "link-local",
    "alt": "reserved",  # RFC 9476
    "example": "documentation",
    "example.com": "documentation",
    "example.net": "documentation",
    "example.org": "documentation",
    "home.arpa": "private",  # RFC 8375
    "internal": "private",
    "invalid": "reserved",
    "ipv4only.arpa": "reserved",  # RFC 7050
    "local": "link-local",  # RFC 6762
    "localhost": "loopback",
    "onion": "overlay",  # RFC 7686
    "resolver.arpa": "reserved",  # RFC 9462
    "service.arpa": "reserved",  # RFC 9665
    "test": "reserved",
}

VERSION = hashlib.sha256(repr((IPV4_BLOCKS, IPV6_BLOCKS, AS_NUMBERS, DOMAINS)).encode()).hexdigest()[:16]
"""Names the content of the tables above."""

ACTIVITY: Final = Activity.PASSIVE_LOCAL


def special_use_of_ipv4(first: int, last: int) -> str:
    """The use that the IPv4 addresses from ``first`` to ``last``, or some of them, are reserved for; else empty."""
    return _first_use(_IPV4_STARTS, _IPV4_USES, first, last)


def special_use_of_ipv6(first: int, last: int) -> str:
    """The use that the IPv6 addresses from ``first`` to ``last``, or some of them, are reserved for; else empty."""
    return _first_use(_IPV6_STARTS, _IPV6_USES, first, last)


def special_use_of_as(number: int) -> str:
    """The use that an AS number is reserved for; empty for ordinary ones."""
    return next((use for first, last, use in AS_NUMBERS if first <= number <= last), "")


def special_use_of_domain(name: str) -> str:
    """The use that a domain name, or one above it, is reserved for; empty for ordinary ones."""
    rest = name
    while rest:
        use = DOMAINS.get(rest)
        if use is not None:
            return use
        rest = rest.partition(".")[2]
    return ""


def _first_use(starts: list[int], uses: list[str], first: int, last: int) -> str:
    return next(filter(None, uses[bisect_right(starts, first) - 1 : bisect_right(starts, last)]), "")


def _flattened(blocks: dict[str, str]) -> tuple[list[int], list[str]]:
    """Starts and uses of the ranges by the most specific block of each."""
    networks: list[tuple[IPv4Network | IPv6Network, str]] = sorted(
        ((ip_network(block), use) for block, use in blocks.items()), key=lambda each: each[0].prefixlen
    )
    edges = {0}
    for network, _ in networks:
        edges |= {int(network.network_address), int(network.broadcast_address) + 1}
    starts = sorted(edges)
    uses = []
    for start in starts:
        ruling = [use for net, use in networks if int(net.network_address) <= start <= int(net.broadcast_address)]
        uses.append(ruling[-1] if ruling else "")
    return starts, uses


_IPV4_STARTS, _IPV4_USES = _flattened(IPV4_BLOCKS)
_IPV6_STARTS, _IPV6_USES = _flattened(IPV6_BLOCKS)
