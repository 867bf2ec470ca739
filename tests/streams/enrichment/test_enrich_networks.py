"""From published range lists to the embedded table, and look-ups in it."""

import itertools
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TypeVar

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.enrichment.networks import UNKNOWN, NetworkTable, Origin
from tests.streams.enrichment_builders import a_network_table
from tools.build_networks import (
    IPV4_BITS,
    IPV6_BITS,
    AddressRange,
    RangeListError,
    edges_of,
    main,
    merged,
    read_ranges,
    table,
)

Value = TypeVar("Value")

BITS = 6

ranges = st.lists(
    st.builds(
        lambda first, length, value: AddressRange(first, min(first + length, (1 << BITS) - 1), value),
        st.integers(0, (1 << BITS) - 1),
        st.integers(0, 20),
        st.sampled_from(["64500", "64501", "64502"]),
    ),
    max_size=8,
)


@given(ranges)
def test_every_address_gets_the_value_of_the_last_begun_range_around_it(found: list[AddressRange]) -> None:
    edges = edges_of(found, BITS)
    for address in range(1 << BITS):
        around = [each for each in sorted(found, key=lambda one: one.first) if each.first <= address <= each.last]
        assert _value_at(edges, address) == (around[-1].value if around else "")


@given(ranges)
def test_edges_are_sorted_start_at_zero_and_always_change_something(found: list[AddressRange]) -> None:
    edges = edges_of(found, BITS)
    starts = [start for start, _ in edges]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert all(before[1] != after[1] for before, after in itertools.pairwise(edges))


@given(ranges, ranges)
def test_merging_keeps_both_values_of_every_address(left: list[AddressRange], right: list[AddressRange]) -> None:
    left_edges, right_edges = edges_of(left, BITS), edges_of(right, BITS)
    both = merged(left_edges, right_edges)
    for address in range(1 << BITS):
        assert _value_at(both, address) == (_value_at(left_edges, address), _value_at(right_edges, address))


def test_addresses_are_found_in_both_families() -> None:
    networks = a_network_table()
    assert networks.of_ipv4(int(IPv4Address("192.0.2.0"))) == Origin(64500, "JP")
    assert networks.of_ipv4(int(IPv4Address("192.0.2.127"))) == Origin(64500, "JP")
    assert networks.of_ipv4(int(IPv4Address("192.0.2.128"))) == UNKNOWN
    assert networks.of_ipv6(int(IPv6Address("2001:db8:1:ffff::1"))) == Origin(64501, "GB")
    assert networks.of_ipv6(int(IPv6Address("2001:db8:2::"))) == UNKNOWN
    assert networks.of_ipv4(0) == networks.of_ipv6((1 << 128) - 1) == UNKNOWN


def test_a_table_without_a_row_knows_nothing() -> None:
    nothing: tuple[pl.DataFrame, pl.DataFrame] = (table([], IPV4_BITS), table([], IPV6_BITS))
    assert NetworkTable(*nothing, "empty").of_ipv4(1) == UNKNOWN


@pytest.mark.parametrize("line", ["1,2", "one,two,64500", "9,3,64500", "0,4294967296,64500", ""])
def test_an_invalid_range_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"0,1,64500\n{line}\n")
    with pytest.raises(RangeListError, match=r"list\.csv, line 2"):
        list(read_ranges(path, IPV4_BITS))


def test_the_tables_are_built_from_folders_of_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = int(IPv4Address("192.0.2.0"))
    net6 = int(IPv6Address("2001:db8::"))
    (tmp_path / "asn-ipv4-num.csv").write_text(f'{net},{net + 127},64500,"Example, Inc."\n')
    (tmp_path / "asn-country-ipv4-num.csv").write_text(f"{net},{net + 255},JP\n")
    (tmp_path / "asn-ipv6-num.csv").write_text(f"{net6},{net6 + 2**80 - 1},64501,Example\n")
    (tmp_path / "asn-country-ipv6-num.csv").write_text(f"{net6},{net6 + 2**80 - 1},GB\n")
    assert main(["--asn", str(tmp_path), "--country", str(tmp_path), "--output", str(tmp_path)]) == 0
    assert "networks_ipv4.parquet: 4 networks" in capsys.readouterr().out
    built = NetworkTable(
        pl.read_parquet(tmp_path / "networks_ipv4.parquet"), pl.read_parquet(tmp_path / "networks_ipv6.parquet"), ""
    )
    assert built.of_ipv4(net + 200) == Origin(0, "JP")
    assert built.of_ipv4(net + 1) == Origin(64500, "JP")
    assert built.of_ipv6(net6 + 5) == Origin(64501, "GB")


def _value_at(edges: Sequence[tuple[int, Value]], address: int) -> Value:
    return [value for start, value in edges if start <= address][-1]
