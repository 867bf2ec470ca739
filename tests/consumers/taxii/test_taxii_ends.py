"""What ends leaves the tools of every client that once could see it, and is not even named to the others."""

import json
from typing import Any

from stix2 import parse  # type: ignore[import-untyped]

from consumers.stix.identifiers import indicator_object_id
from tests.builders import DAY_MS, NOW_MS
from tests.consumers.picture.topics import World
from tests.consumers.taxii.serving import ROOT, Served, client, served

BOTH = (client("high"), client("low", "TLP:GREEN"))


class Reader:
    """A client's tools: they take what is new, and keep the latest version of each object."""

    def __init__(self, server: Served, alias: str, token: str) -> None:
        self._server, self._alias, self._token = server, alias, token
        self.has: dict[str, dict[str, Any]] = {}
        self._after: dict[str, str] = {}

    def poll(self) -> list[dict[str, Any]]:
        """The indicators that are new, each read strictly."""
        answer = self._server.objects(self._alias, self._token, **self._after)
        if last := answer.headers.get("x-taxii-date-added-last"):
            self._after = {"added_after": last}
        found = [each for each in answer.objects if each["type"] == "indicator"]
        for each in found:
            parse(json.dumps(each), allow_custom=False)
            assert each["modified"] > self.has.get(each["id"], {"modified": ""})["modified"]
        self.has |= {each["id"]: each for each in found}
        return found


def test_what_is_revoked_or_expired_comes_as_a_new_version_that_has_ended(world: World) -> None:
    world.gbr.release("false.example")
    world.gbr.release("old.example")
    world.catch_up()
    with served(world) as server:
        reader = Reader(server, "gbr-amber", "soc")
        assert {each["name"] for each in reader.poll()} == {"false.example", "old.example"}
        world.gbr.release("false.example", record="revoked", version=NOW_MS + 1)
        world.gbr.release("old.example", record="expired", version=NOW_MS + 1)
        world.catch_up()
        ended = {each["name"]: each for each in reader.poll()}
        assert ended["false.example"]["revoked"] is True
        assert ended["old.example"]["valid_until"] <= ended["old.example"]["modified"]
        assert reader.poll() == []


def test_what_ends_by_its_own_time_comes_again_once_with_a_valid_until_that_has_passed(world: World) -> None:
    world.gbr.release("short.example", content={"valid_until_ms": NOW_MS + 1_000})
    world.catch_up()
    with served(world) as server:
        reader = Reader(server, "gbr-amber", "soc")
        [live] = reader.poll()
        world.now_ms += 2_000
        assert reader.poll() == []
        world.catch_up()
        [ended] = reader.poll()
        assert (ended["name"], ended["valid_until"]) == ("short.example", live["valid_until"])
        assert reader.poll() == []


def test_what_is_recalled_comes_as_a_revoked_version_without_its_content_and_in_no_version_with_it(
    world: World,
) -> None:
    recalled = world.gbr.release("secret.example")
    world.catch_up()
    with served(world) as server:
        reader = Reader(server, "gbr-amber", "soc")
        reader.poll()
        world.gbr.release("secret.example", record="recalled", version=NOW_MS + 1)
        world.catch_up()
        [ended] = reader.poll()
        assert (ended["id"], ended["revoked"], ended["name"]) == (
            indicator_object_id("GBR", recalled), True, "withdrawn",
        )  # fmt: skip
        place = f"{ROOT}collections/gbr-amber/"
        for path in ("objects/", "manifest/", f"objects/{ended['id']}/", f"objects/{ended['id']}/versions/"):
            queries: list[dict[str, Any]] = [{}, {"match_version": "all"}, {"match_version": "first"}]
            for query in queries:
                if "versions/" in path and query:
                    continue
                answer = server.ask(f"{place}{path}", **query)
                assert answer.status == 200
                assert b"secret.example" not in answer.body
                assert b"malicious-activity" not in answer.body


def test_a_release_that_is_over_is_withdrawn_even_if_no_one_keeps_the_picture(world: World) -> None:
    world.gbr.release("leased.example", content={"release_expires_ms": NOW_MS + DAY_MS})
    world.catch_up()
    with served(world) as server:
        assert server.objects().values == ["leased.example"]
        world.now_ms += 2 * DAY_MS
        assert server.objects().values == ["withdrawn"]
        world.catch_up()
        assert server.objects().values == ["withdrawn"]


