"""Unpacks compressed inputs as they are read: gzip, bzip2, xz, Zstandard, and zip with one file.

Damage does not raise: the part before it is read, and ``damage`` then describes it. What is kept in memory is bounded,
and an input that unfolds out of all proportion is taken for a bomb and ends there.
"""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Any, Final, Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from producers.archives import GZIP_MAGIC, ZIP_MAGIC, gzip_header, text_of

CHUNK_BYTES: Final = 64 << 10
MOST_MEMORY: Final = 128 << 20
"""What a stream may ask its reader to keep of what came before: xz with preset 9 needs 65 MiB."""
HARMLESS_BYTES: Final = 256 << 20
MOST_RATIO: Final = 200
"""Beyond ``HARMLESS_BYTES`` a stream may unfold to this many times its size. Logs unfold to 10 or 50 times theirs."""
_WINDOW_LOG: Final = MOST_MEMORY.bit_length() - 1
_ERRORS: Final = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError, MemoryError)

_DIRECTORY: Final = b"PK\x01\x02"
_LOCAL_HEADER_BYTES: Final = 30
_DESCRIPTOR_BYTES: Final = 24
_ENCRYPTED, _SIZE_BEHIND = 0x1, 0x8
_STORED, _DEFLATED = 0, 8
_MOST_FOLDERS: Final = 32


class Readable(Protocol):
    """Anything with bytes."""

    def read(self, size: int, /) -> bytes: ...


class Packed(Readable, Protocol):
    """A compressed input as its content. ``damage`` is known once the readable part is read.

    ``names`` are the names and comments that the archive gives its content.
    """

    damage: str
    names: tuple[str, ...]


class Resumed:
    """Bytes that were read already, then the rest."""

    def __init__(self, beginning: bytes, rest: Readable) -> None:
        self._beginning, self._rest = beginning, rest

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``."""
        if not self._beginning:
            return self._rest.read(size)
        got, self._beginning = self._beginning[:size], self._beginning[size:]
        return got


class _Streams:
    """The content of compressed streams, one after the other; with ``one`` of the first alone.

    ``new_stream`` makes a decompressor of the standard library's form; ``rest`` is what was read behind the one.
    """

    def __init__(
        self,
        source: Readable,
        name: str,
        new_stream: Callable[[], Any],
        *,
        one: bool = False,
        names: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self._source, self._name, self._new_stream, self._one = source, name, new_stream, one
        self._left, self.damage, self.rest, self._ended = b"", "", b"", False
        self._stream: Any = None
        self._packed = self._plain = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``; empty at the end and at the first damage."""
        while not self.damage and not self._ended:
            packed = self._next_packed()
            if not packed and (self._stream is None or getattr(self._stream, "needs_input", True)):
                if self._stream is not None:
                    self.damage = f"the {self._name} stream ends before its end marker: the file was cut"
                return b""
            try:
                plain = self._unpack(packed, size)
            except _ERRORS as error:
                self.damage = f"the {self._name} stream is damaged: {error}"
                return b""
            self._plain += len(plain)
            if self._plain > HARMLESS_BYTES and self._plain > MOST_RATIO * self._packed:
                self.damage = f"the {self._name} stream unfolds to more than {MOST_RATIO} times its size: is it a bomb?"
                return b""
            if plain:
                return plain
        return b""

    def _next_packed(self) -> bytes:
        packed, self._left = self._left, b""
        if not packed and (self._stream is None or getattr(self._stream, "needs_input", True)):
            packed = self._source.read(CHUNK_BYTES)
            self._packed += len(packed)
        return packed

    def _unpack(self, packed: bytes, size: int) -> bytes:
        if self._stream is None:
            if not self._one:
                packed = packed.lstrip(b"\0")  # padding between streams, as xz and tapes have it
            if not packed:
                return b""
            self._stream = self._new_stream()
        plain: bytes = self._stream.decompress(packed, size)
        self._left = getattr(self._stream, "unconsumed_tail", b"")
        if self._stream.eof:
            self._left, self._stream, self._ended = self._stream.unused_data, None, self._one
            self.rest = self._left
        return plain


