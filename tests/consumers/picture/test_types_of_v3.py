"""A picture that an earlier version kept gets, after the upgrade, what that version could not read."""

import sqlite3
from pathlib import Path

import pytest

from consumers.picture.entry import Entry
from consumers.picture.filters import Filter
from tests.builders.before_v3 import OLD_CODEC, with_old_types
from tests.consumers.picture.topics import CODEC, World


def live(world: World) -> set[str]:
    with world.picture() as picture:
        return {each.value for each in picture.search(Filter())}


def test_an_earlier_version_reads_on_and_the_next_one_brings_in_what_it_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    with monkeypatch.context() as old:
        with_old_types(old)
        world.gbr.release("one.example")
        world.gbr.release("made-up", "mutex", content={"registered_domain": "", "tearline": ""})
        world.gbr.release("two.example")
        with world.keeper() as keeper:
            keeper.catch_up(world.origins(), OLD_CODEC)
        assert live(world) == {"one.example", "two.example"}
        with sqlite3.connect(world.path) as database:
            database.execute("PRAGMA application_id = 0")  # no version before the sixteenth type wrote one
    with world.picture() as picture:
        followed, of = picture.head_us(), picture.id
    assert world.catch_up() == "", "it is the same file"
    assert live(world) == {"one.example", "two.example", "made-up"}
    with world.picture() as picture:
        assert picture.id == of, "what follows it goes on where it was"
        assert [each.value for each in picture.changes(followed, 9) if isinstance(each, Entry)] == ["made-up"], (
            "and is given it as one change"
        )
    with world.keeper() as keeper:
        keeper.catch_up(world.origins(), CODEC)
    with world.picture() as picture:
        [origin] = picture.origins()
        assert origin.gap.startswith("types: ")
