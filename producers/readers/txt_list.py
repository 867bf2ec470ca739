"""Reads lists of one indicator a line.

A line is a value, or one of the forms in which lists state a little more::

    # a comment; also with // or ;
    198.51.100.7            # a blank and a hash, semicolon or two slashes begin a comment: it becomes the description
    198.51.100.7<TAB>12     a value and its count
    0.0.0.0 bad.example     a line of a hosts file: the names are the indicators, the address is where to send them

Such a list does not state types, so a type follows from its value (``schemas.normalise.detect``); a value whose type
does not follow is refused. The operator may state one type for all lines (``--columns md5``).

Markings are looked for in the file name, in every comment and title line of the file (they count for all of it), and
behind the value.
"""

import re
from collections.abc import Iterator
from typing import Final

from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked
from producers.readers.lines import Line
from producers.readers.list_heading import (
    COMMENT_SIGNS,
    Heading,
    has_no_indicator,
    marking_of_line,
    names_certificates,
    of_note,
)
from producers.readers.not_carried import kind_of, looks_like
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from producers.readers.type_words import AMBIGUOUS, ANY, OF_CERTIFICATES, OF_FILES, TYPES, Types, folded, type_of
from schemas.normalise import detect
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType, RejectReason

_COMMENT: Final = "comment"
_TITLE: Final = "title"
_LOCAL_NAME: Final = "local-name"
_INLINE_COMMENT: Final = re.compile(r"\s(?:#|;|//)")
_NULL_ROUTES: Final = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104 - as hosts files have them
_LOCAL: Final = re.compile(r"(?:[^.]*|.*\.(?:localdomain|local|localhost))", re.IGNORECASE)
_MAX_COUNT_DIGITS: Final = 18
_MOST_WORDS_OF_A_NOTE: Final = 1_000
_LOOKED_AT: Final = 100  # words of a line that is refused, to state how it is wrong
_SEVERAL: Final = "the line has several values: write one on each line, or name them as the columns of a CSV list"
# Of Windows (a drive, a share, a variable) or of Unix (at the root, at home, with a folder).
_PATH: Final = re.compile(r"[\"']?(?:[A-Za-z]:[\\/]|\\\\|%\w+%[\\/]|~?/|\.{1,2}[\\/]|[^\\/\s]+\\)")
_PART_OF_A_PATH: Final = (
    "a path: the exchange carries file names, and a name alone may be harmless (svchost.exe is Windows). If any file "
    "of this name is a threat, write the name alone"
)
# Before a value, as lists mark exceptions and removals.
_SIGNED: Final = re.compile(r"(?:@@|[!~+-])[^\s!~+-]")
_SIGNS: Final = "@!~+-|"
_EXCEPTION: Final = "a sign before the value may mean that it is excepted, or was removed: write values alone"
_NONE: Final = (
    "the line is no address, network, name, URL, hash, mail address, AS number or file name; begin a note with a "
    "blank and #"
)


def read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    """The readings of each line that is not blank."""
    heading = Heading(source, defaults.encoding, _about_list)
    types = TYPES.get(folded(defaults.columns[0]), ANY) if len(defaults.columns) == 1 else ANY
    may_be_certificates = types == ANY and names_certificates(Head(source.head, "", defaults.encoding).lines)
    for line in heading.lines():
        if isinstance(line, Rejected):
            yield line
            continue
        text = line.text.strip()
        if not text:
            continue
        if text.startswith(COMMENT_SIGNS):
            may_be_certificates = may_be_certificates or (types == ANY and names_certificates((text,)))
            yield LeftOut(line.place, _COMMENT)
            continue
        for reading in _readings(text, line, heading.marked, types, defaults):
            if may_be_certificates and isinstance(reading, Seen) and reading.observation.kind in OF_FILES:
                yield rejected(line.place, RejectReason.UNKNOWN_TYPE, OF_CERTIFICATES, line.original)
            else:
                yield reading


def _about_list(line: Line) -> Marked:
    """What a line states about all of the list: a comment, or words that do not begin with a value.

    What follows an invalid value states something about that value; it can restrict the list, and never releases it.
    """
    text = line.text.strip()
    if text.startswith(COMMENT_SIGNS):
        return marking_of_line(line)
    first, *rest = text.split(maxsplit=1)
    is_words = rest and not rest[0].isdigit() and detect(first) is None and detect(text) is None
    if not is_words and not has_no_indicator(text):
        return NOTHING
    is_row = bool(rest) and (rest[0].startswith(COMMENT_SIGNS) or not has_no_indicator(first))
    return marking_of_line(line).restricting if is_row else marking_of_line(line)


