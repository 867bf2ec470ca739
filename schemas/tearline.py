"""Tearlines: what an originator has written for release, in place of a description that stays.

The one text of a source that may leave the nation. Its source writes it for that, beside the description and never
from it: US Intelligence Community Directive 209, "Tearline Production and Dissemination", asks for the same. It
travels as an entry of an observation's context under the name ``TEARLINE``, and leaves in a field of its own.
"""

import re
from collections.abc import Iterable
from typing import Final

TEARLINE: Final = "tearline"
MAX_BYTES: Final = 1024
MAX_TOGETHER_BYTES: Final = 2048
# Unicode category Cc but the line feed: a terminal or a log would obey them.
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def cleaned(text: str) -> str:
    """The text with line feeds for every end of line, and a blank for every other control character."""
    return _CONTROLS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def is_fit(text: str) -> bool:
    """Whether it may leave as it is: something, of at most ``MAX_BYTES`` of UTF-8, without control characters."""
    return 0 < len(text.encode()) <= MAX_BYTES and _CONTROLS.search(text) is None


def of_context(entries: Iterable[tuple[str, str]]) -> str:
    """The tearline among the entries of a context; empty where there is none."""
    for name, text in entries:
        if name == TEARLINE:
            return text
    return ""


def together(texts: Iterable[str]) -> str:
    """The distinct tearlines of several sources, sorted, one under the other; the order of the sources is no matter.

    Each goes whole or not at all, since half of one may say the opposite: one that has no room left in
    ``MAX_TOGETHER_BYTES`` is left out, and so is what is not fit.
    """
    kept: list[str] = []
    room = MAX_TOGETHER_BYTES + 1
    for text in sorted(set(texts)):
        size = len(text.encode()) + 1
        if size <= room and is_fit(text):
            kept.append(text)
            room -= size
    return "\n".join(kept)
