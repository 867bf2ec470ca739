"""IP addresses and networks.

Feeds use "ip" for all four types, so the type follows from the value, whichever of the four was stated:

- IPv4: four decimal numbers. A leading zero is refused, since half of all software reads it as octal.
- IPv6: the text form of RFC 5952. An IPv4-mapped address (RFC 4291, section 2.5.5.2) is its IPv4 address: on
  the wire it is an IPv4 packet. A zone id is refused: it means something on one machine only.
- Networks: bits behind the prefix are cleared, which changes no address of the set. A network of a single
  address is that address. An IPv4 prefix may be a mask of contiguous bits (``/255.255.255.0``).
- ``address:port`` is the address. It is the one place where normalising widens an indicator, and deliberate:
  the type has no place for a port, and those who block addresses do not look at it.

Private and reserved addresses are valid: enrichment marks them.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.tidy import tidied_ascii
from schemas.vocabulary import IndicatorType

_OCTETS: Final = frozenset(str(octet) for octet in range(256))
_MAPPED: Final = 0xFFFF << 32
_IPV4_BITS: Final = 32
_IPV6_BITS: Final = 128

_NOT_IPV4: Final = refused("not an IPv4 address: it needs four numbers from 0 to 255 with dots between them")
_OCTAL: Final = refused(
    "an IPv4 address with a leading zero can be read as octal or as decimal: write it without the zero"
)
_NOT_IPV6: Final = refused("not an IPv6 address: groups are missing, too many or not hexadecimal")
_ZONE: Final = refused("an IPv6 address with a zone id (%) means something on one machine only: leave the zone out")
_URL: Final = refused("this is a URL, not an address: send it as type url")
_PREFIX: Final = refused(
    "the network's prefix length must be a plain number, up to 32 for IPv4 and 128 for IPv6, or an IPv4 mask"
)
_PORT: Final = refused("what follows the address is not a port number")


def canonical_address(value: str) -> Canonical | Invalid:
    """The address or network that a value names, and which of the four types it is."""
    return (IndicatorType.IPV4_ADDR, value) if is_canonical_ipv4(value) else spelled_address(value)


def is_canonical_ipv4(value: str) -> bool:
    """Whether a text is an IPv4 address in its one canonical spelling."""
    if len(value) > 15:
        return False
    octets = value.split(".")
    return len(octets) == 4 and _OCTETS.issuperset(octets)


def spelled_address(value: str) -> Canonical | Invalid:
    """``canonical_address`` without its fast path for canonical values."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return text
    if "://" in text:
        return _URL
    literal, closed, rest = text[1:].partition("]") if text[0] == "[" else ("", "", "")
    if closed and "[" not in literal:
        text = literal if _is_port(rest) else literal + rest
    else:
        text = text.replace("[::]", "::").rstrip(".")
    if text.count(":") == 1 and "." in text:
        text, _, port = text.partition(":")
        if not _is_port(":" + port):
            return _PORT
    return _parsed(text)


def _parsed(text: str) -> Canonical | Invalid:
    base, slash, prefix = text.partition("/")
    if "%" in base:
        return _ZONE
    bits = _IPV6_BITS if ":" in base else _IPV4_BITS
    try:
        number = int(IPv6Address(base)) if bits == _IPV6_BITS else int(IPv4Address(base))
    except ValueError:
        return _why_not(base, bits)
    length = bits
    if slash:
        stated = _prefix_length(prefix, bits)
        if stated is None:
            return _PREFIX
        length = stated
    if bits == _IPV6_BITS and number >> 32 == _MAPPED >> 32 and length >= _IPV6_BITS - _IPV4_BITS:
        number, length, bits = number - _MAPPED, length - (_IPV6_BITS - _IPV4_BITS), _IPV4_BITS
    return _written(number >> (bits - length) << (bits - length), length, bits)


def _prefix_length(text: str, bits: int) -> int | None:
    """The prefix length that a plain number or, of IPv4, a mask states; ``None`` if it states none."""
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return int(text) if str(int(text)) == text and int(text) <= bits else None
    if bits != _IPV4_BITS or not is_canonical_ipv4(text):
        return None
    host_bits = ~int(IPv4Address(text)) & 0xFFFF_FFFF
    return None if host_bits & (host_bits + 1) else _IPV4_BITS - host_bits.bit_length()


def _written(number: int, length: int, bits: int) -> Canonical:
    if bits == _IPV4_BITS:
        address = str(IPv4Address(number))
        if length == bits:
            return IndicatorType.IPV4_ADDR, address
        return IndicatorType.IPV4_NET, f"{address}/{length}"
    address = str(IPv6Address(number))
    if length == bits:
        return IndicatorType.IPV6_ADDR, address
    return IndicatorType.IPV6_NET, f"{address}/{length}"


def _why_not(base: str, bits: int) -> Invalid:
    if bits == _IPV6_BITS:
        return _NOT_IPV6
    octets = base.split(".")
    is_quad = len(octets) == 4 and all(octet.isascii() and octet.isdigit() for octet in octets)
    has_leading_zero = any(len(octet) > 1 and octet[0] == "0" for octet in octets)
    return _OCTAL if is_quad and has_leading_zero else _NOT_IPV4


def _is_port(text: str) -> bool:
    digits = text[1:]
    return text[:1] == ":" and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 0xFFFF
