"""What officers have said about an indicator, as its row keeps it: vetoes, and reviews of what is held."""

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
MAX_SAYINGS: Final = 16


class Saying(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One person's word: which command, by which key, when it was counted, and why."""

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
    """A question to officers, whether something may go to ``partner``, and what they have said.

    ``question`` is the digest of all that they were asked. ``assigned`` is the marking that those who approve have
    given to what has none.
    """

    partner: str
    question: bytes
    needed: int
    opened_ms: int
    deadline_ms: int
    state: str = OPEN
    sayings: tuple[Saying, ...] = ()
    assigned: Marking | None = None

    @property
    def approvals(self) -> int:
        """How many distinct people have approved."""
        return len({saying.person for saying in self.sayings if saying.verdict == APPROVE})


class Veto(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A standing veto. ``partner`` is empty where it is for all; ``lifts`` are those who would end it."""

    kind: str
    partner: str
    reason_code: str
    said: Saying
    lifts: tuple[Saying, ...] = ()

    def to_record(self) -> VetoRecord:
        """As the audit has it."""
        return VetoRecord(
            kind=self.kind,
            person=self.said.person,
            officer=self.said.officer,
            command_id=self.said.command_id,
            at_ms=self.said.at_ms,
            reason_code=self.reason_code,
            reason=self.said.reason,
        )


class Standing(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All of it for one indicator: at most one review for each partner."""

    vetoes: tuple[Veto, ...] = ()
    reviews: tuple[Review, ...] = ()

    def veto_for(self, partner: str) -> Veto | None:
        """The veto that keeps it from a partner; a recall goes before a revocation, as it asks for more."""
        found = [veto for veto in self.vetoes if veto.partner in ("", partner)]
        return min(found, key=lambda veto: veto.kind != CommandKind.RECALL, default=None)

    @property
    def revoked(self) -> bool:
        """Whether an officer has called it false: for everybody, the nation's own tools too."""
        return any(veto.kind == CommandKind.REVOKE for veto in self.vetoes)

    def review_for(self, partner: str) -> Review | None:
        """The review for a partner."""
        return next((review for review in self.reviews if review.partner == partner), None)

    def with_review(self, partner: str, review: Review | None) -> "Standing":
        """This with another review for a partner, or with none."""
        others = [other for other in self.reviews if other.partner != partner]
        reviews = others if review is None else [*others, review]
        return Standing(self.vetoes, tuple(sorted(reviews, key=lambda each: each.partner)))

    def deadlines(self) -> list[int]:
        """When reviews that are open lapse."""
        return [review.deadline_ms for review in self.reviews if review.state == OPEN]


NOTHING: Final = Standing()
