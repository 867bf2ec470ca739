"""Cuts an input into decoded lines, in bounded memory. A line that cannot be decoded is refused, never guessed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import BufferedReader
from itertools import repeat
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


@dataclass(frozen=True)
class Block:
    """Whole lines that were decoded at once, and how many lines of the file are before.

    In ``text`` they end with a line feed; ``content`` are their bytes as they were.
    """

    file: str
    before: int
    text: str
    content: bytes

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Line]:
        """Its lines, in order."""
        return map(Line, self.places, self.texts, self.originals)

    def line(self, index: int) -> Line:
        """One of its lines, counted from 0."""
        return Line(SourcePlace(self.file, self.before + 1 + index), self.texts[index], self.originals[index])

    @property
    def places(self) -> Iterator[SourcePlace]:
        """The position of each line."""
        return map(SourcePlace, repeat(self.file), range(self.before + 1, self.before + 1 + len(self)))

    @cached_property
    def texts(self) -> list[str]:
        """The text of each line without its line break."""
        return self.text[:-1].split("\n")

    @cached_property
    def originals(self) -> list[bytes]:
        """The bytes of each line without its line break."""
        content = self.content.replace(b"\r\n", b"\n") if b"\r" in self.content else self.content
        return content[:-1].split(b"\n")


def lines(source: OpenInput, encoding: str) -> Iterator[Line | Rejected]:
    """All lines. A line that is too long is refused and skipped up to its line break in bounded memory."""
    for piece in blocks(source, encoding):
        if isinstance(piece, Block):
            for line in piece:
                source.records = line.place.line
                yield line
        else:
            yield piece


def blocks(source: OpenInput, encoding: str) -> Iterator[Block | Line | Rejected]:
    """The same, in blocks if that makes no difference; ``source.records`` counts the lines of a block at once."""
    number, content = 0, b""
    while True:
        block = _buffered(source) if number else b""  # the first line may begin with a byte order mark
        text = _text(block, encoding) if block else None
        if text is not None:
            found = Block(source.name, number, text, block)
            source.records = number = number + len(found)
            yield found
            continue
        content = block or source.stream.readline(MAX_LINE_BYTES + 1)
        if not content:
            break
        is_whole = content.endswith(b"\n")
        if len(content) > MAX_LINE_BYTES and not is_whole:
            source.records = number = number + 1
            yield _too_long(source, number, content)
            continue
        if source.damage and not is_whole:
            source.records = number + 1
            break  # cut in the middle: half a name is another name
        for part in _parts(content if number else content.removeprefix(_BOM)):
            source.records = number = number + 1
            yield _decoded(part, encoding, SourcePlace(source.name, number))
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


def _parts(content: bytes) -> Iterator[bytes]:
    """The lines without their line breaks, also without those of old Macs and of Excel for Mac."""
    for line in content.removesuffix(b"\n").split(b"\n"):
        yield from line.rstrip(b"\r").split(b"\r")


def _text(content: bytes, encoding: str) -> str | None:
    """The text of lines of UTF-8; ``None`` if each has to be looked at by itself."""
    has_returns = b"\r" in content
    has_other_breaks = has_returns and content.count(b"\r") != content.count(b"\r\n")
    if has_other_breaks or (encoding != UTF_8 and not is_wide(encoding)):
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if misread(text, encoding):
        return None
    return text.replace("\r\n", "\n") if has_returns else text


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
