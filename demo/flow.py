"""What is shown while it happens: one direction's numbers so far, and what occurred when. Values only."""

import enum
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction. ``planned`` observations are to come in all; ``trouble`` says what does not work now."""

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
        """Each step of the way with its number, in order."""
        return (
            ("published", self.published),
            ("valid", self.valid),
            ("distinct", self.distinct),
            ("released", self.released),
            (f"at {self.partner}", self.received),
        )


class Sign(enum.Enum):
    """What kind of thing occurred."""

    NOTE = "·"
    DONE = "✔"
    KILLED = "✖"
    AGAIN = "↻"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that occurred, seconds after the beginning."""

    at_s: float
    sign: Sign
    words: str
