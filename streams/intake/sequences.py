"""Which reports of a sensor have been counted: exact intervals of sequence numbers, per epoch.

They never expire, so a repeated report counts once, however late it arrives (design promise 3). A sensor's row is
written with each of its reports, so its size is bounded: beyond ``MAX_INTERVALS`` intervals in all epochs together the
oldest gaps are closed, beyond ``MAX_EPOCHS`` epochs the oldest is forgotten. Late reports of either are then refused as
stale, and never counted twice.
"""

from enum import Enum
from typing import Final

import msgspec

MAX_EPOCHS: Final = 16
MAX_INTERVALS: Final = 128  # of a sensor: its row is about 2 KiB at most
_MINUTE_MS: Final = 60_000


class SequenceFate(Enum):
    """The fate of a report by its identity."""

    NEW = "new"
    DUPLICATE = "duplicate"
    FUTURE_EPOCH = "future-epoch"
    STALE = "stale"
    OVER_QUOTA = "over-quota"


class Epoch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One numbering of a sensor: ``closed_below`` and inclusive intervals above it, sorted and apart."""

    epoch: int
    intervals: tuple[tuple[int, int], ...] = ()
    closed_below: int = 0

    def holds(self, sequence: int) -> bool:
        """Whether the number was counted."""
        return any(low <= sequence <= high for low, high in self.intervals)

    def with_number(self, sequence: int) -> "Epoch":
        """This epoch with the number counted and its neighbours joined."""
        merged: list[tuple[int, int]] = []
        low = high = sequence
        for start, end in self.intervals:
            if end < low - 1:
                merged.append((start, end))
            elif start > high + 1:
                merged.append((low, high))
                low, high = start, end
            else:
                low, high = min(low, start), max(high, end)
        merged.append((low, high))
        return Epoch(self.epoch, tuple(merged), self.closed_below)

    def without_oldest(self, intervals: int) -> "Epoch":
        """This epoch with so many of its oldest gaps closed, and the intervals below them forgotten."""
        return Epoch(self.epoch, self.intervals[intervals:], self.intervals[intervals][0]) if intervals else self

    @property
    def missing(self) -> int:
        """How many numbers below the highest have not arrived."""
        if not self.intervals:
            return 0
        counted = sum(high - low + 1 for low, high in self.intervals)
        return self.intervals[-1][1] + 1 - self.closed_below - counted


class Sequences(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All numberings of one sensor, the newest last; how much it has sent in the current minute; and when the broker
    appended its last heartbeat, which is a report without observations, and its last report with any: 0 never.

    ``lacks_epochs`` means that counted reports may be of an epoch that is not here: the first one is not the sensor's.

    Minutes are the broker's, so that reading the log again gives the same result. A minute that is not the
    last one counted begins again: a broker's clock that was ahead and is corrected stops no sensor.
    """

    epochs: tuple[Epoch, ...] = ()
    minute: int = 0
    used: int = 0
    beat_ms: int = 0
    reported_ms: int = 0
    lacks_epochs: bool = False

    def fate_of(self, epoch: int, sequence: int, size: int, appended_ms: int, quota: int) -> SequenceFate:
        """The fate of the report (``epoch``, ``sequence``) of ``size`` observations.

        ``appended_ms`` is when the broker appended it; ``quota`` is how many observations of one sensor are accepted in
        a minute, so that one faulty sensor cannot fill the state of all. A report that exceeds it is refused whole, and
        uses up neither its number nor any of the quota; one that is larger than the quota is refused in any minute.
        """
        if epoch > appended_ms:
            return SequenceFate.FUTURE_EPOCH
        if self._holds(epoch, sequence):
            return SequenceFate.DUPLICATE
        if self._is_closed(epoch, sequence):
            return SequenceFate.STALE
        return self._within(size, appended_ms, quota)

    def fate_of_redriven(
        self, epoch: int, sequence: int, size: int, appended_ms: int, quota: int, *, whole: bool
    ) -> SequenceFate:
        """The same for a redriven report or observation.

        It is never stale: it is known to be late. ``whole`` means a whole report, not one observation of a counted
        report: if its number was counted meanwhile, another copy of it was counted.
        """
        if epoch > appended_ms:
            return SequenceFate.FUTURE_EPOCH
        if whole and self._holds(epoch, sequence):
            return SequenceFate.DUPLICATE
        return self._within(size, appended_ms, quota)

    def counted(self, epoch: int, sequence: int, size: int, appended_ms: int) -> "Sequences":
        """These with a report counted that ``fate_of`` found to be new."""
        known = self._find(epoch) or Epoch(epoch)
        others = tuple(other for other in self.epochs if other.epoch != epoch)
        epochs = (*others, known.with_number(sequence))
        newest = tuple(sorted(epochs, key=lambda each: each.epoch))[-MAX_EPOCHS:]
        return msgspec.structs.replace(self.spent(size, appended_ms), epochs=_bounded(newest))

    def counted_redriven(self, epoch: int, sequence: int, size: int, appended_ms: int, *, whole: bool) -> "Sequences":
        """The same for what ``fate_of_redriven`` found to be new. A whole report uses up its number if that is open."""
        if whole and not self._is_closed(epoch, sequence):
            return self.counted(epoch, sequence, size, appended_ms)
        lacks_epochs = self.lacks_epochs or self._find(epoch) is None
        return msgspec.structs.replace(self.spent(size, appended_ms), lacks_epochs=lacks_epochs)

    def spent(self, size: int, appended_ms: int) -> "Sequences":
        """These with so many observations taken. An empty report is work, too, and costs as much as one."""
        minute = appended_ms // _MINUTE_MS
        used = max(1, size) + (self.used if minute == self.minute else 0)
        return msgspec.structs.replace(self, minute=minute, used=used)

    def seen(self, size: int, appended_ms: int) -> "Sequences":
        """These after a report of the sensor itself: a redriven report is no sign of its life."""
        if size:
            return msgspec.structs.replace(self, reported_ms=appended_ms)
        return msgspec.structs.replace(self, beat_ms=appended_ms)

    def used_in(self, appended_ms: int) -> int:
        """How many observations were taken in the minute of this time."""
        return self.used if appended_ms // _MINUTE_MS == self.minute else 0

    def _within(self, size: int, appended_ms: int, quota: int) -> SequenceFate:
        return SequenceFate.OVER_QUOTA if self.spent(size, appended_ms).used > quota else SequenceFate.NEW

    def _holds(self, epoch: int, sequence: int) -> bool:
        known = self._find(epoch)
        return known is not None and known.holds(sequence)

    def _is_closed(self, epoch: int, sequence: int) -> bool:
        """Whether the number may have been counted and forgotten; no number is below 0."""
        known = self._find(epoch)
        if known is None:
            return sequence < 0 or (bool(self.epochs) and epoch < self.epochs[-1].epoch)
        return sequence < known.closed_below

    def gap(self, epoch: int, sequence: int) -> int:
        """By how many the missing numbers change if this new one is counted: -1 if it fills a gap."""
        known = self._find(epoch)
        highest = known.intervals[-1][1] if known is not None and known.intervals else -1
        return sequence - highest - 1 if sequence > highest else -1

    def _find(self, epoch: int) -> Epoch | None:
        return next((known for known in self.epochs if known.epoch == epoch), None)

    @property
    def missing(self) -> int:
        """The number of missing reports below the highest of their epoch: the gap that the log reports."""
        return sum(epoch.missing for epoch in self.epochs)


def _bounded(epochs: tuple[Epoch, ...]) -> tuple[Epoch, ...]:
    """These with ``MAX_INTERVALS`` intervals at most: the oldest gaps of the oldest epochs are closed."""
    excess = sum(len(epoch.intervals) for epoch in epochs) - MAX_INTERVALS
    bounded = []
    for epoch in epochs:
        closing = max(0, min(excess, len(epoch.intervals) - 1))
        excess -= closing
        bounded.append(epoch.without_oldest(closing))
    return tuple(bounded)
