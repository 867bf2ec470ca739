"""What was seen of files at each look: whether one is written is decided by that, since its times are its server's."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from os import stat_result
from pathlib import Path
from typing import Final

from producers.follow.places import Identity

STABLE_S: Final = 2.0
"""A document that was not written for so long is whole."""
_OLD_S: Final = 60.0

Seen = tuple[Identity, int, int]
"""A file's identity, size and time of modification: if they are the same, it is as it was."""


def seen_of(stated: stat_result) -> Seen:
    """What a look shows."""
    return (stated.st_dev, stated.st_ino), stated.st_size, stated.st_mtime_ns


@dataclass(slots=True)
class Sight:
    """A file: what the last look showed, since when, and whether it has changed under our eyes."""

    seen: Seen
    since: float
    has_changed: bool = False

    def is_stable(self, now: float) -> bool:
        """Whether no one has written to it for two seconds."""
        return now - self.since >= STABLE_S

    def is_young(self, now: float) -> bool:
        """Whether someone may be writing to it."""
        is_recent = abs(time.time() - self.seen[2] / 1e9) <= _OLD_S
        return is_recent or (self.has_changed and now - self.since <= _OLD_S)


class Sights:
    """The last sight of each file that is not followed."""

    def __init__(self) -> None:
        self._sights: dict[Path, Sight] = {}

    def look(self, path: Path, seen: Seen, now: float) -> Sight:
        """Note a look, by the monotonic clock."""
        before = self._sights.get(path)
        if before is None or before.seen != seen:
            has_changed = before is not None and before.seen[0] == seen[0]
            before = self._sights[path] = Sight(seen, now, has_changed)
        return before

    def forget_all_but(self, paths: Collection[Path]) -> None:
        """Forget files that are gone."""
        self._sights = {path: sight for path, sight in self._sights.items() if path in paths}
