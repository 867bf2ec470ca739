"""Cuts an input into records of JSON: one a line, one array, or objects that are printed over several lines.

A position is the number of the record's first line; of an array it is the record's number. All but an array is
streaming; an array is one document, with its bounds.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from producers.inputs import UTF_8, OpenInput
from producers.readers.document import document
from producers.readers.lines import MAX_LINE_BYTES, Line, lines
from producers.readers.reading import Rejected, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

# Strings, and the brackets outside of them; a string that is not closed takes the rest of the line.
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\]]')
_DEPTH: Final = {"{": 1, "[": 1, "}": -1, "]": -1}
_BOM: Final = b"\xef\xbb\xbf"


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record: its position, and its bytes as UTF-8."""

    place: SourcePlace
    content: bytes


def records(source: OpenInput, encoding: str) -> Iterator[Record | Rejected]:
    """All records, in order; whether each of them is JSON is for its reader to find out."""
    if source.head.removeprefix(_BOM).lstrip().startswith(b"["):
        parts = document(source, encoding, list[msgspec.Raw])
        if isinstance(parts, Rejected):
            yield parts
            return
        source.records = len(parts)
        for number, raw in enumerate(parts, 1):
            yield Record(SourcePlace(source.name, number), bytes(raw))
        return
    printed: list[Line] = []
    depth = size = 0
    for line in lines(source, encoding):
        if isinstance(line, Line) and not printed and line.original.endswith(b"}") and encoding == UTF_8:
            yield Record(line.place, line.original)
            continue
        if isinstance(line, Rejected) or (printed and line.text.startswith("{")):
            yield from _cut_off(printed)
            printed, depth, size = [], 0, 0
        if isinstance(line, Rejected):
            yield line
        elif not printed and not _begins_printed(line.text):
            if line.text.strip():
                yield Record(line.place, line.text.encode())
        else:
            printed.append(line)
            depth += _deeper(line.text)
            size += len(line.original)
            if depth <= 0:
                yield Record(printed[0].place, "\n".join(each.text for each in printed).rstrip(", ").encode())
                printed, depth, size = [], 0, 0
            elif size > MAX_LINE_BYTES:
                yield from _cut_off(printed)
                printed, depth, size = [], 0, 0
    yield from _cut_off(printed)


def _begins_printed(text: str) -> bool:
    """Whether a line is the first of an object that is printed over several lines."""
    return (
        text.startswith("{") and (text.rstrip() == "{" or text.rstrip().endswith(("{", "[", ","))) and _deeper(text) > 0
    )


def _deeper(text: str) -> int:
    return sum(_DEPTH.get(token, 0) for token in _TOKENS.findall(text))


def _cut_off(printed: list[Line]) -> Iterator[Rejected]:
    """The refusal of an object that does not end, or is too large."""
    if printed:
        original = b"\n".join(each.original for each in printed)
        detail = f"the object that begins here does not end within {len(printed)} lines: was the file cut?"
        yield rejected(printed[0].place, RejectReason.UNREADABLE_LINE, detail, original)
