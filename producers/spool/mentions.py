"""Which values a refused piece of input mentions: it could not be read, so it does not end them.

A line that is refused for its date or its encoding still names its value. In a complete reading such a value is not
missing. The words of the piece are tried as values of every type, so the order and the names of columns do not matter.
"""

import re
from collections.abc import Iterator
from typing import Final

from producers.readers.reading import Rejected
from schemas.identity import indicator_key
from schemas.normalise import Invalid, canonical, detect
from schemas.vocabulary import IndicatorType

MOST_WORDS: Final = 256
_BETWEEN: Final = re.compile(r"[\s,;|\"'<>\0\ufffd]+")
_CELLS: Final = re.compile(r"[,;|\"<>\t\r\n\0\ufffd]+")
_ALSO: Final = {
    IndicatorType.FILE_MD5: (IndicatorType.JA3, IndicatorType.IMPHASH),
    IndicatorType.FILE_SHA1: (IndicatorType.X509_SHA1,),
    IndicatorType.FILE_SHA256: (IndicatorType.X509_SHA256,),
    None: (IndicatorType.FILE_NAME, IndicatorType.URL),
}
_OF_TEXT: Final = (IndicatorType.USER_AGENT, IndicatorType.MUTEX, IndicatorType.REGISTRY_KEY)
"""These have blanks, and the form of anything."""


def mentioned(rejected: Rejected) -> Iterator[bytes]:
    """The keys of the values that a refused piece may be about, of its first words."""
    text = rejected.excerpt if rejected.original is None else rejected.original.decode("utf-8", "replace")
    for word in filter(None, _BETWEEN.split(text, MOST_WORDS)[:MOST_WORDS]):
        kind = detect(word)
        for each in (kind, *_ALSO.get(kind, ())):
            found = None if each is None else canonical(each, word)
            if found is not None and not isinstance(found, Invalid):
                yield indicator_key(*found)
    for cell in (text, *filter(None, _CELLS.split(text, MOST_WORDS)[:MOST_WORDS])):
        for kind in _OF_TEXT:
            found = canonical(kind, cell)
            if not isinstance(found, Invalid):
                yield indicator_key(*found)


def is_unreadable(rejected: Rejected) -> bool:
    """Whether the piece's value cannot be known: too long to keep, or bytes that are no text."""
    if rejected.original is None:
        return True
    return "\ufffd" in rejected.original.decode("utf-8", "replace") or b"\0" in rejected.original
