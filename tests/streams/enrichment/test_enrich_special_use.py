"""Special-purpose addresses and names, by the registries of IANA."""

import ipaddress

import pytest

from streams.enrichment.special_use import (
    special_use_of_as,
    special_use_of_domain,
    special_use_of_ipv4,
    special_use_of_ipv6,
)


def _of_ipv4(text: str) -> str:
    network = ipaddress.IPv4Network(text)
    return special_use_of_ipv4(int(network.network_address), int(network.broadcast_address))


def _of_ipv6(text: str) -> str:
    network = ipaddress.IPv6Network(text)
    return special_use_of_ipv6(int(network.network_address), int(network.broadcast_address))


@pytest.mark.parametrize(
    ("address", "use"),
    [
        ("0.0.0.0", "reserved"),  # noqa: S104
        ("9.255.255.255", ""),
        ("10.0.0.0", "private"),
        ("10.255.255.255", "private"),
        ("11.0.0.0", ""),
        ("100.63.255.255", ""),
        ("100.64.0.0", "shared"),
        ("100.127.255.255", "shared"),
        ("127.0.0.1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("172.15.255.255", ""),
        ("172.31.255.255", "private"),
        ("192.0.0.8", "reserved"),
        ("192.0.0.9", ""),
        ("192.0.0.11", "reserved"),
        ("192.0.2.255", "documentation"),
        ("192.168.0.1", "private"),
        ("198.19.255.255", "benchmarking"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("255.255.255.255", "reserved"),
    ],
)
def test_an_ipv4_address_has_the_use_of_its_block(address: str, use: str) -> None:
    assert _of_ipv4(address) == use


@pytest.mark.parametrize(
    ("address", "use"),
    [
        ("::", "reserved"),
        ("::1", "loopback"),
        ("::ffff:192.0.2.1", "reserved"),
        ("64:ff9b::c000:201", "documentation"),
        ("64:ff9b::a01:203", "private"),
        ("64:ff9b::808:808", ""),
        ("64:ff9b::c000:9", ""),
        ("2002:a01:203::", "private"),
        ("2002:c0a8:101:1::1", "private"),
        ("2002:808:808::1", ""),
        ("2001:0:a01:203::1", "private"),
        ("64:ff9b:1::1", "reserved"),
        ("100::1", "reserved"),
        ("2001::1", "reserved"),
        ("2001:0:808:808::1", ""),
        ("2001:2::1", "benchmarking"),
        ("2001:db8::1", "documentation"),
        ("2001:db9::1", ""),
        ("3fff:fff::1", "documentation"),
        ("3fff:1000::1", ""),
        ("4000::1", "reserved"),
        ("5f00::1", "reserved"),
        ("fd00::1", "private"),
        ("fe80::1", "link-local"),
        ("fec0::1", "reserved"),
        ("ff02::1", "multicast"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
    ],
)
def test_an_ipv6_address_has_the_use_of_its_most_specific_block(address: str, use: str) -> None:
    assert _of_ipv6(address) == use


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("localhost", "loopback"),
        ("printer.local", "link-local"),
        ("www.example.com", "documentation"),
        ("example.jp", ""),
        ("notexample.com", ""),
        ("1.31.172.in-addr.arpa", "private"),
        ("1.32.172.in-addr.arpa", ""),
        ("router.home.arpa", "private"),
        ("abcdefghijklmnop.onion", "overlay"),
    ],
)
def test_a_name_has_the_use_of_the_name_that_was_set_aside(name: str, use: str) -> None:
    assert special_use_of_domain(name) == use


@pytest.mark.parametrize(
    ("network", "use"),
    [
        ("8.0.0.0/6", "private"),
        ("128.0.0.0/1", "link-local"),
        ("0.0.0.0/0", "reserved"),
        ("192.0.0.0/8", "reserved"),
        ("198.0.0.0/8", "benchmarking"),
        ("172.31.255.0/24", "private"),
        ("172.32.0.0/11", ""),
        ("192.0.0.9/32", ""),
        ("8.0.0.0/8", ""),
    ],
)
def test_an_ipv4_network_has_the_first_use_of_any_of_its_addresses(network: str, use: str) -> None:
    assert _of_ipv4(network) == use


@pytest.mark.parametrize(
    ("network", "use"),
    [
        ("2000::/3", "reserved"),
        ("2001:c00::/22", "documentation"),
        ("64:ff9b::/96", "reserved"),
        ("2002:a00::/24", "private"),
        ("2002:800::/24", ""),
        ("2400::/12", ""),
        ("::/0", "reserved"),
    ],
)
def test_an_ipv6_network_has_the_first_use_of_any_of_its_addresses(network: str, use: str) -> None:
    assert _of_ipv6(network) == use


@pytest.mark.parametrize(
    ("number", "use"),
    [
        (0, "reserved"),
        (1, ""),
        (112, ""),
        (23456, "reserved"),
        (64495, ""),
        (64496, "documentation"),
        (64512, "private"),
        (65535, "reserved"),
        (65536, "documentation"),
        (65552, "reserved"),
        (131071, "reserved"),
        (131072, ""),
        (4199999999, ""),
        (4200000000, "private"),
        (4294967295, "reserved"),
    ],
)
def test_an_as_number_has_the_use_that_it_was_set_aside_for(number: int, use: str) -> None:
    assert special_use_of_as(number) == use
