"""Changes for a program: what there is, then every change; resumed under a name, with the values that have to go."""

import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest

from consumers.outputs.protocol import Put, Remove
from consumers.outputs.subscriber import Changes, Current, Event, Restart
from consumers.picture.filters import Filter
from consumers.subscription.changes import State, Use
from schemas.markings import Activity
from tests.builders import NOW_MS
from tests.consumers.picture.topics import NATION, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def changes(world: World, name: str = "mine", use: Use | None = None) -> Changes:
    return Changes(world.path, NATION, name, Filter(), use or Use(), world.clock_ms)


def now(world: World, **asked: object) -> list[Event]:
    return list(changes(world, **asked).events(follow=False, stopping=threading.Event()))  # type: ignore[arg-type]


def test_a_new_name_gets_everything_and_a_known_one_what_it_lacks(world: World) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    first = now(world)
    assert [type(each) for each in first] == [Restart, Put, Current]
    assert now(world) == [Current()]
    world.gbr.release("two.example")
    world.gbr.release("one.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    current, removed, put, last = now(world)
    assert (current, last) == (Current(), Current())
    assert isinstance(removed, Remove)
    assert (removed.value, removed.state) == ("one.example", State.RECALLED)
    assert isinstance(put, Put)
    assert put.entry.value == "two.example"
    world.catch_up()
    assert b"one.example" not in world.bytes_on_disk()
    assert [type(each) for each in now(world, name="another")] == [Restart, Put, Current]


def test_what_was_not_taken_to_its_end_comes_again(world: World) -> None:
    for number in range(5):
        world.gbr.release(f"h{number}.example")
    world.catch_up()
    taken = list(islice(changes(world).events(follow=False, stopping=threading.Event()), 3))
    assert [type(each) for each in taken] == [Restart, Put, Put]
    assert len([each for each in now(world) if isinstance(each, Put)]) == 5
    world.gbr.release("h1.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    taken = list(islice(changes(world).events(follow=False, stopping=threading.Event()), 2))
    assert isinstance(taken[1], Remove)
    world.catch_up()
    assert [each.value for each in now(world) if isinstance(each, Remove)] == ["h1.example"]


def test_what_pap_does_not_allow_is_not_handed_on(world: World) -> None:
    world.gbr.release("red.example", content={"pap": "PAP:RED"})
    world.catch_up()
    assert [type(each) for each in now(world, use=Use(Activity.ACTIVE))] == [Restart, Current]


def test_a_follower_gets_changes_until_it_is_stopped_and_a_new_picture_from_the_start(world: World) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    stopping, seen = threading.Event(), list[Event]()
    for event in changes(world).events(follow=True, stopping=stopping):
        seen.append(event)
        currents = seen.count(Current())
        if event == Current() and currents == 1:
            world.gbr.release("two.example")
            world.catch_up()
        elif event == Current() and currents == 2:
            world.path.write_bytes(b"damaged" * 1000)
            world.catch_up()
        elif event == Current():
            stopping.set()
    kinds = [type(each) for each in seen]
    assert kinds == [Restart, Put, Current, Put, Current, Restart, Put, Put, Current]


def test_importing_the_api_loads_neither_faust_nor_polars_nor_cedar() -> None:
    code = "import sys, kakehashi.api; print(sorted({m.split('.')[0] for m in sys.modules}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'confluent_kafka'" in found
    for heavy in ("faust", "mode", "aiokafka", "polars", "cedarpy", "rocksdict"):
        assert f"'{heavy}'" not in found
