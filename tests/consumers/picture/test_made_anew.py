"""A file that is damaged, of another nation or of another layout is made anew, and says so."""

import sqlite3
from pathlib import Path

import pytest

from consumers.picture.filters import Filter
from consumers.picture.picture import Picture
from tests.consumers.picture.topics import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def values(picture: Picture, filters: Filter | None = None) -> set[str]:
    return {each.value for each in picture.search(filters or Filter())}


def spoil_header(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)


def spoil_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096 : len(data) - 4096] = b"\xaa" * (len(data) - 8192)
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 5 * 4096 + 17])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def of_another_nation(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE about SET nation = 'GBR'")
    database.close()


def of_a_later_layout(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoil_header, "damaged"),
        (spoil_middle, "damaged"),
        (cut_short, "damaged"),
        (empty, ""),
        (of_another_nation, "is of GBR, not of JPN"),
        (of_a_later_layout, "has layout 99"),
    ],
)
def test_a_file_that_cannot_be_used_is_made_anew_and_reports_it(world: World, spoil: object, why: str) -> None:
    assert callable(spoil)
    for number in range(200):
        world.gbr.release(f"h{number}.example")
    world.catch_up()
    with world.picture() as before:
        spoil(world.path)
        assert why in world.catch_up()
        assert before.is_replaced() or spoil is empty
    with world.picture() as after:
        assert len(values(after)) == 200
