"""What an attack is: who does what, and the one answer that is right."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.attack.field import Field


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack. ``run`` returns what came of it, in the words of ``expected``."""

    who: str
    what: str
    expected: str
    run: Callable[[Field], str]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of an attack, and how long it took."""

    attack: Attack
    got: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it was answered as expected."""
        return self.got == self.attack.expected
