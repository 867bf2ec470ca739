"""Counts what a target has to hold, a little at a time: over a million indicators a pass takes seconds, and no change
waits for it."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from consumers.outputs.carried import Carried, merged
from consumers.outputs.protocol import LeftOut, Report
from consumers.picture.entry import Entry
from consumers.picture.picture import Picture

_AT_ONCE: Final = 500
_AT_ONCE_S: Final = 0.05
_REST: Final = 10  # counting takes at most a tenth of the time


def counted(carried: Carried, picture: Picture) -> Report:
    """What a target has to hold, and what is left out by reason: all of it at once."""
    left_out = Counter[LeftOut]()
    written = sum(1 for _ in carried.entries(picture, left_out))
    return Report(written, left_out=merged(left_out))


class Counting:
    """Of one picture that is open, for one target."""

    def __init__(self, carried: Carried, picture: Picture) -> None:
        self._carried, self._picture = carried, picture
        self._through_us, self._again_s, self._took_s = 0, 0.0, 0.0
        self._written, self._left_out = 0, Counter[LeftOut]()
        self._pass: Iterator[Entry] | None = None

    def some(self, known_us: int = 0) -> Report | None:
        """Count on for a moment: the result if that ended a pass. The next pass begins after a change, but
        not behind ``known_us``, up to which a whole write has counted."""
        began_s = time.monotonic()
        if self._pass is None:
            head_us = self._picture.head_us()
            if began_s < self._again_s or head_us in (self._through_us, known_us):
                return None
            self._through_us, self._took_s, self._written, self._left_out = head_us, 0.0, 0, Counter()
            self._pass = self._carried.entries(self._picture, self._left_out)
        portion = _AT_ONCE
        while portion == _AT_ONCE:
            portion = sum(1 for _ in islice(self._pass, _AT_ONCE))
            self._written += portion
            if time.monotonic() - began_s >= _AT_ONCE_S:
                break
        if portion < _AT_ONCE:
            self._pass = None
        now_s = time.monotonic()
        self._took_s += now_s - began_s
        self._again_s = now_s + _REST * self._took_s
        return Report(self._written, left_out=merged(self._left_out)) if self._pass is None else None