class _Zip:
    """The only file of a zip archive, read without its directory (APPNOTE.TXT 6.3, sections 4.3.7 and 4.4)."""

    def __init__(self, source: Readable) -> None:
        self._source, self.damage = source, ""
        self.names: tuple[str, ...] = ()
        self._deflated: _Streams | None = None
        self._stored = 0
        self._begin()

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most ``size``."""
        if self._deflated is not None:
            got = self._deflated.read(size)
            self.damage = self._deflated.damage
            if not got and not self.damage:
                self._end(self._deflated.rest)
            return got
        if self.damage or not self._stored:
            return b""
        got = self._source.read(min(size, self._stored))
        self._stored -= len(got)
        if not got:
            self.damage = "the zip archive ends before its file does: it was cut"
        elif not self._stored:
            self._end(b"")
        return got

    def _begin(self) -> None:
        header = _exactly(self._source, _LOCAL_HEADER_BYTES)
        if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(ZIP_MAGIC):
            self.damage = "the zip archive has no file"
            return
        flags, method = (int.from_bytes(header[at : at + 2], "little") for at in (6, 8))
        size = int.from_bytes(header[18:22], "little")
        names, extras = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
        name = text_of(_exactly(self._source, names))
        self.names = (*self.names, name)
        _exactly(self._source, extras)
        is_empty = not int.from_bytes(header[22:26], "little") and not flags & _SIZE_BEHIND
        if name.endswith("/") and is_empty and len(self.names) <= _MOST_FOLDERS:
            _exactly(self._source, size)
            self._begin()  # behind a folder is its file
        elif flags & _ENCRYPTED:
            self.damage = "the zip archive is encrypted: unpack it first"
        elif method == _DEFLATED:
            self._deflated = _Streams(self._source, "zip", lambda: zlib.decompressobj(-zlib.MAX_WBITS), one=True)
        elif method == _STORED and size:
            self._stored = size
        else:
            self.damage = f"the zip archive's first file is empty or packed by method {method}: unpack it first"

    def _end(self, rest: bytes) -> None:
        """Find out whether another file follows."""
        self._deflated, self._stored = None, 0
        rest += _exactly(self._source, max(0, _DESCRIPTOR_BYTES + len(_DIRECTORY) - len(rest)))
        following = rest.find(ZIP_MAGIC)
        if following >= 0 and following < (rest.find(_DIRECTORY) % (len(rest) + 1)):
            self.damage = "the zip archive has several files, and only the first was read: unpack it first"


def _gzip(source: Readable) -> Packed:
    names, beginning = gzip_header(source)
    return _Streams(Resumed(beginning, source), "gzip", lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), names=names)


_KINDS: Final[tuple[tuple[bytes, Callable[[Readable], Packed]], ...]] = (
    (GZIP_MAGIC, _gzip),
    (b"BZh", lambda source: _Streams(source, "bzip2", bz2.BZ2Decompressor)),
    (
        b"\xfd7zXZ\0",
        lambda source: _Streams(source, "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY)),
    ),
    (
        b"\x28\xb5\x2f\xfd",
        lambda source: _Streams(
            source,
            "Zstandard",
            lambda: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}),
        ),
    ),
    (ZIP_MAGIC, _Zip),
)
EXTENSIONS: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")


def unpacked(source: Readable) -> tuple[Readable, Packed | None]:
    """The content of an input, and what unpacks it; ``None`` if it is not compressed.

    No more is read ahead than is needed to know it: the first bytes of a slow pipe are not waited for.
    """
    beginning = b""
    while any(magic.startswith(beginning) and magic != beginning for magic, _ in _KINDS):
        more = source.read(1 if beginning else CHUNK_BYTES)
        if not more:
            break
        beginning += more
    whole = Resumed(beginning, source)
    for magic, unpacker in _KINDS:
        if beginning.startswith(magic):
            packed = unpacker(whole)
            return packed, packed
    return whole, None


def is_packed(beginning: bytes) -> bool:
    """Whether an input that begins like this is compressed."""
    return any(beginning.startswith(magic) for magic, _ in _KINDS)


def without_extension(name: str) -> str:
    """A file's name, in lower case, without the extension of its compression."""
    name = name.lower()
    return next((name.removesuffix(extension) for extension in EXTENSIONS if name.endswith(extension)), name)


def _exactly(source: Readable, size: int) -> bytes:
    """This many bytes, or all that there are."""
    got = b""
    while len(got) < size and (more := source.read(size - len(got))):
        got += more
    return got
