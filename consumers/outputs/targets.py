"""The followers of a target as a user writes it: its output, and after it the one that keeps its tool's memory current,
if it is reached."""

from collections.abc import Callable
from pathlib import Path

from consumers.outputs.carried import carried_by
from consumers.outputs.follow import Following
from consumers.outputs.known import understood
from consumers.picture.filters import Filter
from schemas.markings import Pap


def followings(
    text: str, nation: str, home: Path, filters: Filter, unstated: Pap, path: Path, clock_ms: Callable[[], int]
) -> list[Following]:
    """One, or two: files before memory. ``path`` is the picture's file, ``unstated`` as in ``carried_by``.

    Raises ConfigurationError for an invalid target.
    """
    output, target = understood(text, nation, home)
    files = Following(text, output, target, carried_by(output, target, filters, unstated), path, clock_ms)
    live = output.live_on(target)
    if live is None:
        return [files]
    carried = carried_by(live, target, filters, unstated)
    return [files, Following(live_name(text), live, target, carried, path, clock_ms, files)]


def live_name(text: str) -> str:
    """The name of the follower that keeps the memory of a target's tool current."""
    return f"{text} (in memory)"
