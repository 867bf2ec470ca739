"""The marking of a whole list: in its file name, in comments, and in lines that are no row of it.

A file is read ahead to its end, so that a marking in its last line counts for its first row. What comes from a pipe
cannot be read ahead: there the same lines count for the rows behind them. A comment that is in another encoding may
state anything, so it holds.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from producers.comments import is_comment
from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, unrecognised
from producers.markings.report_lines import of_named
from producers.markings.understanding import of_comment, of_file_names, of_heading, of_prose
from producers.readers.lines import Block, Line, blocks, lines_in
from producers.readers.reading import Rejected
from schemas.normalise import detect
from schemas.vocabulary import RejectReason

COMMENT_SIGNS: Final = ("#", "//", ";")
# Whatever an indicator has, defanged or not: a dot within it, a scheme, colons, an @, many digits, a slash.
_MAY_BE_INDICATOR: Final = re.compile(
    r"\S(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\))\S|://|:.*:|@|\[at\]|[0-9A-Fa-f]{32}|\bAS ?\d|/", re.IGNORECASE
)
_NAMES: Final = re.compile(r"[A-Za-z][\w+.\[\]-]{0,20}://\S+|[A-Za-z]:\\(?:[^\\\n]*\\)*\S*")
_SIGNS: Final = "#;/!*- \t\"'"
_LONGEST_HEADING: Final = 40
_LONGEST_PAIR: Final = 160
_BETWEEN_CELLS: Final = re.compile(r"[,;|\t=:：]+| [-–—] |[ \u3000]{2,}")
_CERTIFICATES: Final = re.compile(r"certificat|zertifikat|\bx\.?509\b|証明書", re.IGNORECASE)
_UNREADABLE: Final = frozenset({RejectReason.UNREADABLE_LINE, RejectReason.LINE_TOO_LONG})
_BETWEEN: Final = re.compile(rb"[\s,;|\"']+")
_LONGEST_ROW: Final = 4096


def names_certificates(lines: Iterable[str], signs: tuple[str, ...] = COMMENT_SIGNS) -> bool:
    """Whether a comment among these lines names certificates: then a hash may be the fingerprint of one."""
    return any(line.lstrip().startswith(signs) and _CERTIFICATES.search(line) for line in lines)


class Heading:
    """The marking of a list: ``marked``. Of a file it is complete, of a pipe as far as its lines were passed on."""

    def __init__(
        self,
        source: OpenInput,
        encoding: str,
        of_line: Callable[[Line], Marked],
        of_block: Callable[[Block], Iterable[Line]] = iter,
        of_unreadable: Callable[[Rejected], Marked] | None = None,
    ) -> None:
        """``of_line``: what each line, in order, states about all of the list. ``of_block``: the lines of a block that
        may do so. ``of_unreadable``: the same of a line that cannot be read (``marking_of_unreadable``).
        """
        self._source, self._encoding, self._of_line, self._of_block = source, encoding, of_line, of_block
        self._of_unreadable = of_unreadable or marking_of_unreadable
        self.marked = of_file_names(source.names)
        with source.read_ahead() as ahead:
            self._is_complete = ahead is not None
            for piece in () if ahead is None else blocks(ahead, encoding):
                self._join(piece)

    def pieces(self) -> Iterator[Block | Line | Rejected]:
        """The pieces of the list."""
        for piece in blocks(self._source, self._encoding):
            if not self._is_complete:
                self._join(piece)
            yield piece

    def lines(self) -> Iterator[Line | Rejected]:
        """Its lines."""
        return lines_in(self.pieces(), self._source)

    def _join(self, piece: Block | Line | Rejected) -> None:
        if isinstance(piece, Rejected):
            self.marked = self.marked.join(self._of_unreadable(piece))
            return
        for line in self._of_block(piece) if isinstance(piece, Block) else (piece,):
            if line.text and not line.text.isspace():
                self.marked = self.marked.join(self._of_line(line))


def comments_of(block: Block) -> Iterator[Line]:
    """The lines of a block that are comments: of most blocks not one."""
    if has_comment_sign(block):
        yield from (block.line(index) for index, text in enumerate(block.texts) if is_comment(text))


def has_comment_sign(block: Block) -> bool:
    """Whether a line of a block may be a comment."""
    return b"#" in block.content or b"//" in block.content


def marking_of_unreadable(line: Rejected) -> Marked:
    """A line that cannot be read may be about the list: then whatever it states applies. A row is refused alone."""
    if line.reason not in _UNREADABLE or (not _may_be_comment(line) and _has_value(_content_of(line))):
        return NOTHING
    return _not_read(line)


def marking_of_unreadable_comment(line: Rejected) -> Marked:
    """The same in a log, of which each line but a comment is a record."""
    return _not_read(line) if line.reason in _UNREADABLE and _may_be_comment(line) else NOTHING


def _content_of(line: Rejected) -> bytes:
    return line.excerpt.encode() if line.original is None else line.original


def _may_be_comment(line: Rejected) -> bool:
    return is_comment(_content_of(line).decode("utf-8", "replace"), COMMENT_SIGNS)


def _has_value(content: bytes) -> bool:
    """Whether a line names an indicator."""
    words = (word.decode("ascii") for word in _BETWEEN.split(content[:_LONGEST_ROW]) if word.isascii())
    return any(detect(word) is not None for word in words)


def _not_read(line: Rejected) -> Marked:
    return unrecognised("a comment that cannot be read", f"line {line.place.line}")


def marking_of_line(line: Line) -> Marked:
    """The marking in a comment or a title line."""
    text, where = line.text.strip(_SIGNS), f"line {line.number}"
    found = of_heading(text, where) if len(text) <= _LONGEST_HEADING else of_note(text, where)
    return found.join(_of_pair(text, where))


def _of_pair(text: str, where: str) -> Marked:
    """A line that is a name and a value, in cells or beside each other: ``Classification,Internal``."""
    if len(text) > _LONGEST_PAIR:
        return NOTHING
    parts = list(filter(None, (part.strip(_SIGNS) for part in _BETWEEN_CELLS.split(text))))
    return of_named(parts[0], parts[1], where) if len(parts) == 2 else NOTHING


def of_note(text: str, where: str) -> Marked:
    """A comment's marking. In links and paths only labels count: their other words are names, as of an article."""
    return of_comment(_NAMES.sub(" ", text), where).join(of_prose(text, where))


def has_no_indicator(text: str) -> bool:
    """Whether a line is plainly no value: words without anything that an indicator has."""
    is_plain = "/" in text or "@" in text or text.count(":") > 1  # what the pattern finds in most rows, in less time
    return not is_plain and not _MAY_BE_INDICATOR.search(text)
