"""The marking of a whole list: in its file name, in comments, and in lines that are no row of it.

A file is read ahead to its end, so that a marking in its last line counts for its first row. What comes from a pipe
cannot be read ahead: there a comment counts for the rows behind it.
"""

import re
from collections.abc import Callable
from typing import Final

from producers.inputs import Input
from producers.markings.marked import Marked
from producers.markings.understanding import of_comment, of_file_name, of_heading, of_prose
from producers.readers.lines import Line, lines

COMMENT_SIGNS: Final = ("#", "//", ";")
# Whatever an indicator has, defanged or not: a dot within it, a scheme, colons, an @, many digits, a slash.
_MAY_BE_INDICATOR: Final = re.compile(
    r"\S(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\))\S|://|:.*:|@|\[at\]|[0-9A-Fa-f]{32}|\bAS ?\d|/", re.IGNORECASE
)
_NAMES: Final = re.compile(r"[A-Za-z][\w+.\[\]-]{0,20}://\S+|[A-Za-z]:\\(?:[^\\\n]*\\)*\S*")
_SIGNS: Final = "#;/!*- \t\"'"
_LONGEST_HEADING: Final = 40


def heading_of(source: Input, encoding: str, is_heading: Callable[[str], bool]) -> Marked:
    """The marking of the list that this input is. ``is_heading`` picks the lines that are about it."""
    found = of_file_name(source.name)
    with source.read_ahead() as ahead:
        if ahead is None:
            return found
        for line in lines(ahead, encoding):
            if isinstance(line, Line) and (text := line.text.strip()) and is_heading(text):
                found = found.join(marking_of_line(line))
    return found


def marking_of_line(line: Line) -> Marked:
    """The marking in a comment or a title line."""
    text, where = line.text.strip(_SIGNS), f"line {line.number}"
    return of_heading(text, where) if len(text) <= _LONGEST_HEADING else of_note(text, where)


def of_note(text: str, where: str) -> Marked:
    """A comment's marking. In links and paths only labels count: their other words are names, as of an article."""
    return of_comment(_NAMES.sub(" ", text), where).join(of_prose(text, where))


def has_no_indicator(text: str) -> bool:
    """Whether it is plain to see that a line is no value: words without anything that an indicator has."""
    return not _MAY_BE_INDICATOR.search(text)
