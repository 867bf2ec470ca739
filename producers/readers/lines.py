"""Cuts an input into decoded lines, in bounded memory. A line that cannot be decoded is refused, never guessed."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import msgspec

from producers.inputs import UTF_8, Input, is_wide
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


def lines(source: Input, encoding: str) -> Iterator[Line | Rejected]:
    """All lines. A line that is too long is refused and skipped up to its line break in bounded memory."""
    number = 0
    while content := source.stream.readline(MAX_LINE_BYTES + 1):
        source.records = number = number + 1
        if len(content) > MAX_LINE_BYTES and not content.endswith(b"\n"):
            yield _too_long(source, number, content)
            continue
        if source.damage and not content.endswith(b"\n"):
            number -= 1  # cut in the middle: half a name is another name
            break
        if number == 1:
            content = content.removeprefix(_BOM)
        yield _decoded(content.rstrip(b"\r\n"), encoding, SourcePlace(source.name, number))
    if source.damage:
        yield rejected(
            SourcePlace(source.name, number + 1),
            RejectReason.TRUNCATED,
            f"{source.damage}; the {number} lines before that were read: get the file again",
            content,
        )


def _too_long(source: Input, number: int, beginning: bytes) -> Rejected:
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
