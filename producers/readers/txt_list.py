"""Reads lists of one indicator a line.

A line is a value, or one of the shapes in which lists say a little more::

    # a comment; also with // or ;
    198.51.100.7            # a blank and a hash begin a comment: it becomes the description
    198.51.100.7<TAB>12     a value and how often it was seen
    0.0.0.0 bad.example     a line of a hosts file: the name is meant, the address is where to send it

The type is not written in such a list, so it follows from the value (``schemas.normalise.detect``); a value of
which it does not follow is refused.
"""

from collections.abc import Iterator
from typing import Final

from producers.inputs import Input
from producers.readers.lines import decoded, lines
from producers.readers.reading import Defaults, Reading, Rejected, Seen, rejected
from schemas.normalise import detect
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import RejectReason

FORMAT: Final = "txt-list"
_COMMENTS: Final = ("#", "//", ";")
_NULL_ROUTES: Final = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104 - what hosts files say
_MAX_COUNT_DIGITS: Final = 18


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each line that is neither blank nor a comment."""
    for line in lines(source):
        if isinstance(line, Rejected):
            yield line
            continue
        place = SourcePlace(source.name, line.number)
        text = decoded(line.content, defaults.encoding, place)
        if isinstance(text, Rejected):
            yield text
            continue
        text = text.strip()
        if text and not text.startswith(_COMMENTS):
            yield _reading(text, place, defaults, line.content)


def _reading(text: str, place: SourcePlace, defaults: Defaults, original: bytes) -> Reading:
    value, comment = _without_comment(text)
    value, count, note = _cells(value)
    kind = detect(value)
    if kind is None:
        return rejected(
            place,
            RejectReason.UNKNOWN_TYPE,
            "the line is no address, network, name, URL, hash, mail address, AS number or file name",
            original,
        )
    return Seen(
        place,
        Observation(
            kind=kind,
            value=value,
            count=count,
            confidence=defaults.confidence,
            marking=defaults.marking,
            labels=defaults.labels,
            description=" ".join(filter(None, (note, comment))),
        ),
    )


def _without_comment(text: str) -> tuple[str, str]:
    """The value and the comment behind it. A ``#`` with no blank before it is part of a URL."""
    for position, character in enumerate(text):
        if character == "#" and text[position - 1].isspace():
            return text[:position].rstrip(), text[position + 1 :].strip()
    return text, ""


def _cells(text: str) -> tuple[str, int, str]:
    """The value, its count, and what else the line says."""
    first, *rest = text.split("\t") if "\t" in text else text.split(maxsplit=1)
    rest = [cell.strip() for cell in rest if cell.strip()]
    if not rest:
        return first, 1, ""
    if rest[0].isascii() and rest[0].isdigit():
        # More digits than any count has stay a count, which is refused for it, not a note beside a count of one.
        return first, int(rest[0].lstrip("0")[: _MAX_COUNT_DIGITS + 1] or "0"), " ".join(rest[1:])
    if first in _NULL_ROUTES and " " not in rest[0]:
        return rest[0], 1, " ".join(rest[1:])
    return (first, 1, " ".join(rest)) if "\t" in text else (text, 1, "")