def _readings(text: str, line: Line, heading: Marked, types: Types, defaults: Defaults) -> Iterator[Reading]:
    value, comment = _without_comment(text)
    first, *rest = value.split()
    if first in _NULL_ROUTES and rest:
        yield from _names(rest, comment, line, heading, defaults)
        return
    count, note = 1, ""
    if rest and (rest[0].isdigit() or detect(value) is None):
        value, count, note = _counted(value)
    words = note.split()
    if note and (len(words) > _MOST_WORDS_OF_A_NOTE or any(detect(word) is not None for word in words)):
        yield rejected(line.place, RejectReason.UNKNOWN_TYPE, _SEVERAL, line.original)
        return
    if _SIGNED.match(value) and detect(value.lstrip(_SIGNS)) is not None:
        yield rejected(line.place, RejectReason.UNKNOWN_TYPE, _EXCEPTION, line.original)
        return
    if types == ANY and _PATH.match(value) and detect(value) is IndicatorType.FILE_NAME:
        yield rejected(line.place, RejectReason.UNKNOWN_TYPE, _PART_OF_A_PATH, line.original)
        return
    kind = type_of(value, types)
    if isinstance(kind, IndicatorType):
        yield _seen(kind, value, count, (note, comment), line, heading, defaults)
        return
    values = sum(detect(word) is not None for word in (first, *rest[:_LOOKED_AT]))
    if not values and _about_list(line) != NOTHING:
        yield LeftOut(line.place, _TITLE, text)
    else:
        detail = kind if kind == AMBIGUOUS else _SEVERAL if values > 1 else _NONE
        detail += looks_like(value)
        yield rejected(line.place, RejectReason.UNKNOWN_TYPE, detail, line.original, kind_of(value))


def _names(names: list[str], comment: str, line: Line, heading: Marked, defaults: Defaults) -> Iterator[Reading]:
    """The names of a line of a hosts file."""
    for name in names:
        if _LOCAL.fullmatch(name):
            yield LeftOut(line.place, _LOCAL_NAME, name)
        elif detect(name) is IndicatorType.DOMAIN_NAME:
            yield _seen(IndicatorType.DOMAIN_NAME, name, 1, ("", comment), line, heading, defaults)
        else:
            yield rejected(line.place, RejectReason.UNKNOWN_TYPE, f"{name[:40]!r} is not a domain name", line.original)


def _seen(
    kind: IndicatorType,
    value: str,
    count: int,
    notes: tuple[str, str],
    line: Line,
    heading: Marked,
    defaults: Defaults,
) -> Seen:
    marked = heading
    for note in filter(None, notes):
        marked = marked.join(of_note(note, "comment behind the value"))
    confidence = defaults.confidence if marked.confidence is None else marked.confidence
    marked = marked.with_default(defaults.marking)
    observation = Observation(
        kind=kind,
        value=value,
        count=count,
        confidence=confidence,
        marking=marked.marking,
        labels=defaults.labels,
        description=" ".join(filter(None, notes)),
    )
    return Seen(line.place, observation, marked.origins)


def _without_comment(text: str) -> tuple[str, str]:
    """The value and the comment behind it. A ``#`` with no blank before it is part of a URL."""
    found = _INLINE_COMMENT.search(text)
    return (text, "") if found is None else (text[: found.start()].rstrip(), text[found.end() :].strip())


def _counted(text: str) -> tuple[str, int, str]:
    """The value, its count, and the rest of the line; a value with blanks in it if they are none of these."""
    first, *rest = [cell.strip() for cell in (text.split("\t") if "\t" in text else text.split(maxsplit=1))]
    rest = [cell for cell in rest if cell]
    if rest and rest[0].isascii() and rest[0].isdigit():
        # More digits than any count has are still a count, which is refused, not a note beside a count of one.
        return first, int(rest[0].lstrip("0")[: _MAX_COUNT_DIGITS + 1] or "0"), " ".join(rest[1:])
    return (first, 1, " ".join(rest)) if "\t" in text else (text, 1, "")


def _recognise(head: Head) -> Recognition | None:
    return Recognition(Specificity.TEXT) if head.is_list else None


READER: Final = Reader(
    name="txt-list",
    reads="one value a line; hosts files and `value<TAB>count` too; the type follows from the value, or is stated for "
    "all lines with `--columns md5`",
    leaves_out={
        _COMMENT: "lines that are comments",
        _TITLE: "lines that only state how the list may be shared",
        _LOCAL_NAME: "names of the machine itself in a hosts file",
    },
    example=b"# made up\n198.51.100.7\t12\nhxxp://bad[.]example[.]com/a  # seen at night\n",
    recognise=_recognise,
    read=read,
)
