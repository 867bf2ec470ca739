"""Cuts an input into lines in bounded memory, and decodes a line or says why it cannot be decoded."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import msgspec

from producers.inputs import UTF_8, Input, is_wide
from producers.readers.reading import Rejected, excerpt_of, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_LINE_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 64 << 10
_BOM: Final = b"\xef\xbb\xbf"
# What a line that is not UTF-8 is likely to be. Many lines are valid in several of them: that is why none is guessed.
_LIKELY: Final = {"shift_jis": "Shift-JIS", "euc_jp": "EUC-JP", "latin-1": "Latin-1"}


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line without its ending. ``number`` counts from 1."""

    number: int
    content: bytes


def lines(source: Input) -> Iterator[Line | Rejected]:
    """All lines. One that is too long is refused and skipped to the next line break in bounded memory."""
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
        yield Line(number, content.rstrip(b"\r\n"))
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
        f"the line has {size} bytes, and {MAX_LINE_BYTES} is the most: is this file in lines at all?",
        None,
        size,
        digest.digest(),
        excerpt_of(beginning),
    )


def decoded(content: bytes, encoding: str, place: SourcePlace) -> str | Rejected:
    """The text of a line, never guessed: what is not in the encoding is refused with its original bytes."""
    try:
        return content.decode(UTF_8 if is_wide(encoding) else encoding)
    except UnicodeDecodeError as error:
        return rejected(
            place,
            RejectReason.UNREADABLE_LINE,
            f"byte {error.start + 1} of the line (0x{content[error.start]:02x}) is not {encoding}{_advice(content)}",
            content,
        )


def _advice(content: bytes) -> str:
    likely = [f"--encoding {encoding} ({name})" for encoding, name in _LIKELY.items() if _reads(content, encoding)]
    return f"; it can be read with {' or '.join(likely)}: say which it is" if likely else ""


def _reads(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
