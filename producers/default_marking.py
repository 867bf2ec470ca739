"""Counts to how many observations an operator's marking applied: one that the source's own covers changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from producers.markings.marked import OPERATOR, UNSTATED
from producers.readers.reading import Defaults, Reading, Seen
from schemas.counting import counted


@dataclass(slots=True)
class DefaultMarking:
    """``applied`` of the ``read`` observations have another marking because of the operator's; 0 of 0 without one."""

    applied: int = 0
    read: int = 0

    def counting(self, readings: Iterator[Reading], defaults: Defaults) -> Iterator[Reading]:
        """The same readings."""
        return readings if defaults.marking == UNSTATED else self._counting(readings)

    def _counting(self, readings: Iterator[Reading]) -> Iterator[Reading]:
        for reading in readings:
            if isinstance(reading, Seen) and reading.observation.withdrawal is None:
                self.read += 1
                self.applied += OPERATOR in reading.marking_from
            yield reading

    def lines(self) -> Iterator[str]:
        """A sentence for the operator, if the marking did not apply to some observations."""
        if self.applied < self.read:
            others = "the others state" if self.applied else "the source states"
            yield (
                f"your marking applied to {self.applied:,} of {counted(self.read, 'observation')}: "
                f"{others} one that is as strict or stricter"
            )
