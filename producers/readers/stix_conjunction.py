"""Which part of a conjunction stands for the whole: only one that is specific by itself.

A STIX ``AND`` describes one thing by several properties together. To publish one of them alone asserts more than the
source did: ``svchost.exe`` in a certain folder is malware, ``svchost.exe`` is Windows.

- The hash of a file or a certificate is specific, whatever else is required.
- A file name, an AS number, a network, a port, a path, a user agent, a mutex, a registry key and an imphash never are.
- A URL, mail address, domain name or address is, if everything else describes the same thing or how it is reached (the
  names and addresses of one host, ports, protocols). What narrows it (the path of an HTTP request to a shared host, a
  process, a file) makes the pattern state nothing about the rest of it.
- Of several that are, the more specific one is taken, in this order; two different ones of the same rank are needed
  together, so neither is taken.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.vocabulary import IndicatorType

_HASHES: Final = frozenset(
    {
        *(IndicatorType.FILE_MD5, IndicatorType.FILE_SHA1, IndicatorType.FILE_SHA256, IndicatorType.FILE_SHA512),
        *(IndicatorType.X509_SHA1, IndicatorType.X509_SHA256),
    }
)
_ADDRESSES: Final = frozenset({IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR})
_RANK: Final = {
    **dict.fromkeys(_HASHES, 0),
    IndicatorType.URL: 1,
    IndicatorType.EMAIL_ADDR: 2,
    IndicatorType.DOMAIN_NAME: 3,
    **dict.fromkeys(_ADDRESSES, 4),
}
_REACHED: Final = (
    *("domain-name:", "ipv4-addr:", "ipv6-addr:", "network-traffic:dst_ref.", "network-traffic:src_ref."),
    *("network-traffic:dst_port", "network-traffic:src_port", "network-traffic:protocols", "network-traffic:start"),
    *("network-traffic:end", "network-traffic:is_active"),
)
# What may stand beside a value of each type: it describes the same thing or how it is reached.
_BESIDE: Final = {
    IndicatorType.URL: ("url:", *_REACHED),
    IndicatorType.EMAIL_ADDR: ("email-addr:", "email-message:"),
    IndicatorType.DOMAIN_NAME: _REACHED,
    **dict.fromkeys(_ADDRESSES, _REACHED),
}


class Claim(msgspec.Struct, frozen=True, gc=False):
    """One value that a pattern asserts to be bad, and from when to when (milliseconds since 1970; 0 is not stated)."""

    kind: IndicatorType
    value: str
    start_ms: int = 0
    stop_ms: int = 0


class Comparison(msgspec.Struct, frozen=True):
    """One comparison of a pattern as it is written, the path it is about, and the values that it names.

    ``unsupported`` is its operator, if that names no value: ``LIKE``, ``NOT =``.
    """

    text: str
    path: str
    claims: tuple[Claim, ...] = ()
    unsupported: str = ""


class Part(msgspec.Struct, frozen=True):
    """Comparisons that belong together, and which of their values are bad by themselves."""

    comparisons: tuple[Comparison, ...]
    claims: tuple[Claim, ...]


def alternatives(parts: Iterable[Part]) -> Part:
    """``OR``: each of them suffices."""
    all_of_them = tuple(parts)
    return Part(
        tuple(comparison for part in all_of_them for comparison in part.comparisons),
        tuple(claim for part in all_of_them for claim in part.claims),
    )


def conjunction(left: Part, right: Part) -> Part:
    """``AND``: all of it is needed, so only what is specific by itself is left."""
    standing = [claim for claim in left.claims if _stands(claim, right)]
    standing += [claim for claim in right.claims if _stands(claim, left)]
    return Part((*left.comparisons, *right.comparisons), tuple(standing))


def _stands(claim: Claim, beside: Part) -> bool:
    rank = _RANK.get(claim.kind)
    if rank is None or (claim.kind in _ADDRESSES and "/" in claim.value):
        return False
    if rank == 0:
        return True
    if not all(comparison.path.startswith(_BESIDE[claim.kind]) for comparison in beside.comparisons):
        return False
    named = [other for comparison in beside.comparisons for other in comparison.claims]
    return all(_RANK.get(other.kind, rank + 1) > rank or other == claim for other in named)
