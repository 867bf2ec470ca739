"""Turns the warninglists into the tables and tries of the index. Seconds of work: the result is kept on disk."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from ipaddress import IPv6Network, ip_network

import marisa_trie  # type: ignore[import-not-found]
import polars as pl

from schemas.vocabulary import IndicatorType
from streams.enrichment.warninglist_index import Expression, IndexTables, ListedWarninglist, Substring, WarninglistIndex
from streams.enrichment.warninglists import MISP_ATTRIBUTES, Warninglist

_HASH_KINDS = (
    IndicatorType.FILE_MD5,
    IndicatorType.FILE_SHA1,
    IndicatorType.FILE_SHA256,
    IndicatorType.FILE_SHA512,
)
HASH_ATTRIBUTES = frozenset().union(*(MISP_ATTRIBUTES[kind] for kind in _HASH_KINDS))
NAME_ATTRIBUTES = MISP_ATTRIBUTES[IndicatorType.URL]
TEXT_ATTRIBUTES = NAME_ATTRIBUTES | MISP_ATTRIBUTES[IndicatorType.EMAIL_ADDR]


class Compiled:
    """The parts of an index, to use at once or to store."""

    __slots__ = ("hashes", "names", "tables")

    def __init__(self, tables: IndexTables, names: marisa_trie.Trie, hashes: marisa_trie.Trie) -> None:
        self.tables = tables
        self.names = names
        self.hashes = hashes

    def index(self) -> WarninglistIndex:
        """The index, in memory."""
        return WarninglistIndex(self.tables, self.names, self.hashes)


def compile_index(warninglists: Iterable[Warninglist]) -> Compiled:
    """Compile lists into an index.

    Entries match as in MISP: a ``hostname`` entry means the name and all below it, in any case and with or
    without a leading dot; a ``string`` entry means exactly itself. An entry that does not fit its
    list's form (a network that does not parse) is skipped, as MISP does.
    """
    listed: list[ListedWarninglist] = []
    digest = hashlib.sha256()
    name_frames: list[pl.DataFrame] = []
    hash_frames: list[pl.DataFrame] = []
    networks: tuple[dict[int, int], dict[int, int]] = ({}, {})
    substrings: dict[str, int] = {}
    expressions: dict[str, int] = {}
    for bit, each in enumerate(warninglists):
        listed.append(ListedWarninglist(each.name, each.title, each.category, each.is_open_to_anyone, each.attributes))
        digest.update(f"{each.name}\0{each.category}\0{each.is_open_to_anyone}\0{each.digest}\n".encode())
        if each.form in ("string", "hostname"):
            if _is_meant_for(each, NAME_ATTRIBUTES):
                name_frames.append(_names(each, bit))
            if _is_meant_for(each, HASH_ATTRIBUTES):
                hash_frames.append(_hashes(each, bit))
        elif each.form == "cidr":
            _add_networks(networks, each.entries, 1 << bit)
        elif each.form == "substring" and _is_meant_for(each, TEXT_ATTRIBUTES):
            for entry in filter(None, each.entries):
                substrings[entry.lower()] = substrings.get(entry.lower(), 0) | 1 << bit
        elif each.form == "regex" and _is_meant_for(each, TEXT_ATTRIBUTES):
            for entry in each.entries:
                expressions[entry] = expressions.get(entry, 0) | 1 << bit
    width = len(listed) // 8 + 1
    groups: dict[tuple[int, ...], int] = {}
    names, name_groups = _trie(name_frames, groups)
    hashes, hash_groups = _trie(hash_frames, groups)
    ipv4, ipv6 = (list(_ranges(edges)) for edges in networks)
    network_groups: dict[int, int] = {}
    ipv4_groups = array("H", (network_groups.setdefault(lists, len(network_groups)) for _, lists in ipv4))
    ipv6_groups = array("H", (network_groups.setdefault(lists, len(network_groups)) for _, lists in ipv6))
    tables = IndexTables(
        version=digest.hexdigest()[:16],
        warninglists=tuple(listed),
        exact=tuple(_set_of(codes, (0, 1)).to_bytes(width, "little") for codes in groups),
        below=tuple(_set_of(codes, (1,)).to_bytes(width, "little") for codes in groups),
        name_groups=name_groups.tobytes(),
        hash_groups=hash_groups.tobytes(),
        network_lists=tuple(lists.to_bytes(width, "little") for lists in network_groups),
        ipv4_starts=array("I", (start for start, _ in ipv4)).tobytes(),
        ipv4_groups=ipv4_groups.tobytes(),
        ipv6_starts=b"".join(start.to_bytes(16) for start, _ in ipv6),
        ipv6_groups=ipv6_groups.tobytes(),
        substrings=tuple(Substring(text, lists.to_bytes(width, "little")) for text, lists in substrings.items()),
        expressions=tuple(_expression(text, lists.to_bytes(width, "little")) for text, lists in expressions.items()),
    )
    return Compiled(tables, names, hashes)


def _is_meant_for(warninglist: Warninglist, attributes: frozenset[str]) -> bool:
    return not warninglist.attributes or not warninglist.attributes.isdisjoint(attributes)


def _names(warninglist: Warninglist, bit: int) -> pl.DataFrame:
    """Keys of the trie, and the code of (list, whether it applies to names below as well)."""
    is_hostname = warninglist.form == "hostname"
    name = pl.col("name").str.to_lowercase()
    return (
        pl.DataFrame({"name": pl.Series(warninglist.entries, dtype=pl.String)})
        .select(name.str.strip_chars(".") if is_hostname else name)
        .filter(pl.col("name") != "")
        .select(
            (pl.col("name").str.split(".").list.reverse().list.join(".") + ".").alias("key"),
            pl.lit(bit * 2 + is_hostname, dtype=pl.UInt16).alias("code"),
        )
        .unique()
    )


def _hashes(warninglist: Warninglist, bit: int) -> pl.DataFrame:
    return (
        pl.DataFrame({"key": pl.Series(warninglist.entries, dtype=pl.String)})
        .select(pl.col("key").str.to_lowercase(), pl.lit(bit * 2, dtype=pl.UInt16).alias("code"))
        .unique()
    )


def _trie(frames: list[pl.DataFrame], groups: dict[tuple[int, ...], int]) -> tuple[marisa_trie.Trie, "array[int]"]:
    """The trie of all keys, and for each of its key numbers the index of the key's codes in ``groups``."""
    if not frames:
        return marisa_trie.Trie(), array("H")
    keys = pl.concat(frames).group_by("key").agg(pl.col("code").sort())
    trie = marisa_trie.Trie(_pieces(keys["key"]))
    places = array("H", bytes(2 * keys.height))
    for codes, members in keys.group_by("code"):
        group = groups.setdefault(tuple(codes[0]), len(groups))
        for key in members["key"]:
            places[trie.key_id(key)] = group
    return trie, places


