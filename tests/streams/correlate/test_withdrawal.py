"""A source that takes back its assertion ends it: at home, at the partner, in any order, and for that source alone."""

from itertools import permutations

import pytest

from schemas import topics
from schemas.codec import DECISION, INDICATOR, RELEASED_INDICATOR, Codec
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import Decision, Indicator, ReleasedIndicator, SensorReport
from schemas.vocabulary import IndicatorType, Withdrawal
from streams.audit.rerun import rerun
from streams.enrichment.enrich import Enricher
from streams.rules.explain import explain
from tests.builders import DAY_MS, NOW_MS, a_report
from tests.streams.enrichment_builders import an_enricher
from tests.streams.memory_exchange import CLASSIFIER, PARTNER, MemoryExchange

HASH = "0" * 64
CODEC = Codec()
GREEN, RED, UNMARKED = SourceMarking("TLP:GREEN"), SourceMarking("TLP:RED"), SourceMarking()


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return an_enricher()


def report(
    sequence: int,
    sensor: str = "edge-1",
    withdrawal: Withdrawal | None = None,
    marking: SourceMarking = GREEN,
    labels: tuple[str, ...] = (),
) -> SensorReport:
    seen = Observation(
        kind=IndicatorType.FILE_SHA256, value=HASH, marking=marking, labels=labels, withdrawal=withdrawal
    )
    return a_report([seen], sensor=sensor, sequence=sequence, epoch=NOW_MS - DAY_MS)


def after(enricher: Enricher, *reports: SensorReport) -> MemoryExchange:
    exchange = MemoryExchange(enricher)
    for each in reports:
        exchange.send(each)
        exchange.run()
        exchange.now_ms += 1000
    exchange.settle()
    assert exchange.audit().clean, str(exchange.audit())
    return exchange


def national(exchange: MemoryExchange) -> Indicator:
    found = CODEC.decode(INDICATOR, exchange.log(topics.NATIONAL)[-1].value)
    assert isinstance(found, dict)
    return found  # type: ignore[return-value]


def released(exchange: MemoryExchange) -> list[ReleasedIndicator]:
    found = [CODEC.decode(RELEASED_INDICATOR, each.value) for each in exchange.log(topics.accepted("GBR"))]
    return [each for each in found if isinstance(each, dict)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("withdrawal", "kind", "reason"),
    [
        (Withdrawal.REVOKED, "revoked", "withdrawn"),
        (Withdrawal.REMOVED, "revoked", "withdrawn"),
        (Withdrawal.LAPSED, "expired", "validity-ended"),
    ],
)
@pytest.mark.parametrize("marking", [GREEN, UNMARKED])
def test_the_release_ends_when_its_only_source_takes_it_back(
    enricher: Enricher, withdrawal: Withdrawal, kind: str, reason: str, marking: SourceMarking
) -> None:
    exchange = after(enricher, report(0), report(1, withdrawal=withdrawal, marking=marking))
    content, end = released(exchange)
    assert content["kind"] == "content"
    assert (end["kind"], end["reason"], end["recalled_through"], end["content"]) == (kind, reason, 0, None)
    assert national(exchange)["kind"] == kind
    assert national(exchange)["sightings"] == 1, "a withdrawal is no sighting"


def test_a_withdrawal_that_is_marked_red_recalls(enricher: Enricher) -> None:
    exchange = after(enricher, report(0), report(1, withdrawal=Withdrawal.REVOKED, marking=RED))
    assert released(exchange)[-1]["kind"] == "recalled"


def test_while_another_source_asserts_it_the_release_goes_on_without_the_part_that_was_taken_back(
    enricher: Enricher,
) -> None:
    exchange = after(
        enricher,
        report(0, "edge-1", labels=("botnet",)),
        report(0, "edge-2", labels=("scanner",)),
        report(1, "edge-1", withdrawal=Withdrawal.REVOKED),
    )
    last = released(exchange)[-1]
    assert last["content"] is not None
    assert (last["content"]["labels"], last["content"]["sightings"], last["recalled_through"]) == (["scanner"], 1, 0)
    assert national(exchange)["kind"] == "content"


def test_a_source_that_is_kept_back_does_not_change_how_a_withdrawal_ends_the_release(enricher: Enricher) -> None:
    alone = after(enricher, report(0), report(1, withdrawal=Withdrawal.REVOKED))
    beside = after(enricher, report(0), report(0, "edge-2", marking=UNMARKED), report(1, withdrawal=Withdrawal.REVOKED))
    assert [(each["kind"], each["reason"]) for each in released(alone)] == [
        (each["kind"], each["reason"]) for each in released(beside)
    ]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_report_counts_in_any_order_of_arrival(enricher: Enricher, order: tuple[int, ...]) -> None:
    reports = [report(0), report(1, withdrawal=Withdrawal.REVOKED), report(2)]
    again = after(enricher, *(reports[place] for place in order))
    assert national(again)["kind"] == "content"
    assert released(again)[-1]["kind"] == "content"
    ended = [report(0), report(1), report(2, withdrawal=Withdrawal.REMOVED)]
    over = after(enricher, *(ended[place] for place in order))
    assert national(over)["kind"] == "revoked"
    assert [each["kind"] for each in released(over)][-1:] in (["revoked"], [])


def test_what_was_taken_back_before_it_was_reported_is_never_published(enricher: Enricher) -> None:
    exchange = after(enricher, report(1, withdrawal=Withdrawal.REVOKED))
    assert exchange.log(topics.NATIONAL) == []
    late = after(enricher, report(1, withdrawal=Withdrawal.REVOKED), report(0))
    assert national(late)["kind"] == "revoked"
    assert released(late) == []


def test_a_report_that_asserts_and_withdraws_one_value_asserts_it(enricher: Enricher) -> None:
    seen = Observation(kind=IndicatorType.FILE_SHA256, value=HASH, marking=GREEN)
    taken = Observation(
        kind=IndicatorType.FILE_SHA256, value=HASH, marking=GREEN, withdrawal=Withdrawal.REVOKED, count=5
    )
    exchange = after(enricher, a_report([seen, taken], epoch=NOW_MS - DAY_MS))
    assert (national(exchange)["kind"], national(exchange)["sightings"]) == ("content", 1)


def test_the_decision_behind_a_withdrawal_can_be_run_again(enricher: Enricher) -> None:
    exchange = after(enricher, report(0), report(1, withdrawal=Withdrawal.REVOKED))
    found = [CODEC.decode(DECISION, each.value) for each in exchange.log(topics.AUDIT)]
    last: Decision = found[-1]  # type: ignore[assignment]
    assert (last["outcome"], last["assertions"]) == ("withhold", [])
    assert last["partner"] == PARTNER
    assert rerun(last, CLASSIFIER.engine) == ""
    assert "all of them withdrew it" in " ".join(explain(last, CLASSIFIER.engine.policy_set))
