"""The index of warninglists: MISP's rules, the same answers as MISP's own library, and what counts as benign."""

from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import IndicatorType
from streams.enrichment.public_suffix import PublicSuffixes
from streams.enrichment.warninglist_index import NO_MATCHES, Matches, WarninglistIndex
from streams.enrichment.warninglists import (
    WarninglistCategory,
    installed_folder,
    our_categories,
    read_warninglists,
)
from tests.streams.enrichment_builders import (
    ADDRESS_ATTRIBUTES,
    EMAIL_ATTRIBUTES,
    NAME_ATTRIBUTES,
    a_warninglist,
    an_index,
)

DOMAIN, URL = IndicatorType.DOMAIN_NAME, IndicatorType.URL


def test_a_hostname_entry_applies_to_the_name_and_all_names_below_it() -> None:
    index = an_index(a_warninglist("banks", "hostname", [".Bank.example"], NAME_ATTRIBUTES))
    assert index.match_domain(DOMAIN, "bank.example", "example").names == ("banks",)
    assert index.match_domain(DOMAIN, "a.b.bank.example", "example").names == ("banks",)
    assert index.match_domain(DOMAIN, "otherbank.example", "example") == NO_MATCHES
    assert index.match_domain(DOMAIN, "example", "example") == NO_MATCHES


def test_a_string_entry_applies_to_itself_only() -> None:
    index = an_index(a_warninglist("top", "string", ["bank.example"], NAME_ATTRIBUTES))
    assert index.match_domain(DOMAIN, "bank.example", "example").benign
    assert index.match_domain(DOMAIN, "www.bank.example", "example") == NO_MATCHES


def test_a_list_applies_only_to_its_types() -> None:
    index = an_index(
        a_warninglist("names", "hostname", ["bank.example"], ("domain",)),
        a_warninglist("urls", "hostname", ["bank.example"], ("url",)),
        a_warninglist("whatever", "hostname", ["bank.example"], ()),
        a_warninglist("phones", "string", ["bank.example"], ("phone-number",)),
    )
    assert index.match_domain(DOMAIN, "bank.example", "example").names == ("names", "whatever")
    assert index.match_domain(URL, "bank.example", "example").names == ("names", "urls", "whatever")


@pytest.mark.parametrize(
    ("kind", "name", "benign"),
    [
        (DOMAIN, "pages.example", True),  # to block it would be to block everyone there
        (DOMAIN, "someone.pages.example", False),
        (URL, "pages.example", True),
        (URL, "someone.pages.example", False),
    ],
)
def test_a_well_known_public_suffix_is_no_evidence_for_the_names_below_it(
    kind: IndicatorType, name: str, benign: bool
) -> None:
    index = an_index(a_warninglist("top", "hostname", ["pages.example"], NAME_ATTRIBUTES))
    assert index.match_domain(kind, name, "pages.example") == Matches(("top",), benign)


@pytest.mark.parametrize(
    ("kind", "name", "benign"),
    [
        (DOMAIN, "drive.example", True),
        (DOMAIN, "someone.drive.example", False),
        (URL, "drive.example", False),  # what is at the URL may be anyone's
        (DOMAIN, "office.drive.example", True),  # the trusted name is below the place open to anyone
        (URL, "office.drive.example", True),
    ],
)
def test_a_well_known_service_open_to_anyone_is_no_evidence_for_its_names(
    kind: IndicatorType, name: str, benign: bool
) -> None:
    index = an_index(
        a_warninglist("top", "hostname", ["drive.example", "office.drive.example"], NAME_ATTRIBUTES),
        a_warninglist("trusted", "hostname", ["drive.example"], NAME_ATTRIBUTES, is_open_to_anyone=True),
    )
    assert index.match_domain(kind, name, "example") == Matches(("top", "trusted"), benign)


def test_networks_of_one_list_add_up() -> None:
    nets = ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.0/28", "198.51.100.7", "not a network", "2001:db8::/64"]
    index = an_index(a_warninglist("nets", "cidr", nets, ADDRESS_ATTRIBUTES))
    assert _matches_network(index, "192.0.2.0/25").names == ("nets",)
    assert _matches_network(index, "192.0.2.0/24") == NO_MATCHES
    assert _matches_network(index, "198.51.100.7/32").names == ("nets",)
    assert _matches_network(index, "2001:db8::5/128").names == ("nets",)
    assert _matches_network(index, "2001:db8:0:1::/128") == NO_MATCHES


