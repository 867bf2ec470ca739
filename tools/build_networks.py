"""Builds the embedded tables of networks from published range lists. Run by maintainers, never at run time.

``docs/enrichment.md`` names the sources of the lists and how to refresh the tables.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import polars as pl

IPV4_BITS = 32
IPV6_BITS = 64  # the upper half: the table is no finer than /64

Value = TypeVar("Value")
Edge = tuple[int, Value]
"""The value is valid from this address up to the next edge."""


class RangeListError(ValueError):
    """An invalid line of a range list: names the file, the line and the reason."""


class AddressRange(NamedTuple):
    """One line of a range list: both ends belong to it."""

    first: int
    last: int
    value: str


def read_ranges(path: Path, bits: int) -> Iterator[AddressRange]:
    """Read ``first,last,value[,…]`` with the addresses as decimal numbers; raise ``RangeListError``."""
    drop = 128 - bits if bits == IPV6_BITS else 0
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines), start=1):
            try:
                first, last, value = int(row[0]) >> drop, int(row[1]) >> drop, row[2]
            except (ValueError, IndexError) as error:
                raise RangeListError(f"{path}, line {number}: expected first,last,value: {error}") from error
            if not 0 <= first <= last < 1 << bits:
                raise RangeListError(f"{path}, line {number}: {row[0]} to {row[1]} is not an address range")
            yield AddressRange(first, last, value)


def edges_of(ranges: Iterable[AddressRange], bits: int) -> list[Edge[str]]:
    """Turn ranges into the points where the value changes; a gap has the empty value.

    If two ranges overlap, the one that starts later wins: it is the more specific announcement.
    """
    edges: list[Edge[str]] = [(0, "")]
    enclosing: list[AddressRange] = []
    for each in (*sorted(ranges, key=lambda one: one.first), AddressRange(1 << bits, 1 << bits, "")):
        while enclosing and enclosing[-1].last < each.first:
            ended = enclosing.pop()
            while enclosing and enclosing[-1].last <= ended.last:
                enclosing.pop()
            edges.append((ended.last + 1, enclosing[-1].value if enclosing else ""))
        edges.append((each.first, each.value))
        enclosing.append(each)
    return list(_changes_only(edge for edge in edges if edge[0] < 1 << bits))


def merged(left: Sequence[Edge[str]], right: Sequence[Edge[str]]) -> list[Edge[tuple[str, str]]]:
    """Lay two lists of edges over one another: an edge of either is an edge of both."""
    left_values, right_values = dict(left), dict(right)
    edges: list[Edge[tuple[str, str]]] = []
    current = ("", "")
    for start in sorted(left_values.keys() | right_values.keys()):
        current = (left_values.get(start, current[0]), right_values.get(start, current[1]))
        edges.append((start, current))
    return list(_changes_only(edges))


def table(edges: Sequence[Edge[tuple[str, str]]], bits: int) -> pl.DataFrame:
    """The columns as stored: ``step`` is the distance from the previous start, which packs far better."""
    starts = np.array([start for start, _ in edges], dtype=np.uint64)
    return pl.DataFrame(
        {
            "step": pl.Series(
                np.diff(starts, prepend=np.uint64(0)), dtype=pl.UInt32 if bits == IPV4_BITS else pl.UInt64
            ),
            "asn": pl.Series([int(asn or 0) for _, (asn, _) in edges], dtype=pl.UInt32),
            "country": [country for _, (_, country) in edges],
        }
    )


def build(asn: Path, country: Path, bits: int) -> pl.DataFrame:
    """Build the table of one address family from its two range lists."""
    return table(merged(edges_of(read_ranges(asn, bits), bits), edges_of(read_ranges(country, bits), bits)), bits)


def main(arguments: Sequence[str]) -> int:
    """Write ``networks_ipv4.parquet`` and ``networks_ipv6.parquet``."""
    parser = argparse.ArgumentParser(prog="build_networks", description=__doc__)
    parser.add_argument("--asn", type=Path, required=True, help="folder with asn-ipv4-num.csv, asn-ipv6-num.csv")
    parser.add_argument(
        "--country", type=Path, required=True, help="folder with asn-country-ipv4-num.csv, …-ipv6-num.csv"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables")
    chosen = parser.parse_args(arguments)
    for family, bits in (("ipv4", IPV4_BITS), ("ipv6", IPV6_BITS)):
        frame = build(chosen.asn / f"asn-{family}-num.csv", chosen.country / f"asn-country-{family}-num.csv", bits)
        target = chosen.output / f"networks_{family}.parquet"
        frame.write_parquet(target, compression="zstd", compression_level=19, statistics=False)
        sys.stdout.write(f"{target}: {frame.height} networks, {target.stat().st_size} bytes\n")
    return 0


def _changes_only(edges: Iterable[Edge[Value]]) -> Iterator[Edge[Value]]:
    """Of several edges at one address keep the last; of neighbours with one value keep the first."""
    latest: dict[int, Value] = dict(edges)
    previous: Value | None = None
    for start in sorted(latest):
        if latest[start] != previous:
            previous = latest[start]
            yield start, latest[start]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
