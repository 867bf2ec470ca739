"""What may not be kept is in no byte of any file, once every output has removed it."""

from pathlib import Path

import pytest

from consumers.picture.entry import Ended, Entry
from consumers.picture.filters import EVERY_STATE, Filter
from consumers.picture.followers import advance, followers, leaving, register
from consumers.picture.picture import Picture
from consumers.picture.tables import connect
from consumers.subscription.changes import State
from tests.builders import DAY_MS, NOW_MS
from tests.consumers.picture.topics import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def values(picture: Picture, filters: Filter | None = None) -> set[str]:
    return {each.value for each in picture.search(filters or Filter())}


def test_what_outputs_need_to_remove_is_kept_where_no_query_shows_it_until_all_have(world: World) -> None:
    indicator = world.gbr.release("secret.example")
    world.catch_up()
    database = connect(world.path, writes=True)
    with world.picture() as picture:
        head = picture.head_us()
        register(database, "one", ["GBR"], head, NOW_MS)
        register(database, "two", ["GBR", "JPN"], head, NOW_MS)
        register(database, "other", ["JPN"], head, NOW_MS)
        world.gbr.release("secret.example", version=NOW_MS + 1, record="recalled")
        world.catch_up()
        assert isinstance(world.held(indicator), Ended)
        assert values(picture, Filter(states=EVERY_STATE)) == set()
        [left] = leaving(database, head, picture.head_us())
        assert (left.id, left.value, left.state) == (indicator, "secret.example", State.RECALLED)
        assert {each.name: each.unapplied_recalls for each in followers(database)} == {"one": 1, "other": 0, "two": 1}
        advance(database, "one", picture.head_us(), head, NOW_MS)
        world.catch_up()
        assert {each.name: each.unapplied_recalls for each in followers(database)} == {"one": 0, "other": 0, "two": 1}
        assert b"secret.example" in world.bytes_on_disk()
        advance(database, "two", picture.head_us(), head, NOW_MS)
        world.catch_up()
        assert leaving(database, 0, picture.head_us()) == []
    database.close()
    assert b"secret.example" not in world.bytes_on_disk()
    assert b"secret" not in world.bytes_on_disk()


def test_recalled_content_is_in_no_byte_of_any_file(world: World) -> None:
    kept = []
    for number in range(1_500):
        name = f"q{number:05}zx.example"
        tearline = f"note w{number:05}yk"
        world.gbr.release(
            name, version=NOW_MS, content={"tearline": tearline * (number % 7 + 1), "labels": [f"l{number:05}vj"]}
        )
        if number % 3 == 0:
            kept.append(number)
    world.catch_up()
    for number in range(0, 1_500, 2):
        world.gbr.release(
            f"q{number:05}zx.example", version=NOW_MS + 1, content={"tearline": f"again w{number:05}yk" * 3}
        )
    world.catch_up()
    for number in range(1_500):
        if number % 3:
            world.gbr.release(f"q{number:05}zx.example", version=NOW_MS + 2, record="recalled")
    world.catch_up()
    held = world.bytes_on_disk()
    with world.picture() as picture:
        assert len(values(picture)) == len(kept)
    left = [
        n
        for n in range(1_500)
        for text in (f"q{n:05}zx", f"w{n:05}yk", f"l{n:05}vj")
        if n % 3 and text.encode() in held
    ]
    assert left == []


def test_a_content_that_follows_a_recall_that_compaction_took_is_a_new_beginning(world: World) -> None:
    indicator = world.gbr.release(version=NOW_MS, content={"tearline": "quicksilver"})
    world.catch_up()
    world.gbr.release(version=NOW_MS + 9, recalled_through=NOW_MS + 3, content={"labels": ["new"]})
    world.catch_up()
    found = world.held(indicator)
    assert isinstance(found, Entry)
    assert found.labels == ("new",)
    assert b"quicksilver" not in world.bytes_on_disk()
    with world.picture() as picture:
        [before] = picture.history(indicator, "GBR")
        assert (before.tlp, before.confidence) == (None, None)


def test_a_release_for_a_limited_time_leaves_no_content_when_it_is_over(world: World) -> None:
    content = {"release_expires_ms": NOW_MS + DAY_MS, "tearline": "Seen with the loader Quartzfinch"}
    indicator = world.gbr.release("limited.example", content=content)
    forever = world.gbr.release("lasting.example", content={"release_expires_ms": 0})
    world.catch_up()
    world.now_ms += 2 * DAY_MS
    assert isinstance(world.held(indicator), Ended)  # also before anybody has written it down
    world.catch_up()
    found = world.held(indicator)
    assert (found.state, found.reason, isinstance(found, Ended)) == (State.ENDED, "release-ended", True)
    assert b"limited.example" not in world.bytes_on_disk()
    assert b"uartzfinch" not in world.bytes_on_disk()
    assert world.held(forever).state is State.LIVE
