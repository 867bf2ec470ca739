"""The enrichment of each type of indicator."""

import pytest

from exchange.errors import ConfigurationError
from schemas.canary import CANARY_VALUE
from schemas.markings import Activity
from schemas.vocabulary import IndicatorType
from streams.enrichment.enrich import MAX_WARNINGLISTS, NOTHING_KNOWN, Enricher, Enrichment
from streams.enrichment.public_suffix import PublicSuffixes
from tests.streams.enrichment_builders import (
    ADDRESS_ATTRIBUTES,
    EMAIL_ATTRIBUTES,
    HASH_ATTRIBUTES,
    NAME_ATTRIBUTES,
    SUFFIX_RULES,
    a_network_table,
    a_warninglist,
    an_empty_network_table,
    an_enricher,
    an_index,
)

EMPTY_FILE_MD5 = "d41d8cd98f00b204e9800998ecf8427e"

LISTS = (
    a_warninglist("banks", "hostname", [".bank.example"], NAME_ATTRIBUTES),
    a_warninglist("empty-files", "string", [EMPTY_FILE_MD5], HASH_ATTRIBUTES),
    a_warninglist("resolvers", "cidr", ["192.0.2.53", "2001:db8:1::/64"], ADDRESS_ATTRIBUTES),
    a_warninglist("rented", "cidr", ["192.0.2.0/26"], ADDRESS_ATTRIBUTES, is_known=True),
    a_warninglist("throwaway", "substring", ["@mail.pages.example"], EMAIL_ATTRIBUTES, is_known=True),
)


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return an_enricher(*LISTS)


def test_an_address_has_its_network_its_special_use_and_its_warninglists(enricher: Enricher) -> None:
    assert enricher.enrich(IndicatorType.IPV4_ADDR, "192.0.2.53") == Enrichment(
        asn=64500,
        country="JP",
        warninglists=("rented", "resolvers"),
        benign=True,
        special_use="documentation",
    )


def test_a_known_identifier_is_listed_but_not_benign(enricher: Enricher) -> None:
    found = enricher.enrich(IndicatorType.IPV4_ADDR, "192.0.2.1")
    assert (found.warninglists, found.benign) == (("rented",), False)


def test_an_ipv6_address_is_looked_up_in_the_same_way(enricher: Enricher) -> None:
    found = enricher.enrich(IndicatorType.IPV6_ADDR, "2001:db8:1::35")
    assert found == Enrichment("", "", 64501, "GB", ("resolvers",), True, "documentation")


def test_a_network_is_known_by_its_first_address(enricher: Enricher) -> None:
    assert enricher.enrich(IndicatorType.IPV4_NET, "192.0.2.0/24").asn == 64500
    assert enricher.enrich(IndicatorType.IPV6_NET, "2001:db8:1::/48").country == "GB"


def test_a_network_is_on_a_list_only_if_all_of_it_is(enricher: Enricher) -> None:
    assert enricher.enrich(IndicatorType.IPV4_NET, "192.0.2.32/27").warninglists == ("rented",)
    assert enricher.enrich(IndicatorType.IPV4_NET, "192.0.2.0/25").warninglists == ()
    assert enricher.enrich(IndicatorType.IPV6_NET, "2001:db8:1::/64").benign
    assert not enricher.enrich(IndicatorType.IPV6_NET, "2001:db8:1::/63").benign


@pytest.mark.parametrize(
    ("name", "suffix", "registered"),
    [
        ("www.shop.example", "example", "shop.example"),
        ("www.shop.co.jp", "co.jp", "shop.co.jp"),
        ("someone.pages.example", "pages.example", "someone.pages.example"),
        ("pages.example", "pages.example", ""),
        ("a.b.kawasaki.jp", "b.kawasaki.jp", "a.b.kawasaki.jp"),
        ("www.city.kawasaki.jp", "kawasaki.jp", "city.kawasaki.jp"),
        ("files.corp.internal", "", ""),
    ],
)
def test_a_domain_is_split_at_its_public_suffix(enricher: Enricher, name: str, suffix: str, registered: str) -> None:
    found = enricher.enrich(IndicatorType.DOMAIN_NAME, name)
    assert (found.public_suffix, found.registered_domain) == (suffix, registered)


def test_a_domain_under_a_top_level_domain_that_does_not_exist_is_undelegated(enricher: Enricher) -> None:
    assert enricher.enrich(IndicatorType.DOMAIN_NAME, "files.corp.lan").special_use == "undelegated"
    assert enricher.enrich(IndicatorType.DOMAIN_NAME, "files.corp.internal").special_use == "private"
    assert enricher.enrich(IndicatorType.DOMAIN_NAME, "www.shop.co.jp").special_use == ""


