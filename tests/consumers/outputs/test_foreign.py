"""The law of all outputs on a disk: what an output did not write, it neither replaces nor calls equal."""

import os
from pathlib import Path
from typing import Final

import pytest

from consumers.outputs.known import outputs
from consumers.outputs.only_writer import Running, running
from consumers.outputs.protocol import Output, Target
from exchange.errors import Refused
from tests.consumers.outputs.following import following
from tests.consumers.outputs.test_output_laws import entries_of, held
from tests.consumers.picture.topics import NATION, TopicInMemory, World

ON_A_DISK: Final = [(each, each.place) for each in outputs().values() if each.place in {"FILE", "DIR"}] + [
    (outputs()["stix"], "DIR")
]
each_output_on_a_disk = pytest.mark.parametrize(
    ("output", "place"), ON_A_DISK, ids=lambda each: each.name if isinstance(each, Output) else each
)
FOREIGN: Final = {"export.csv": b"id,origin\r\na,GBR\r\n", "hosts": b"127.0.0.1 localhost\n", "image": b"\x00\xff"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path, GBR=TopicInMemory())
    world.gbr.release("one.example")
    world.catch_up()
    return world


def made(place: str, path: Path) -> Path:
    """The target, with nothing in it."""
    path.mkdir() if place == "DIR" else path.touch()
    return path


def content(path: Path) -> dict[str, bytes]:
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"*{path.name}*")
    return {each.name: each.read_bytes() for each in files}


@each_output_on_a_disk
@pytest.mark.parametrize("name", FOREIGN)
def test_a_target_that_it_did_not_write_is_refused_and_stays_as_it_is(
    world: World, tmp_path: Path, output: Output, place: str, name: str
) -> None:
    path = made(place, tmp_path / "target")
    (path / name if place == "DIR" else path).write_bytes(FOREIGN[name])
    before = content(path)
    with pytest.raises(Refused, match=r"another (path|folder), or (delete the file|empty this one)"):
        following(world, output, path).take()
    with world.picture() as picture:
        assert [each.kind for each in following(world, output, path).check(picture)] == ["foreign"]
    assert content(path) == before


def taken_twice(world: World, output: Output, path: Path) -> None:
    """It is taken, written, given back, and taken by the next process."""
    for added_us in (7, 8):
        following_ = following(world, output, path)
        following_.take()
        writer = output.open(Target(NATION, str(path)))
        writer.write(iter(entries_of(output)), held(added_us))
        writer.close()
        following_.close()


def written(world: World, output: Output, path: Path) -> None:
    """By a whole turn, as `kakehashi output run --once` does."""
    one = following(world, output, path)
    one.take()
    with world.picture() as picture:
        one.turn(picture)
    one.close()


@each_output_on_a_disk
def test_a_target_of_another_output_is_refused_by_its_name_and_stays(
    world: World, tmp_path: Path, output: Output, place: str
) -> None:
    path = tmp_path / "target"
    if place == "DIR":
        path.mkdir()
    written(world, output, path)
    before = content(path)
    for other in {each.name: each for each, of in ON_A_DISK if of == place and each.name != output.name}.values():
        named = f"was written by the output {output.name}, which {other.name} would replace"
        with pytest.raises(Refused, match=f"{named}|was not written by this output"):  # another note is not read
            following(world, other, path).take()
        with world.picture() as picture:
            assert [each.kind for each in following(world, other, path).check(picture)] == ["foreign"]
    assert content(path) == before
    written(world, output, path)


@pytest.mark.parametrize("name", ["hosts", "unbound"])
def test_a_value_that_somebody_else_added_to_a_current_file_is_found_without_a_change_of_the_picture(
    world: World, tmp_path: Path, name: str
) -> None:
    output, path = outputs()[name], tmp_path / "target"
    written(world, output, path)
    for added, is_altered in ((b"", False), (path.read_bytes().splitlines(keepends=True)[-1], True)):
        path.write_bytes(path.read_bytes() + added.replace(b"one.example", b"evil.example"))
        one = following(world, output, path)
        one.take()
        with world.picture() as picture:
            one.turn(picture)
            assert bool(one.altered(picture)) is is_altered
        one.close()


def test_a_list_of_another_kind_is_named(world: World, tmp_path: Path) -> None:
    written(world, outputs()["hosts"], tmp_path / "target")
    world.gbr.release("two.example")
    world.catch_up()
    written(world, outputs()["hosts"], tmp_path / "target")  # now the file is edited
    with pytest.raises(Refused, match="was written by the output hosts, which values would replace: name another path"):
        following(world, outputs()["values"], tmp_path / "target").take()


def test_who_writes_a_target_is_known_while_it_does(world: World, tmp_path: Path) -> None:
    hosts, path = outputs()["hosts"], tmp_path / "hosts"
    one = following(world, hosts, path)
    assert running(world.path, one.name) is None
    one.take()
    assert running(world.path, one.name) == Running(os.getpid(), world.clock_ms())
    with pytest.raises(Refused, match="another process writes it"):
        following(world, hosts, path).take()
    assert running(world.path, one.name) is not None, "a look changes nothing"
    one.close()
    assert running(world.path, one.name) is None


@each_output_on_a_disk
def test_an_empty_target_is_taken_and_is_its_own_from_then_on(
    world: World, tmp_path: Path, output: Output, place: str
) -> None:
    taken_twice(world, output, made(place, tmp_path / "target"))


@pytest.mark.parametrize("output", [each for each, place in ON_A_DISK if place == "FILE"], ids=lambda each: each.name)
def test_a_file_that_is_not_there_is_made_and_one_that_somebody_put_there_later_is_refused(
    world: World, tmp_path: Path, output: Output
) -> None:
    path = tmp_path / "target"
    taken_twice(world, output, path)
    path.write_bytes(b"a\n")
    with pytest.raises(Refused):
        following(world, output, path).take()
    path.unlink()
    taken_twice(world, output, path)


@pytest.mark.parametrize("output", [each for each, place in ON_A_DISK if place == "DIR"], ids=lambda each: each.name)
def test_a_folder_that_a_crash_left_without_a_position_is_its_own(world: World, tmp_path: Path, output: Output) -> None:
    path = made("DIR", tmp_path / "target")
    taken_twice(world, output, path)
    for each in path.iterdir():
        if each.name in {".kakehashi-position", "kakehashi.rules"}:
            each.unlink()
    assert output.open(Target(NATION, str(path))).held() is None
    taken_twice(world, output, path)
