"""Which side of a Suricata alert is the threat, and whether it is the server or the client of the flow.

The threat is the side that is not ours. Ours are the private networks and the operator's home networks; a rule with the
keyword ``target`` states itself who attacks. If neither side is ours it cannot be known which one is the threat, and
publishing the wrong one would publish a victim: the alert is refused, with advice. Between two addresses of ours there
is nothing to share, unless our own proxy passed a request on for a foreign client (``xff``).

Any client can write ``xff``: it is believed only if the address that connected is ours.
"""

import msgspec

from producers.readers.home import Address, Nothing, Undecided, address_of, is_ours
from producers.readers.reading import Defaults
from producers.readers.suricata_record import Alert
from schemas.vocabulary import RejectReason


class Sides(msgspec.Struct, frozen=True):
    """The threat's address, its part in the flow (``None`` if unknown), and whether it sent the alerted packet."""

    remote: Address
    is_server: bool | None
    is_sender: bool


def sides_of(alert: Alert, defaults: Defaults) -> Sides | Undecided | Nothing:
    """The side that is the threat, or why there is none."""
    source, destination = address_of(alert.src_ip), address_of(alert.dest_ip)
    if source is None or destination is None:
        detail = (
            "the alert has no two addresses: if a collector has moved them (`source.ip`), send Suricata's own eve.json"
        )
        return Undecided(detail, RejectReason.UNREADABLE_LINE)
    from_ours, to_ours = is_ours(source, defaults), is_ours(destination, defaults)
    server = _server(alert, source, destination)
    attacker = address_of(alert.alert.source.ip) if alert.alert.source and alert.alert.target else None
    if attacker is not None and attacker in (source, destination):
        if to_ours if attacker == destination else from_ours:
            return Nothing("the attacker is one of ours")
        remote = attacker
    elif from_ours and to_ours:
        return _passed_on(alert, defaults, server)
    elif from_ours or to_ours:
        remote = destination if from_ours else source
    else:
        return Undecided(
            f"neither {source} nor {destination} is in a home network, so which of them is the threat is unknown: "
            "name your own networks with --home-net",
            RejectReason.NO_HOME_NETWORK,
        )
    if not remote.is_host:
        return Nothing(f"{remote} is no host's address")
    is_server = None if server is None else server == remote
    if not is_server and (forwarded := alert.forwarded) and forwarded != str(remote):
        return Undecided(
            f"{remote} is a proxy: it passed the request on for {forwarded[:40]!r}, which anybody can write. If the "
            "proxy is yours, name it with --home-net",
            RejectReason.NO_HOME_NETWORK,
        )
    return Sides(remote, is_server, remote == source)


def _passed_on(alert: Alert, defaults: Defaults, server: Address | None) -> Sides | Undecided | Nothing:
    """Between two of ours: the client for whom our own proxy connected to our server, if there is one."""
    forwarded = alert.forwarded
    if not forwarded:
        return Nothing("both sides are ours")
    client = address_of(forwarded)
    if client is None:
        detail = f"the proxy names {forwarded[:40]!r}, which is not one address"
        return Undecided(detail, RejectReason.UNREADABLE_LINE)
    if is_ours(client, defaults):
        return Nothing("both sides are ours")
    return Sides(client, False, alert.src_ip != str(server))


def _server(alert: Alert, source: Address, destination: Address) -> Address | None:
    """Which side answered. Old records do not state it; then it is the side with the lower port."""
    client = address_of(alert.flow.src_ip) if alert.flow else None
    if client in (source, destination):
        return destination if client == source else source
    if alert.direction in ("to_server", "to_client"):
        return destination if alert.direction == "to_server" else source
    if alert.src_port is None or alert.dest_port is None or alert.src_port == alert.dest_port:
        return None
    return destination if alert.dest_port < alert.src_port else source
