"""The figures count what stands on the topics, and their parts add up."""

from dataclasses import replace

from demo.figures import figures, quantile
from schemas import topics
from schemas.markings import Tlp
from tests.demo.stands import FREE, LATE, SLOW_MS, a_stand, announced, decided


def test_every_observation_is_valid_or_quarantined_and_every_indicator_has_one_outcome() -> None:
    found = figures(a_stand(), "JPN")
    assert (found.observations_in, found.valid, found.quarantined) == (6, 4, 2)
    assert found.distinct == 4
    assert (found.released, found.held, found.withheld, found.ended) == (2, 1, 1, 0)
    assert (found.replicated, found.received, found.recalled) == (2, 2, 0)
    assert found.refusals == (("unreadable-line", 1), ("invalid-value", 1))
    assert found.hold_rules == (("tlp-unmarked", 1),)
    assert found.withhold_rules == (("tlp-red", 1),)


def test_latency_is_of_what_was_released_at_its_first_decision() -> None:
    found = figures(a_stand(), "JPN")
    assert (found.p50_ms, found.p99_ms) == (SLOW_MS, SLOW_MS), "the one that was held first waited for a mark"


def test_what_was_recalled_stands_no_more() -> None:
    stand = a_stand()
    recalled = announced(topics.accepted("GBR"), 2, FREE, kind="recalled", version=2_000_000_000_000)
    found = figures(replace(stand, accepted=[*stand.accepted, recalled]), "JPN")
    assert (found.replicated, found.received, found.recalled) == (1, 1, 1)


def test_what_was_accepted_and_deleted_from_the_inbox_before_it_was_read_there_was_replicated() -> None:
    """Receive empties the inbox behind itself, at a pace of its own."""
    stand = a_stand()
    assert stand.inbox
    assert figures(replace(stand, inbox=[]), "JPN").replicated == 2
    assert figures(replace(stand, inbox=[], accepted=[]), "JPN").replicated == 0
    assert figures(replace(stand, accepted=[]), "JPN").replicated == 2


def test_what_might_go_but_is_over_is_counted_as_ended() -> None:
    stand = a_stand()
    found = figures(replace(stand, released=stand.released[:1]), "JPN")
    assert (found.released, found.ended, found.held, found.withheld) == (1, 1, 1, 1)


def test_decisions_for_another_partner_do_not_count() -> None:
    stand = a_stand()
    other = decided(5, FREE, "withhold", "releasability-partner-not-named", Tlp.GREEN, partner="FRA")
    assert figures(replace(stand, decisions=[*stand.decisions, other]), "JPN") == figures(stand, "JPN")


def test_there_is_an_example_for_each_way_to_an_outcome_and_never_an_email_address() -> None:
    stand = a_stand()
    found = figures(stand, "JPN")
    assert [example.decision["outcome"] for example in found.examples] == ["release", "hold", "withhold"]
    assert found.sample is not None
    assert found.sample.value in {record.value for record in stand.accepted}
    personal = [decided(0, LATE, "hold", "personal-data", Tlp.GREEN)]
    hidden = figures(replace(stand, decisions=personal), "JPN").examples
    assert [example.value for example in hidden] == [LATE]


def test_an_empty_stand_has_figures_too() -> None:
    stand = a_stand()
    empty = type(stand)(*([] for _ in stand.__slots__))
    found = figures(empty, "JPN")
    assert (found.observations_in, found.distinct, found.p50_ms, found.sample) == (0, 0, 0, None)


def test_a_quantile_is_a_value_that_occurred() -> None:
    assert quantile([], 0.5) == 0
    assert quantile([7], 0.99) == 7
    assert quantile(list(range(100)), 0.99) == 99
    assert quantile(list(range(100)), 0.5) == 50
