"""Finds the question that an officer's verdict answers, and reads the marking that an officer gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from consumers.queries.decisions import decisions_on
from consumers.queries.reviews import approvals, chosen, waiting
from consumers.subscription.topic_reader import TopicReader
from exchange.errors import NotFound
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.markings import Tlp
from schemas.records import Decision, MarkingRecord, ReviewPending


@dataclass(frozen=True, slots=True)
class Question:
    """What a verdict answers. ``missing`` is how many more must approve: 0 if it was approved already."""

    indicator_id: str
    partner: str
    question: bytes
    decision_id: str
    missing: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The question is no longer open; ``decision`` is the last one, with its result in ``review``."""

    decision: Decision


def question_on(
    cluster: Cluster, shards: int, ids: Sequence[str], partner: str, *, may_be_approved: bool
) -> Question | Settled:
    """The question on one of these indicators, for this partner, or for the only one if empty.

    With ``may_be_approved`` a question that was approved is found too: a refusal then recalls the release. Raises
    NotFound if there never was one, Refused if it is open for several partners.
    """
    with TopicReader(cluster, topics.REVIEW_PENDING) as reader:
        pending = waiting(reader, cluster.codec())
    decided = partial(decisions_on, cluster, ids, shards)
    return find_question(pending, decided, ids, partner, may_be_approved=may_be_approved)


def find_question(
    pending: Sequence[ReviewPending],
    decided: Callable[[], Sequence[Decision]],
    ids: Sequence[str],
    partner: str,
    *,
    may_be_approved: bool,
) -> Question | Settled:
    """As ``question_on``, among these open questions, and else among the decisions, which are read only then."""
    try:
        each = chosen(pending, ids, partner)
    except NotFound:
        last = next((entry for entry in reversed(decided()) if partner in ("", entry["partner"])), None)
        if last is None or not last["review"]:
            raise
        if last["review"] == "approved" and may_be_approved:
            return Question(last["indicator_id"], last["partner"], last["question"], last["decision_id"], 0)
        return Settled(last)
    missing = each["needed"] - approvals(each)
    return Question(each["indicator_id"], each["partner"], each["question"], each["decision_id"], missing)


def officer_marking(tlp: str, releasable_to: Sequence[str]) -> MarkingRecord | None:
    """The marking that an officer gives to an indicator that has none; None without ``tlp``.

    From AMBER up a marking has recipients. Raises ValueError for anything else, with the reason.
    """
    if not tlp:
        if releasable_to:
            raise ValueError("--releasable-to goes with --tlp")
        return None
    label = "TLP:" + tlp.upper().removeprefix("TLP:")
    level = next((each for each in Tlp if each.label == label and each < Tlp.UNMARKED), None)
    if level is None:
        raise ValueError(f"--tlp {tlp}: CLEAR, GREEN, AMBER or AMBER+STRICT")
    if level >= Tlp.AMBER and not releasable_to:
        raise ValueError(f"--tlp {tlp} needs its recipients: --releasable-to")
    return {
        "tlp": int(level),
        "pap": 0,
        "releasable_to": sorted(set(releasable_to)) if releasable_to else None,
        "caveats": [],
    }
