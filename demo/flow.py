"""Values for the live display: one direction's numbers so far, and the events."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction. ``planned`` is the total number of observations; ``trouble`` names a current fault."""

    home: str
    partner: str
    planned: int
    published: int = 0
    valid: int = 0
    distinct: int = 0
    released: int = 0
    received: int = 0
    trouble: str = ""

    def steps(self) -> tuple[tuple[str, int], ...]:
        """Each step of the path with its number, in order."""
        return (
            ("published", self.published),
            ("valid", self.valid),
            ("distinct", self.distinct),
            ("released", self.released),
            (f"at {self.partner}", self.received),
        )


class Sign(enum.Enum):
    """The kind of an event."""

    NOTE = "·"
    DONE = "✔"
    KILLED = "✖"
    AGAIN = "↻"


@dataclass(frozen=True, slots=True)
class Event:
    """An event, in seconds after the start."""

    at_s: float
    sign: Sign
    words: str