def test_a_key_that_is_deleted_is_withdrawn_whatever_it_was(world: World) -> None:
    deleted = [world.gbr.release(name) for name in ("live.example", "revoked.example")]
    world.catch_up()
    with served(world) as server:
        reader = Reader(server, "gbr-amber", "soc")
        reader.poll()
        world.gbr.release("revoked.example", record="revoked", version=NOW_MS + 1)
        for each in deleted:
            world.gbr.delete(each)
        world.catch_up()
        assert [each["name"] for each in reader.poll()] == ["withdrawn", "withdrawn"]
        world.gbr.release("live.example", version=NOW_MS + 5)
        world.catch_up()
        assert [each["name"] for each in reader.poll()] == ["live.example"]


def test_what_a_gap_has_taken_is_withdrawn(world: World) -> None:
    world.gbr.release("gone.example")
    world.catch_up()
    with served(world) as server:
        reader = Reader(server, "gbr-amber", "soc")
        reader.poll()
        world.gbr.topic_id = "id-2"
        for partition in world.gbr.records:
            world.gbr.cut(partition)
        world.catch_up()
        assert [each["name"] for each in reader.poll()] == ["withdrawn"]


def test_what_gets_a_stricter_marking_leaves_the_client_that_had_it_and_stays_with_the_one_above(world: World) -> None:
    world.gbr.release("narrowed.example", content={"tlp": "TLP:GREEN"})
    world.catch_up()
    with served(world, *BOTH) as server:
        high, low = Reader(server, "gbr-amber", "high"), Reader(server, "gbr-green", "low")
        assert len(high.poll()) == len(low.poll()) == 1
        world.gbr.release("narrowed.example", content={"tlp": "TLP:AMBER", "labels": ["new"]}, version=NOW_MS + 1)
        world.catch_up()
        [kept], [gone] = high.poll(), low.poll()
        assert (kept["name"], gone["name"], gone["revoked"]) == ("narrowed.example", "withdrawn", True)
        assert "labels" not in gone
        world.gbr.release("narrowed.example", content={"tlp": "TLP:GREEN"}, version=NOW_MS + 2)
        world.catch_up()
        assert [each["name"] for each in low.poll()] == ["narrowed.example"]


def test_what_a_client_never_could_see_is_not_named_to_it_not_even_when_it_is_recalled(world: World) -> None:
    never = world.gbr.release("amber.example", content={"tlp": "TLP:AMBER"})
    world.catch_up()
    with served(world, *BOTH) as server:
        high, low = Reader(server, "gbr-amber", "high"), Reader(server, "gbr-green", "low")
        assert (len(high.poll()), low.poll()) == (1, [])
        place = f"{ROOT}collections/gbr-green/objects/{indicator_object_id('GBR', never)}/"
        assert server.ask(place, "low").status == 404
        world.gbr.release("amber.example", record="recalled", version=NOW_MS + 1)
        world.catch_up()
        assert (len(high.poll()), low.poll()) == (1, [])
        assert server.ask(place, "low").status == 404


def test_a_pap_that_no_longer_allows_a_use_takes_it_from_the_tools_that_act(world: World) -> None:
    world.gbr.release("watched.example", content={"pap": "PAP:GREEN"})
    world.catch_up()
    with served(world, client("siem"), client("firewall", activity="active")) as server:
        siem, firewall = Reader(server, "gbr-amber", "siem"), Reader(server, "gbr-amber", "firewall")
        assert len(siem.poll()) == len(firewall.poll()) == 1
        world.gbr.release("watched.example", content={"pap": "PAP:RED"}, version=NOW_MS + 1)
        world.catch_up()
        [kept], [gone] = siem.poll(), firewall.poll()
        assert (kept["name"], gone["name"]) == ("watched.example", "withdrawn")


def test_deleted_keys_are_forgotten_after_a_month_and_not_before(world: World) -> None:
    from consumers.picture import write

    gone = world.gbr.release("gone.example")
    world.catch_up()
    world.gbr.delete(gone)
    world.catch_up()
    with world.keeper() as keeper:
        writer = keeper._writer
        assert writer.forget_removed() == 0
        clock_us = writer._clock_us
        writer._clock_us = lambda: clock_us() + write.REMOVED_KEPT_US + 1_000_000
        with writer.transaction():
            assert writer.forget_removed() == 1
