"""Which reports of a sensor count: the numbers themselves, epoch by epoch. Part of the reference model."""

from enum import Enum
from typing import Final

from schemas.records import SensorReport
from schemas.vocabulary import RejectReason

MOST_RUNS: Final = 128  # of a sensor's numbers without a gap, in all epochs
MOST_EPOCHS: Final = 16
MINUTE_MS: Final = 60_000


class Fate(Enum):
    """What becomes of a report."""

    COUNTED = "counted"
    REDRIVEN = "redriven"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Ledger:
    """What was counted of one sensor: the numbers themselves, epoch by epoch."""

    def __init__(self) -> None:
        self.epochs: dict[int, set[int]] = {}
        self.runs: dict[int, int] = {}
        self.closed_below: dict[int, int] = {}
        self.minute = self.sent = 0

    def fate_of(self, report: SensorReport, appended_ms: int, quota: int) -> Fate | RejectReason:
        """Count the report's number, or say why it does not count."""
        epoch, sequence = report["epoch"], report["sequence"]
        if epoch > appended_ms:
            return RejectReason.FUTURE_EPOCH
        if sequence in self.epochs.get(epoch, set()):
            return Fate.DUPLICATE
        if self._is_closed(epoch, sequence):
            return RejectReason.STALE_EPOCH
        if not self._take(report, appended_ms, quota):
            return RejectReason.OVER_QUOTA
        self._count(epoch, sequence)
        return Fate.COUNTED

    def fate_of_redriven(self, report: SensorReport, appended_ms: int, quota: int) -> Fate | RejectReason:
        """The same for what was refused and is redriven: only a whole report has a number to use up, if it is open."""
        epoch, sequence, whole = report["epoch"], report["sequence"], report["redrive_of"].endswith("--1")
        if epoch > appended_ms:
            return RejectReason.FUTURE_EPOCH
        if whole and sequence in self.epochs.get(epoch, set()):
            return Fate.DUPLICATE
        if not self._take(report, appended_ms, quota):
            return RejectReason.OVER_QUOTA
        if whole and not self._is_closed(epoch, sequence):
            self._count(epoch, sequence)
        return Fate.REDRIVEN

    def _is_closed(self, epoch: int, sequence: int) -> bool:
        if epoch not in self.epochs:
            return sequence < 0 or epoch < max(self.epochs, default=epoch)
        return sequence < self.closed_below[epoch]

    def _take(self, report: SensorReport, appended_ms: int, quota: int) -> bool:
        """Whether the sensor may still send so much in this minute; an empty report counts as one observation."""
        minute, size = appended_ms // MINUTE_MS, max(1, len(report["values"]))
        sent = size + (self.sent if minute == self.minute else 0)
        if sent > quota:
            return False
        self.minute, self.sent = minute, sent
        return True

    def _count(self, epoch: int, sequence: int) -> None:
        if epoch not in self.epochs:
            self.epochs[epoch], self.runs[epoch], self.closed_below[epoch] = set(), 0, 0
        numbers = self.epochs[epoch]
        numbers.add(sequence)
        self.runs[epoch] += 1 - (sequence - 1 in numbers) - (sequence + 1 in numbers)
        while len(self.epochs) > MOST_EPOCHS:
            oldest = min(self.epochs)
            del self.epochs[oldest], self.runs[oldest]
        while sum(self.runs.values()) > MOST_RUNS:
            self._close_the_oldest_gap()

    def _close_the_oldest_gap(self) -> None:
        epoch = min(epoch for epoch, runs in self.runs.items() if runs > 1)
        numbers = self.epochs[epoch]
        _, second = sorted(number for number in numbers if number - 1 not in numbers)[:2]
        self.closed_below[epoch] = second
        self.epochs[epoch] = {number for number in numbers if number >= second}
        self.runs[epoch] -= 1
