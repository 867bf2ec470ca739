"""Enriches an indicator with facts about its value, from data on this machine alone.

All data is loaded once: enriching is a pure function of the value and of
``Enricher.version``. ``docs/enrichment.md`` explains the data sources and each field.
"""

import hashlib
import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

import ada_url
import msgspec

from exchange.errors import ConfigurationError
from schemas.canary import CANARY_VALUE
from schemas.markings import Activity, Pap
from schemas.vocabulary import IndicatorType
from streams.enrichment import file_names, local_query, of_hosts, special_use
from streams.enrichment.networks import NetworkTable, Origin
from streams.enrichment.public_suffix import PublicSuffixes
from streams.enrichment.warninglist_index import NO_MATCHES, Matches, WarninglistIndex

MAX_WARNINGLISTS: Final = 8
"""The maximum number of names in an enrichment: a search engine is on a dozen lists."""

_HOST: Final = re.compile(r"[a-z][a-z+]*://(\[[^\]]*\]|[^\[\]/:?#]+)(?=[/:?]|$)")
UNDELEGATED: Final = "undelegated"


class Enrichment(msgspec.Struct, frozen=True, gc=False):
    """The facts about a value. Empty or 0 means unknown, or that it does not apply to the type."""

    registered_domain: str = ""
    """The name that someone registered, one label below the public suffix."""
    public_suffix: str = ""
    """By the Public Suffix List, private section included; empty under a top-level domain it does not know."""
    asn: int = 0
    """The autonomous system that announces the address; for an autonomous system its own number."""
    country: str = ""
    """ISO 3166-1 alpha-2 code that the internet registry recorded for the address block."""
    warninglists: tuple[str, ...] = ()
    """Names of the MISP warninglists that contain it, sorted, the first ``MAX_WARNINGLISTS``."""
    benign: bool = False
    """It is on a false-positive list, and not merely below a name where anyone can register (``duckdns.org``)."""
    special_use: str = ""
    """What IANA set the addresses, AS number or domain name aside for, such as ``private``; of a network, any of it.

    ``undelegated`` is a name under a top-level domain that the public DNS does not have: an internal one.
    """
    local_query: bool = False
    """A URL that carries something local behind its host: an address, a name inside a network, or credentials; a user
    agent, mutex or registry key that does, or names an account or its folder."""


NOTHING_KNOWN: Final = Enrichment()
_WELL_KNOWN_OF_HOSTS: Final = Enrichment(warninglists=(of_hosts.NAME,), benign=True)
_WELL_KNOWN_FILE: Final = Enrichment(warninglists=(file_names.NAME,), benign=True)


class EnrichmentSource(msgspec.Struct, frozen=True):
    """One source of data: its name, its version, and who can notice a query."""

    name: str
    version: str
    activity: Activity


