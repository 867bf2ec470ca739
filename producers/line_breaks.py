"""What a line is, for all that reads, counts or resumes lines: readers, and the fingerprints of files.

A line ends at LF, CRLF, or a CR alone, as of old Macs and of Excel for Mac. CRs before an LF are one break with it, and
so are those at the end of the input. A byte order mark at the beginning of a line is no part of it: files were joined.
"""

import codecs
import re
from typing import Final

from producers.inputs import is_wide

BOM: Final = b"\xef\xbb\xbf"
_MARKS: Final = re.compile(rb"(?<![^\r\n])(?:\xef\xbb\xbf)+")


def lines_of(content: bytes) -> list[bytes]:
    """The lines of whole lines, or of the last one, without their breaks."""
    found = content.removesuffix(b"\n").split(b"\n")
    return found if b"\r" not in content else [part for line in found for part in line.rstrip(b"\r").split(b"\r")]


def without_marks(content: bytes) -> bytes:
    """Lines without the byte order marks that they begin with."""
    return _MARKS.sub(b"", content) if BOM in content else content


def has_lone_returns(content: bytes) -> bool:
    """Whether a CR is there that is not the one CR of a CRLF."""
    return b"\r" in content and content.count(b"\r") != content.count(b"\r\n")


class LineCount:
    """Counts the lines of an input in pieces of any size, in bounded memory."""

    def __init__(self, encoding: str) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if is_wide(encoding) else None
        self._breaks = self._returns = 0  # CRs at the end: what follows decides how many breaks they are
        self._is_open = False

    def text(self, content: bytes) -> bytes:
        """The next bytes as their reader sees them."""
        return content if self._decoder is None else self._decoder.decode(content).encode()

    def add(self, text: bytes) -> None:
        """Count the next text."""
        body = text.rstrip(b"\r")
        if not body:
            self._returns += len(text)
            return
        rest = body.lstrip(b"\r")
        if not rest.startswith(b"\n"):
            self._breaks += self._returns + len(body) - len(rest)
        self._breaks += rest.count(b"\n")
        if has_lone_returns(rest):
            self._breaks += sum(part.rstrip(b"\r").count(b"\r") for part in rest.split(b"\n"))
        self._returns, self._is_open = len(text) - len(body), not body.endswith(b"\n")

    def whole(self, following: bytes = b"\n") -> tuple[int, bool]:
        """How many whole lines the text so far has if this follows, and whether its last line continues then.

        At the end of the input, as without ``following``, the last line is whole.
        """
        if self._returns:
            is_break = following.lstrip(b"\r")[:1] in (b"\n", b"")
            return self._breaks + (1 if is_break else self._returns), False
        continues = self._is_open and following[:1] not in (b"\n", b"\r")
        return self._breaks + (self._is_open and not continues), continues
