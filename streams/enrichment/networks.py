"""Which autonomous system announces an address, and in which country its block is registered."""

import hashlib
from array import array
from bisect import bisect_right
from importlib.resources import files
from typing import ClassVar

import msgspec
import polars as pl

from schemas.markings import Activity


class Origin(msgspec.Struct, frozen=True, gc=False):
    """The autonomous system and the country of an address."""

    asn: int
    """Number of the autonomous system that announces it; 0 is unknown (RFC 7607 reserves it)."""
    country: str
    """ISO 3166-1 alpha-2 code the registry recorded for the block; empty is unknown."""


UNKNOWN = Origin(0, "")


class _Family:
    """The ranges of one address family: from ``starts[i]`` to the next start all addresses have one origin."""

    __slots__ = ("_asns", "_countries", "_country_codes", "_starts")

    def __init__(self, table: pl.DataFrame) -> None:
        countries = table["country"].unique().sort()
        self._starts = _packed("Q", table["step"].cast(pl.UInt64).cum_sum())
        self._asns = _packed("I", table["asn"])
        self._country_codes: list[str] = countries.to_list()
        self._countries = _packed("H", table["country"].cast(pl.Enum(countries)).to_physical().cast(pl.UInt16))

    def origin(self, address: int) -> Origin:
        place = bisect_right(self._starts, address) - 1
        if place < 0:
            return UNKNOWN
        return Origin(self._asns[place], self._country_codes[self._countries[place]])


class NetworkTable:
    """The ranges of both address families, in arrays to bisect. Load it once, then it is pure."""

    __slots__ = ("_ipv4", "_ipv6", "version")
    activity: ClassVar = Activity.PASSIVE_LOCAL

    def __init__(self, ipv4: pl.DataFrame, ipv6: pl.DataFrame, version: str) -> None:
        """Take the tables that ``build_networks`` writes; ``version`` names their content."""
        self._ipv4 = _Family(ipv4)
        self._ipv6 = _Family(ipv6)
        self.version = version

    @classmethod
    def load(cls) -> "NetworkTable":
        """Load the tables that ship with the package."""
        data = files(__package__) / "data"
        ipv4, ipv6 = ((data / f"networks_{family}.parquet").read_bytes() for family in ("ipv4", "ipv6"))
        version = hashlib.sha256(hashlib.sha256(ipv4).digest() + hashlib.sha256(ipv6).digest()).hexdigest()
        return cls(pl.read_parquet(ipv4), pl.read_parquet(ipv6), version[:16])

    def of_ipv4(self, address: int) -> Origin:
        """Look up an IPv4 address given as a number below 2³²."""
        return self._ipv4.origin(address)

    def of_ipv6(self, address: int) -> Origin:
        """Look up an IPv6 address given as a number below 2¹²⁸; the table's resolution is /64."""
        return self._ipv6.origin(address >> 64)


def _packed(typecode: str, column: pl.Series) -> "array[int]":
    packed = array(typecode)
    packed.frombytes(column.to_numpy().tobytes())
    return packed
