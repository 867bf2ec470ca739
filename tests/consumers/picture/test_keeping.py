"""A process keeps the picture for as long as it lives: also while the cluster is away, and when the file is damaged."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from consumers.picture.filters import Filter
from consumers.picture.keep import Origin
from consumers.picture.keeping import Keeping
from consumers.picture.tables import mark_of
from exchange.errors import BrokerUnavailable, NotFound, TransientError
from tests.builders import DAY_MS, NOW_MS
from tests.consumers.picture.topics import CODEC, NATION, TopicInMemory, World
from tests.polling import eventually


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@contextmanager
def kept(world: World, origins: dict[str, Origin]) -> Iterator[Keeping]:
    failed: list[Exception] = []
    keeping = Keeping(world.path, NATION, origins, CODEC, world.clock_ms, failed.append).start()
    try:
        yield keeping
    finally:
        keeping.stop()
    assert not failed


def live(world: World) -> set[str]:
    try:
        with world.picture() as picture:
            return {each.value for each in picture.search(Filter())}
    except NotFound:
        return set()


def pause(topic: TopicInMemory) -> None:
    waits = threading.Event()

    def between() -> None:
        waits.wait(0.02)

    topic.between = between


def test_it_follows_and_gives_the_picture_back(world: World) -> None:
    pause(world.gbr)
    world.gbr.release("one.example")
    with kept(world, world.origins()):
        eventually(lambda: live(world) == {"one.example"}, 20, "the first")
        world.gbr.release("two.example")
        eventually(lambda: live(world) == {"one.example", "two.example"}, 20, "the second")
        world.gbr.release("one.example", version=NOW_MS + 1, record="recalled")
        eventually(lambda: b"one.example" not in world.bytes_on_disk(), 20, "it is erased")
    world.keeper().close()


def test_while_no_broker_answers_what_is_due_still_ends(world: World) -> None:
    world.gbr.release("short.example", content={"valid_until_ms": NOW_MS + DAY_MS})
    world.catch_up()

    def away() -> AbstractContextManager[TopicInMemory]:
        raise BrokerUnavailable("nobody answers")

    with world.picture() as picture:
        head_us = picture.head_us()
        with kept(world, {"GBR": Origin("GBR", "t", away)}) as keeping:
            eventually(lambda: "nobody answers" in keeping.trouble, 20, "it says so")
            world.now_ms += 2 * DAY_MS
            eventually(lambda: picture.head_us() > head_us, 20, "the end is a change")
            assert [each.state for each in picture.changes(head_us, 5)] == ["ended"]


def test_what_a_reader_has_found_damaged_is_made_anew(world: World) -> None:
    pause(world.gbr)
    world.gbr.release("one.example")
    with kept(world, world.origins()) as keeping:
        eventually(lambda: live(world) == {"one.example"}, 20, "the first")
        with world.picture() as picture:
            mark_of(world.path).touch()
            eventually(picture.is_replaced, 20, "it is made anew")
        eventually(lambda: live(world) == {"one.example"}, 20, "it is whole again")
        assert keeping.made_anew == 1


def test_a_full_disk_loses_nothing(world: World) -> None:
    for number in range(2_000):
        world.gbr.release(f"h{number}.example")
    with world.keeper() as keeper:
        (pages,) = keeper._database.execute("PRAGMA page_count").fetchone()
        keeper._database.execute(f"PRAGMA max_page_count = {pages + 5}")
        with pytest.raises(TransientError, match="is its disk full"):
            keeper.catch_up(world.origins(), CODEC)
        assert live(world) == set()
        keeper._database.execute("PRAGMA max_page_count = 1000000")
        keeper.catch_up(world.origins(), CODEC)
    assert len(live(world)) == 2_000
