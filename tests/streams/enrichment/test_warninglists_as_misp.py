"""MISP's own library gives the same answers on every installed list."""

import itertools
import random
from collections.abc import Iterator
from ipaddress import ip_network

import msgspec
import pytest
from pymispwarninglists import WarningLists  # type: ignore[attr-defined]

from schemas.vocabulary import IndicatorType
from streams.enrichment.warninglists import (
    MISP_ATTRIBUTES,
    Warninglist,
    installed_folder,
    read_warninglists,
)
from tests.streams.enrichment_builders import (
    an_index,
)


@pytest.fixture(scope="module")
def some_of_each_list() -> list[Warninglist]:
    """The installed lists, cut down to a hundred entries each, without their spelling mistakes."""
    chosen = random.Random(20261123)
    return [
        msgspec.structs.replace(
            each,
            entries=sorted(
                {
                    entry.strip(".").lower() if each.form == "hostname" else entry.lower()
                    for entry in chosen.sample(each.entries, min(100, len(each.entries)))
                }
            ),
        )
        for each in read_warninglists(installed_folder())
    ]


@pytest.fixture(scope="module")
def misp(some_of_each_list: list[Warninglist]) -> WarningLists:
    return WarningLists(
        slow_search=True,
        lists=[
            {
                "name": each.name,
                "description": each.title,
                "version": 1,
                "type": each.form,
                "list": each.entries,
                "matching_attributes": sorted(each.attributes),
            }
            for each in some_of_each_list
            if each.form != "regex"  # its search does not know them
        ],
    )


def _by_misp(misp: WarningLists, kind: IndicatorType, value: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            found.name
            for found in misp.search(value)
            if not MISP_ATTRIBUTES[kind].isdisjoint(found.matching_attributes)
        )
    )


def _some_entries(lists: list[Warninglist], forms: tuple[str, ...], kind: IndicatorType) -> Iterator[str]:
    for each in lists:
        if each.form in forms and not each.attributes.isdisjoint(MISP_ATTRIBUTES[kind]):
            yield from each.entries[:: max(1, len(each.entries) // 8)]


def test_names_are_found_as_by_misps_own_library(some_of_each_list: list[Warninglist], misp: WarningLists) -> None:
    index = an_index(*some_of_each_list)
    entries = list(_some_entries(some_of_each_list, ("hostname", "string", "substring"), IndicatorType.DOMAIN_NAME))
    names = [*entries, *(f"www.{entry}" for entry in entries[::3]), *(f"x{entry}" for entry in entries[::3])]
    names += [entry.partition(".")[2] for entry in entries[::3] if entry.count(".") > 1]
    for name in filter(None, names):
        assert index.match_domain(IndicatorType.DOMAIN_NAME, name, "").names == _by_misp(
            misp, IndicatorType.DOMAIN_NAME, name
        ), name


def test_addresses_are_found_as_by_misps_own_library(some_of_each_list: list[Warninglist], misp: WarningLists) -> None:
    index = an_index(*some_of_each_list)
    for entry in _some_entries(some_of_each_list, ("cidr",), IndicatorType.IPV4_ADDR):
        network = ip_network(entry)
        kind = IndicatorType.IPV4_ADDR if network.version == 4 else IndicatorType.IPV6_ADDR
        edges = int(network[0]), int(network[-1])
        for number in {*edges, edges[0] - 1, edges[1] + 1} - {-1, 1 << 32, 1 << 128}:
            address = type(network[0])(number)
            find = index.match_ipv4 if network.version == 4 else index.match_ipv6
            found = find(kind, str(address), number, number).names
            assert found == _by_misp(misp, kind, str(address)), address


@pytest.mark.parametrize(
    "kind", [IndicatorType.FILE_MD5, IndicatorType.FILE_SHA1, IndicatorType.FILE_SHA256, IndicatorType.FILE_SHA512]
)
def test_hashes_are_found_as_by_misps_own_library(
    some_of_each_list: list[Warninglist], misp: WarningLists, kind: IndicatorType
) -> None:
    index = an_index(*some_of_each_list)
    for digest in _some_entries(some_of_each_list, ("string",), kind):
        for each in (digest, digest[::-1]):
            assert index.match_hash(kind, each).names == _by_misp(misp, kind, each), each


def test_email_addresses_are_found_as_by_misps_own_library(
    some_of_each_list: list[Warninglist], misp: WarningLists
) -> None:
    index = an_index(*some_of_each_list)
    entries = _some_entries(some_of_each_list, ("substring",), IndicatorType.EMAIL_ADDR)
    for entry in itertools.chain(entries, ["bank.example"]):
        for address in (f"someone@{entry}", f"someone@x{entry}.example", f"someone@{entry[1:]}"):
            expected = _by_misp(misp, IndicatorType.EMAIL_ADDR, address)
            assert index.match_email(address).names == expected, address
