"""What of a Suricata alert is an indicator, and what is local and stays so.

- **Whose address.** The side that is not ours. Ours are the private networks and the operator's home networks; a
  rule with the keyword ``target`` says itself who attacks. If neither side is ours no one can tell which one is
  the threat, and publishing the wrong one would publish a victim: the alert is refused, with advice. Between two
  addresses of ours there is nothing to share.
- **Host, URL, SNI** are taken where the server is the other side. On an attack on our own server they are ours.
- **DNS.** The name that was asked for; never the address, which is a resolver's.
- **JA3 and JA4** of the client, which on an alerted flow is the malware's or the attacker's software.
- **Hashes** of the files that the alert carries. A file's name goes beside its hash, and is an indicator only
  if no hash was computed.

The rule's signature, both addresses with their ports and the sensor's own names are context: it never leaves.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import msgspec

from producers.readers.reading import Defaults
from producers.readers.suricata_files import File, hashes_of
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType

PRIVATE_NETWORKS: Final = tuple(
    ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        *("100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),  # RFC 6598, RFC 1122, RFC 3927
        *("fc00::/7", "fe80::/10", "::1/128"),  # RFC 4193, RFC 4291
    )
)
_CONFIDENCE: Final = {"low": 15, "medium": 50, "high": 85}  # STIX 2.1, appendix A
_HTTP_PORT: Final = 80
_LABELS: Final = ("malware_family", "mitre_technique_id")
_Address = IPv4Address | IPv6Address


class _Side(msgspec.Struct):
    ip: str | None = None


class _Rule(msgspec.Struct):
    signature: str | None = None
    signature_id: int | None = None
    category: str | None = None
    severity: int | None = None
    action: str | None = None
    metadata: dict[str, Any] | None = None
    source: _Side | None = None
    target: _Side | None = None


class _Http(msgspec.Struct):
    hostname: str | None = None
    url: str | None = None


class _Tls(msgspec.Struct):
    sni: str | None = None
    ja3: Any = None
    ja4: str | None = None


class _Flow(msgspec.Struct):
    src_ip: str | None = None


class Alert(msgspec.Struct):
    """The fields of an ``alert`` record that are looked at."""

    timestamp: str
    alert: _Rule
    src_ip: str | None = None
    src_port: int | None = None
    dest_ip: str | None = None
    dest_port: int | None = None
    proto: str | None = None
    app_proto: str | None = None
    direction: str | None = None
    flow_id: int | None = None
    host: str | None = None
    in_iface: str | None = None
    flow: _Flow | None = None
    http: _Http | None = None
    tls: _Tls | None = None
    dns: Any = None
    files: list[File] | None = None


class Undecided(msgspec.Struct, frozen=True):
    """Why it cannot be said what is the threat here."""

    detail: str


Found = tuple[IndicatorType, str]


def indicators_of(alert: Alert, defaults: Defaults) -> tuple[Found, ...] | Undecided:
    """Types and values, in the order in which the module's docstring has them."""
    source, destination = _address(alert.src_ip), _address(alert.dest_ip)
    if source is None or destination is None:
        return Undecided("the alert has no two addresses")
    remote = _remote(alert, source, destination, defaults)
    if not isinstance(remote, IPv4Address | IPv6Address):
        return () if remote is None else remote
    found: dict[Found, None] = {}
    names = _queried(alert.dns)
    if names:
        found |= dict.fromkeys((IndicatorType.DOMAIN_NAME, name) for name in names)
    else:
        kind = IndicatorType.IPV4_ADDR if remote.version == 4 else IndicatorType.IPV6_ADDR
        found[kind, str(remote)] = None
        if remote == _server(alert, source, destination):
            found |= dict.fromkeys(_of_server(alert, remote, source))
    found |= dict.fromkeys(_of_client(alert.tls))
    found |= dict.fromkeys(entry for file in alert.files or () for entry in hashes_of(file))
    return tuple(found)


def template_of(alert: Alert, at_ms: int, defaults: Defaults) -> Observation:
    """An observation with everything but type and value."""
    metadata = alert.alert.metadata or {}
    words = [word for key in _LABELS for word in _words(metadata.get(key))]
    stated = next((_CONFIDENCE.get(word.lower()) for word in _words(metadata.get("confidence"))), None)
    return Observation(
        kind=IndicatorType.IPV4_ADDR,
        value="",
        first_seen_ms=at_ms,
        last_seen_ms=at_ms,
        confidence=defaults.confidence if stated is None else stated,
        marking=defaults.marking,
        labels=tuple(dict.fromkeys((*words, *defaults.labels))),
        description=alert.alert.signature or "",
        context=tuple((name, str(fact)) for name, fact in _facts(alert) if fact is not None),
    )


