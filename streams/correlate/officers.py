"""Officers' decisions about an indicator, as its row keeps them: vetoes, and reviews of held releases. Pure."""

from collections.abc import Collection
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
MAX_ASKED: Final = 64
MAX_GROUPS: Final = 16
MAX_USED: Final = 64
CONTENT_BYTES: Final = 16
_OPENING_BYTES: Final = 8
_CLOCK_TOLERANCE_MS: Final = 24 * 60 * 60 * 1000


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

    ``question`` names all that they are asked, and this opening of it: a verdict on an earlier opening is no verdict on
    this one. ``assigned`` is the marking that the approving officers give to data whose own is missing or unknown.
    ``groups`` are the digests of the held groups, at most MAX_GROUPS, and ``labels`` those that an approval releases.
    """

    partner: str
    question: bytes
    needed: int
    opened_ms: int
    deadline_ms: int
    state: str = OPEN
    acts: tuple[OfficerAct, ...] = ()
    assigned: Marking | None = None
    groups: tuple[bytes, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def content(self) -> bytes:
        """The digest of the question, the same in every opening."""
        return self.question[:CONTENT_BYTES]

    @property
    def opening(self) -> int:
        """Which opening this is: later ones are higher. 0 for a review that an earlier release opened."""
        return int.from_bytes(self.question[CONTENT_BYTES:], "big")

    @property
    def approvals(self) -> int:
        """How many distinct persons have approved."""
        return len({act.person for act in self.acts if act.verdict == APPROVE})


def question_of(content: bytes, opening: int) -> bytes:
    """The question of one opening of a review."""
    return content + opening.to_bytes(_OPENING_BYTES, "big")


class Asked(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One group of facets about which officers were asked for a partner, until when, and whether they refused."""

    partner: str
    group: bytes
    deadline_ms: int
    refused: bool


class Used(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A command that was executed: the digest of its id, and its times (ms since 1970, UTC)."""

    digest: bytes
    issued_ms: int
    expires_ms: int


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
    """All vetoes and reviews of one indicator: at most one review for each partner.

    ``asked`` are the unapproved questions of earlier reviews: one that returns does not begin anew. ``lapse_ms``
    is the earliest deadline of those dropped because there are too many; 0 for none. ``opening`` is the last
    opening of any review.

    ``used`` are the executed commands that could still be valid. ``used_until_ms`` is when the last one was signed that
    was forgotten because there are too many.
    """

    vetoes: tuple[Veto, ...] = ()
    reviews: tuple[Review, ...] = ()
    asked: tuple[Asked, ...] = ()
    lapse_ms: int = 0
    opening: int = 0
    used: tuple[Used, ...] = ()
    used_until_ms: int = 0

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
        """These with the review for a partner replaced, or removed. One whose question has changed is closed."""
        others = [other for other in self.reviews if other.partner != partner]
        reviews = others if review is None else [*others, review]
        left = self.review_for(partner)
        ended = left if left is not None and (review is None or review.content != left.content) else None
        known = self if ended is None else self._closing(ended)
        if review is not None:
            known = msgspec.structs.replace(known, opening=max(known.opening, review.opening))
        return msgspec.structs.replace(known, reviews=tuple(sorted(reviews, key=lambda each: each.partner)))

    def as_left(self, review: Review) -> Review:
        """A review that opens, as it was left if all that it asks was asked before: refused, or with its deadline.

        If some were forgotten, it ends with the earliest of them.
        """
        known = [each for each in self.asked if each.partner == review.partner and each.group in review.groups]
        ends = [self.lapse_ms] if self.lapse_ms else []
        if len(known) == len(review.groups):
            ends += [each.deadline_ms for each in known]
            if any(each.refused for each in known):
                review = msgspec.structs.replace(review, state=REFUSED)
        return msgspec.structs.replace(review, deadline_ms=min([review.deadline_ms, *ends]))

    def _closing(self, review: Review) -> "OfficerDecisions":
        """These with a review that ends. An approval ends with its question: a question that returns is asked anew."""
        asked = {(each.partner, each.group): each for each in self.asked}
        for group in review.groups:
            name = (review.partner, group)
            known = asked.pop(name, None)
            if review.state != APPROVED:
                deadline_ms = review.deadline_ms if known is None else min(known.deadline_ms, review.deadline_ms)
                refused = review.state == REFUSED or (known is not None and known.refused)
                asked[name] = Asked(*name, deadline_ms, refused)
        lapse_ms = self.lapse_ms
        while len(asked) > MAX_ASKED:
            earliest = min(asked.values(), key=lambda each: (each.refused, each.deadline_ms))
            del asked[earliest.partner, earliest.group]
            lapse_ms = min(lapse_ms or earliest.deadline_ms, earliest.deadline_ms)
        return msgspec.structs.replace(self, asked=tuple(asked.values()), lapse_ms=lapse_ms)

    def without_approvals_by(self, persons: Collection[str]) -> "OfficerDecisions":
        """These without the reviews that one of these people has approved: they are asked anew."""
        known = self
        for review in self.reviews:
            if any(act.verdict == APPROVE and act.person in persons for act in review.acts):
                known = known.with_review(review.partner, None)
        return known

    def is_used(self, digest: bytes, issued_ms: int, *, loosens: bool) -> bool:
        """Whether a command was executed before. One that ``loosens`` is also if it may have been forgotten."""
        return any(each.digest == digest for each in self.used) or (loosens and issued_ms <= self.used_until_ms)

    def having_used(self, command: Used, appended_ms: int) -> "OfficerDecisions":
        """These after a command was executed that the broker appended at this time (ms since 1970, UTC)."""
        valid_ms = appended_ms - _CLOCK_TOLERANCE_MS
        used = [*(each for each in self.used if each.expires_ms > valid_ms), command]
        until_ms = self.used_until_ms
        if len(used) > MAX_USED:
            earliest = min(used, key=lambda each: each.issued_ms)
            used.remove(earliest)
            until_ms = max(until_ms, earliest.issued_ms)
        return msgspec.structs.replace(self, used=tuple(used), used_until_ms=until_ms)

    def deadlines(self) -> list[int]:
        """When the open reviews lapse."""
        return [review.deadline_ms for review in self.reviews if review.state == OPEN]


NO_DECISIONS: Final = OfficerDecisions()
