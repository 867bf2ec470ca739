"""A client that pages loses nothing and gets nothing twice, whatever changes meanwhile."""

from contextlib import closing
from typing import Any

import pytest

from tests.consumers.picture.topics import World
from tests.consumers.taxii.paging import Churn, compare, pages_of
from tests.consumers.taxii.serving import ROOT, Served, client, served

PLACE = f"{ROOT}collections/gbr-amber/objects/"


@pytest.mark.parametrize("limit", [7, 50])
def test_oasis_own_client_pages_through_a_collection_that_changes_under_it(world: World, limit: int) -> None:
    with (
        closing(Churn(world, 400, seed=limit)) as churn,
        served(world, client("soc", requests_a_minute=100_000)) as server,
    ):
        received = pages_of(server, limit, churn.turn, turns=40)
    assert compare(world, received) == []
    assert received.pages > 400 / limit
    assert len(received.latest) > 400


def test_every_limit_gives_the_same_objects_in_the_same_order(server: Served) -> None:
    every = [each["id"] for each in server.objects().objects]
    assert len(every) == len(set(every)) == 15
    for limit in (1, 2, 5, 12, 13, 14, 15, 16):
        found, query = list[str](), dict[str, Any]()
        while True:
            answer = server.objects(limit=limit, **query)
            assert len(answer.objects) <= limit
            found += [each["id"] for each in answer.objects]
            if not answer.json.get("more"):
                break
            query = {"next": answer.json["next"]}
        assert found == every, limit


def test_the_headers_have_the_added_times_of_the_first_and_last_object_as_the_manifest_has_them(server: Served) -> None:
    times = [each["date_added"] for each in server.ask(f"{ROOT}collections/gbr-amber/manifest/").objects]
    assert times == sorted(set(times))
    page = server.objects(limit=5)
    assert page.headers["x-taxii-date-added-first"] == times[0]
    assert page.headers["x-taxii-date-added-last"] == times[4]
    behind = server.objects(added_after=times[4])
    assert behind.headers["x-taxii-date-added-first"] == times[5]
    nothing = server.objects(added_after=times[-1])
    assert nothing.json == {}
    assert "x-taxii-date-added-first" not in nothing.headers


def test_a_client_that_pages_by_added_after_alone_gets_the_same(server: Served) -> None:
    every = [each["id"] for each in server.objects().objects]
    found, query = list[str](), dict[str, Any]()
    while (page := server.objects(limit=3, **query)).objects:
        found += [each["id"] for each in page.objects]
        query = {"added_after": page.headers["x-taxii-date-added-last"]}
    assert found == every


def test_a_next_is_of_one_question_and_may_be_used_with_another_limit(server: Served) -> None:
    position = server.objects(limit=2).json["next"]
    assert len(server.objects(next=position, limit=4).objects) == 4
    other: Any
    for other in ({"match_type": "indicator"}, {"match_spec_version": "2.1"}):
        refused = server.ask(PLACE, next=position, **other)
        assert (refused.status, refused.json["http_status"]) == (400, "400")
    assert server.ask(f"{ROOT}collections/gbr-amber/manifest/", next=position).status == 400


def test_a_definition_comes_before_the_first_indicator_that_needs_it_and_once(world: World) -> None:
    with served(world) as server:
        world.gbr.release("one.example", content={"releasable_to": ["JPN"]})
        world.catch_up()
        first = server.objects()
        after = first.headers["x-taxii-date-added-last"]
        world.gbr.release("two.example", content={"releasable_to": ["JPN"]})
        world.gbr.release("three.example", content={"releasable_to": ["JPN"], "caveats": ["EMBARGO"]})
        world.catch_up()
        second = server.objects(added_after=after)
    assert [each["type"] for each in first.objects[-3:]] == ["marking-definition", "indicator", "sighting"]
    named = [each for each in second.objects if each["type"] != "sighting"]
    assert [each.get("name") or each["definition"]["statement"] for each in named] in (
        ["two.example", "EMBARGO", "three.example"],
        ["EMBARGO", "three.example", "two.example"],
    )
    known = {each["id"] for each in (*first.objects, *second.objects)}
    assert all(known.issuperset(each.get("object_marking_refs", ())) for each in second.objects)
