"""The STIX pattern of an indicator (STIX 2.1, section 9)."""

from collections.abc import Mapping
from typing import Final

from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

_PATHS: Final[Mapping[IndicatorType, str]] = {
    IndicatorType.IPV4_ADDR: "ipv4-addr:value",
    IndicatorType.IPV6_ADDR: "ipv6-addr:value",
    IndicatorType.IPV4_NET: "ipv4-addr:value",
    IndicatorType.IPV6_NET: "ipv6-addr:value",
    IndicatorType.DOMAIN_NAME: "domain-name:value",
    IndicatorType.URL: "url:value",
    IndicatorType.FILE_MD5: "file:hashes.MD5",
    IndicatorType.FILE_SHA1: "file:hashes.'SHA-1'",
    IndicatorType.FILE_SHA256: "file:hashes.'SHA-256'",
    IndicatorType.FILE_SHA512: "file:hashes.'SHA-512'",
    IndicatorType.EMAIL_ADDR: "email-addr:value",
    IndicatorType.AUTONOMOUS_SYSTEM: "autonomous-system:number",
    # STIX defines no property for fingerprints of TLS clients; others write them so, too.
    IndicatorType.JA3: "network-traffic:extensions.'tls-ext'.ja3",
    IndicatorType.JA4: "network-traffic:extensions.'tls-ext'.ja4",
    IndicatorType.FILE_NAME: "file:name",
    IndicatorType.X509_SHA1: "x509-certificate:hashes.'SHA-1'",
    IndicatorType.X509_SHA256: "x509-certificate:hashes.'SHA-256'",
    IndicatorType.USER_AGENT: "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
    IndicatorType.MUTEX: "mutex:name",
    IndicatorType.REGISTRY_KEY: "windows-registry-key:key",
    IndicatorType.IMPHASH: "file:extensions.'windows-pebinary-ext'.imphash",
}
_NETWORKS: Final = frozenset({IndicatorType.IPV4_NET, IndicatorType.IPV6_NET})


def pattern_of(type: str, value: str) -> str:
    """A pattern that matches exactly this value; of a network, every address and network in it (section 9.6.1)."""
    kind = TYPE_BY_LABEL[type]
    if kind is IndicatorType.AUTONOMOUS_SYSTEM:
        return f"[{_PATHS[kind]} = {int(value.removeprefix('AS'))}]"
    operator = "ISSUBSET" if kind in _NETWORKS else "="
    return f"[{_PATHS[kind]} {operator} {literal(value)}]"


def literal(text: str) -> str:
    """A string of a pattern: the apostrophe and the backslash are escaped (section 9.2)."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
