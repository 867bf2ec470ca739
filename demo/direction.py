"""One direction at the end: its figures, and the result of the independent audit."""

from dataclasses import dataclass

from demo.figures import Figures
from streams.rules.policy_set import PolicySet
from tests.reference.audit import Audit


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction at the end."""

    home: str
    partner: str
    figures: Figures
    audit: Audit
    policy: PolicySet
