"""Whatever ends a release reaches the partner as one of three records, past the guard, with the effect of that one."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from consumers.bridge import guard
from consumers.subscription.changes import State, state_of
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR
from schemas.links import all_agreed
from schemas.vocabulary import CommandKind
from streams.correlate.released import is_urgent
from streams.receive.step import Receive
from tests.builders import DAY_MS, a_content
from tests.officers import ALICE, BOB
from tests.streams.correlate.test_decide_again import LISTED, NO_GREEN, RESOLVER, finish
from tests.streams.officers_bench import CODEC, OfficersBench
from tests.streams.workbench import Workbench


def is_tightened(bench: OfficersBench) -> None:
    bench.observes("TLP:RED", values=(RESOLVER,))


def rules_change(bench: OfficersBench) -> None:
    bench.restarts_under(NO_GREEN)
    finish(bench)


def is_recalled_by_hand(bench: OfficersBench) -> None:
    name = bench.released[-1]["id"]
    assert bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand", indicator_id=name) == ""


def is_revoked_by_hand(bench: OfficersBench) -> None:
    name = bench.released[-1]["id"]
    assert bench.gives(ALICE, CommandKind.REVOKE, reason_code="false-positive", indicator_id=name) == ""


def is_listed_as_benign(bench: OfficersBench) -> None:
    bench.restarts_under(bench.policy, LISTED)
    finish(bench)


def ages_out(bench: OfficersBench) -> None:
    bench.waits(400 * DAY_MS)


def released() -> OfficersBench:
    bench = OfficersBench()
    bench.observes(values=(RESOLVER,))
    return bench


def approved() -> OfficersBench:
    bench = OfficersBench()
    bench.observes(values=(RESOLVER,), caveats=("OFFICIAL-SENSITIVE",))
    assert bench.approves(ALICE, indicator_id=bench.shown[-1]["indicator_id"]) == ""
    return bench


def its_review_is_reversed(bench: OfficersBench) -> None:
    assert bench.judges(BOB, "refuse", indicator_id=bench.shown[-1]["indicator_id"]) == ""


class Partner:
    """JPN behind its inbox: records that GBR's guard passes, and what JPN accepts of them."""

    def __init__(self, bench: OfficersBench) -> None:
        self.now_ms = bench.now_ms
        self._receive = Workbench(Receive(all_agreed("JPN", "GBR"), 0, 1, CODEC))
        reported = [each for each in bench.correlate.outputs if each.topic == topics.released("JPN")]
        for offset, (each, record) in enumerate(zip(reported, bench.released, strict=True)):
            at_ms = record["version"]  # carried as soon as it is reported
            passed = guard.check(
                each.value, each.key, CODEC, agreed=all_agreed("GBR", "JPN"), now_ms=at_ms, partition=0, shards=1
            )
            assert isinstance(passed, guard.Passed), passed
            self._receive.turn(at_ms, Record(topics.inbox("GBR"), 0, offset, each.key, each.value, at_ms))

    @property
    def accepted(self) -> list[dict[str, Any]]:
        return self._receive.written(topics.accepted("GBR"), RELEASED_INDICATOR)

    @property
    def answers(self) -> list[str]:
        return [each["code"] for each in self._receive.written(topics.receipts("GBR"), RECEIPT)]


Cause = Callable[[OfficersBench], None]
CAUSES: Final[list[tuple[Callable[[], OfficersBench], Cause, State, str, str]]] = [
    (released, is_tightened, State.RECALLED, "marking-tightened", "recall_applied"),
    (released, rules_change, State.RECALLED, "policy-changed", "recall_applied"),
    (approved, its_review_is_reversed, State.RECALLED, "recalled-by-hand", "recall_applied"),
    (released, is_recalled_by_hand, State.RECALLED, "recalled-by-hand", "recall_applied"),
    (released, is_revoked_by_hand, State.REVOKED, "false-positive", "applied"),
    (released, is_listed_as_benign, State.REVOKED, "false-positive", "applied"),
    (released, ages_out, State.EXPIRED, "validity-ended", "applied"),
]


@pytest.mark.parametrize(
    ("begin", "cause", "state", "reason", "answer"), CAUSES, ids=[cause.__name__ for _, cause, *_ in CAUSES]
)
def test_each_reason_ends_a_release_by_its_own_record_with_its_own_effect(
    begin: Callable[[], OfficersBench], cause: Cause, state: State, reason: str, answer: str
) -> None:
    bench = begin()
    assert [kind for kind, _ in bench.announced] == ["content"]
    cause(bench)
    partner = Partner(bench)
    content, end = partner.accepted
    assert partner.answers == ["applied", answer]
    assert state_of(end, partner.now_ms) == state
    assert (end["reason"], end["content"]) == (reason, None)
    assert end["version"] > content["version"]
    through = content["version"] if state is State.RECALLED else 0
    assert end["recalled_through"] == through, "only what must not have been shared has to be purged"
    assert bench.correlate.written(topics.urgent("JPN"), RELEASED_INDICATOR) == [end], "and only the end is urgent"


@pytest.mark.parametrize(("caveats", "goes_ahead"), [([], False), (["INCIDENT", "OFFICIAL-SENSITIVE"], True)])
def test_content_is_urgent_only_if_it_belongs_to_a_declared_incident(caveats: list[str], goes_ahead: bool) -> None:
    assert is_urgent(a_content(caveats=caveats)) is goes_ahead
