"""Removes what surrounds a value: spaces, invisible characters, quotes, brackets, punctuation.

Linear in the value's length, and never more than ``MAX_RAW_LENGTH`` of it.
"""

from typing import Final

from schemas.normalise.invalid import (
    CONTROL_CHARACTER,
    EMPTY,
    MAX_RAW_LENGTH,
    NOT_UNICODE,
    TOO_LONG_RAW,
    Invalid,
)
from schemas.normalise.refang import refanged

_NO_WIDTH: Final = "\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff"
_BIDI_CONTROLS: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_DROP_NO_WIDTH: Final = str.maketrans("", "", _NO_WIDTH)
_DROP_INVISIBLE: Final = str.maketrans("", "", _NO_WIDTH + _BIDI_CONTROLS)
_JOINERS: Final = "\u200c\u200d"
# One character for one, so that a position in the folded text is the same position in the original.
_FULL_WIDTH: Final = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {
    0x3000: ord(" "),
    0x3002: ord("."),
    0xFF61: ord("."),
}
_PAIRS: Final = (
    *('""', "''", "``", "“”", "‘’", "„“", "«»", "‹›", "<>", "()", "[]", "{}"),
    *("「」", "『』", "（）", "【】", "〈〉", "《》", "〔〕", "＜＞", "［］", "｢｣", "〝〟"),
)
_CLOSING: Final = {pair[0]: pair[1] for pair in _PAIRS}
_AFTER_CLOSING: Final = ".,;:。、"
EDGES: Final = " \u00a0\t\"'`<>(),;!“”‘’„«»‹›「」『』（）【】〈〉《》、。•·・"
"""Characters that may surround an address, a name or a hash without being part of it. Square and curly brackets are not
here: they are defanging marks, and come off in pairs only."""


def tidied(value: str) -> str | Invalid:
    """Without invisible characters, surrounding blanks and the quotes or brackets that enclose all of it.

    The result is not empty, can be encoded in UTF-8 and has no control characters.
    """
    if len(value) > MAX_RAW_LENGTH:
        return TOO_LONG_RAW
    if not value.isascii():
        if not _is_unicode(value):
            return NOT_UNICODE
        value = _without_idle_joiners(value.translate(_DROP_INVISIBLE))
    return _checked(unwrapped(value))


def tidied_name(value: str) -> str | Invalid:
    """As ``tidied``, but bidirectional controls stay.

    In a file's name a right-to-left override is not noise: it is how ``exe`` is made to look like ``pdf``.
    """
    if len(value) > MAX_RAW_LENGTH:
        return TOO_LONG_RAW
    if not value.isascii():
        if not _is_unicode(value):
            return NOT_UNICODE
        value = value.translate(_DROP_NO_WIDTH)
    return _checked(value.strip())


def tidied_ascii(value: str) -> str | Invalid:
    """As ``tidied``, for types without brackets or backslashes of their own: full-width forms folded, defanging
    taken back, loose punctuation cut off."""
    text = tidied(value)
    if isinstance(text, Invalid):
        return text
    return refanged(text if text.isascii() else folded(text)).strip(EDGES) or EMPTY


def folded(text: str) -> str:
    """Full-width ASCII, the ideographic space and the ideographic full stops in their ASCII form.

    Not NFKC, which would also turn a footnote's ``²`` into a digit of the address before it.
    """
    return text.translate(_FULL_WIDTH)


def unwrapped(text: str) -> str:
    """Without surrounding blanks and the pairs of quotes or brackets around the whole, at any depth."""
    start, end = 0, len(text)
    while start < end:
        if text[start].isspace():
            start += 1
        elif text[end - 1].isspace():
            end -= 1
        else:
            inner = _end_inside(text, start, end)
            if inner < 0:
                break
            start, end = start + 1, inner
    return text[start:end]


def _end_inside(text: str, start: int, end: int) -> int:
    """The end of the enclosed text, or -1 if nothing encloses it."""
    closing = _CLOSING.get(text[start])
    if closing is None:
        return -1
    while end - start > 2 and text[end - 1] in _AFTER_CLOSING and text[end - 1] != closing:
        end -= 1
    return end - 1 if end - start > 1 and text[end - 1] == closing else -1


def _without_idle_joiners(text: str) -> str:
    """Without joiners that join nothing. RFC 5892, appendix A.1 and A.2: none may follow an ASCII character."""
    if "\u200c" not in text and "\u200d" not in text:
        return text
    kept: list[str] = []
    for character in text:
        if character not in _JOINERS or (kept and not kept[-1].isascii()):
            kept.append(character)
    return "".join(kept)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked(text: str) -> str | Invalid:
    if not text:
        return EMPTY
    if not text.isprintable() and any(character < " " or "\x7f" <= character < "\xa0" for character in text):
        return CONTROL_CHARACTER
    return text
