"""Ratings of sources in decisions: what they hold, what changes them, and that a replay gives the same bytes."""

from typing import cast

from schemas import topics
from schemas.ratings import Rating
from schemas.records import Decision
from streams.correlate.row import MAX_SOURCES
from streams.rules.explain import explain
from tests.officers import ALICE
from tests.rules.rated import a_rule, rated
from tests.streams.correlate.test_decide_again import CONTENT, VALUES, finish
from tests.streams.officers_bench import HOUR_MS, POLICY, OfficersBench

BAD_IS_LOW = rated(low=["bad"])
AUDIT = (topics.AUDIT, topics.NATIONAL, topics.released("JPN"))


def test_what_only_a_low_source_reported_waits_until_another_source_reports_it() -> None:
    bench = OfficersBench(BAD_IS_LOW)
    bench.observes(sensor="bad")
    assert bench.announced == []
    [held] = bench.decisions
    assert (held["outcome"], held["rules"], held["policy_version"]) == (
        "hold",
        ["quality-low-source"],
        BAD_IS_LOW.version,
    )
    assert [group["facets"]["rating"] for group in held["assertions"]] == [Rating.LOW]
    bench.observes(sensor="good")
    assert bench.announced == [CONTENT]
    assert 2 * bench.released[-1]["content"]["sightings"] == bench.national[-1]["sightings"], "nothing of it leaves"


def test_a_decision_explains_the_rating_with_the_version_that_it_is_of() -> None:
    bench = OfficersBench(BAD_IS_LOW)
    bench.observes(sensor="bad")
    lines = explain(cast("Decision", bench.decisions[-1]), BAD_IS_LOW)
    assert f"1 assertion is of a source rated low by policy {BAD_IS_LOW.version[:12]}." in lines
    assert "It would be released if a source rated unrated reported it too." in lines


def test_a_new_rating_decides_again_what_its_source_reported_once_and_nothing_else_does() -> None:
    bench = OfficersBench(POLICY)
    bench.observes(sensor="bad", values=VALUES[:3])
    bench.observes(sensor="good", values=VALUES[2:5])
    assert bench.announced == [CONTENT] * 5
    bench.restarts_under(BAD_IS_LOW)
    finish(bench)
    assert bench.announced[5:] == [("recalled", "policy-changed")] * 2 + [CONTENT], "one is known from another source"
    known = len(bench.decisions)
    bench.restarts_under(rated(low=["bad"]))
    assert finish(bench) == 1
    assert len(bench.decisions) == known
    bench.restarts_under(POLICY)
    finish(bench)
    assert bench.announced[8:].count(CONTENT) >= 2, "a rating that is taken back releases again"


def test_another_rating_is_no_other_question_of_what_is_held_for_another_reason() -> None:
    bench = OfficersBench(rated(medium=["edge"]))
    bench.observes(tlp="", sensor="edge")
    bench.approves(ALICE, marking={"tlp": 1, "pap": 0, "releasable_to": None, "caveats": []})
    assert bench.announced == [CONTENT]
    bench.restarts_under(rated(high=["edge"]))
    finish(bench)
    assert bench.announced == [CONTENT], "the approval still answers it"


def test_an_approval_of_what_a_low_source_reported_releases_it() -> None:
    bench = OfficersBench(BAD_IS_LOW)
    bench.observes(sensor="bad")
    bench.approves(ALICE)
    assert bench.announced == [CONTENT]


def test_a_rule_that_withholds_by_rating_is_lifted_by_no_approval() -> None:
    bench = OfficersBench(rated(a_rule('when { resource.rating == Rating::"low" }', effect="withhold"), low=["bad"]))
    bench.observes(sensor="bad")
    assert bench.shown == []
    assert bench.decisions[-1]["outcome"] == "withhold"


def test_sources_that_a_row_does_not_keep_by_name_are_as_bad_as_any_may_be() -> None:
    crowd = [f"sensor-{number:02}" for number in range(MAX_SOURCES + 8)]
    bench = OfficersBench(rated(low=crowd))
    for sensor in crowd:
        bench.observes(sensor=sensor)
    bench.waits(HOUR_MS)
    assert bench.announced == [], "no number of bad sources is a good one"
    bench = OfficersBench(rated(low=["not one of them"]))
    for sensor in crowd:
        bench.observes(sensor=sensor)
    bench.waits(HOUR_MS)
    assert bench.announced[0] == CONTENT
    assert {group["facets"]["rating"] for group in bench.decisions[-1]["assertions"]} == {"unrated", "low"}


def test_a_replay_of_the_same_records_gives_the_same_bytes() -> None:
    def replayed() -> list[tuple[str, bytes, bytes | None]]:
        bench = OfficersBench(POLICY)
        bench.observes(sensor="bad", values=VALUES)
        bench.observes(sensor="good", values=VALUES[:3])
        bench.restarts_under(BAD_IS_LOW)
        finish(bench)
        bench.observes(sensor="bad", values=VALUES[:5])
        return [(output.topic, output.key, output.value) for output in bench.correlate.outputs if output.topic in AUDIT]

    first = replayed()
    assert first == replayed()
    assert any(BAD_IS_LOW.version.encode() in (value or b"") for _, _, value in first)
