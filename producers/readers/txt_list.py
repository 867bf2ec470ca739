"""Reads lists of one indicator a line.

A line is a value, or one of the forms in which lists state a little more::

    # a comment; also with // or ;
    198.51.100.7            # a blank and a hash begin a comment: it becomes the description
    198.51.100.7<TAB>12     a value and its count
    0.0.0.0 bad.example     a line of a hosts file: the name is the indicator, the address is where to send it

Such a list does not state types, so a type follows from its value (``schemas.normalise.detect``); a value whose
type does not follow is refused.
"""

from collections.abc import Iterator
from typing import Final

from producers.inputs import Input
from producers.readers.lines import Line, lines
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading, Rejected, Seen, rejected
from schemas.normalise import detect
from schemas.observation import Observation
from schemas.vocabulary import RejectReason

_COMMENT: Final = "comment"
_COMMENTS: Final = ("#", "//", ";")
_NULL_ROUTES: Final = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104 - as hosts files have them
_MAX_COUNT_DIGITS: Final = 18


def read(source: Input, defaults: Defaults) -> Iterator[Reading]:
    """One reading for each line that is not blank."""
    for line in lines(source, defaults.encoding):
        if isinstance(line, Rejected):
            yield line
            continue
        text = line.text.strip()
        if text:
            yield LeftOut(line.place, _COMMENT) if text.startswith(_COMMENTS) else _reading(text, line, defaults)


def _reading(text: str, line: Line, defaults: Defaults) -> Reading:
    value, comment = _without_comment(text)
    value, count, note = _cells(value)
    kind = detect(value)
    if kind is None:
        return rejected(
            line.place,
            RejectReason.UNKNOWN_TYPE,
            "the line is no address, network, name, URL, hash, mail address, AS number or file name",
            line.original,
        )
    return Seen(
        line.place,
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
    """The value, its count, and the rest of the line."""
    first, *rest = text.split("\t") if "\t" in text else text.split(maxsplit=1)
    rest = [cell.strip() for cell in rest if cell.strip()]
    if not rest:
        return first, 1, ""
    if rest[0].isascii() and rest[0].isdigit():
        # More digits than any count has are still a count, which is refused, not a note beside a count of one.
        return first, int(rest[0].lstrip("0")[: _MAX_COUNT_DIGITS + 1] or "0"), " ".join(rest[1:])
    if first in _NULL_ROUTES and " " not in rest[0]:
        return rest[0], 1, " ".join(rest[1:])
    return (first, 1, " ".join(rest)) if "\t" in text else (text, 1, "")


def _recognise(head: Head) -> Recognition | None:
    return Recognition(Specificity.TEXT) if head.is_list else None


READER: Final = Reader(
    name="txt-list",
    reads="one value a line; hosts files and `value<TAB>count` too; the type follows from the value",
    leaves_out={_COMMENT: "lines that are comments"},
    example=b"# made up\n198.51.100.7\t12\nhxxp://bad[.]example[.]com/a  # seen at night\n",
    recognise=_recognise,
    read=read,
)