def _pieces(column: pl.Series) -> Iterator[str]:
    for piece in column.to_frame().iter_slices(65_536):
        yield from piece.to_series()


def _set_of(codes: tuple[int, ...], modes: tuple[int, ...]) -> int:
    lists = 0
    for code in codes:
        if code % 2 in modes:
            lists |= 1 << code // 2
    return lists


def _add_networks(edges: tuple[dict[int, int], dict[int, int]], entries: list[str], lists: int) -> None:
    """Toggle the lists' bits at the begin and the end of each run of their networks."""
    runs: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for entry in entries:
        try:
            network = ip_network(entry, strict=False)
        except ValueError:
            continue
        runs[isinstance(network, IPv6Network)].append(
            (int(network.network_address), int(network.broadcast_address) + 1)
        )
    for family, of_family in zip(edges, runs, strict=True):
        reached = -1
        for first, after in sorted(of_family):
            if first > reached:
                if reached >= 0:
                    family[reached] = family.get(reached, 0) ^ lists
                family[first] = family.get(first, 0) ^ lists
                reached = after
            else:
                reached = max(reached, after)
        if reached >= 0:
            family[reached] = family.get(reached, 0) ^ lists


def _ranges(edges: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Starts of the ranges, and the lists that apply there; no range begins past the last possible address."""
    lists = 0
    for start in sorted(edges):
        lists ^= edges[start]
        if start not in (1 << 32, 1 << 128):
            yield start, lists


def _expression(text: str, lists: bytes) -> Expression:
    """A list writes ``/pattern/flags``, as PHP does."""
    pattern, _, flags = text.removeprefix("/").rpartition("/")
    return Expression(pattern, "i" in flags, lists)