class Enricher:
    """All sources, loaded. Safe to share between threads."""

    def __init__(self, suffixes: PublicSuffixes, networks: NetworkTable, warninglists: WarninglistIndex) -> None:
        """Take the data; nothing else is read later.

        Raises ConfigurationError for a source whose queries others could notice: every indicator is looked up, under
        any PAP, and the result is kept when its source tightens the PAP. So PAP:RED must allow each source.
        """
        self._suffixes = suffixes
        self._networks = networks
        self._warninglists = warninglists
        self.sources = (
            EnrichmentSource("misp-warninglists", warninglists.version, warninglists.activity),
            EnrichmentSource("networks", networks.version, networks.activity),
            EnrichmentSource("public-suffix-list", suffixes.version, suffixes.activity),
            EnrichmentSource("special-use", special_use.VERSION, special_use.ACTIVITY),
            EnrichmentSource(file_names.NAME, file_names.VERSION, file_names.ACTIVITY),
            EnrichmentSource(of_hosts.NAME, of_hosts.VERSION, of_hosts.ACTIVITY),
            EnrichmentSource("local-query", local_query.VERSION, special_use.ACTIVITY),
        )
        for source in self.sources:
            if not Pap.RED.allows(source.activity):
                raise ConfigurationError(
                    f"the enrichment source {source.name} is {source.activity.label}, which PAP:RED does not allow: "
                    "query it outside of the stream, for indicators whose PAP allows it"
                )
        self.warninglist_titles = {each.name: each.title for each in warninglists.warninglists}
        self.warninglist_titles[file_names.NAME] = "Well-known file names of systems and common software"
        self.warninglist_titles[of_hosts.NAME] = (
            "User agents, mutexes, registry keys and imphashes of harmless machines"
        )
        """What MISP shows people for each name in ``Enrichment.warninglists``."""
        listed = "\n".join(f"{each.name} {each.version}" for each in self.sources)
        self.version = hashlib.sha256(listed.encode()).hexdigest()[:16]

    def enrich(self, kind: IndicatorType, value: str) -> Enrichment:
        """Enrich a canonical value.

        A URL is known by its host, a network by its first address (but is on a warninglist only if all of it is, and of
        special use if any of it is), an e-mail address by its domain (but for warninglists as a whole).
        """
        match kind:  # the most frequent types first
            case IndicatorType.DOMAIN_NAME:
                return NOTHING_KNOWN if value == CANARY_VALUE else self._domain(kind, value)  # it is reserved to pass
            case IndicatorType.URL:
                return self._url(value)
            case IndicatorType.IPV4_ADDR:
                address = int(IPv4Address(value))
                return self._ipv4(kind, value, address, address)
            case IndicatorType.IPV6_ADDR:
                address = int(IPv6Address(value))
                return self._ipv6(kind, value, address, address)
            case IndicatorType.EMAIL_ADDR:
                return self._email(value)
            case IndicatorType.IPV4_NET:
                ipv4 = IPv4Network(value)
                return self._ipv4(kind, value, int(ipv4.network_address), int(ipv4.broadcast_address))
            case IndicatorType.IPV6_NET:
                ipv6 = IPv6Network(value)
                return self._ipv6(kind, value, int(ipv6.network_address), int(ipv6.broadcast_address))
            case IndicatorType.AUTONOMOUS_SYSTEM:
                number = int(value.removeprefix("AS"))
                return Enrichment(asn=number, special_use=special_use.special_use_of_as(number))
            case IndicatorType.FILE_NAME:
                return _WELL_KNOWN_FILE if file_names.is_well_known(value) else NOTHING_KNOWN
            case IndicatorType.JA3 | IndicatorType.JA4:
                return NOTHING_KNOWN  # no data source has these
            case _ if kind in of_hosts.TYPES:
                return _of_property(kind, value)
            case _:
                return _of_hash(self._warninglists.match_hash(kind, value))

    def _ipv4(self, kind: IndicatorType, text: str, first: int, last: int) -> Enrichment:
        origin = self._networks.of_ipv4(first)
        use = special_use.special_use_of_ipv4(first, last)
        return _of_address(origin, use, self._warninglists.match_ipv4(kind, text, first, last))

    def _ipv6(self, kind: IndicatorType, text: str, first: int, last: int) -> Enrichment:
        origin = self._networks.of_ipv6(first)
        use = special_use.special_use_of_ipv6(first, last)
        return _of_address(origin, use, self._warninglists.match_ipv6(kind, text, first, last))

    def _domain(self, kind: IndicatorType, name: str) -> Enrichment:
        suffix, registered = self._suffixes.split(name)
        found = self._warninglists.match_domain(kind, name, suffix)
        return Enrichment(
            registered_domain=registered,
            public_suffix=suffix,
            warninglists=found.names[:MAX_WARNINGLISTS],
            benign=found.benign,
            special_use=_use_of_name(name, suffix),
        )

    def _url(self, value: str) -> Enrichment:
        found = self._of_host(value)
        return msgspec.structs.replace(found, local_query=True) if local_query.has_local_query(value) else found

    def _of_host(self, value: str) -> Enrichment:
        host = host_of(value).removesuffix(".")
        if host.startswith("["):
            address = int(IPv6Address(host[1:-1]))
            return self._ipv6(IndicatorType.URL, host[1:-1], address, address)
        if host.rpartition(".")[2].isdigit():  # the last label of a name begins with a letter
            address = int(IPv4Address(host))
            return self._ipv4(IndicatorType.URL, host, address, address)
        return self._domain(IndicatorType.URL, host)

    def _email(self, address: str) -> Enrichment:
        domain = address.rpartition("@")[2]
        suffix, registered = self._suffixes.split(domain)
        found = self._warninglists.match_email(address)
        return Enrichment(
            registered_domain=registered,
            public_suffix=suffix,
            warninglists=found.names[:MAX_WARNINGLISTS],
            benign=found.benign,
            special_use=_use_of_name(domain, suffix),
        )


def host_of(url: str) -> str:
    """The host of a canonical URL: it has no credentials, and its host is spelt as the URL Standard writes it."""
    found = None if "@" in url else _HOST.match(url)
    return ada_url.URL(url).hostname if found is None else found[1]


def _of_address(origin: Origin, use: str, found: Matches) -> Enrichment:
    return Enrichment(
        asn=origin.asn,
        country=origin.country,
        warninglists=found.names[:MAX_WARNINGLISTS],
        benign=found.benign,
        special_use=use,
    )


def _of_property(kind: IndicatorType, value: str) -> Enrichment:
    known = _WELL_KNOWN_OF_HOSTS if of_hosts.is_well_known(kind, value) else NOTHING_KNOWN
    is_local = kind is not IndicatorType.IMPHASH and local_query.is_of_a_person(value)
    return msgspec.structs.replace(known, local_query=True) if is_local else known


def _use_of_name(name: str, public_suffix: str) -> str:
    return special_use.special_use_of_domain(name) or ("" if public_suffix else UNDELEGATED)


def _of_hash(found: Matches) -> Enrichment:
    if found is NO_MATCHES:
        return NOTHING_KNOWN
    return Enrichment(warninglists=found.names[:MAX_WARNINGLISTS], benign=found.benign)
