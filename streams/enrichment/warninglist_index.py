"""Looks values up in all warninglists at once: the rules of MISP, at microseconds.

A set of lists is a whole number with one bit per list.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import ClassVar, Final

import marisa_trie  # type: ignore[import-not-found]
import msgspec

from schemas.markings import Activity
from schemas.vocabulary import IndicatorType
from streams.enrichment.warninglists import MISP_ATTRIBUTES, WarninglistCategory

NO_LISTS = 0
_BEFORE_DOT: Final = 2
_BEHIND_DOT: Final = 2


class ListedWarninglist(msgspec.Struct, frozen=True):
    """The index's record of a list; its bit is its place among the others."""

    name: str
    title: str
    category: WarninglistCategory
    is_open_to_anyone: bool
    attributes: frozenset[str]


class Substring(msgspec.Struct, frozen=True):
    """A text that matches wherever it occurs, and the lists (as bytes) that hold it."""

    text: str
    lists: bytes


class Expression(msgspec.Struct, frozen=True):
    """A regular expression of a list, in Python's spelling, and the lists (as bytes) that hold it."""

    pattern: str
    ignore_case: bool
    lists: bytes


class IndexTables(msgspec.Struct, frozen=True):
    """All of the index but its tries. Sets of lists are little-endian bytes; arrays are unsigned.

    ``name_groups`` and ``hash_groups`` give for each key of a trie its place in ``exact`` and ``below``:
    the lists that hold the very name, and those that hold it for all names below it as well.
    ``ipv4_starts`` (4 bytes each) and ``ipv6_starts`` (16, big-endian) begin the address ranges whose places in
    ``network_lists`` are in ``ipv4_groups`` and ``ipv6_groups``.
    """

    version: str
    warninglists: tuple[ListedWarninglist, ...]
    exact: tuple[bytes, ...]
    below: tuple[bytes, ...]
    name_groups: bytes
    hash_groups: bytes
    network_lists: tuple[bytes, ...]
    ipv4_starts: bytes
    ipv4_groups: bytes
    ipv6_starts: bytes
    ipv6_groups: bytes
    substrings: tuple[Substring, ...]
    expressions: tuple[Expression, ...]


class Matches(msgspec.Struct, frozen=True, gc=False):
    """The lists that contain a value."""

    names: tuple[str, ...]
    """Sorted."""
    benign: bool
    """One of them is a false-positive list, and its entry is about this value, not about a zone open to anyone."""


NO_MATCHES = Matches((), False)


class _Ranges:
    """The address ranges of one family and the lists that hold each."""

    __slots__ = ("_groups", "_lists", "_starts")

    def __init__(self, starts: Sequence[int], groups: Sequence[int], lists: Sequence[int]) -> None:
        self._starts = starts
        self._groups = groups
        self._lists = lists

    def covering(self, first: int, last: int) -> int:
        """The lists that hold every address from first to last."""
        starts = self._starts
        place = bisect_right(starts, first) - 1
        if place < 0:
            return NO_LISTS
        found = self._lists[self._groups[place]]
        while found and place + 1 < len(starts) and starts[place + 1] <= last:
            place += 1
            found &= self._lists[self._groups[place]]
        return found


class _Substrings:
    """Texts that match wherever they occur. They are parts of domain names, so each is known by the characters around
    its first dot: a value has few dots."""

    __slots__ = ("_around_dot", "_others")

    def __init__(self, entries: Iterable[tuple[str, int]]) -> None:
        self._around_dot: dict[str, list[tuple[str, int, int]]] = {}
        self._others: list[tuple[str, int]] = []
        for text, lists in entries:
            dot = text.find(".")
            if dot >= _BEFORE_DOT and len(text) > dot + _BEHIND_DOT:
                around = text[dot - _BEFORE_DOT : dot + _BEHIND_DOT + 1]
                self._around_dot.setdefault(around, []).append((text, dot, lists))
            else:
                self._others.append((text, lists))

    def held_by(self, text: str) -> int:
        """The lists that hold a part of this text."""
        lists = NO_LISTS
        for entry, held_by in self._others:
            if entry in text:
                lists |= held_by
        dot = text.find(".")
        while dot >= 0:
            if dot >= _BEFORE_DOT:
                for entry, place, held_by in self._around_dot.get(text[dot - _BEFORE_DOT : dot + _BEHIND_DOT + 1], ()):
                    if dot >= place and text.startswith(entry, dot - place):
                        lists |= held_by
            dot = text.find(".", dot + 1)
        return lists


