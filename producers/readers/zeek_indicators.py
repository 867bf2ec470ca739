"""What the records of Zeek's logs name as a threat, by log and direction.

===========  ============================================  =====================================================
log          indicators                                    left out, or refused
===========  ============================================  =====================================================
notice       the address that is not ours; the hash of a   notices that accuse no one (``NO_THREAT``); neither side
             TeamCymruMalwareHashRegistry::Match           ours: refused
intel        the value that was seen, of its type          addresses of ours; what this exchange has delivered
signatures   the address that is not ours                  as for notices
===========  ============================================  =====================================================

All other logs record what everyone does. Of them only those are read that the operator asks for, with the table of
directions of ``suricata_alert``: who asked whom decides which part of a flow may be the other side's own.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from producers.readers.home import Nothing, Undecided, address_of, is_ours
from producers.readers.not_carried import kind_named
from producers.readers.reading import Defaults
from producers.readers.suricata_alert import Found, indicators_of, named_by
from producers.readers.suricata_files import File, hashes_of
from producers.readers.suricata_record import Alert, Flow, Handshake, Http, Rule
from producers.readers.type_words import CERTIFICATES, TYPES, folded, type_of
from schemas.delivered import ZEEK_SOURCE
from schemas.normalise import detect
from schemas.vocabulary import IndicatorType, RejectReason

# They accuse no one: about our own hosts, misconfigured servers, the sensor itself. Source: the Notice Index of Zeek 7.
NO_THREAT: Final = (
    *("CaptureLoss::", "Conn::", "DNS::", "Notice::", "PacketFilter::", "ProtocolDetector::", "Software::", "Spicy::"),
    *("Stats::", "Traceroute::", "Weird::", "HTTP::SQL_Injection_Victim", "SMTP::Blocklist_"),
    *("SSH::Watched_Country_Login", "SSH::Interesting_Hostname_Login", "SSL::Certificate_", "SSL::Invalid_"),
    *("SSL::Weak_", "SSL::Old_Version", "Signatures::Count_Signature", "Signatures::Signature_Summary"),
)
# Their source is who attacks, and there may be no single victim.
_BY_SOURCE: Final = (
    *("Scan::", "SSH::Password_Guessing", "SSH::Login_By_Password_Guesser", "FTP::Bruteforcing"),
    *("HTTP::SQL_Injection_Attacker", "Signatures::Multiple_"),
)
_ADDRESSES: Final = frozenset({IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR})
_TEXTS: Final = frozenset({"msg", "sub", "peer", "peer_descr", "peer_name"})
_HASH_MATCH: Final = "TeamCymruMalwareHashRegistry::Match"
INTEL_NOTICE: Final = "Intel::Notice"
_HASH: Final = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40}|[0-9a-fA-F]{32})(?![0-9a-fA-F])")
_FORWARDED: Final = re.compile(r"X-FORWARDED-FOR -> (.+)", re.IGNORECASE)

Fields = Mapping[str, Any]
Result = tuple[Found, ...] | Undecided | Nothing


def found_in(log: str, fields: Fields, defaults: Defaults) -> Result:
    """Types and values of a record, or why there are none."""
    return _OF_LOG[log](fields, defaults)


def _of_notice(fields: Fields, defaults: Defaults) -> Result:
    note = text_of(fields, "note")
    if not note:
        detail = "the notice has no `note`, so what it reports is unknown: were its columns renamed?"
        return Undecided(detail, RejectReason.UNREADABLE_LINE)
    if note == INTEL_NOTICE:
        return _of_value(text_of(fields, "sub"), "", defaults)
    if note.startswith(_BY_SOURCE):
        return _of_attacker(text_of(fields, "src") or text_of(fields, "id_orig_h"), defaults)
    files = _of_hash_match(fields) if note == _HASH_MATCH else ()
    flow = _flow(fields) if "id_orig_h" in fields else _flow(fields, "src", "dst")
    if flow.src_ip is None or flow.dest_ip is None:
        only = address_of(flow.src_ip or flow.dest_ip)
        renamed = None if files or only else next(_other_addresses(fields, defaults), None)
        if renamed is not None:
            detail = f"{note} has an address in {renamed!r}, where Zeek writes none: were its columns renamed?"
            return Undecided(detail, RejectReason.UNREADABLE_LINE)
        if files or only is None or is_ours(only, defaults):
            return files or Nothing(f"{note}: it names no other side")
        return Undecided(f"{note} names {only} alone: whether it is the threat or its victim is not stated")
    found = indicators_of(flow, defaults)
    if isinstance(found, tuple):
        return tuple(dict.fromkeys((*found, *files)))
    return files or found


def _other_addresses(fields: Fields, defaults: Defaults) -> Iterator[str]:
    """The names of fields that have a foreign address and are no texts."""
    for name, value in fields.items():
        address = address_of(value) if isinstance(value, str) and name not in _TEXTS else None
        if address is not None and not is_ours(address, defaults):
            yield name


def _of_hash_match(fields: Fields) -> tuple[Found, ...]:
    """The hash that the registry knows, in the link of ``sub``."""
    hashes = _HASH.findall(text_of(fields, "sub"))
    kinds = (detect(each) for each in hashes[:1])
    return tuple((kind, each) for kind, each in zip(kinds, hashes, strict=False) if kind is not None)


def _of_attacker(text: str, defaults: Defaults) -> Result:
    address = address_of(text)
    if address is None:
        return Undecided(f"{text[:40]!r} is no address", RejectReason.UNREADABLE_LINE)
    if is_ours(address, defaults):
        return Nothing("the attacker is one of ours")
    return ((IndicatorType.IPV4_ADDR if address.version == 4 else IndicatorType.IPV6_ADDR, str(address)),)


def _of_intel(fields: Fields, defaults: Defaults) -> Result:
    sources = fields.get("sources")
    if isinstance(sources, list) and sources and all(str(each).startswith(ZEEK_SOURCE) for each in sources):
        return Nothing("this exchange has delivered it: `kakehashi sighting follow` reports the hit")
    return _of_value(text_of(fields, "seen_indicator"), text_of(fields, "seen_indicator_type"), defaults)


def _of_value(value: str, stated: str, defaults: Defaults) -> Result:
    address = address_of(value)
    if address is not None and is_ours(address, defaults):
        return Nothing(f"{value} is one of ours")
    types = TYPES.get(folded(stated)) if stated.startswith("Intel::") else ()
    if types is None:
        detail = f"the exchange carries no indicators of the type {stated}"
        return Undecided(detail, RejectReason.UNKNOWN_TYPE, kind_named(stated))
    kind = type_of(value, types)
    if isinstance(kind, IndicatorType):
        return ((kind, value),)
    return Undecided(f"{value[:40]!r}: {kind}", RejectReason.UNKNOWN_TYPE)


def _of_signature(fields: Fields, defaults: Defaults) -> Result:
    return indicators_of(_flow(fields, "src_addr", "dst_addr", ports=("src_port", "dst_port")), defaults)


def _of_flow(fields: Fields, defaults: Defaults) -> Result:
    return named_by(_flow(fields), defaults)


def _of_dns(fields: Fields, defaults: Defaults) -> Result:
    flow = _flow(fields)
    query = text_of(fields, "query")
    if not query:
        return Nothing("no name was asked for")
    flow.app_proto, flow.dns = "dns", {"queries": [{"rrname": query}]}
    return named_by(flow, defaults)


def _of_http(fields: Fields, defaults: Defaults) -> Result:
    flow = _flow(fields)
    forwarded = (_FORWARDED.fullmatch(str(each)) for each in _items(fields, "proxied"))
    client = next((each[1] for each in forwarded if each), None)
    flow.http = Http(
        hostname=text_of(fields, "host") or None,
        url=text_of(fields, "uri") or None,
        http_method=text_of(fields, "method") or None,
        xff=client,
    )
    return named_by(flow, defaults)


def _of_ssl(fields: Fields, defaults: Defaults) -> Result:
    flow = _flow(fields)
    flow.tls = Handshake(
        sni=text_of(fields, "server_name") or None, ja3=text_of(fields, "ja3"), ja4=text_of(fields, "ja4") or None
    )
    found = named_by(flow, defaults)
    is_servers = (
        isinstance(found, tuple) and any(kind in _ADDRESSES for kind, _ in found) and _asked_by_us(flow, defaults)
    )
    return (*found, *_certificate(fields)) if is_servers and isinstance(found, tuple) else found


def _asked_by_us(flow: Alert, defaults: Defaults) -> bool:
    client = address_of(flow.src_ip)
    return client is not None and is_ours(client, defaults)


def _certificate(fields: Fields) -> Iterator[Found]:
    """The server's own certificate, by the hash that Zeek is configured to take, by default SHA-256."""
    for first in list(_items(fields, "cert_chain_fps"))[:1]:
        kind = type_of(str(first), CERTIFICATES)
        if isinstance(kind, IndicatorType):
            yield kind, str(first)


