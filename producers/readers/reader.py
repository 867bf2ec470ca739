"""What a reader declares about itself. A module of this package that has a ``READER`` is a format.

Adding a format is one file here and its test (CONTRIBUTING.md shows both). The command line, the detection, the
chart's schema and the documentation take everything from the declaration.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from producers.comments import is_comment
from producers.inputs import UTF_8, OpenInput, is_wide
from producers.line_breaks import BOM, lines_of, without_marks
from producers.readers.encodings import advice_on, misread
from producers.readers.reading import Defaults, Reading
from producers.unpacking import without_extension

SAMPLE_LINES: Final = 64
_JSON: Final = (b"{", b"[")
_XML: Final = b"<"
_ZEEK: Final = b"#separator"


@dataclass(frozen=True)
class Head:
    """The beginning of an input, by which its format is recognised: its first bytes, its name and its encoding."""

    content: bytes
    name: str = ""
    encoding: str = UTF_8

    @cached_property
    def start(self) -> bytes:
        """The first bytes without byte order mark and leading blanks."""
        return self.content.removeprefix(BOM).lstrip()

    @cached_property
    def unescaped(self) -> bytes:
        """The same with the quotes of JSON that is within a text of JSON, as collectors write it."""
        return self.start.replace(b'\\"', b'"')

    @cached_property
    def is_list(self) -> bool:
        """Whether this can be a list of lines: text that is not JSON, XML or a log of Zeek."""
        return bool(self.start) and not self.start.startswith((*_JSON, _XML, _ZEEK)) and b"\0" not in self.content

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The first complete lines; characters that cannot be decoded are replaced."""
        found = lines_of(without_marks(self.content))
        if len(found) > 1 and not self.content.endswith(b"\n"):
            del found[-1]
        encoding = UTF_8 if is_wide(self.encoding) else self.encoding
        return tuple(line.decode(encoding, "replace") for line in found)

    @cached_property
    def rows(self) -> tuple[str, ...]:
        """The first lines that are neither blank nor comments, 64 at most."""
        return tuple(line for line in self.lines if line.strip() and not is_comment(line))[:SAMPLE_LINES]

    @cached_property
    def encoding_problem(self) -> str:
        """What is wrong with the first line that is not in the encoding, and what to do; empty if none is."""
        for number, line in enumerate(self.content.split(b"\n"), 1):
            try:
                problem = misread(line.decode(UTF_8 if is_wide(self.encoding) else self.encoding), self.encoding)
            except UnicodeDecodeError:
                return f"line {number} is not {self.encoding}{advice_on(line)}"
            if problem:
                return f"line {number} is misread: {problem}"
        return ""

    def has_extension(self, extension: str) -> bool:
        """Whether the file's name ends in ``extension`` (with its dot), compressed or not."""
        return without_extension(self.name).endswith(extension)


class Specificity(enum.IntEnum):
    """How specific the evidence is by which a reader recognises an input. The most specific evidence decides."""

    TEXT = 1
    """It is text, and could be this format as well as another."""
    NAME = 2
    """Stated by its file name."""
    SHAPE = 3
    """Its lines have the shape of this format."""
    WORDS = 4
    """It has words that this format cannot do without."""


class Recognition(NamedTuple):
    """Evidence for a format. Of equally specific evidence the one that is nearest to the beginning decides.

    ``at`` is the position of the evidence in ``Head.start``, in bytes: a MISP event may quote STIX.
    """

    specificity: Specificity
    at: int = 0


def first_of(head: Head, words: tuple[bytes, ...]) -> Recognition | None:
    """The evidence of JSON that has one of these words: the first of them."""
    if not head.start.startswith(_JSON):
        return None
    found = [at for word in words if (at := head.start.find(word)) >= 0]
    return Recognition(Specificity.WORDS, min(found)) if found else None


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: how it is recognised, how it is read, and how it is described.

    ``read`` is lazy, holds a bounded amount of the input and never raises because of it. Positions of its readings
    never decrease. ``reads`` and the values of ``leaves_out`` are one line of Markdown each, for ``--formats`` and
    the documentation; the keys of ``leaves_out`` are the rules of its ``LeftOut``. ``example`` is a small input of
    made-up values with at least one observation; the laws of readers are tried on it. ``unit`` names what
    ``Input.records`` counts. ``grows`` is False of a document, which is nothing before its end. What ``is_reviewed``
    is published only as far as a person has agreed (``Defaults.reviewed``). ``on_request`` are those of the rules whose
    pieces the operator may ask for, with ``--include``, and what is taken of them then, without a confidence: their
    source does not call it a threat.
    """

    name: str
    reads: str
    leaves_out: Mapping[str, str]
    example: bytes
    recognise: Callable[[Head], Recognition | None]
    read: Callable[[OpenInput, Defaults], Iterator[Reading]]
    unit: str = "line"
    grows: bool = True
    is_reviewed: bool = False
    on_request: Mapping[str, str] = field(default_factory=dict)
