"""Opens a sensor's output: files, standard input, compressed, UTF-16; and reports the reader's position in it.

All of it is streaming. Damage to a compressed stream does not raise: the part before the damage is read, and ``damage``
then describes it, so that good lines are not lost.
"""

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import BinaryIO, Final, Protocol

from producers.archives import zip_directory
from producers.comments import is_blank, is_comment
from producers.unpacking import Readable, Resumed, unpacked

UTF_8: Final = "utf-8"
HEAD_BYTES: Final = 64 << 10
_WIDE_BOMS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEVERAL: Final = "the zip archive has several files: unpack it first"


class Seekable(Readable, Protocol):
    """A file that can be read again."""

    def seek(self, offset: int, /) -> int: ...


class Plain:
    """The content of an input: decompressed if it is compressed. All that reads an input's content reads it here."""

    def __init__(self, source: Readable) -> None:
        self._content, self._packed = unpacked(source)

    @property
    def names(self) -> tuple[str, ...]:
        """The names and comments that an archive gives its content."""
        return () if self._packed is None else self._packed.names

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; empty at the end."""
        return self._content.read(size)

    @property
    def damage(self) -> str:
        """The damage of the compressed stream, known once its readable part is read; empty if there is none."""
        return "" if self._packed is None else self._packed.damage


class OpenInput:
    """An open input: its name as the operator gave it, its first bytes, and a buffered stream of all of it.

    ``names`` are all the names and comments that its content goes by: its own, and those in its archive.
    """

    def __init__(self, name: str, stream: BinaryIO, *, encoding: str = UTF_8, limit: int | None = None) -> None:
        """``limit`` is how many bytes of ``stream`` belong to the input; the bytes behind them are not read."""
        self.name = name
        self._stream, self._encoding, self._limit = stream, encoding, limit
        self._start = stream.tell() if stream.seekable() else None
        self.records = 0  # lines, or parts of a document, that its reader has read
        self._counted = _Counted(stream, limit)
        directory = zip_directory(stream, limit) if self._start is not None else None
        self._several = directory is not None and directory.files > 1
        self._plain = Plain(io.BytesIO() if self._several else self._counted)
        self.names = (name, *self._plain.names, *([directory.comment] if directory and directory.comment else ()))
        source: Readable = self._plain
        if is_wide(encoding):
            source = _Transcoded(source, encoding)
        self.head = _first_row_and_more(source)
        self.stream: BinaryIO = io.BufferedReader(_Raw(Resumed(self.head, source)), HEAD_BYTES)

    @property
    def bytes_read(self) -> int:
        """How many bytes of the input on disk were read so far; a little ahead of the reader."""
        return self._counted.count

    @property
    def damage(self) -> str:
        """The damage of the compressed stream, known once its readable part is read; empty if there is none."""
        return _SEVERAL if self._several else self._plain.damage

    @contextmanager
    def read_ahead(self) -> "Iterator[OpenInput | None]":
        """The same input from its beginning, independent of this one; ``None`` of a pipe."""
        if self._start is None:
            yield None
            return
        position = self._stream.tell()
        self._stream.seek(self._start)
        try:
            yield OpenInput(self.name, self._stream, encoding=self._encoding, limit=self._limit)
        finally:
            self._stream.seek(position)

    @property
    def wide_bom(self) -> bool:
        """Whether the input begins with the byte order mark of UTF-16 or UTF-32."""
        return self.head.startswith(_WIDE_BOMS)


@lru_cache
def is_wide(encoding: str) -> bool:
    """Whether a line break in this encoding is not the byte 10: such an input is transcoded to UTF-8 first.

    Raises ``LookupError`` if there is no such text encoding.
    """
    return "\n".encode(encoding) != b"\n"


def name_in_utf8(path: str) -> str:
    """A file's name as text that UTF-8 can carry: Linux allows any bytes in one."""
    return os.fsencode(path).decode("utf-8", "replace")


class _Counted:
    """Counts what is read, and ends at the limit."""

    def __init__(self, stream: BinaryIO, limit: int | None) -> None:
        self._stream, self._limit, self.count = stream, limit, 0

    def read(self, size: int, /) -> bytes:
        if self._limit is not None:
            size = min(size, self._limit - self.count)
        read1 = getattr(self._stream, "read1", self._stream.read)  # the bytes that a pipe has now
        got: bytes = read1(size) if size else b""
        self.count += len(got)
        return got


class _Transcoded:
    """Text of an encoding with wide characters as UTF-8; bytes that cannot be decoded become U+FFFD."""

    def __init__(self, source: Readable, encoding: str) -> None:
        self._source, self._ended, self._left = source, False, b""
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read(self, size: int, /) -> bytes:
        while not self._left and not self._ended:
            got = self._source.read(size)
            self._ended = not got
            self._left = self._decoder.decode(got, final=self._ended).encode()
        got, self._left = self._left[:size], self._left[size:]
        return got


class _Raw(io.RawIOBase):
    """A raw stream of the standard library over a source, so that its buffering can be used."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        got = self._source.read(len(buffer))
        buffer[: len(got)] = got
        return len(got)


def at_least(source: Readable, size: int) -> bytes:
    """The first bytes, and at least ``size`` of them unless the input ends before."""
    got = b""
    while len(got) < size and (more := source.read(HEAD_BYTES)):
        got += more
    return got


def _first_row_and_more(source: Readable) -> bytes:
    """The bytes that are there now, up to ``HEAD_BYTES``, and at least one line that is neither blank nor a comment.

    A slow pipe does not block, but without such a line its format cannot be recognised.
    """
    got = b""
    while len(got) < HEAD_BYTES and not _has_row(got) and (more := source.read(HEAD_BYTES - len(got))):
        got += more
    return got


def _has_row(got: bytes) -> bool:
    lines = (line.decode(UTF_8, "replace") for line in got.split(b"\n")[:-1])
    return not all(is_comment(line) or is_blank(line) for line in lines)
