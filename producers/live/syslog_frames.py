"""Syslog messages in a stream: their lengths (RFC 5425, section 4.3), and the line that each carries (RFC 5424)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from producers.markings.marked import NOTHING, Marked, joined
from producers.markings.properties import of_properties

MOST_BYTES: Final = 1 << 20
"""Bytes of one message; RFC 5425 asks for 8192 at least."""
_LONGEST_REMEMBERED: Final = 1024
_MOST_DIGITS: Final = 7
_LENGTH: Final = re.compile(rb"([1-9][0-9]*) ")
_HEADER: Final = re.compile(rb"<[0-9]{1,3}>1 (?:[^ ]+ ){5}")
_OLD_HEADER: Final = re.compile(rb"<[0-9]{1,3}>(?:[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d [^ ]+ )?[^ :]{1,64}: ?")
_ELEMENT: Final = re.compile(rb'\[[^ =\]"]{1,32}(?: [^ =\]"]{1,32}="(?:\\.|[^"\\])*")*\]')
_PARAMETER: Final = re.compile(rb' ([^ =\]"]{1,32})="((?:\\.|[^"\\])*)"')
_ESCAPED: Final = re.compile(r'\\(["\\\]])')
_NIL: Final = b"-"
_BOM: Final = b"\xef\xbb\xbf"


class Unframed(Exception):
    """The stream has no lengths, or a message is too long: the beginning of the next one is unknown."""


class Carried(NamedTuple):
    """The line that a message carries, and what its structured data states about sharing."""

    line: bytes
    around: Marked = NOTHING


def frames(buffer: bytearray) -> list[bytes]:
    """The whole messages at the beginning, which are taken out of the buffer. Raises Unframed."""
    found, at = [], 0
    while match := _LENGTH.match(buffer, at):
        size = int(match[1]) if len(match[1]) <= _MOST_DIGITS else MOST_BYTES + 1
        if size > MOST_BYTES:
            raise Unframed(f"a message has more than {MOST_BYTES} bytes")
        if len(buffer) < match.end() + size:
            break
        found.append(bytes(buffer[match.end() : match.end() + size]))
        at = match.end() + size
    del buffer[:at]
    if buffer and not _LENGTH.match(buffer) and not (len(buffer) <= _MOST_DIGITS and buffer.isdigit()):
        raise Unframed("it sends no lengths: let it count octets (RFC 5425), not end messages by line breaks")
    return found


def carried(message: bytes) -> Carried:
    """The line of a message of RFC 5424, or of the older form; anything else is a line unchanged."""
    header = _HEADER.match(message)
    if header is None:
        old = _OLD_HEADER.match(message)
        return Carried(message if old is None else message[old.end() :])
    at, elements = header.end(), []
    if message[at : at + 1] == _NIL:
        at += 1
    while element := _ELEMENT.match(message, at):
        elements.append(element[0])
        at = element.end()
    return Carried(message[at:].removeprefix(b" ").removeprefix(_BOM), _stated_in(tuple(elements)))


def _stated_in(elements: tuple[bytes, ...]) -> Marked:
    return (_remembered if sum(map(len, elements)) <= _LONGEST_REMEMBERED else _stated)(elements)


def _stated(elements: tuple[bytes, ...]) -> Marked:
    parameters = (each for element in elements for each in _PARAMETER.findall(element))
    texts = ({_text(name): _text(value)} for name, value in parameters)  # a name may be there twice
    return joined(of_properties(each, (), "structured data") for each in texts)


_remembered: Final = lru_cache(1024)(_stated)


def _text(raw: bytes) -> str:
    return _ESCAPED.sub(r"\1", raw.decode("utf-8", "replace"))
