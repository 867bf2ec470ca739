"""The words by which lists state a type: a column's name, or a cell of a type column.

After STIX 2.1 (observable types and paths), MISP (attribute types), OTX, ThreatFox and Zeek's Intel framework. Words
are compared without case, blanks and punctuation. Any other word states a type that the exchange does not carry.
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

from producers.markings.remembered import remembered
from schemas.normalise import Invalid, canonical, detect
from schemas.vocabulary import IndicatorType

Types = tuple[IndicatorType, ...]

_IP = IndicatorType.IPV4_ADDR  # of the four types of address and network: normalising distinguishes them by the value
_NAME = IndicatorType.DOMAIN_NAME
_HASHES: Final = (
    *(IndicatorType.FILE_MD5, IndicatorType.FILE_SHA1, IndicatorType.FILE_SHA256, IndicatorType.FILE_SHA512),
)
_ADDRESSES: Final = frozenset(
    {IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR, IndicatorType.IPV4_NET, IndicatorType.IPV6_NET}
)
CERTIFICATES: Final = (IndicatorType.X509_SHA1, IndicatorType.X509_SHA256)
OF_FILES: Final = frozenset({IndicatorType.FILE_SHA1, IndicatorType.FILE_SHA256})
"""The hashes of files that look like those of certificates."""
"""The number of digits determines which of these."""
ANY: Final[Types] = ()
"""The word means an indicator, and no more: the type follows from the value."""


@remembered(65_536)
def folded(name: str) -> str:
    """A name without case, blanks and punctuation: ``IoC_Type`` is ``ioctype``."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def _words(*names: str, of: Types) -> dict[str, Types]:
    return {folded(name): of for name in names}


SOURCE_ADDRESS: Final = frozenset(map(folded, ("src_ip", "ip-src", "source ip", "source address", "src", "srcaddr")))
DESTINATION_ADDRESS: Final = frozenset(
    map(folded, ("dst_ip", "ip-dst", "dest_ip", "destination ip", "destination address", "dst", "dstaddr"))
)

TYPES: Final[dict[str, Types]] = {
    **{folded(kind.label): (kind,) for kind in IndicatorType},
    **_words("ipv4 address", "ipv6 address", "ip addresses", "ipv4 cidr", "ipv6 cidr", "ip range", of=(_IP,)),
    **_words("ip", "ipv4", "ipv6", "ipaddr", "ip address", "cidr", "subnet", "network", "IPアドレス", of=(_IP,)),
    **_words("ipv4-addr:value", "ipv6-addr:value", "Intel::ADDR", "Intel::SUBNET", "ipv6-addr", of=(_IP,)),
    **dict.fromkeys((*SOURCE_ADDRESS - {"src"}, *DESTINATION_ADDRESS - {"dst"}), (_IP,)),
    **_words("domain", "hostname", "fqdn", "domain-name:value", "Intel::DOMAIN", "ドメイン", "ドメイン名", of=(_NAME,)),
    **_words("host", of=(_NAME, _IP)),
    **_words("url", "uri", "urls", "url:value", "Intel::URL", of=(IndicatorType.URL,)),
    **_words("md5", "md5 hash", "filehash-md5", "file:hashes.MD5", of=(IndicatorType.FILE_MD5,)),
    **_words("sha1", "sha1 hash", "filehash-sha1", "file:hashes.'SHA-1'", of=(IndicatorType.FILE_SHA1,)),
    **_words("sha256", "sha256 hash", "filehash-sha256", "file:hashes.'SHA-256'", of=(IndicatorType.FILE_SHA256,)),
    **_words("sha512", "sha512 hash", "filehash-sha512", "file:hashes.'SHA-512'", of=(IndicatorType.FILE_SHA512,)),
    **_words("email", "email addr", "email address", "email-src", "email-addr:value", of=(IndicatorType.EMAIL_ADDR,)),
    **_words("Intel::EMAIL", "メールアドレス", "email-reply-to", of=(IndicatorType.EMAIL_ADDR,)),
    **_words("asn", "as", "as number", of=(IndicatorType.AUTONOMOUS_SYSTEM,)),
    **_words("ja3", "ja3 hash", "ja3 md5", "ja3 fingerprint", "ja3-fingerprint-md5", of=(IndicatorType.JA3,)),
    **_words("ja4", "ja4 fingerprint", of=(IndicatorType.JA4,)),
    **_words("filename", "file path", "file:name", "ファイル名", "Intel::FILE_NAME", of=(IndicatorType.FILE_NAME,)),
    **_words("x509-fingerprint-sha1", "x509-certificate:hashes.'SHA-1'", of=(IndicatorType.X509_SHA1,)),
    **_words("x509-fingerprint-sha256", "x509-certificate:hashes.'SHA-256'", of=(IndicatorType.X509_SHA256,)),
    **_words("Intel::CERT_HASH", "SSLCertFingerprint", "certificate fingerprint", "証明書", of=CERTIFICATES),
    **_words("Intel::SOFTWARE", "http user agent", "ユーザーエージェント", of=(IndicatorType.USER_AGENT,)),
    **_words("mutex:name", "mutant", "ミューテックス", of=(IndicatorType.MUTEX,)),
    **_words("regkey", "registry", "windows registry key", "レジストリキー", of=(IndicatorType.REGISTRY_KEY,)),
    **_words("windows-registry-key:key", of=(IndicatorType.REGISTRY_KEY,)),
    **_words("import hash", "filehash-imphash", of=(IndicatorType.IMPHASH,)),
    **_words("file", "filehash", "file hash", "Intel::FILE_HASH", "ハッシュ", "ハッシュ値", of=_HASHES),
    **_words("hash", of=_HASHES[1:]),
    **_words("indicator", "ioc", "c2", "c2 server", "c2 domain", "c2 host", of=ANY),
}
"""The types that each word allows; of several, the one that follows from the value."""

