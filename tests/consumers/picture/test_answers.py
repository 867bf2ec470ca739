"""What analysts answer is in the picture: each answer once, as a change of its indicator, for as long as that lives."""

from pathlib import Path
from typing import Any

import pytest

from consumers.picture.entry import DISPUTED, NOT_SEEN, Entry
from consumers.subscription.changes import State
from tests.builders import NOW_MS
from tests.consumers.picture.topics import TopicInMemory, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, JPN=TopicInMemory("indicator.national.v1"), GBR=TopicInMemory())


def answers_in(world: World, indicator: str) -> list[tuple[str, str, str]]:
    with world.picture() as picture:
        return [
            (answer.nation, answer.kind, answer.reason)
            for entry in picture.get(indicator)
            if isinstance(entry, Entry)
            for answer in entry.answers
        ]


def changed_since(world: World, after_us: int) -> list[str]:
    with world.picture() as picture:
        return [each.id for each in picture.changes(after_us, 100)]


def head_of(world: World) -> int:
    with world.picture() as picture:
        return picture.head_us()


def test_a_search_without_a_result_is_a_change_of_its_indicator_and_comes_once(world: World) -> None:
    topic, indicator = world.answering("GBR", "JPN"), world.gbr.release()
    world.gbr.release("other.example")
    world.catch_up()
    before_us = head_of(world)
    topic.answer(indicator)
    world.catch_up()
    assert answers_in(world, indicator) == [("JPN", NOT_SEEN, "not-seen")]
    assert changed_since(world, before_us) == [indicator]
    before_us = head_of(world)
    world.catch_up()
    assert changed_since(world, before_us) == []


def test_an_answer_that_arrives_before_its_indicator_is_joined_to_it(world: World) -> None:
    topic, indicator = world.answering("GBR", "JPN"), world.gbr.release()
    held = {number: list(records) for number, records in world.gbr.records.items()}
    world.gbr.records = {number: [] for number in held}
    topic.answer(indicator)
    world.catch_up()
    assert answers_in(world, indicator) == []
    world.gbr.records = held
    world.catch_up()
    assert answers_in(world, indicator) == [("JPN", NOT_SEEN, "not-seen")]


def test_an_answer_changes_again_with_its_indicator_and_never_at_the_same_time(world: World) -> None:
    topic, indicator = world.answering("GBR", "JPN"), world.gbr.release(version=NOW_MS)
    topic.answer(indicator, at_ms=NOW_MS + 5_000)
    world.catch_up()
    times = list[tuple[int, int]]()
    for version in (NOW_MS + 1_000, NOW_MS + 2_000, NOW_MS + 9_000):
        entry = world.held(indicator)
        assert isinstance(entry, Entry)
        [answer] = entry.answers
        times.append((answer.changed_ms, answer.added_us))
        world.gbr.release(version=version)
        world.catch_up()
    entry = world.held(indicator)
    assert isinstance(entry, Entry)
    times.append((entry.answers[0].changed_ms, entry.answers[0].added_us))
    assert times == sorted(times)
    assert len({ms for ms, _ in times}) == len({us for _, us in times}) == 4
    assert times[-1][0] == NOW_MS + 9_000
    assert entry.answers[0].at_ms == NOW_MS + 5_000


def test_a_dispute_stands_until_its_nation_has_accepted_a_later_version(world: World) -> None:
    topic, indicator = world.answering("JPN", "GBR"), world.topics["JPN"].own()
    theirs: dict[str, Any] = {"nation": "GBR", "version": NOW_MS}
    topic.answer(indicator, **theirs, code="disputed", reason="false-positive")
    world.catch_up()
    assert answers_in(world, indicator) == [("GBR", DISPUTED, "false-positive")]
    topic.answer(indicator, **theirs, code="applied", reason="")
    world.catch_up()
    assert answers_in(world, indicator) == [("GBR", DISPUTED, "false-positive")]
    before_us = head_of(world)
    topic.answer(indicator, **theirs | {"version": NOW_MS + 1}, code="applied", reason="")
    world.catch_up()
    assert answers_in(world, indicator) == []
    assert changed_since(world, before_us) == [indicator]


def test_a_receipt_of_another_nation_than_the_topic_s_is_no_answer(world: World) -> None:
    topic, indicator = world.answering("JPN", "GBR"), world.topics["JPN"].own()
    topic.answer(indicator, nation="FRA")
    world.catch_up()
    assert answers_in(world, indicator) == []


def test_answers_stay_with_what_was_recalled_without_any_of_its_content(world: World) -> None:
    topic, indicator = world.answering("GBR", "JPN"), world.gbr.release("secret.example")
    topic.answer(indicator)
    world.catch_up()
    before_us = head_of(world)
    world.gbr.release("secret.example", record="recalled", version=NOW_MS + 1)
    world.catch_up()
    assert world.held(indicator).state is State.RECALLED
    assert set(changed_since(world, before_us)) == {indicator}
    assert b"secret.example" not in world.bytes_on_disk()


def test_after_a_gap_the_topic_is_read_again_and_an_answer_is_no_change(world: World) -> None:
    topic, indicator = world.answering("GBR", "JPN"), world.gbr.release()
    topic.answer(indicator)
    topic.answer(indicator, at_ms=NOW_MS + 5)
    world.catch_up()
    before_us = head_of(world)
    topic.topic_id = "id-2"
    world.catch_up()
    assert answers_in(world, indicator) == [("JPN", NOT_SEEN, "not-seen")]
    assert changed_since(world, before_us) == []


def test_a_search_does_not_displace_a_dispute_of_the_same_nation(world: World) -> None:
    topic, indicator = world.answering("GBR", "JPN"), world.gbr.release()
    topic.answer(indicator, code="disputed", reason="outdated")
    topic.answer(indicator)
    world.catch_up()
    assert answers_in(world, indicator) == [("JPN", DISPUTED, "outdated"), ("JPN", NOT_SEEN, "not-seen")]