def _facts(alert: Alert) -> Iterator[tuple[str, object]]:
    yield "signature-id", alert.alert.signature_id
    yield "category", alert.alert.category
    yield "severity", alert.alert.severity
    yield "action", alert.alert.action
    yield "source", _with_port(alert.src_ip, alert.src_port)
    yield "destination", _with_port(alert.dest_ip, alert.dest_port)
    yield "protocol", alert.app_proto or alert.proto
    yield "flow", alert.flow_id
    yield "sensor-host", alert.host
    yield "interface", alert.in_iface


def _with_port(address: str | None, port: int | None) -> str | None:
    return address if port is None or address is None else f"{address} port {port}"


def _remote(alert: Alert, source: _Address, destination: _Address, defaults: Defaults) -> _Address | Undecided | None:
    """The address that is the threat's; ``None`` if there is none to share."""
    ours = {side: _is_ours(side, defaults) for side in (source, destination)}
    attacker = _address(alert.alert.source.ip) if alert.alert.source and alert.alert.target else None
    if attacker is not None and attacker in ours:
        remote = None if ours[attacker] else attacker
    elif ours[source] and ours[destination]:
        remote = None
    elif ours[source] or ours[destination]:
        remote = destination if ours[source] else source
    else:
        return Undecided(
            f"neither {source} nor {destination} is in a home network, so which of them is the threat is unknown: "
            "name your own networks with --home-net"
        )
    return None if remote is None or remote.is_multicast or remote.is_unspecified else remote


def _is_ours(address: _Address, defaults: Defaults) -> bool:
    return any(address in network for network in (*PRIVATE_NETWORKS, *defaults.home_networks))


def _server(alert: Alert, source: _Address, destination: _Address) -> _Address | None:
    """Which side answered. Old records do not say; then it is the side with the lower port."""
    client = _address(alert.flow.src_ip) if alert.flow else None
    if client in (source, destination):
        return destination if client == source else source
    if alert.direction in ("to_server", "to_client"):
        return destination if alert.direction == "to_server" else source
    if alert.src_port is None or alert.dest_port is None or alert.src_port == alert.dest_port:
        return None
    return destination if alert.dest_port < alert.src_port else source


def _of_server(alert: Alert, remote: _Address, source: _Address) -> Iterator[Found]:
    http = alert.http
    if http is not None and http.hostname:
        if _address(http.hostname) is None:
            yield IndicatorType.DOMAIN_NAME, http.hostname
        port = alert.src_port if remote == source else alert.dest_port
        yield IndicatorType.URL, _url(http.hostname, http.url or "/", port)
    if alert.tls is not None and alert.tls.sni:
        yield IndicatorType.DOMAIN_NAME, alert.tls.sni


def _url(host: str, path: str, port: int | None) -> str:
    if "://" in path:  # a request to a proxy names the whole URL
        return path
    authority = host if port in (None, _HTTP_PORT) else f"{host}:{port}"
    return f"http://{authority}{path if path.startswith('/') else '/' + path}"


def _of_client(tls: _Tls | None) -> Iterator[Found]:
    if tls is None:
        return
    ja3 = tls.ja3.get("hash") if isinstance(tls.ja3, dict) else tls.ja3
    if isinstance(ja3, str) and ja3:
        yield IndicatorType.JA3, ja3
    if tls.ja4:
        yield IndicatorType.JA4, tls.ja4


def _queried(dns: Any) -> list[str]:
    """The names that were asked for: ``query`` up to version 2 of EVE's DNS records, ``queries`` from 3 on."""
    if not isinstance(dns, dict):
        return []
    several = [entry for key in ("query", "queries") if isinstance(dns.get(key), list) for entry in dns[key]]
    names = [entry.get("rrname") for entry in (*several, dns) if isinstance(entry, dict)]
    return list(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def _words(cell: Any) -> list[str]:
    """A rule's metadata are lists of words; underscores stand for blanks there, and stay."""
    return [word for word in cell if isinstance(word, str)] if isinstance(cell, list) else []


def _address(text: str | None) -> _Address | None:
    try:
        return ip_address(text) if text else None
    except ValueError:
        return None
