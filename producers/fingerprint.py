"""Finds out whether a file was read before, or has grown since it was read.

By its uncompressed content, not by name, time or compression: a copied, renamed or compressed file is the same input. A
file that begins with all of what an earlier input held has grown, as logs do before they are rotated; reading continues
behind that.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from producers.inputs import UTF_8, Plain, Seekable, at_least
from producers.line_breaks import LineCount

_CHUNK_BYTES: Final = 1 << 20
LONGEST_PREFIX: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first bytes of a file: their digest, their whole lines, and whether their last line continued behind them."""

    digest: bytes
    lines: int
    splits_a_line: bool


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The size and SHA-256 of a file's uncompressed content, and its beginnings at the requested sizes.

    ``prefix`` is the digest of a beginning that every file with the same first half, or 64 KiB, also has among its own.
    ``stored_size`` and ``stored_digest`` are of the file on disk; ``damage`` is that of its compression.
    """

    size: int
    digest: bytes
    prefix: bytes
    beginnings: Mapping[int, Beginning]
    stored_size: int
    stored_digest: bytes
    damage: str


def fingerprint(
    stream: Seekable, sizes: Callable[[Collection[bytes]], Iterable[int]], encoding: str = UTF_8
) -> Fingerprint:
    """Read a file to its end, and put it back to its start.

    ``sizes`` names the beginnings that are asked for, by the digests of the file's prefixes. Lines are counted as
    readers with this ``encoding`` do.
    """
    stored = _Stored(stream)
    plain = Plain(stored)
    head = at_least(plain, LONGEST_PREFIX)
    prefixes = _prefixes(head)
    stops = sorted({size for size in sizes(prefixes) if size > 0}, reverse=True)
    digest, size, left, lines = sha256(), 0, head, LineCount(encoding)
    beginnings: dict[int, Beginning] = {}
    unresolved: list[int] = []  # sizes at which a character that is not whole yet, or the end, follows
    while True:
        most = min(_CHUNK_BYTES, stops[-1] - size) if stops else _CHUNK_BYTES
        chunk, left = (left[:most], left[most:]) if left else (plain.read(most), b"")
        if not chunk:
            break
        text = lines.text(chunk) if stops or unresolved else b""
        if text:
            for at in unresolved:
                beginnings[at] = Beginning(beginnings[at].digest, *lines.whole(text))
            unresolved = []
            lines.add(text)
        digest.update(chunk)
        size += len(chunk)
        if stops and size == stops[-1]:
            beginnings[stops.pop()] = Beginning(digest.digest(), *lines.whole())
            unresolved.append(size)
    stored.read_to_the_end()
    stream.seek(0)
    return Fingerprint(size, digest.digest(), prefix_of(head), beginnings, stored.size, stored.digest(), plain.damage)


def prefixes_of(stream: Seekable) -> list[bytes]:
    """The prefixes by which a file's earlier inputs are found. It is put back to its start."""
    prefixes = _prefixes(at_least(Plain(stream), LONGEST_PREFIX))
    stream.seek(0)
    return prefixes


def prefix_of(head: bytes) -> bytes:
    """The digest of the longest beginning with a size of 1, 2, 4, 8 … bytes; empty of nothing."""
    return sha256(head[: 1 << (min(len(head), LONGEST_PREFIX).bit_length() - 1)]).digest() if head else b""


def _prefixes(head: bytes) -> list[bytes]:
    """The digests of the first 1, 2, 4, 8 … bytes."""
    sizes = [1 << power for power in range(LONGEST_PREFIX.bit_length()) if 1 << power <= len(head)]
    return [sha256(head[:size]).digest() for size in sizes]


class _Stored:
    """A file on disk: its size and digest, once it is read."""

    def __init__(self, stream: Seekable) -> None:
        self._stream, self._digest, self.size = stream, sha256(), 0

    def read(self, size: int, /) -> bytes:
        got = self._stream.read(size)
        self._digest.update(got)
        self.size += len(got)
        return got

    def read_to_the_end(self) -> None:
        """Read bytes that the content does not need, such as those behind damage."""
        while self.read(_CHUNK_BYTES):
            pass

    def digest(self) -> bytes:
        return self._digest.digest()
