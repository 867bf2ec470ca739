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
from producers.line_breaks import LineCount, has_lone_returns, lines_of, without_marks
from producers.readers.encodings import advice_on, misread
from producers.readers.reading import Rejected, excerpt_of, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_LINE_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 64 << 10


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
    return lines_in(blocks(source, encoding), source)


def lines_in(pieces: Iterator["Block | Line | Rejected"], source: OpenInput) -> Iterator[Line | Rejected]:
    """The lines of these pieces, which ``source.records`` counts one by one."""
    for piece in pieces:
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
        block = without_marks(_buffered(source)) if number else b""  # the first line is seldom a row
        text = _text(block, encoding) if block else None
        if text is not None:
            found = Block(source.name, number, text, block)
            source.records = number = number + len(found)
            yield found
            continue
        content = block or source.stream.readline(MAX_LINE_BYTES + 1)
        if not content:
            break
        if len(content) > MAX_LINE_BYTES and not content.endswith(b"\n"):
            refused, count = _too_long(source, number + 1, content)
            source.records = number = number + count
            yield refused
            continue
        if source.damage and not content.endswith((b"\n", b"\r")):
            source.records = number + 1
            break  # cut in the middle: half a name is another name
        for part in lines_of(without_marks(content)):
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


def _text(content: bytes, encoding: str) -> str | None:
    """The text of lines of UTF-8; ``None`` if each has to be looked at by itself."""
    if has_lone_returns(content) or (encoding != UTF_8 and not is_wide(encoding)):
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    if misread(text, encoding):
        return None
    return text.replace("\r\n", "\n") if b"\r" in content else text


def _too_long(source: OpenInput, number: int, beginning: bytes) -> tuple[Rejected, int]:
    """The refusal of all up to the next line feed, and how many lines that is."""
    digest, size, chunk, lines = sha256(beginning), len(beginning), beginning, LineCount(UTF_8)
    lines.add(beginning)
    while not chunk.endswith(b"\n") and (chunk := source.stream.readline(_CHUNK_BYTES)):
        digest.update(chunk)
        lines.add(chunk)
        size += len(chunk)
    refused = Rejected(
        SourcePlace(source.name, number),
        RejectReason.LINE_TOO_LONG,
        f"the line has {size} bytes; the limit is {MAX_LINE_BYTES}: does this file consist of lines?",
        None,
        size,
        digest.digest(),
        excerpt_of(beginning),
    )
    return refused, lines.whole()[0]


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
