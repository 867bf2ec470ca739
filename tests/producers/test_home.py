"""Addresses are read as Python's ``ipaddress`` reads them, and are ours in the same networks."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.readers.home import PRIVATE_NETWORKS, Address, address_of, is_ours
from producers.readers.reading import Defaults

OURS = (ip_network("198.51.100.0/25"), ip_network("2001:db8:1::/48"))
NEAR = st.sampled_from([*PRIVATE_NETWORKS, *OURS, ip_network("224.0.0.0/4"), ip_network("ff00::/8")]).flatmap(
    lambda network: st.integers(int(network[0]) - 1, int(network[-1]) + 1)
)
# Of sixteen bits each, so that runs of zeros are frequent.
SPARSE = st.lists(st.sampled_from([0, 0, 0, 1, 0xFFFF, 0x102]), min_size=8, max_size=8).map(
    lambda parts: IPv6Address(b"".join(part.to_bytes(2) for part in parts))
)
ADDRESSES = st.ip_addresses() | SPARSE | NEAR.map(lambda number: ip_address(max(0, number)))


def by_python(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def same(found: Address | None, address: IPv4Address | IPv6Address | None) -> bool:
    if found is None or address is None:
        return found is None and address is None
    return (found.version, found.number, str(found)) == (address.version, int(address), str(address))


@given(ADDRESSES)
def test_an_address_is_written_as_python_writes_it(address: IPv4Address | IPv6Address) -> None:
    assert same(address_of(str(address)), address)
    assert same(address_of(f" {address.exploded.upper()} "), address)


@given(st.text("0123456789abcdfF:.%/ x\0\u0661", max_size=24))
def test_a_text_is_an_address_if_python_reads_one(text: str) -> None:
    assert same(address_of(text), by_python(text))


@pytest.mark.parametrize(
    "text",
    [
        *("1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.04", "0x1.2.3.4", "1.2.3.4/24", "16909060"),
        *("::", "::1", "1::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1::2::3"),
        *("::ffff:192.0.2.1", "::192.0.2.1", "::192.0.2.01", "64:ff9b::192.0.2.1", "12345::", ":1", "1:", "[::1]"),
        *("fe80::1%eth0", "fe80::1%", "2001:DB8::A", "2001:0db8:0:0:0:0:0:1", "bad.example.com", "", "١.2.3.4"),
    ],
)
def test_spellings_of_addresses_are_read_as_python_reads_them(text: str) -> None:
    assert same(address_of(text), by_python(text))


def test_no_text_is_no_address() -> None:
    assert address_of(None) is None


@given(ADDRESSES, st.booleans())
def test_what_is_ours_is_in_a_private_or_a_home_network(address: IPv4Address | IPv6Address, has_home: bool) -> None:
    found = address_of(str(address))
    assert found is not None
    home = OURS if has_home else ()
    assert is_ours(found, Defaults(home_networks=home)) == any(address in each for each in (*PRIVATE_NETWORKS, *home))
    assert found.is_host == (
        not address.is_multicast and not address.is_unspecified and address != IPv4Address("255.255.255.255")
    )
