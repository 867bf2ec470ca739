"""Cuts an input into decoded lines, in bounded memory. A line that cannot be decoded is refused, never guessed."""

from collections.abc import Iterator
from hashlib import sha256
from io import BufferedReader
from itertools import count
from typing import Final

import msgspec

from producers.inputs import UTF_8, OpenInput, is_wide
from producers.readers.encodings import advice_on, misread
from producers.readers.reading import Rejected, excerpt_of, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_LINE_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 64 << 10
_BOM: Final = b"\xef\xbb\xbf"


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line without its line break: its position, its text, and its bytes as they were."""

    place: SourcePlace
    text: str
    original: bytes

    @property
    def number(self) -> int:
        """Counted from 1."""
        return self.place.line


def lines(source: OpenInput, encoding: str) -> Iterator[Line | Rejected]:
    """All lines. A line that is too long is refused and skipped up to its line break in bounded memory."""
    number, content = 0, b""
    while True:
        block = _buffered(source) if number else b""  # the first line may begin with a byte order mark
        if block:
            for line in _of_block(block, encoding, source.name, number):
                source.records = number = line.place.line
                yield line
            continue
        content = source.stream.readline(MAX_LINE_BYTES + 1)
        if not content:
            break
        source.records = number = number + 1
        if len(content) > MAX_LINE_BYTES and not content.endswith(b"\n"):
            yield _too_long(source, number, content)
            continue
        if source.damage and not content.endswith(b"\n"):
            number -= 1  # cut in the middle: half a name is another name
            break
        if number == 1:
            content = content.removeprefix(_BOM)
        content = content.rstrip(b"\r\n")
        if b"\r" in content:  # as old Macs and Excel for Mac end their lines
            *parts, content = content.split(b"\r")
            for part in parts:
                yield _decoded(part, encoding, SourcePlace(source.name, number))
                source.records = number = number + 1
        yield _decoded(content, encoding, SourcePlace(source.name, number))
    if source.damage:
        yield rejected(
            SourcePlace(source.name, number + 1),
            RejectReason.TRUNCATED,
            f"{source.damage}; the {number} lines before that were read: get the file again",
            content,
        )


def _buffered(source: OpenInput) -> bytes:
    """The whole lines that are in memory already, or can be read at once; empty if there is none."""
    ready = source.stream.peek() if isinstance(source.stream, BufferedReader) else b""
    return source.stream.read(ready.rfind(b"\n") + 1)


def _of_block(content: bytes, encoding: str, name: str, before: int) -> Iterator[Line | Rejected]:
    """The lines of a block of whole ones. It is decoded at once if that cannot differ from decoding each."""
    originals = content[:-1].split(b"\n")
    texts = _texts(content, encoding)
    if texts is None:
        for number, original in enumerate(originals, before + 1):
            yield _decoded(original.rstrip(b"\r"), encoding, SourcePlace(name, number))
        return
    for number, text, original in zip(count(before + 1), texts, originals, strict=False):
        yield Line(SourcePlace(name, number), text.rstrip("\r"), original.rstrip(b"\r"))


def _texts(content: bytes, encoding: str) -> list[str] | None:
    """The texts of lines of UTF-8; ``None`` if each has to be looked at by itself."""
    if encoding != UTF_8 and not is_wide(encoding):
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if misread(text, encoding) else text[:-1].split("\n")


def _too_long(source: OpenInput, number: int, beginning: bytes) -> Rejected:
    digest, size, chunk = sha256(beginning), len(beginning), beginning
    while not chunk.endswith(b"\n") and (chunk := source.stream.readline(_CHUNK_BYTES)):
        digest.update(chunk)
        size += len(chunk)
    return Rejected(
        SourcePlace(source.name, number),
        RejectReason.LINE_TOO_LONG,
        f"the line has {size} bytes; the limit is {MAX_LINE_BYTES}: does this file consist of lines?",
        None,
        size,
        digest.digest(),
        excerpt_of(beginning),
    )


def _decoded(content: bytes, encoding: str, place: SourcePlace) -> Line | Rejected:
    try:
        text = content.decode(UTF_8 if is_wide(encoding) else encoding)
    except UnicodeDecodeError as error:
        byte = f"byte {error.start + 1} of the line (0x{content[error.start]:02x})"
        return rejected(place, RejectReason.UNREADABLE_LINE, f"{byte} is not {encoding}{advice_on(content)}", content)
    problem = misread(text, encoding)
    if problem:
        return rejected(place, RejectReason.UNREADABLE_LINE, f"the line is misread: {problem}", content)
    return Line(place, text, content)
