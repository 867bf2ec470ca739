"""Which parts of a Suricata alert are indicators, by protocol and direction; and what is local and stays so.

================  =========================================  ====================================================
protocol          our client asked the threat                the threat asked our server
================  =========================================  ====================================================
DNS               the queried name; never the resolver       its address over TCP; a UDP source can be forged
HTTP              address, host, URL                         its address; the host is ours
HTTP by a proxy   host and whole URL; never the proxy        the client that our proxy names; of others: refused
TLS, QUIC         address, SNI, JA3, JA4, its certificate    its address, JA3, JA4; SNI and certificate are ours
SMTP, IMAP, POP3  files that it sent; never the mail server  its address, until it has passed on a mail
anything else     address                                    its address
================  =========================================  ====================================================

Files count if the threat sent them and Suricata saw them whole: by their hashes, never by their names. The rule's
signature, both addresses with their ports and the sensor's own names are context: it never leaves. A marking is taken
from the rule's metadata and message.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from producers.readers.home import Nothing, Undecided, address_of, is_ours
from producers.readers.reading import Defaults, Seen
from producers.readers.suricata_files import hashes_of
from producers.readers.suricata_record import Alert, Handshake
from producers.readers.suricata_rule import Statement
from producers.readers.suricata_sides import Sides, sides_of
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType

_HTTP_PORT: Final = 80
# A request's target that is a host and its port: of CONNECT alone (RFC 9112, section 3.2.3).
_AUTHORITY: Final = re.compile(r"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}")
_SHA1: Final = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){19}")  # of the server's certificate, as EVE writes it
_DNS: Final = frozenset({"dns", "mdns", "doh2"})
_DNS_PORTS: Final = frozenset({53, 853, 5353, 5355})
MAIL_PORTS: Final = frozenset({25, 110, 143, 465, 587, 993, 995, 2525})
_MAIL: Final = frozenset({"smtp", "imap", "pop3"})
# Services that answer a small UDP question with a large answer: whoever seems to ask may be the victim.
_DENIAL_OF_SERVICE: Final = frozenset(
    {"Attempted Denial of Service", "Denial of Service", "Detection of a Denial of Service Attack"}
)
_REFLECTORS: Final = frozenset({17, 19, 53, 69, 111, 123, 137, 161, 389, 1900, 3702, 5353, 11211})

Found = tuple[IndicatorType, str]


def indicators_of(alert: Alert, defaults: Defaults) -> tuple[Found, ...] | Undecided | Nothing:
    """Types and values, in the order of the table; or why there are none."""
    sides = sides_of(alert, defaults)
    if not isinstance(sides, Sides):
        return sides
    if _is_forgeable(alert, sides):
        return Undecided(f"the source of a UDP packet can be forged, and {sides.remote} may be the victim of it")
    network = _of_network(alert, sides)
    if isinstance(network, Undecided):
        return network
    files = [entry for file in alert.files if sides.is_sender for entry in hashes_of(file)] if alert.files else ()
    return tuple(dict.fromkeys((*network, *files))) or Nothing("nothing in it is the threat's own")


def named_by(flow: Alert, defaults: Defaults) -> tuple[Found, ...] | Undecided | Nothing:
    """The same of a flow that no one is accused of: what cannot be known there is no fault of the input.

    Only if neither side is ours it is ``Undecided`` still: then the operator has to name the home networks.
    """
    found = indicators_of(flow, defaults)
    sides = [address_of(flow.src_ip), address_of(flow.dest_ip)]
    is_outside = all(side is not None and not is_ours(side, defaults) for side in sides)
    return Nothing(found.detail) if isinstance(found, Undecided) and not is_outside else found


def _is_forgeable(alert: Alert, sides: Sides) -> bool:
    """Whether the threat may be a victim in whose name someone else has asked our server."""
    if alert.proto != "UDP" or sides.is_server:
        return False
    ours = alert.dest_port if sides.is_sender else alert.src_port
    is_flood = alert.alert.category in _DENIAL_OF_SERVICE and ours in _REFLECTORS
    return is_flood or (sides.is_server is False and _is_dns(alert))


def _is_dns(alert: Alert) -> bool:
    return alert.app_proto in _DNS or alert.dns is not None or bool(_DNS_PORTS & set(alert.ports))


def _is_mail(alert: Alert, sides: Sides) -> bool:
    """Whether it is mail, also within TLS: behind STARTTLS, or on the port of a mail server."""
    port = alert.src_port if sides.is_sender else alert.dest_port
    is_within_tls = alert.app_proto == "tls" and bool(sides.is_server) and port in MAIL_PORTS
    return is_within_tls or bool(_MAIL & {alert.app_proto, alert.app_proto_orig})


def _of_network(alert: Alert, sides: Sides) -> tuple[Found, ...] | Undecided:
    if _is_dns(alert):
        return _of_dns(alert, sides)
    if _is_mail(alert, sides) or alert.smtp is not None or alert.email is not None:
        is_relay = sides.is_server or alert.email is not None
        return () if is_relay else (_of_address(sides),)
    if alert.http is not None and sides.is_server:
        return (*_of_http_server(alert, sides), *_of_handshakes(alert, sides))
    return (_of_address(sides), *_of_handshakes(alert, sides))


def _of_address(sides: Sides) -> Found:
    kind = IndicatorType.IPV4_ADDR if sides.remote.version == 4 else IndicatorType.IPV6_ADDR
    return kind, str(sides.remote)


def _of_dns(alert: Alert, sides: Sides) -> tuple[Found, ...] | Undecided:
    if sides.is_server is False:
        return (_of_address(sides),)
    names = queried(alert.dns)
    if not names:
        return Undecided(
            f"{sides.remote} is a resolver, and the name that it was asked for is not in the alert: in suricata.yaml "
            "enable `metadata` with `dns` for alerts"
        )
    return tuple((IndicatorType.DOMAIN_NAME, name) for name in names if not _is_reverse(name))


def _of_http_server(alert: Alert, sides: Sides) -> Iterator[Found]:
    """Address, host and URL. A request that names another server went to a proxy, whose address is no indicator."""
    http, target = alert.http, ""
    if http is not None and http.url:
        target = http.url
    host = http.hostname if http is not None and http.hostname else ""
    host, port = _without_port(host, alert.src_port if sides.is_sender else alert.dest_port)
    if http is not None and ((http.http_method or "").upper() == "CONNECT" or _AUTHORITY.fullmatch(target)):
        yield from _of_host(urlsplit(f"//{target}").hostname or host)
    elif target.lower().startswith(("http://", "https://")):
        yield from _of_host(urlsplit(target).hostname or host)
        yield IndicatorType.URL, target
    else:
        yield _of_address(sides)
        if host:
            if address_of(host.strip("[]")) is None:
                yield IndicatorType.DOMAIN_NAME, host
            yield IndicatorType.URL, _url(host, target or "/", port)


def _without_port(host: str, port: int | None) -> tuple[str, int | None]:
    """A host that is written with its port, and the port."""
    name, colon, digits = host.rpartition(":")
    if not colon or address_of(host) is not None or not (digits.isascii() and digits.isdigit() and len(digits) <= 5):
        return host, port
    return name, int(digits)


def _of_host(host: str) -> Iterator[Found]:
    address = address_of(host)
    if address is not None:
        yield (IndicatorType.IPV4_ADDR if address.version == 4 else IndicatorType.IPV6_ADDR), str(address)
    elif host:
        yield IndicatorType.DOMAIN_NAME, host


def _url(host: str, path: str, port: int | None) -> str:
    authority = host if port in (None, _HTTP_PORT) else f"{host}:{port}"
    return f"http://{authority}{path if path.startswith('/') else '/' + path}"


def _of_handshakes(alert: Alert, sides: Sides) -> Iterator[Found]:
    for handshake in filter(None, (alert.tls, alert.quic)):
        if sides.is_server and handshake.sni and address_of(handshake.sni) is None:
            yield IndicatorType.DOMAIN_NAME, handshake.sni
        yield from _fingerprints(handshake)
        if sides.is_server and handshake.fingerprint and _SHA1.fullmatch(handshake.fingerprint):
            yield IndicatorType.X509_SHA1, handshake.fingerprint


def _fingerprints(handshake: Handshake) -> Iterator[Found]:
    """JA3 and JA4 of the client, which on an alerted flow is the malware or the attacker's software."""
    if handshake.ja3_hash:
        yield IndicatorType.JA3, handshake.ja3_hash
    if handshake.ja4:
        yield IndicatorType.JA4, handshake.ja4


