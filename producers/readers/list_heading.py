"""The marking of a whole list: in its file name, in comments, and in lines that are no row of it.

A file is read ahead to its end, so that a marking in its last line counts for its first row. What comes from a pipe
cannot be read ahead: there a comment counts for the rows behind it. A comment that is in another encoding may state
anything, so it holds.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, joined, unrecognised
from producers.markings.understanding import of_comment, of_file_names, of_heading, of_prose
from producers.readers.lines import Block, Line, blocks
from producers.readers.reading import Rejected
from schemas.normalise import detect
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

COMMENT_SIGNS: Final = ("#", "//", ";")
# Whatever an indicator has, defanged or not: a dot within it, a scheme, colons, an @, many digits, a slash.
_MAY_BE_INDICATOR: Final = re.compile(
    r"\S(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\))\S|://|:.*:|@|\[at\]|[0-9A-Fa-f]{32}|\bAS ?\d|/", re.IGNORECASE
)
_NAMES: Final = re.compile(r"[A-Za-z][\w+.\[\]-]{0,20}://\S+|[A-Za-z]:\\(?:[^\\\n]*\\)*\S*")
_SIGNS: Final = "#;/!*- \t\"'"
_LONGEST_HEADING: Final = 40
_CHUNK_BYTES: Final = 64 << 10
_LONGEST_COMMENT: Final = 1 << 20
_COMMENT_LINE: Final = re.compile(rb"(?<![^\r\n])(?:\xef\xbb\xbf)?#[^\r\n]*")  # ends of lines as ``lines`` has them
_COMMENT_BYTES: Final = tuple(sign.encode() for sign in COMMENT_SIGNS)
_CERTIFICATES: Final = re.compile(r"certificat|zertifikat|\bx\.?509\b|証明書", re.IGNORECASE)
_UNREADABLE: Final = frozenset({RejectReason.UNREADABLE_LINE, RejectReason.LINE_TOO_LONG})
_BETWEEN: Final = re.compile(rb"[\s,;|\"']+")
_LONGEST_ROW: Final = 4096


def names_certificates(lines: Iterable[str], signs: tuple[str, ...] = COMMENT_SIGNS) -> bool:
    """Whether a comment among these lines names certificates: then a hash may be the fingerprint of one."""
    return any(line.lstrip().startswith(signs) and _CERTIFICATES.search(line) for line in lines)


def heading_of(
    source: OpenInput,
    encoding: str,
    of_line: Callable[[Line], Marked],
    of_block: Callable[[Block], Iterable[Line]] = iter,
) -> Marked:
    """The marking of the list that this input is.

    ``of_line``: what each line, in order, states about all of it. ``of_block``: the lines of a block that may do so.
    """
    found = of_file_names(source.names)
    with source.read_ahead() as ahead:
        for piece in () if ahead is None else blocks(ahead, encoding):
            if isinstance(piece, Rejected):
                found = found.join(marking_of_unreadable(piece))
                continue
            for line in of_block(piece) if isinstance(piece, Block) else (piece,):
                if line.text and not line.text.isspace():
                    found = found.join(of_line(line))
    return found


def comments_ahead(source: OpenInput, is_comment: Callable[[str], bool]) -> Marked:
    """The marking in lines that begin with ``#``, wherever in a file; ``is_comment`` picks those that are about it."""
    found: list[Marked] = []
    with source.read_ahead() as ahead:
        left = b""
        while ahead is not None and (chunk := ahead.stream.read(_CHUNK_BYTES)):
            whole, _, left = (left + chunk).rpartition(b"\n")
            found += _comments_in(whole, is_comment)
            left = left[:_LONGEST_COMMENT]
        found += _comments_in(left, is_comment)
    return joined(found)


def _comments_in(content: bytes, is_comment: Callable[[str], bool]) -> Iterator[Marked]:
    for line in _COMMENT_LINE.findall(content):
        text = line.decode("utf-8", "replace")
        if is_comment(text):
            yield _not_read("a comment") if "\ufffd" in text else marking_of_line(Line(SourcePlace("", 0), text, line))


def marking_of_unreadable(line: Rejected) -> Marked:
    """A line that cannot be read may be about the list: then whatever it states applies. A row is refused alone."""
    content = line.excerpt.encode() if line.original is None else line.original
    if line.reason not in _UNREADABLE or (not content.lstrip().startswith(_COMMENT_BYTES) and _has_value(content)):
        return NOTHING
    return _not_read(f"line {line.place.line}")


def _has_value(content: bytes) -> bool:
    """Whether a line names an indicator."""
    words = (word.decode("ascii") for word in _BETWEEN.split(content[:_LONGEST_ROW]) if word.isascii())
    return any(detect(word) is not None for word in words)


def _not_read(where: str) -> Marked:
    return unrecognised("a comment that cannot be read", where)


def marking_of_line(line: Line) -> Marked:
    """The marking in a comment or a title line."""
    text, where = line.text.strip(_SIGNS), f"line {line.number}"
    return of_heading(text, where) if len(text) <= _LONGEST_HEADING else of_note(text, where)


def of_note(text: str, where: str) -> Marked:
    """A comment's marking. In links and paths only labels count: their other words are names, as of an article."""
    return of_comment(_NAMES.sub(" ", text), where).join(of_prose(text, where))


def has_no_indicator(text: str) -> bool:
    """Whether a line is plainly no value: words without anything that an indicator has."""
    is_plain = "/" in text or "@" in text or text.count(":") > 1  # what the pattern finds in most rows, in less time
    return not is_plain and not _MAY_BE_INDICATOR.search(text)
