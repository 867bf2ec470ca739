"""One direction when all is done: what it came to, and what the count made beside it found."""

from dataclasses import dataclass

from demo.figures import Figures
from streams.rules.policy_set import PolicySet
from tests.reference.audit import Audit


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction when all is done."""

    home: str
    partner: str
    figures: Figures
    audit: Audit
    policy: PolicySet