class WarninglistIndex:
    """All warninglists, ready to be searched. Once made, it is pure."""

    activity: ClassVar = Activity.PASSIVE_LOCAL

    def __init__(self, tables: IndexTables, names: marisa_trie.Trie, hashes: marisa_trie.Trie) -> None:
        """Take the result of ``compile_index``."""
        self.version = tables.version
        self.warninglists = tables.warninglists
        self._names = names
        self._hashes = hashes
        self._exact = [_lists(packed) for packed in tables.exact]
        self._below = [_lists(packed) for packed in tables.below]
        self._name_groups = _unpacked("H", tables.name_groups)
        self._hash_groups = _unpacked("H", tables.hash_groups)
        network_lists = [_lists(packed) for packed in tables.network_lists]
        self._ipv4 = _Ranges(_unpacked("I", tables.ipv4_starts), _unpacked("H", tables.ipv4_groups), network_lists)
        ipv6_starts = [int.from_bytes(tables.ipv6_starts[at : at + 16]) for at in range(0, len(tables.ipv6_starts), 16)]
        self._ipv6 = _Ranges(ipv6_starts, _unpacked("H", tables.ipv6_groups), network_lists)
        self._expressions = [
            (re.compile(each.pattern, re.IGNORECASE if each.ignore_case else 0), _lists(each.lists))
            for each in tables.expressions
        ]
        self._substrings = _Substrings((each.text, _lists(each.lists)) for each in tables.substrings)
        self._for_kind = {
            kind: _bits(not each.attributes or bool(each.attributes & attributes) for each in tables.warninglists)
            for kind, attributes in MISP_ATTRIBUTES.items()
        }
        self._false_positive = _bits(
            each.category is WarninglistCategory.FALSE_POSITIVE for each in tables.warninglists
        )
        self._open_to_anyone = _bits(each.is_open_to_anyone for each in tables.warninglists)
        # There are far fewer sets of lists than values, and decoding one costs more than finding it.
        self._matches = lru_cache(maxsize=16_384)(self._decoded)

    def match_domain(self, kind: IndicatorType, name: str, public_suffix: str) -> Matches:
        """Find a canonical domain name, which may be the host of a URL.

        A list of hostnames applies to all names below an entry. But a well-known zone is no evidence
        for names below it if anyone can get a name or a page there: below a public suffix
        (``duckdns.org``), or a place on a list of such.
        """
        key = trie_key(name)
        is_url = kind is IndicatorType.URL
        lists = evident = NO_LISTS
        for prefix, place in self._names.iter_prefixes_with_ids(key):
            group = self._name_groups[place]
            is_whole = len(prefix) == len(key)
            found = self._exact[group] if is_whole else self._below[group]
            lists |= found
            if is_whole and not is_url:
                evident |= found
            elif found & self._open_to_anyone:
                evident = NO_LISTS
            elif is_whole or len(prefix) > len(public_suffix) + 1:
                evident |= found
        texts = self._substrings.held_by(name)
        return self._applicable(kind, lists | texts, evident | texts)

    def match_ipv4(self, kind: IndicatorType, text: str, first: int, last: int) -> Matches:
        """Find an IPv4 address, or a network all of which is on a list, by its text and its bounds."""
        lists = self._ipv4.covering(first, last) | self._substrings.held_by(text)
        return self._applicable(kind, lists, lists)

    def match_ipv6(self, kind: IndicatorType, text: str, first: int, last: int) -> Matches:
        """Find an IPv6 address, or a network all of which is on a list, by its text and its bounds."""
        lists = self._ipv6.covering(first, last) | self._substrings.held_by(text)
        return self._applicable(kind, lists, lists)

    def match_hash(self, kind: IndicatorType, digest: str) -> Matches:
        """Find a file hash in lower-case hexadecimal."""
        place = self._hashes.get(digest)
        if place is None:
            return NO_MATCHES
        lists = self._exact[self._hash_groups[place]]
        return self._applicable(kind, lists, lists)

    def match_email(self, address: str) -> Matches:
        """Find an e-mail address. Its domain alone is not enough: anyone can have an address at a well-known
        provider."""
        folded = address.lower()
        lists = self._substrings.held_by(folded)
        for pattern, held_by in self._expressions:
            if pattern.search(folded):
                lists |= held_by
        return self._applicable(IndicatorType.EMAIL_ADDR, lists, lists)

    def _applicable(self, kind: IndicatorType, lists: int, evident: int) -> Matches:
        if not lists:
            return NO_MATCHES
        applicable = self._for_kind[kind]
        return self._matches(lists & applicable, bool(evident & applicable & self._false_positive))

    def _decoded(self, lists: int, benign: bool) -> Matches:
        return Matches(
            tuple(sorted(each.name for bit, each in enumerate(self.warninglists) if lists >> bit & 1)), benign
        )


def trie_key(name: str) -> str:
    """A domain name from the top down, every label closed by a dot: names above it are prefixes of it."""
    return f"{'.'.join(reversed(name.split('.')))}."


def _bits(flags: Iterable[bool]) -> int:
    return sum(1 << bit for bit, flag in enumerate(flags) if flag)


def _lists(packed: bytes) -> int:
    return int.from_bytes(packed, "little")


def _unpacked(typecode: str, packed: bytes) -> "array[int]":
    unpacked = array(typecode)
    unpacked.frombytes(packed)
    return unpacked
