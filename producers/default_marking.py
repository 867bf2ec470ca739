"""Counts what an operator's marking did to observations: it fills in and restricts, and never loosens."""

from collections.abc import Iterator
from dataclasses import dataclass

from producers.markings.marked import OPERATOR, UNSTATED
from producers.readers.reading import Defaults, Reading, Seen
from schemas.counting import counted


@dataclass(slots=True)
class DefaultMarking:
    """``applied`` of the ``read`` observations have another marking because of the operator's; 0 of 0 without one.

    ``joined`` of these ``applied`` state a marking of their own, which the operator's completes or makes stricter.
    """

    applied: int = 0
    joined: int = 0
    read: int = 0

    def counting(self, readings: Iterator[Reading], defaults: Defaults) -> Iterator[Reading]:
        """The same readings."""
        return readings if defaults.marking == UNSTATED else self._counting(readings)

    def _counting(self, readings: Iterator[Reading]) -> Iterator[Reading]:
        for reading in readings:
            if isinstance(reading, Seen) and reading.observation.withdrawal is None:
                self.read += 1
                if OPERATOR in reading.marking_from:
                    self.applied += 1
                    self.joined += len(reading.marking_from) > 1
            yield reading

    def lines(self) -> Iterator[str]:
        """A sentence for the operator, if there was a marking and an observation."""
        parts = (
            (self.applied - self.joined, "without a marking took it"),
            (self.joined, "whose own it completes or makes stricter"),
            (self.read - self.applied, "kept their own, as strict or stricter"),
        )
        stated = ", ".join(f"{count:,} {what}" for count, what in parts if count)
        if stated:
            yield f"your marking, {counted(self.read, 'observation')}: {stated}"
