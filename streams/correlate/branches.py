"""The sources of one indicator beyond those that its row keeps in full, in state rows of their own: a tree.

A source is found by its name, a digest. A leaf keeps up to ``LEAF`` sources; beyond that it becomes a branch of
``FAN`` parts, and keeps the summary of each. So a report changes the rows on the way to its source and no others, and
a row's content is a function of the sources below it, whatever their order: sources are never removed.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from exchange.protocol.record import RowChange
from exchange.protocol.rows import Lookup
from streams.correlate.assertion import Assertion
from streams.correlate.former_rows import node_fields
from streams.correlate.further import Summary, summary_of, together
from streams.correlate.row import FORMAT, check_format

FAN: Final = 4
LEAF: Final = 8
LEVELS: Final = 32
_FIRST_BYTE: Final = 8  # the bytes before decide which sources are kept in full
_PARTS: Final = [bytes(byte >> shift & 3 for shift in (6, 4, 2, 0)) for byte in range(256)]


class Source(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One source, without the name of its sensor, description and context."""

    name: bytes
    assertion: Assertion


class Node(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A leaf with its ``sources``, or a branch with its ``parts``. Rows of another ``generation`` are of a row that was
    lost (``streams.repair``): they count as none. The parts of a branch of an earlier ``format`` are not used: they are
    made again of the sources below."""

    generation: int
    sources: tuple[Source, ...] = ()
    parts: tuple[Summary | None, ...] = ()
    format: int = FORMAT


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Node)
_FORMER: Final = b"\x93"  # an array of three, in MessagePack: up to format 4 it had no field for its format


class Branches:
    """The tree of one indicator. It reads the rows that it needs from ``rows``, and keeps the changed ones."""

    def __init__(self, rows: Lookup, key: bytes, generation: int) -> None:
        self._rows, self._key, self._generation = rows, key, generation
        self._empty = Node(generation)
        self._nodes: dict[bytes, Node] = {}
        self._changed: dict[bytes, None] = {}

    def prefetch(self, names: Iterable[bytes], sources: int) -> None:
        """Read the rows on the way to these sources at once. ``sources`` is how many the tree has."""
        levels = 1
        while LEAF * FAN ** (levels - 1) < 4 * sources and levels < LEVELS:
            levels += 1
        paths: dict[bytes, None] = {}
        for path in map(_path, names):
            paths |= dict.fromkeys([path[:level] for level in range(levels)])
        self._read([path for path in paths if path not in self._nodes])

    def find(self, name: bytes) -> Assertion | None:
        """The source of this name; None if it is not there."""
        path = _path(name)
        for level in range(LEVELS + 1):
            node = self._node(path[:level])
            if not node.parts:
                return next((source.assertion for source in node.sources if source.name == name), None)
        return None

    def put(self, sources: Mapping[bytes, Assertion]) -> Summary:
        """Put these sources there, in place of those with the same names; the summary of all, at least one."""
        return self._put(b"", sources)

    def changes(self) -> list[RowChange]:
        """The rows that have changed."""
        return [RowChange(self._row_key(path), _ENCODER.encode(self._nodes[path])) for path in self._changed]

    def _put(self, path: bytes, sources: Mapping[bytes, Assertion]) -> Summary:
        node, level = self._node(path), len(path)
        self._changed[path] = None
        parts = list(node.parts)
        if not parts:
            sources = {source.name: source.assertion for source in node.sources} | dict(sources)
            if len(sources) <= LEAF or level == LEVELS:
                kept = [Source(name, sources[name]) for name in sorted(sources)]
                self._nodes[path] = Node(self._generation, tuple(kept))
                return summary_of([*sources.items()])
            parts = [None] * FAN
            for part in range(FAN):  # not read: of these rows there is none, or one of another generation
                self._nodes[path + bytes([part])] = self._empty
        divided: dict[int, dict[bytes, Assertion]] = {}
        for name, assertion in sources.items():
            divided.setdefault(_part(name, level), {})[name] = assertion
        if node.parts and node.format != FORMAT:
            parts = [None if part in divided else self._summary(path + bytes([part])) for part in range(FAN)]
        for part, some in divided.items():
            parts[part] = self._put(path + bytes([part]), some)
        self._nodes[path] = Node(self._generation, (), tuple(parts))
        return together([part for part in parts if part is not None])

    def _summary(self, path: bytes) -> Summary | None:
        """The summary of the sources here, as ``_put`` would make it; None if there are none."""
        node = self._node(path)
        if not node.parts:
            return summary_of([(source.name, source.assertion) for source in node.sources]) if node.sources else None
        parts: Iterable[Summary | None] = node.parts
        if node.format != FORMAT:
            below = [path + bytes([part]) for part in range(FAN)]
            self._read([each for each in below if each not in self._nodes])
            parts = [self._summary(each) for each in below]
        found = [part for part in parts if part is not None]
        return together(found) if found else None

    def _node(self, path: bytes) -> Node:
        if path not in self._nodes:
            self._read([path])
        return self._nodes[path]

    def _read(self, paths: list[bytes]) -> None:
        found = self._rows.get_many([self._row_key(path) for path in paths])
        for path, data in zip(paths, found, strict=True):
            node = self._empty if data is None else _node(data)
            self._nodes[path] = node if node.generation == self._generation else self._empty

    def _row_key(self, path: bytes) -> bytes:
        """Longer than every indicator's key, by the level."""
        return self._key + bytes([len(path)]) + path


def _node(data: bytes) -> Node:
    if data.startswith(_FORMER):
        return msgspec.convert(node_fields(data), Node)
    node = _DECODER.decode(data)
    check_format(node.format)
    return node


def _path(name: bytes) -> bytes:
    """The part to go to on each level."""
    return b"".join([_PARTS[byte] for byte in name[_FIRST_BYTE:]])


def _part(name: bytes, level: int) -> int:
    """The part to go to on this level."""
    return name[_FIRST_BYTE + level // 4] >> (6 - 2 * (level % 4)) & 3
