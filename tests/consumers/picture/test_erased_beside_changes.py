"""What was recalled is in no byte of any file at once, while changes go on, and the file stays whole."""

import sqlite3
from pathlib import Path
from random import Random

import pytest

from consumers.picture import keep, scrub
from consumers.picture.erase import Erasing
from consumers.picture.scrub import Scrub
from consumers.picture.tables import connect
from tests.builders import NOW_MS
from tests.consumers.picture.topics import CODEC, World

COUNT = 6_000


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def is_whole(world: World) -> bool:
    database = sqlite3.connect(world.path)
    try:
        return bool(database.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    finally:
        database.close()


def test_what_was_recalled_is_gone_at_once_from_pages_that_were_balanced_while_changes_come_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By random keys and lengths: 4 of these values were left in unused parts of pages by secure_delete alone."""
    chance, turns = Random(5), 0
    names = [f"q{chance.getrandbits(60):x}zx.example" for _ in range(COUNT)]
    for place, name in enumerate(names):
        tearline = f"note {chance.getrandbits(60):x}yk " * chance.randrange(8)
        world.gbr.release(name, version=NOW_MS, content={"tearline": tearline})
        if place % 1_000 == 999:
            world.catch_up()
    for name in chance.sample(names, COUNT // 2):
        world.gbr.release(name, version=NOW_MS + 1, content={"tearline": "again " * chance.randrange(60)})
    world.catch_up()
    gone = chance.sample(names, COUNT // 5)
    kept = sorted(set(names) - set(gone))
    monkeypatch.setattr(keep, "_TICK_S", 0.005)
    monkeypatch.setattr(scrub, "_PORTION", 128 << 10)
    with world.keeper() as keeper:
        for name in gone:
            world.gbr.release(name, version=NOW_MS + 2, record="recalled")
        keeper.feed(world.origins()["GBR"], CODEC, follow=False)
        keeper.tick()
        while keeper._erasing is not None:
            turns += 1
            for name in chance.sample(kept, 20):
                tearline = "x" * chance.randrange(500)
                world.gbr.release(name, version=NOW_MS + 2 + turns, content={"tearline": tearline})
            keeper.feed(world.origins()["GBR"], CODEC, follow=False)
            keeper.tick()
        held = world.bytes_on_disk()
    assert turns > 10
    assert [name for name in gone if name.split(".")[0].encode() in held] == []
    assert is_whole(world)


def test_a_pass_never_writes_while_a_reader_needs_the_log_or_a_writer_writes(world: World) -> None:
    world.gbr.release()
    world.catch_up()
    database, reader = connect(world.path, writes=True), connect(world.path, writes=False)
    reader.execute("BEGIN")
    reader.execute("SELECT COUNT(*) FROM entry").fetchone()
    database.execute("UPDATE about SET erase_us = 7")
    erasing, steps = Erasing(database, world.path), 0
    while erasing.step():
        steps += 1
        assert steps < 100
    assert database.execute("SELECT erase_us FROM about").fetchone() == (7,)
    before = world.path.read_bytes()
    assert not erasing.step()
    assert world.path.read_bytes() == before
    reader.execute("COMMIT")
    while not erasing.is_done:
        assert erasing.step()
    assert database.execute("SELECT erase_us FROM about").fetchone() == (0,)
    reader.close()
    database.close()


def test_only_unused_bytes_are_overwritten(world: World) -> None:
    for number in range(300):
        world.gbr.release(f"n{number}.example", content={"tearline": "t" * (number % 90)})
    world.catch_up()
    database = connect(world.path, writes=True)
    facts = database.execute("SELECT * FROM entry ORDER BY n").fetchall()
    found = database.execute("SELECT rowid FROM words WHERE words MATCH 'n7*' ORDER BY rowid").fetchall()
    whole = Scrub(database, world.path)
    while not whole.is_done:
        assert whole.some()
    assert database.execute("SELECT * FROM entry ORDER BY n").fetchall() == facts
    assert database.execute("SELECT rowid FROM words WHERE words MATCH 'n7*' ORDER BY rowid").fetchall() == found
    database.close()
    assert is_whole(world)