# Values of two parts with a bar between them: the types of each, ``None`` for a part that is context.
_PARTS: Final[dict[str, tuple[Types | None, Types | None]]] = {
    **dict.fromkeys(("ipdstport", "ipsrcport", "ipport"), ((_IP,), None)),
    **dict.fromkeys(("hostnameport", "domainport"), ((_NAME,), None)),
    "domainip": ((_NAME,), (_IP,)),
    **dict.fromkeys(("filenamemd5", "malwaresample"), (None, (IndicatorType.FILE_MD5,))),
    "filenamesha1": (None, (IndicatorType.FILE_SHA1,)),
    "filenamesha256": (None, (IndicatorType.FILE_SHA256,)),
    "filenamesha512": (None, (IndicatorType.FILE_SHA512,)),
    "filenameimphash": (None, (IndicatorType.IMPHASH,)),
}
_UNDIVIDED: Final = frozenset({"ipport", "ipdstport", "ipsrcport"})  # may be written as address:port, too


def is_type_word(word: str) -> bool:
    """Whether a folded word states a type that is carried."""
    return word in TYPES or word in _PARTS


def parts_of(word: str, value: str) -> Iterator[tuple[str, Types]]:
    """The values of a cell whose type a folded word states, with the types that each may have."""
    if word in TYPES:
        yield value, TYPES[word]
        return
    types = _PARTS[word]
    first, bar, second = value.partition("|")
    if not bar and word in _UNDIVIDED:
        yield value, (_IP,)
        return
    for text, allowed in zip((first, second), types, strict=True):
        if allowed is not None:
            yield text, allowed


def type_of(value: str, allowed: Types) -> IndicatorType | str:
    """The type of a value among the allowed ones, or why it has none of them."""
    if len(allowed) == 1:
        return allowed[0]
    if allowed == CERTIFICATES:
        fitting = (kind for kind in allowed if not isinstance(canonical(kind, value), Invalid))
        return next(fitting, "it is neither the SHA-1 nor the SHA-256 of a certificate")
    kind = detect(value)
    if kind is IndicatorType.FILE_MD5 and kind not in allowed:
        return AMBIGUOUS
    if kind is not None and (allowed == ANY or kind in allowed or (kind in _ADDRESSES and _IP in allowed)):
        return kind
    return "its type does not follow from the value"


AMBIGUOUS: Final = (
    "32 hexadecimal digits may be the MD5 of a file, JA3, imphash or another hash: state the type in a column, or for "
    "all of it with --columns md5 or --columns ja3"
)
OF_CERTIFICATES: Final = (
    "a comment of the list names certificates, so its SHA-1 and SHA-256 may be of certificates or of files: state the "
    "type, with --columns x509-sha1 or --columns sha1, in the place of their column if there are several"
)
