"""Tells whether a file was read before, or is one that was read before and has grown since.

By content, not by name or time: a copied or renamed file is the same input, and a rotated one is not. A file that
begins with all of what the same path held before has grown, as logs do; reading continues behind that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Final

from producers.inputs import GZIP_MAGIC

_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first bytes of a file: their digest, their whole lines, and whether the line behind them continued."""

    digest: bytes
    lines: int
    splits_a_line: bool


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file's size and SHA-256, and its beginnings at the sizes that were asked for."""

    size: int
    digest: bytes
    beginnings: Mapping[int, Beginning]


def fingerprint(stream: BinaryIO, sizes: Sequence[int]) -> Fingerprint:
    """Read a file to its end, and put it back to its start."""
    digest, size, newlines, last, in_lines = sha256(), 0, 0, b"\n", True
    beginnings: dict[int, Beginning] = {}
    stops = sorted({stop for stop in sizes if stop > 0}, reverse=True)
    while chunk := stream.read(min(_CHUNK_BYTES, stops[-1] - size) if stops else _CHUNK_BYTES):
        if size in beginnings:
            beginnings[size] = Beginning(
                beginnings[size].digest, newlines, in_lines and last != b"\n" and chunk[:1] not in (b"\n", b"\r")
            )
        in_lines = in_lines and (size > 0 or not chunk.startswith(GZIP_MAGIC))
        digest.update(chunk)
        size, newlines, last = size + len(chunk), newlines + chunk.count(b"\n"), chunk[-1:]
        if stops and size == stops[-1]:
            beginnings[stops.pop()] = Beginning(digest.digest(), newlines, splits_a_line=False)
    stream.seek(0)
    return Fingerprint(size, digest.digest(), beginnings)
