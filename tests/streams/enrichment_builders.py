"""Small reference data for the tests of enrichment: made up, in the formats of the real data."""

import polars as pl

from streams.enrichment.compile_warninglists import compile_index
from streams.enrichment.enrich import Enricher
from streams.enrichment.networks import NetworkTable
from streams.enrichment.public_suffix import PublicSuffixes
from streams.enrichment.warninglist_index import WarninglistIndex
from streams.enrichment.warninglists import Warninglist, WarninglistCategory
from tools.build_networks import IPV4_BITS, IPV6_BITS, Edge, table

SUFFIX_RULES = """
// ===BEGIN ICANN DOMAINS===
example
jp
co.jp
*.kawasaki.jp
!city.kawasaki.jp
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
pages.example
// ===END PRIVATE DOMAINS===
"""

NAME_ATTRIBUTES = ("domain", "hostname", "url")
ADDRESS_ATTRIBUTES = ("ip-src", "ip-dst")
HASH_ATTRIBUTES = ("md5", "sha1", "sha256")
EMAIL_ATTRIBUTES = ("email-src", "email-dst")


def a_warninglist(
    name: str,
    form: str,
    entries: list[str],
    attributes: tuple[str, ...],
    *,
    is_known: bool = False,
    is_open_to_anyone: bool = False,
) -> Warninglist:
    """A warninglist; a false-positive list by default."""
    known = is_known or is_open_to_anyone
    return Warninglist(
        name=name,
        title=f"Title of {name}",
        category=WarninglistCategory.KNOWN_IDENTIFIER if known else WarninglistCategory.FALSE_POSITIVE,
        is_open_to_anyone=is_open_to_anyone,
        form=form,
        attributes=frozenset(attributes),
        entries=entries,
        digest="",
    )


def an_index(*warninglists: Warninglist) -> WarninglistIndex:
    """Compiled, in memory."""
    return compile_index(warninglists).index()


def a_network_table() -> NetworkTable:
    """192.0.2.0/25 belongs to AS64500 in Japan, 2001:db8:1::/48 to AS64501 in Great Britain."""
    ipv4: list[Edge[tuple[str, str]]] = [(0, ("", "")), (0xC0000200, ("64500", "JP")), (0xC0000280, ("", ""))]
    start = 0x20010DB800010000
    ipv6: list[Edge[tuple[str, str]]] = [(0, ("", "")), (start, ("64501", "GB")), (start + 0x10000, ("", ""))]
    return NetworkTable(table(ipv4, IPV4_BITS), table(ipv6, IPV6_BITS), "networks-1")


def an_empty_network_table() -> NetworkTable:
    """Knows no address."""
    nowhere: list[Edge[tuple[str, str]]] = [(0, ("", ""))]
    empty: tuple[pl.DataFrame, pl.DataFrame] = (table(nowhere, IPV4_BITS), table(nowhere, IPV6_BITS))
    return NetworkTable(*empty, "networks-0")


def an_enricher(*warninglists: Warninglist) -> Enricher:
    """An enricher with the rules, the networks and the lists above."""
    return Enricher(PublicSuffixes(SUFFIX_RULES), a_network_table(), an_index(*warninglists))
