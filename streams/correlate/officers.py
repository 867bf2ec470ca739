"""What officers have decided about an indicator, as its row keeps it: vetoes, and reviews of held releases. Pure."""

from typing import Final

import msgspec

from schemas.markings import Marking
from schemas.records import OfficerVerdict
from schemas.records import Veto as VetoRecord
from schemas.vocabulary import CommandKind

OPEN: Final = "open"
APPROVED: Final = "approved"
REFUSED: Final = "refused"
LAPSED: Final = "lapsed"
APPROVE: Final = "approve"
REFUSE: Final = "refuse"
LIFTERS: Final = 2
MAX_VETOES: Final = 8
MAX_ACTS: Final = 16


class OfficerAct(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One executed command: by which person and key, when it was executed (ms since 1970, UTC), and why."""

    person: str
    officer: str
    command_id: str
    at_ms: int
    reason: str
    verdict: str = ""

    def to_record(self) -> OfficerVerdict:
        """As the audit and ``review.pending`` have it."""
        return OfficerVerdict(
            person=self.person,
            officer=self.officer,
            command_id=self.command_id,
            verdict=self.verdict,
            at_ms=self.at_ms,
            reason=self.reason,
        )


class Review(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A question to officers, whether an indicator may be released to ``partner``, and their verdicts.

    ``question`` is the digest of all that they are asked. ``assigned`` is the marking that the approving officers give
    to data that has none.
    """

    partner: str
    question: bytes
    needed: int
    opened_ms: int
    deadline_ms: int
    state: str = OPEN
    acts: tuple[OfficerAct, ...] = ()
    assigned: Marking | None = None

    @property
    def approvals(self) -> int:
        """How many distinct persons have approved."""
        return len({act.person for act in self.acts if act.verdict == APPROVE})


class Veto(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A veto that is in force. An empty ``partner`` means all partners; ``lifts`` are the acts that would end it."""

    kind: str
    partner: str
    reason_code: str
    by: OfficerAct
    lifts: tuple[OfficerAct, ...] = ()

    def to_record(self) -> VetoRecord:
        """As the audit has it."""
        return VetoRecord(
            kind=self.kind,
            person=self.by.person,
            officer=self.by.officer,
            command_id=self.by.command_id,
            at_ms=self.by.at_ms,
            reason_code=self.reason_code,
            reason=self.by.reason,
        )


class OfficerDecisions(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All vetoes and reviews of one indicator: at most one review for each partner."""

    vetoes: tuple[Veto, ...] = ()
    reviews: tuple[Review, ...] = ()

    def veto_for(self, partner: str) -> Veto | None:
        """The veto that keeps it from a partner. A recall comes before a revocation, because it demands more."""
        found = [veto for veto in self.vetoes if veto.partner in ("", partner)]
        return min(found, key=lambda veto: veto.kind != CommandKind.RECALL, default=None)

    @property
    def revoked(self) -> bool:
        """Whether an officer has declared it a false positive: for all partners and the nation's own tools."""
        return any(veto.kind == CommandKind.REVOKE for veto in self.vetoes)

    def review_for(self, partner: str) -> Review | None:
        """The review for a partner."""
        return next((review for review in self.reviews if review.partner == partner), None)

    def with_review(self, partner: str, review: Review | None) -> "OfficerDecisions":
        """These with the review for a partner replaced, or removed."""
        others = [other for other in self.reviews if other.partner != partner]
        reviews = others if review is None else [*others, review]
        return OfficerDecisions(self.vetoes, tuple(sorted(reviews, key=lambda each: each.partner)))

    def deadlines(self) -> list[int]:
        """When the open reviews lapse."""
        return [review.deadline_ms for review in self.reviews if review.state == OPEN]


NO_DECISIONS: Final = OfficerDecisions()
