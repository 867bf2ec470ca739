"""Takes quotes and marks off a value in which nearly every character may be its own: one layer at a time."""

from collections.abc import Callable
from typing import Final

_MOST: Final = 8
_QUOTES: Final = frozenset({"\"\"", "''", "``", "“”", "‘’"})  # fmt: skip


def unquoted(text: str) -> str:
    """Without blanks around it, and without one pair of quotes around all of it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] + text[-1] in _QUOTES else text


def innermost(text: str, plainer: Callable[[str], str]) -> str | None:
    """What ``plainer``, which takes one layer off, leaves as it is; None if there are more than eight layers."""
    for _ in range(_MOST):
        plain = plainer(text)
        if plain == text:
            return text
        text = plain
    return None