@pytest.mark.parametrize(
    ("url", "known_as"),
    [
        ("https://www.bank.example:8443/login?next=/", (IndicatorType.DOMAIN_NAME, "www.bank.example")),
        ("http://192.0.2.53/a.sh", (IndicatorType.IPV4_ADDR, "192.0.2.53")),
        ("tcp://192.0.2.53:4444", (IndicatorType.IPV4_ADDR, "192.0.2.53")),
        ("http://[2001:db8:1::35]/a.sh", (IndicatorType.IPV6_ADDR, "2001:db8:1::35")),
        ("http://www.bank.example./", (IndicatorType.DOMAIN_NAME, "www.bank.example")),
        ("http://intranet/", (IndicatorType.DOMAIN_NAME, "intranet")),
    ],
)
def test_a_url_is_known_by_its_host(enricher: Enricher, url: str, known_as: tuple[IndicatorType, str]) -> None:
    assert enricher.enrich(IndicatorType.URL, url) == enricher.enrich(*known_as)


def test_an_email_address_is_known_by_its_domain_but_listed_as_a_whole(enricher: Enricher) -> None:
    found = enricher.enrich(IndicatorType.EMAIL_ADDR, "someone@mail.bank.example")
    assert (found.registered_domain, found.public_suffix) == ("bank.example", "example")
    assert found.warninglists == ()
    thrown_away = enricher.enrich(IndicatorType.EMAIL_ADDR, "someone@mail.pages.example")
    assert (thrown_away.warninglists, thrown_away.benign) == (("throwaway",), False)


def test_a_file_hash_is_looked_up_in_the_lists_of_hashes(enricher: Enricher) -> None:
    found = enricher.enrich(IndicatorType.FILE_MD5, EMPTY_FILE_MD5)
    assert found == Enrichment(warninglists=("empty-files",), benign=True)
    assert enricher.enrich(IndicatorType.FILE_SHA256, "0" * 64) is NOTHING_KNOWN
    assert enricher.enrich(IndicatorType.FILE_SHA512, "0" * 128) is NOTHING_KNOWN


def test_an_autonomous_system_is_its_own_number(enricher: Enricher) -> None:
    assert enricher.enrich(IndicatorType.AUTONOMOUS_SYSTEM, "AS64500") == Enrichment(
        asn=64500, special_use="documentation"
    )


@pytest.mark.parametrize("kind", [IndicatorType.JA3, IndicatorType.JA4, IndicatorType.FILE_NAME])
def test_of_some_types_nothing_is_known(enricher: Enricher, kind: IndicatorType) -> None:
    assert enricher.enrich(kind, EMPTY_FILE_MD5) is NOTHING_KNOWN


def test_no_more_than_a_few_names_of_lists_are_carried_but_all_of_them_count() -> None:
    lists = [
        a_warninglist(f"list-{number:02}", "hostname", ["bank.example"], NAME_ATTRIBUTES, is_known=number < 10)
        for number in range(11)
    ]
    found = an_enricher(*lists).enrich(IndicatorType.DOMAIN_NAME, "bank.example")
    assert found.warninglists == tuple(f"list-{number:02}" for number in range(MAX_WARNINGLISTS))
    assert found.benign


def test_every_source_is_named_with_its_version_and_is_local(enricher: Enricher) -> None:
    names = [source.name for source in enricher.sources]
    registries = ["misp-warninglists", "networks", "public-suffix-list", "special-use"]
    assert sorted(names) == sorted([*registries, "well-known-file-names", "well-known-of-hosts", "local-query"])
    assert all(source.version for source in enricher.sources)
    assert {source.activity for source in enricher.sources} == {Activity.PASSIVE_LOCAL}


def test_a_source_whose_queries_could_be_noticed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PublicSuffixes, "activity", Activity.PASSIVE_REMOTE)
    with pytest.raises(ConfigurationError, match="public-suffix-list is passive-remote, which PAP:RED does not allow"):
        an_enricher()


def test_the_version_changes_with_any_of_the_data(enricher: Enricher) -> None:
    suffixes, networks, index = PublicSuffixes(SUFFIX_RULES), a_network_table(), an_index(*LISTS)
    assert Enricher(suffixes, networks, index).version == enricher.version
    others = (
        Enricher(PublicSuffixes("example"), networks, index),
        Enricher(suffixes, an_empty_network_table(), index),
        Enricher(suffixes, networks, an_index(*LISTS[1:])),
    )
    assert len({enricher.version, *(other.version for other in others)}) == 4


def test_of_all_names_that_are_reserved_for_documentation_the_canary_alone_may_pass(enricher: Enricher) -> None:
    assert enricher.enrich(IndicatorType.DOMAIN_NAME, CANARY_VALUE).special_use == ""
    for kind, value in (
        (IndicatorType.DOMAIN_NAME, f"a.{CANARY_VALUE}"),
        (IndicatorType.DOMAIN_NAME, "kakehashi.example"),
        (IndicatorType.URL, f"http://{CANARY_VALUE}/"),
        (IndicatorType.EMAIL_ADDR, f"a@{CANARY_VALUE}"),
    ):
        assert enricher.enrich(kind, value).special_use == "documentation", value
