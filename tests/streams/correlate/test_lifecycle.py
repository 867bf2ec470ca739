"""How long an indicator lives, and how its confidence decays on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.markings import UNMARKED
from schemas.vocabulary import IndicatorType
from streams.correlate.lifecycle import DAY_MS, MAX_VALIDITY_MS, Lifetimes
from streams.correlate.statement import Statement
from streams.rules.facets import confidence_band

HEARD_MS = 1_795_000_000_000
SHIPPED = Lifetimes.load()

kinds = st.sampled_from(list(IndicatorType))
confidences = st.integers(-1, 100)
ends = st.one_of(st.just(0), st.integers(1, HEARD_MS * 3))
statements = st.builds(
    lambda confidence, valid_until_ms: Statement.of(1, 1, HEARD_MS, UNMARKED, confidence, valid_until_ms),
    confidences,
    ends,
)
ages = st.integers(0, 3 * MAX_VALIDITY_MS)


def a_statement(confidence: int = 80, valid_until_ms: int = 0) -> Statement:
    return Statement.of(1, 1, HEARD_MS, UNMARKED, confidence, valid_until_ms)


def test_an_address_lives_thirty_days_after_the_last_word_on_it() -> None:
    assert SHIPPED.end_of(IndicatorType.IPV4_ADDR, a_statement()) == HEARD_MS + 30 * DAY_MS


def test_a_source_s_own_end_is_believed() -> None:
    stated = HEARD_MS + 5 * DAY_MS
    assert SHIPPED.end_of(IndicatorType.IPV4_ADDR, a_statement(valid_until_ms=stated)) == stated


def test_no_source_makes_anything_immortal() -> None:
    statement = a_statement(valid_until_ms=4_102_444_800_000)
    assert SHIPPED.end_of(IndicatorType.IPV4_ADDR, statement) == HEARD_MS + MAX_VALIDITY_MS


def test_half_way_through_a_straight_decay_half_of_the_confidence_is_left() -> None:
    assert SHIPPED.confidence_at(IndicatorType.IPV4_ADDR, a_statement(80), HEARD_MS + 15 * DAY_MS) == 40


@given(kinds, statements, ages, ages)
def test_confidence_never_grows_with_age_and_stays_within_what_was_stated(
    kind: IndicatorType, statement: Statement, one: int, other: int
) -> None:
    early, late = sorted((one, other))
    before = SHIPPED.confidence_at(kind, statement, HEARD_MS + early)
    after = SHIPPED.confidence_at(kind, statement, HEARD_MS + late)
    assert -1 <= after <= before <= statement.confidence


@given(kinds, statements)
def test_at_its_end_nothing_is_left_and_nothing_unstated_is_made_up(kind: IndicatorType, statement: Statement) -> None:
    end = max(SHIPPED.end_of(kind, statement), HEARD_MS + 1)
    assert SHIPPED.confidence_at(kind, statement, end) == (-1 if statement.confidence < 0 else 0)


@given(kinds, statements, ages, st.floats(0, 1, exclude_max=True))
def test_between_now_and_the_next_change_nothing_changes(
    kind: IndicatorType, statement: Statement, age: int, share: float
) -> None:
    now = HEARD_MS + age
    change = SHIPPED.next_change(kind, statement, now)
    if change == 0:
        assert SHIPPED.end_of(kind, statement) <= now
        return
    between = now + int((change - 1 - now) * share)
    assert change > now
    assert SHIPPED.end_of(kind, statement) > between
    assert confidence_band(SHIPPED.confidence_at(kind, statement, between)) == confidence_band(
        SHIPPED.confidence_at(kind, statement, now)
    )


@pytest.mark.parametrize(
    "text",
    [
        "[ipv4-addr]\nlifetime_days = 1\nspeed = 1.0",
        "[default]\nlifetime_days = 1\nspeed = 1.0\n[ipv5]\nlifetime_days = 1\nspeed = 1.0",
        "[default]\nlifetime_days = 0\nspeed = 1.0",
        "[default]\nlifetime_days = 1\nspeed = 0.0",
        "[default]\nlifetime_days = 1.5\nspeed = 1.0",
        "[default]\nlifetime_days = 1",
    ],
)
def test_a_wrong_table_of_lifetimes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lifetimes"):
        Lifetimes.parse(text)
