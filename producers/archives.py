"""What an archive states about its content beside it: names, comments, and how many files it has.

A name or a comment in an archive may restrict what it holds (``TLP-RED/list.csv``), as a file's own name may.
"""

from typing import BinaryIO, Final, NamedTuple, Protocol

GZIP_MAGIC: Final = b"\x1f\x8b"
ZIP_MAGIC: Final = b"PK\x03\x04"
LONGEST_HEADER: Final = 192 << 10
"""More than the three texts of a gzip header that anyone writes; a longer header is read as if it had none."""

_FIXED_BYTES: Final = 10
_EXTRA, _NAME, _COMMENT = 0x04, 0x08, 0x10
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_ENTRY: Final = b"PK\x01\x02"
_ENTRY_BYTES: Final = 46
_LONGEST_COMMENT: Final = 0xFFFF
_ENCODINGS: Final = ("utf-8", "cp932", "latin-1")
"""Archives of Japanese Windows have cp932 where the formats demand cp437 or Latin-1, which take any bytes."""


class Source(Protocol):
    """Anything with bytes."""

    def read(self, size: int, /) -> bytes: ...


class Directory(NamedTuple):
    """The end of a zip archive: how many files it has, and its comment."""

    files: int
    comment: str


def text_of(content: bytes) -> str:
    """A name or comment in the encoding that it can be in."""
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def gzip_header(source: Source) -> tuple[tuple[str, ...], bytes]:
    """The name and the comment in a gzip header (RFC 1952, section 2.3), and all the bytes that were read for them."""
    got = _grown(source, b"", _FIXED_BYTES)
    if len(got) < _FIXED_BYTES:
        return (), got
    flags, at = got[3], _FIXED_BYTES
    if flags & _EXTRA:
        got = _grown(source, got, at + 2)
        at += 2 + int.from_bytes(got[at : at + 2], "little")
        got = _grown(source, got, at)
    texts: list[str] = []
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            while (end := got.find(b"\0", at)) < 0 and len(got) < LONGEST_HEADER:
                if not (more := source.read(1024)):
                    return tuple(texts), got
                got += more
            if end < 0:
                return tuple(texts), got
            texts.append(text_of(got[at:end]))
            at = end + 1
    return tuple(filter(None, texts)), got


def zip_directory(stream: BinaryIO, limit: int | None = None) -> Directory | None:
    """The end of a zip archive that can be read from its end (APPNOTE.TXT 6.3, section 4.3.16); it stays where it was.

    ``limit`` is how many bytes from here belong to it. ``None`` if this is no zip archive, or one without an end: its
    content is then read as far as it goes.
    """
    position = stream.tell()
    try:
        if stream.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
            return None
        end = stream.seek(0, 2)
        end = end if limit is None else min(end, position + limit)
        start = stream.seek(max(position, end - _END_BYTES - _LONGEST_COMMENT))
        tail = _grown(stream, b"", end - start)
    finally:
        stream.seek(position)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        return None
    entries, size = int.from_bytes(tail[at + 10 : at + 12], "little"), int.from_bytes(tail[at + 12 : at + 16], "little")
    length = int.from_bytes(tail[at + 20 : at + 22], "little")
    comment = tail[at + _END_BYTES : at + _END_BYTES + length]
    return Directory(entries - _folders_in(tail[max(0, at - size) : at]), text_of(comment))


def _folders_in(entries: bytes) -> int:
    """How many of the entries of a directory are folders: their names end with a slash. Of a long one, 0."""
    found = at = 0
    while entries.startswith(_ENTRY, at) and at + _ENTRY_BYTES <= len(entries):
        name, extra, comment = (
            int.from_bytes(entries[at + place : at + place + 2], "little") for place in (28, 30, 32)
        )
        end = at + _ENTRY_BYTES + name
        found += entries[end - 1 : end] == b"/"
        at = end + extra + comment
    return found


def _grown(source: Source, got: bytes, size: int) -> bytes:
    while len(got) < size and (more := source.read(size - len(got))):
        got += more
    return got
