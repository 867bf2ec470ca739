"""Suricata's rules for the files of an output: sids that never change, and sets that are large enough.

At its memcap a dataset may give up entries in use, so the memcap follows the number of entries.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from schemas.delivered import SURICATA_SIDS
from schemas.vocabulary import IndicatorType

RULES_FILE: Final = "kakehashi.rules"
CATEGORY: Final = 1
FIRST_SID: Final = SURICATA_SIDS.start
_LEAST_HASH: Final = 1_024
_MOST_HASH: Final = 2_097_152  # of 16,777,216 in all sets together
_BYTES_EACH: Final = 1_024
_LEAST_MEMCAP: Final = 64 * 1024 * 1024
_FILES: Final[Mapping[IndicatorType, str]] = {
    IndicatorType.IPV4_ADDR: "kakehashi-ipv4.lst",
    IndicatorType.IPV6_ADDR: "kakehashi-ipv6.lst",
    IndicatorType.IPV4_NET: "kakehashi-reputation.list",
    IndicatorType.IPV6_NET: "kakehashi-reputation.list",
    IndicatorType.DOMAIN_NAME: "kakehashi-domain.lst",
    IndicatorType.FILE_MD5: "kakehashi-md5.txt",
    IndicatorType.FILE_SHA1: "kakehashi-sha1.txt",
    IndicatorType.FILE_SHA256: "kakehashi-sha256.txt",
    IndicatorType.JA3: "kakehashi-ja3.lst",
    IndicatorType.JA4: "kakehashi-ja4.lst",
    IndicatorType.X509_SHA1: "kakehashi-x509-sha1.lst",
    IndicatorType.USER_AGENT: "kakehashi-user-agent.lst",
}
_SETS: Final = (  # sid, protocol, buffer, type, type of the set: append only
    (0, "ip", "ip.src", IndicatorType.IPV4_ADDR, "ipv4"),
    (1, "ip", "ip.dst", IndicatorType.IPV4_ADDR, "ipv4"),
    (2, "ip", "ip.src", IndicatorType.IPV6_ADDR, "ip"),
    (3, "ip", "ip.dst", IndicatorType.IPV6_ADDR, "ip"),
    (4, "dns", "dns.query; to_lowercase", IndicatorType.DOMAIN_NAME, "string"),
    (5, "tls", "tls.sni; to_lowercase", IndicatorType.DOMAIN_NAME, "string"),
    (6, "http", "http.host", IndicatorType.DOMAIN_NAME, "string"),
    (7, "tls", "ja3.hash", IndicatorType.JA3, "string"),
    (8, "tls", "tls.cert_fingerprint", IndicatorType.X509_SHA1, "string"),
    (9, "http", "http.user_agent", IndicatorType.USER_AGENT, "string"),
    (11, "tls", "ja4.hash", IndicatorType.JA4, "string"),
    (12, "quic", "ja4.hash", IndicatorType.JA4, "string"),
    (13, "quic", "ja3.hash", IndicatorType.JA3, "string"),
)
_HASHES: Final = (
    (20, "filemd5", IndicatorType.FILE_MD5),
    (21, "filesha1", IndicatorType.FILE_SHA1),
    (22, "filesha256", IndicatorType.FILE_SHA256),
)
_NETWORKS: Final = 10
_NEEDS: Final = {IndicatorType.JA4: "requires:feature ja4; "}  # a Suricata that was built without it skips the rule
_FILE_PROTOCOLS: Final = ("http", "smtp", "ftp-data", "smb", "nfs", "http2")


def files_of() -> Mapping[IndicatorType, str]:
    """The file of each type."""
    return _FILES


@cache
def sets_of() -> Mapping[IndicatorType, tuple[str, str]]:
    """The name and the type of the dataset of each type that has one."""
    return {kind: (_set_name(kind), type) for *_, kind, type in _SETS}


def signatures() -> Mapping[int, tuple[str, IndicatorType | None]]:
    """What each rule compares, by its sid: the buffer, and the type of the values; None of any network."""
    found: dict[int, tuple[str, IndicatorType | None]] = {
        FIRST_SID + sid: (buffer.partition(";")[0], kind) for sid, _, buffer, kind, _ in _SETS
    }
    found[FIRST_SID + _NETWORKS] = ("iprep", None)
    for sid, keyword, kind in _HASHES:
        found |= {FIRST_SID + sid + 10 * place: (keyword, kind) for place in range(len(_FILE_PROTOCOLS))}
    return found


def categories() -> str:
    """The categories of IP reputation: number, name and description. Suricata reads them only when it starts."""
    return f"{CATEGORY},kakehashi,Networks exchanged by Kakehashi\n"


def rules(action: str, counts: Mapping[IndicatorType, int]) -> str:
    """The rules for these numbers of entries by type. A list of hashes without entries has no rule."""
    lines = [_set_rule(action, *each, counts.get(each[3], 0)) for each in _SETS]
    lines.append(_rule(action, _NETWORKS, "ip", "any network", "iprep:any,kakehashi,>,0"))
    for sid, keyword, kind in _HASHES:
        if counts.get(kind, 0):
            lines += [
                _rule(action, sid + 10 * place, protocol, kind.label, f"{keyword}:{_FILES[kind]}")
                for place, protocol in enumerate(_FILE_PROTOCOLS)
            ]
    return "".join(f"{line}\n" for line in lines)


def _set_rule(action: str, sid: int, protocol: str, buffer: str, kind: IndicatorType, type: str, count: int) -> str:
    hash_size = min(max(_LEAST_HASH, 1 << count.bit_length()), _MOST_HASH)
    memcap = max(_LEAST_MEMCAP, 2 * _BYTES_EACH << count.bit_length())
    dataset = f"isset,{_set_name(kind)},type {type},load {_FILES[kind]},memcap {memcap},hashsize {hash_size}"
    return _rule(action, sid, protocol, kind.label, f"{_NEEDS.get(kind, '')}{buffer}; dataset:{dataset}")


def _set_name(kind: IndicatorType) -> str:
    return _FILES[kind].removesuffix(".lst")


def _rule(action: str, sid: int, protocol: str, about: str, options: str) -> str:
    message = f"Kakehashi {about}"
    return f'{action} {protocol} any any -> any any (msg:"{message}"; {options}; sid:{FIRST_SID + sid}; rev:1;)'
