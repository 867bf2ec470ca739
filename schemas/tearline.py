"""Tearlines: text that a source has written for release, in place of a description.

It is the only text of a source that may be released. The source writes it beside the description and never derives it
from that, as US Intelligence Community Directive 209, "Tearline Production and Dissemination", requires. It is an entry
of an observation's context under the name ``TEARLINE``, and has a field of its own in a release.
"""

import re
from collections.abc import Iterable
from typing import Final

TEARLINE: Final = "tearline"
MAX_BYTES: Final = 1024
MAX_TOGETHER_BYTES: Final = 2048
# Unicode category Cc except line feed: a terminal or a log would interpret them.
_CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def cleaned(text: str) -> str:
    """The text with line feeds for every end of line, and a blank for every other control character."""
    return _CONTROLS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def is_fit(text: str) -> bool:
    """Whether it may be released: not empty, at most ``MAX_BYTES`` of UTF-8, without control characters."""
    return 0 < len(text.encode()) <= MAX_BYTES and _CONTROLS.search(text) is None


def of_context(entries: Iterable[tuple[str, str]]) -> str:
    """The tearline among the entries of a context; empty if there is none."""
    for name, text in entries:
        if name == TEARLINE:
            return text
    return ""


def together(texts: Iterable[str]) -> str:
    """The tearlines of several sources, one under the other."""
    return "\n".join(first(texts))


def first(texts: Iterable[str]) -> tuple[str, ...]:
    """The first distinct tearlines by text, as many as fit in ``MAX_TOGETHER_BYTES``; invalid ones are left out.

    Each is included whole or not at all, since half of one may state the opposite, and none behind one that has no
    room.
    """
    found = kept(texts)
    return found if sum(len(text.encode()) + 1 for text in found) <= MAX_TOGETHER_BYTES + 1 else found[:-1]


def kept(texts: Iterable[str]) -> tuple[str, ...]:
    """The tearlines that the first ones are found in, with any others: those, and the first one that has no room.

    Without that one, a later text of another part would take its place, and the first ones of all would depend on the
    parts in which the sources are kept.
    """
    found: list[str] = []
    room = MAX_TOGETHER_BYTES + 1
    for text in sorted(filter(is_fit, set(texts))):
        found.append(text)
        room -= len(text.encode()) + 1
        if room < 0:
            break
    return tuple(found)