def _of_smtp(fields: Fields, defaults: Defaults) -> Result:
    flow = _flow(fields)
    flow.app_proto = "smtp"
    return named_by(flow, defaults)


def _of_file(fields: Fields, defaults: Defaults) -> Result:
    """The hashes of a file that the other side sent and that was seen whole."""
    senders = [address_of(str(each)) for each in _items(fields, "tx_hosts")]
    if not senders:  # since Zeek 5.1: the connection, and which side of it sent
        sender = "id_orig_h" if text_of(fields, "is_orig").lower() in ("t", "true") else "id_resp_h"
        senders = [address_of(text_of(fields, sender))]
    if any(sender is None or is_ours(sender, defaults) for sender in senders):
        return Nothing("our own side sent the file, or it is not stated who did")
    seen, total = text_of(fields, "seen_bytes"), text_of(fields, "total_bytes")
    missing = [text_of(fields, name) for name in ("missing_bytes", "overflow_bytes")]
    is_cut = text_of(fields, "timedout").lower() in ("t", "true") or text_of(fields, "extracted_cutoff").lower() in (
        "t",
        "true",
    )
    if is_cut or any(each not in ("", "0") for each in missing) or (total and seen != total):
        return Nothing("the file was not seen whole")
    md5, sha1, sha256 = (text_of(fields, name) or None for name in ("md5", "sha1", "sha256"))
    file = File(md5=md5, sha1=sha1, sha256=sha256)
    return tuple(hashes_of(file)) or Nothing("no hash was computed")


