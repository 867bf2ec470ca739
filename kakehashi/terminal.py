"""Text for a terminal: from elsewhere made safe, and times."""

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = False, soft_wrap: bool = False) -> "Console":
    """The console of every command. It prints values, file names and messages as they are: no markup, no emoji codes
    (``README.adoc:100:`` is a position), no highlighting. Styles are given as ``rich.text.Text``."""
    from rich.console import Console

    return Console(stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)


def printable(text: str) -> str:
    """Controls, escape sequences and direction overrides are shown, not obeyed."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def wrapped(sentence: str, head: str = "  ") -> str:
    """A sentence behind a head, cut between words on a terminal and indented as far; elsewhere it stays one line, which
    tools can search."""
    text = printable(sentence)
    if not sys.stdout.isatty():
        return f"{head}{text}"
    from rich.text import Text

    shown = console()
    lines = [line.plain.rstrip() for line in Text(text).wrap(shown, max(1, shown.width - len(head)))]
    return head + f"\n{' ' * len(head)}".join(lines)


def utc(at_ms: int) -> str:
    """``2026-11-23 18:05`` of milliseconds since 1970 UTC; empty for 0, the number if no calendar has the time."""
    try:
        return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}" if at_ms else ""
    except (ValueError, OverflowError, OSError):
        return str(at_ms)
