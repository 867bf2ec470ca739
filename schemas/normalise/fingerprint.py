"""Fingerprints of files, certificates and TLS clients: hexadecimal hashes, JA3 and JA4.

A hash under the wrong type's name is refused, not re-labelled: one of the two is wrong, and it is unknown
which. The fingerprint of a certificate is the hash of its DER encoding; tools print its octets with colons or blanks
between them, which go. An imphash is an MD5, of the names that a program imports (Mandiant, "Tracking malware with
import hashing"). JA4's form is that of FoxIO's specification, ``t13d1516h2_8daaf6152771_b186095e22b6``; its two ALPN
characters keep their case, which has a meaning there, the rest is lower case.
"""

import re
from collections.abc import Callable
from typing import Final

from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.tidy import tidied_ascii
from schemas.vocabulary import IndicatorType

HEX_DIGITS: Final = {
    IndicatorType.FILE_MD5: 32,
    IndicatorType.FILE_SHA1: 40,
    IndicatorType.FILE_SHA256: 64,
    IndicatorType.FILE_SHA512: 128,
    IndicatorType.JA3: 32,
    IndicatorType.X509_SHA1: 40,
    IndicatorType.X509_SHA256: 64,
    IndicatorType.IMPHASH: 32,
}
FILE_HASHES: Final = (
    *(IndicatorType.FILE_MD5, IndicatorType.FILE_SHA1, IndicatorType.FILE_SHA256, IndicatorType.FILE_SHA512),
)
_CERTIFICATES: Final = frozenset({IndicatorType.X509_SHA1, IndicatorType.X509_SHA256})
_OCTETS: Final = re.compile(r"[0-9a-f]{2}(?:([: -])[0-9a-f]{2}(?:\1[0-9a-f]{2})*)")
_NAMES: Final = {32: "an MD5", 40: "a SHA-1", 56: "a SHA-224", 64: "a SHA-256", 96: "a SHA-384", 128: "a SHA-512"}
_HEX: Final = frozenset("0123456789abcdef")
_DECIMAL: Final = frozenset("0123456789")
_NO_HEX: Final = refused("a hash has hexadecimal digits only, 0 to 9 and a to f")
_NOT_JA4: Final = refused("not a JA4 fingerprint: it looks like t13d1516h2_8daaf6152771_b186095e22b6")
_JA4_VERSIONS: Final = frozenset({"13", "12", "11", "10", "s3", "s2", "d1", "d2", "d3", "00"})


def spelled_hash(kind: IndicatorType, value: str) -> Canonical | Invalid:
    """A hash of one type in lower case, without the fast path for canonical hashes."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return text
    text = text.lower()
    if kind in _CERTIFICATES and _OCTETS.fullmatch(text):
        text = text.replace(text[2], "")
    if not _HEX.issuperset(text):
        return _NO_HEX
    digits = HEX_DIGITS[kind]
    if len(text) == digits:
        return kind, text
    looks_like = f": it looks like {_NAMES[len(text)]}" if len(text) in _NAMES else ""
    return refused(f"a {kind.label} has {digits} hexadecimal digits, this has {len(text)}{looks_like}")


def hash_speller(kind: IndicatorType) -> Callable[[str], Canonical | Invalid]:
    """The normaliser of one type of hash."""
    digits = HEX_DIGITS[kind]

    def canonical_hash(value: str) -> Canonical | Invalid:
        if len(value) == digits:
            try:
                if bytes.fromhex(value).hex() == value:
                    return kind, value
            except ValueError:
                pass
        return spelled_hash(kind, value)

    return canonical_hash


def canonical_ja4(value: str) -> Canonical | Invalid:
    """A JA4 TLS client fingerprint."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return text
    if len(text) != 36 or text[10] != "_" or text[23] != "_" or not text.isascii():
        return _NOT_JA4
    lower = text.lower()
    protocol, version, server_name, counts, alpn = lower[0], lower[1:3], lower[3], lower[4:8], text[8:10]
    if protocol not in "tqd" or version not in _JA4_VERSIONS or server_name not in "di":
        return _NOT_JA4
    if not _DECIMAL.issuperset(counts) or not alpn.isalnum():
        return _NOT_JA4
    if not _HEX.issuperset(lower[11:23]) or not _HEX.issuperset(lower[24:]):
        return _NOT_JA4
    return IndicatorType.JA4, f"{lower[:8]}{alpn}{lower[10:]}"
