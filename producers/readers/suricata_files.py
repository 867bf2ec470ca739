"""Which parts of a file that Suricata saw are indicators: its hashes, if it was seen whole.

A file's name is context. Any file may have it, so it does not stand for the file.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.vocabulary import IndicatorType

HASHES: Final = frozenset({IndicatorType.FILE_MD5, IndicatorType.FILE_SHA1, IndicatorType.FILE_SHA256})


class File(msgspec.Struct):
    """A ``fileinfo`` object, or an entry of an alert's ``files``."""

    filename: str | None = None
    state: str | None = None
    gaps: bool | None = None
    start: int | None = None
    end: int | None = None
    md5: str | None = None
    sha1: str | None = None
    sha256: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it was seen: the hash of a part is the hash of no file. Old records state neither.

        ``start`` and ``end`` are there if a range was asked for (RFC 9110, section 14).
        """
        is_range = self.start is not None or self.end is not None
        is_closed = self.state == "CLOSED" or (self.state is None and self.gaps is None)
        return is_closed and not self.gaps and not is_range


def hashes_of(file: File) -> Iterator[tuple[IndicatorType, str]]:
    """Types and values; none of a file that was not seen whole."""
    if not file.is_whole:
        return
    hashes = {
        IndicatorType.FILE_MD5: file.md5,
        IndicatorType.FILE_SHA1: file.sha1,
        IndicatorType.FILE_SHA256: file.sha256,
    }
    yield from ((kind, digest) for kind, digest in hashes.items() if digest)