def queried(dns: Any) -> list[str]:
    """The names that were asked for: ``query`` and ``answer`` in EVE's DNS records to version 2, then ``queries``."""
    if not isinstance(dns, dict):
        return []
    several = [entry for key in ("query", "queries") if isinstance(dns.get(key), list) for entry in dns[key]]
    names = [entry.get("rrname") for entry in (*several, dns.get("answer"), dns) if isinstance(entry, dict)]
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def _is_reverse(name: str) -> bool:
    """Whether a name stands for an address (RFC 1035, section 3.5): who asks for it looks at the address, or is it."""
    return name.lower().rstrip(".").endswith((".in-addr.arpa", ".ip6.arpa"))


def template_of(alert: Alert, place: SourcePlace, at_ms: int, defaults: Defaults, stated: Statement) -> Seen:
    """A reading with everything but type and value; ``stated`` is what the alert's rule states."""
    marked = stated.marked.with_default(defaults.marking)
    observation = Observation(
        kind=IndicatorType.IPV4_ADDR,
        value="",
        first_seen_ms=at_ms,
        last_seen_ms=at_ms,
        confidence=defaults.confidence if stated.confidence is None else stated.confidence,
        marking=marked.marking,
        labels=tuple(dict.fromkeys((*stated.labels, *defaults.labels))),
        description=alert.alert.signature or "",
        context=_context(alert),
    )
    return Seen(place, observation, marked.origins)


def _context(alert: Alert) -> tuple[tuple[str, str], ...]:
    rule = alert.alert
    facts = (
        ("signature-id", rule.signature_id),
        ("category", rule.category),
        ("severity", rule.severity),
        ("action", rule.action),
        ("source", _with_port(alert.src_ip, alert.src_port)),
        ("destination", _with_port(alert.dest_ip, alert.dest_port)),
        ("protocol", alert.app_proto or alert.proto),
        ("flow", alert.flow_id),
        ("sensor-host", alert.host),
        ("interface", alert.in_iface),
    )
    return tuple([(name, str(fact)) for name, fact in facts if fact is not None])


def _with_port(address: str | None, port: int | None) -> str | None:
    return address if port is None or address is None else f"{address} port {port}"