def _flow(
    fields: Fields,
    source: str = "id_orig_h",
    destination: str = "id_resp_h",
    *,
    ports: tuple[str, str] = ("id_orig_p", "id_resp_p"),
) -> Alert:
    """The record as a flow: Zeek's originator is the client."""
    source_ip = text_of(fields, source) or None
    return Alert(
        timestamp="",
        alert=Rule(),
        src_ip=source_ip,
        src_port=_port(fields, ports[0]),
        dest_ip=text_of(fields, destination) or None,
        dest_port=_port(fields, ports[1]) or _port(fields, "p"),
        proto=text_of(fields, "proto").upper() or None,
        app_proto=text_of(fields, "service") or None,
        flow=Flow(source_ip),
    )


def _port(fields: Fields, name: str) -> int | None:
    digits = text_of(fields, name)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 5 else None


def text_of(fields: Fields, name: str) -> str:
    """A field as text; empty if it is not set or is a list."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else "" if isinstance(value, list | Mapping) else str(value)


def _items(fields: Fields, name: str) -> Iterator[Any]:
    value = fields.get(name)
    yield from value if isinstance(value, list) else ()


_OF_LOG: Final = {
    "notice": _of_notice,
    "weird": _of_flow,
    "intel": _of_intel,
    "signatures": _of_signature,
    "conn": _of_flow,
    "dns": _of_dns,
    "http": _of_http,
    "ssl": _of_ssl,
    "smtp": _of_smtp,
    "files": _of_file,
}