def test_the_last_address_of_all_can_be_listed() -> None:
    index = an_index(a_warninglist("ends", "cidr", ["255.255.255.255", "0.0.0.0/8", "ff00::/8"], ADDRESS_ATTRIBUTES))
    for network in ("255.255.255.255/32", "0.0.0.0/32", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"):
        assert _matches_network(index, network).names == ("ends",)
    assert _matches_network(index, "255.255.255.254/32") == NO_MATCHES


def test_a_substring_entry_applies_to_any_value_that_contains_it() -> None:
    index = an_index(
        a_warninglist("throwaway", "substring", ["mail.example", "m.ex"], EMAIL_ATTRIBUTES, is_known=True),
        a_warninglist("sandboxes", "substring", ["sandbox.example"], NAME_ATTRIBUTES),
    )
    assert index.match_email("a@hotmail.example").names == ("throwaway",)
    assert index.match_email("a@m.ex").names == ("throwaway",)
    assert index.match_email("a@x") == NO_MATCHES
    assert index.match_domain(DOMAIN, "my-sandbox.example", "example").names == ("sandboxes",)


@given(
    st.sets(st.text("ab.@", min_size=1, max_size=7), min_size=1, max_size=4),
    st.text("ab.", min_size=1, max_size=14),
)
def test_a_substring_is_found_wherever_it_is(entries: set[str], name: str) -> None:
    lists = [a_warninglist(entry, "substring", [entry], EMAIL_ATTRIBUTES) for entry in sorted(entries)]
    address = f"a@{name}"
    assert an_index(*lists).match_email(address).names == tuple(sorted(each for each in entries if each in address))


def test_a_regular_expression_applies_to_any_value_that_it_matches() -> None:
    index = an_index(
        a_warninglist("contacts", "regex", [r"/^(abuse|noc)\@.*\..*$/i"], EMAIL_ATTRIBUTES),
        a_warninglist("exact-case", "regex", ["/^Nobody@/"], EMAIL_ATTRIBUTES),
    )
    assert index.match_email("abuse@bank.example").names == ("contacts",)
    assert index.match_email("not-abuse@bank.example") == NO_MATCHES
    assert index.match_email("nobody@bank.example") == NO_MATCHES


def test_an_index_of_nothing_finds_nothing() -> None:
    index = an_index()
    assert index.match_domain(DOMAIN, "bank.example", "example") == NO_MATCHES
    assert _matches_network(index, "192.0.2.1/32") == NO_MATCHES
    assert index.match_hash(IndicatorType.FILE_MD5, "0" * 32) == NO_MATCHES
    assert index.match_email("a@bank.example") == NO_MATCHES


networks = st.lists(
    st.builds(
        lambda host, length: str(ip_network((0xC0000200 | host, length), strict=False)),
        st.integers(0, 255),
        st.integers(24, 32),
    ),
    max_size=6,
)


@given(st.lists(networks, min_size=1, max_size=3), st.integers(0, 255), st.integers(24, 32))
def test_a_network_is_on_a_list_exactly_if_each_of_its_addresses_is(
    lists: list[list[str]], host: int, length: int
) -> None:
    index = an_index(*(a_warninglist(f"{at}", "cidr", entries, ADDRESS_ATTRIBUTES) for at, entries in enumerate(lists)))
    network = ip_network((0xC0000200 | host, length), strict=False)
    expected = tuple(
        f"{at}"
        for at, entries in enumerate(lists)
        if all(any(address in ip_network(entry) for entry in entries) for address in network)
    )
    assert _matches_network(index, str(network)).names == expected


def test_every_list_that_we_put_in_a_category_exists_and_has_a_reason() -> None:
    installed = {path.parent.name for path in installed_folder().glob("*/list.json")}
    for section in our_categories().values():
        assert section.keys() <= installed
        assert all(section.values())


@pytest.mark.parametrize(
    ("folder", "stated", "category", "is_open_to_anyone"),
    [
        ("anything", "", WarninglistCategory.FALSE_POSITIVE, False),
        ("tranco", "", WarninglistCategory.KNOWN_IDENTIFIER, False),
        ("lots-project", "", WarninglistCategory.KNOWN_IDENTIFIER, True),
        ("anything", "known", WarninglistCategory.KNOWN_IDENTIFIER, False),
        ("tranco", "false_positive", WarninglistCategory.FALSE_POSITIVE, False),
    ],
)
def test_a_list_has_the_category_it_states_or_else_ours_or_else_misps_default(
    tmp_path: Path, folder: str, stated: str, category: WarninglistCategory, is_open_to_anyone: bool
) -> None:
    content = {"name": "Title", "type": "string", "list": ["bank.example"], "category": stated}
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "list.json").write_bytes(msgspec.json.encode(content))
    (found,) = read_warninglists(tmp_path)
    assert (found.name, found.title) == (folder, "Title")
    assert (found.category, found.is_open_to_anyone) == (category, is_open_to_anyone)


def test_the_public_suffix_list_knows_international_names_in_their_wire_form() -> None:
    suffixes = PublicSuffixes("みんな\n")
    assert suffixes.split("www.xn--n8j.xn--q9jyb4c") == ("xn--q9jyb4c", "xn--n8j.xn--q9jyb4c")


def _matches_network(index: WarninglistIndex, network: str) -> Matches:
    bounds = ip_network(network, strict=False)
    first, last = int(bounds.network_address), int(bounds.broadcast_address)
    if bounds.version == 4:
        return index.match_ipv4(IndicatorType.IPV4_NET, network, first, last)
    return index.match_ipv6(IndicatorType.IPV6_NET, network, first, last)
