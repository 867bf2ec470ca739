"""Sightings are served beside their indicators, those with count 0 too, and leave with them."""

import json
from typing import Any

import pytest
from stix2 import parse  # type: ignore[import-untyped]

from consumers.stix.identifiers import identity_id, indicator_object_id, sighting_object_id
from tests.builders import DAY_MS, NOW_MS
from tests.consumers.picture.topics import TopicInMemory, World
from tests.consumers.stix.test_objects import assert_valid
from tests.consumers.taxii.serving import ROOT, Served, client, served

Object = dict[str, Any]


@pytest.fixture
def answers(world: World) -> TopicInMemory:
    return world.answering("GBR", "JPN")


def sightings(server: Served, after: str = "", reader: str = "soc", alias: str = "gbr-amber") -> list[Object]:
    """Those that were added behind a time; each is valid, and all it refers to is in the collection."""
    query: Object = {"added_after": after} if after else {}
    known = {each["id"] for each in server.objects(alias, reader).objects}
    found = [each for each in server.objects(alias, reader, **query).objects if each["type"] == "sighting"]
    for each in found:
        parse(json.dumps(each), allow_custom=False)
        assert_valid(each)
        refs = [each["created_by_ref"], each["sighting_of_ref"], *each["where_sighted_refs"]]
        assert known.issuperset([*refs, *each["object_marking_refs"]])
    return found


def last(server: Served) -> str:
    return server.objects().headers["x-taxii-date-added-last"]


def test_what_was_seen_has_a_count_and_what_was_searched_and_not_seen_has_zero(
    world: World, answers: TopicInMemory
) -> None:
    indicator = world.gbr.release(content={"sightings": 7})
    world.catch_up()
    with served(world) as server:
        [seen] = sightings(server)
        assert (seen["count"], seen["where_sighted_refs"]) == (7, [identity_id("GBR")])
        at = last(server)
        answers.answer(indicator)
        world.catch_up()
        [searched] = sightings(server, at)
    assert searched["id"] == sighting_object_id("GBR", indicator, "JPN")
    assert searched["sighting_of_ref"] == indicator_object_id("GBR", indicator)
    assert (searched["count"], searched["where_sighted_refs"]) == (0, [identity_id("JPN")])
    assert searched["created_by_ref"] == identity_id("JPN")
    assert "first_seen" not in searched
    assert "revoked" not in searched


@pytest.mark.parametrize("how", ["revoked", "expired", "recalled", "deleted"])
def test_both_leave_with_their_indicator(world: World, answers: TopicInMemory, how: str) -> None:
    indicator = world.gbr.release("left.example")
    answers.answer(indicator)
    world.catch_up()
    with served(world) as server:
        before = {each["id"]: each for each in sightings(server)}
        at = last(server)
        if how == "deleted":
            world.gbr.delete(indicator)
        else:
            world.gbr.release("left.example", record=how, version=NOW_MS + 1)
        world.catch_up()
        after = {each["id"]: each for each in sightings(server, at)}
    assert before.keys() == after.keys()
    assert len(after) == 2
    for name, each in after.items():
        assert each["revoked"] is True
        assert each["modified"] > before[name]["modified"]
        assert not {"count", "first_seen", "last_seen", "description"} & each.keys()


def test_they_are_revoked_for_who_may_not_see_the_indicator_any_more_and_unknown_to_who_never_could(
    world: World, answers: TopicInMemory
) -> None:
    indicator = world.gbr.release("narrowed.example", content={"tlp": "TLP:GREEN"})
    never = world.gbr.release("never.example", content={"tlp": "TLP:AMBER"})
    for each in (indicator, never):
        answers.answer(each)
    world.catch_up()
    with served(world, client("low", "TLP:GREEN"), client("soc")) as server:
        assert {each["count"] > 0 for each in sightings(server, "", "low", "gbr-green")} == {True, False}
        world.gbr.release("narrowed.example", content={"tlp": "TLP:AMBER"}, version=NOW_MS + 1)
        world.catch_up()
        low = sightings(server, "", "low", "gbr-green")
        high = sightings(server)
    assert [each["revoked"] for each in low] == [True, True]
    assert {each["sighting_of_ref"] for each in low} == {indicator_object_id("GBR", indicator)}
    assert len([each for each in high if "revoked" not in each]) == 4


def test_they_are_found_by_their_ids_and_by_their_type(world: World, answers: TopicInMemory) -> None:
    indicator = world.gbr.release()
    world.gbr.release("other.example")
    answers.answer(indicator)
    world.catch_up()
    with served(world) as server:
        for nation in ("", "JPN"):
            name = sighting_object_id("GBR", indicator, nation)
            [found] = server.ask(f"{ROOT}collections/gbr-amber/objects/{name}/").objects
            assert found["id"] == name
        types = [each["type"] for each in server.objects(match_type="sighting").objects]
        assert types == ["sighting"] * 3
        assert len(server.objects(match_type="indicator").objects) == 2


def test_pages_of_any_size_have_each_object_once(world: World, answers: TopicInMemory) -> None:
    for number in range(5):
        indicator = world.gbr.release(f"n{number}.example", content={"sightings": number % 2})
        if number % 3 == 0:
            answers.answer(indicator)
    world.catch_up()
    with served(world) as server:
        every = [each["id"] for each in server.objects().objects]
        assert len(every) == len(set(every))
        for limit in range(1, len(every) + 2):
            found, query = list[str](), dict[str, Any]()
            while (page := server.objects(limit=limit, **query)).objects:
                found += [each["id"] for each in page.objects]
                query = {"added_after": page.headers["x-taxii-date-added-last"]}
            assert found == every, limit


def test_they_are_revoked_when_a_release_is_over_even_if_no_one_keeps_the_picture(
    world: World, answers: TopicInMemory
) -> None:
    indicator = world.gbr.release("leased.example", content={"release_expires_ms": NOW_MS + DAY_MS})
    answers.answer(indicator)
    world.catch_up()
    with served(world) as server:
        before = {each["id"]: each["modified"] for each in sightings(server)}
        world.now_ms += 2 * DAY_MS
        for _ in range(2):
            after = {each["id"]: each for each in sightings(server)}
            assert after.keys() == before.keys()
            assert all(each["revoked"] and each["modified"] > before[name] for name, each in after.items())
            world.catch_up()
