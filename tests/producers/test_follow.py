"""Following files through every way of rotation, kill -9 and restarts: nothing is lost, and nothing counts twice."""

import gzip
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.polling import eventually
from tests.producers.following import Follower, Writer, writing

LINES = 700


def renamed(writer: Writer) -> None:
    """By rename; the writer goes on with the old file for a while, until it is told."""
    shift(writer.path)
    writer.write(50)
    writer.reopen()


def copied_and_truncated(writer: Writer) -> None:
    """By copytruncate: the writer, in append mode, knows of nothing."""
    for number in (2, 1):
        older = writer.path.with_name(f"{writer.path.name}.{number}")
        if older.exists():
            older.rename(writer.path.with_name(f"{writer.path.name}.{number + 1}"))
    shutil.copyfile(writer.path, writer.path.with_name(f"{writer.path.name}.1"))
    os.truncate(writer.path, 0)


def compressed(writer: Writer) -> None:
    """By rename, and compressed at once."""
    shift(writer.path)
    writer.reopen()
    rotated = writer.path.with_name(f"{writer.path.name}.1")
    packed = rotated.with_name(f"{writer.path.name}-{writer.written}.gz")
    packed.write_bytes(gzip.compress(rotated.read_bytes()))
    rotated.unlink()


def dated(writer: Writer) -> None:
    """By rename to a name with a date before the extension, as logrotate's ``extension`` does."""
    writer.path.rename(writer.path.with_name(f"list-{writer.written}.txt"))
    writer.reopen()


def shift(path: Path) -> None:
    """``a`` is ``a.1``, and ``a.1`` is ``a.2``."""
    for number in (3, 2, 1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))


ROTATIONS = [renamed, copied_and_truncated, compressed, dated]
each_rotation = pytest.mark.parametrize("rotate", ROTATIONS, ids=lambda rotate: rotate.__name__)
each_place = pytest.mark.parametrize("place", ["list.txt", "list*"], ids=["path", "pattern"])


def of(folder: Path, place: str) -> str:
    return str(folder / place)


def assert_once(follower: Follower, writer: Writer) -> None:
    """Each value was spooled once, and no gap was declared."""
    found = follower.values()
    assert sorted(found) == sorted(writer.values())
    assert follower.gaps == []


def test_what_is_written_is_durable_while_it_comes_and_half_a_line_waits(tmp_path: Path) -> None:
    with writing(tmp_path / "list.txt") as writer, Follower(tmp_path / "spool", tmp_path / "list.txt") as follower:
        writer.write(10)
        follower.waits_for(10)
        writer.file.write(b"10.exam")
        writer.file.write(b"ple.com\n")
        writer.written += 1
        follower.waits_for(11)
        follower.end()
        assert follower.values() == writer.values()


@each_place
@each_rotation
def test_a_rotation_loses_nothing_and_counts_nothing_twice(
    rotate: Callable[[Writer], None], place: str, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", of(path.parent, place)) as follower:
        for _ in range(3):
            writer.write(LINES)
            follower.waits_for(writer.written - LINES // 2)
            rotate(writer)
            writer.write(20)
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


@each_place
@each_rotation
def test_a_rotation_while_no_one_follows_loses_nothing(
    rotate: Callable[[Writer], None], place: str, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", of(path.parent, place)) as follower:
        for number in (signal.SIGTERM, signal.SIGKILL):
            writer.write(LINES)
            follower.waits_for(writer.written)
            follower.end(number)
            writer.write(30)
            rotate(writer)
            writer.write(40)
            rotate(writer)
            writer.write(10)
            follower.start()
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


@each_rotation
def test_kills_at_any_moment_lose_nothing_and_count_nothing_twice(
    rotate: Callable[[Writer], None], tmp_path: Path
) -> None:
    random = Random(f"kills {rotate.__name__}")
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "list.txt"
    place = "list*" if rotate in (renamed, dated) else "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", of(path.parent, place)) as follower:
        for _ in range(5):
            writer.write(random.randrange(1, 3 * LINES))
            follower.waits_for(random.randrange(writer.written))
            follower.end(signal.SIGKILL)
            if random.random() < 0.6:
                rotate(writer)
            writer.write(random.randrange(1, LINES))
            follower.start()
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


def test_a_writer_that_does_not_know_of_the_rotation_is_read_on_in_the_renamed_file(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", path) as follower:
        writer.write(LINES)
        follower.waits_for(writer.written)
        shift(path)
        path.touch()
        for _ in range(3):
            writer.write(10)
            follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


def test_a_new_file_that_begins_like_the_old_one_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", path) as follower:
        writer.write(3)
        follower.waits_for(3)
        shift(path)
        writer.reopen()
        writer.file.write(b"0.example.com\n1.example.com\n2.example.com\n3.example.com\n")
        follower.waits_for(7)
        follower.end()
        assert follower.values() == [*writer.values(), *(f"{number}.example.com" for number in range(4))]


def test_a_truncation_without_a_copy_is_a_declared_gap_and_what_follows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", path) as follower:
        writer.write(LINES)
        follower.waits_for(writer.written)
        os.truncate(path, 0)
        writer.write(5)
        follower.waits_for(writer.written)
        follower.end()
        assert sorted(follower.values()) == sorted(writer.values())
        [gap] = follower.gaps
        assert "truncated" in gap


def test_a_file_that_is_overwritten_by_a_longer_one_in_place_is_noticed_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"a.example.com\n")
    with Follower(tmp_path / "spool", path) as follower:
        follower.waits_for(1)
        path.write_bytes(b"".join(b"%d.example.org\n" % number for number in range(50)))
        follower.waits_for(51)
        follower.end()
        assert follower.values() == ["a.example.com", *(f"{number}.example.org" for number in range(50))]
        assert len(follower.gaps) == 1


def test_a_rest_that_is_gone_at_the_start_is_a_declared_gap(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", path) as follower:
        writer.write(LINES)
        follower.waits_for(writer.written)
        follower.end()
        path.unlink()
        writer.reopen()
        writer.write(5)
        follower.start()
        follower.waits_for(writer.written)
        follower.end()
        [gap] = follower.gaps
        assert "rotated while no one followed" in gap
        follower.start()
        writer.write(5)
        follower.waits_for(writer.written)
        follower.end()
        assert len(follower.gaps) == 1


def test_a_copy_beside_a_followed_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", tmp_path / "logs") as follower:
        writer.write(LINES)
        follower.waits_for(writer.written)
        shutil.copyfile(path, path.with_name("list.txt.1"))
        (path.parent / "list.txt.2").write_bytes(path.read_bytes()[: 9 * LINES])
        writer.write(LINES)
        follower.waits_for(writer.written)
        follower.end()
        follower.start()
        writer.write(LINES)
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


def test_several_files_and_documents_of_a_folder_are_read_beside_one_another(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with writing(logs / "one.txt") as one, Follower(tmp_path / "spool", logs) as follower:
        one.write(10)
        other = logs / "two.txt"
        other.write_bytes(b"a.example.org\n")
        bundle = logs / "three.json"
        bundle.write_text(
            '{"type": "bundle", "id": "bundle--1", "objects": [{"type": "indicator", "id": "indicator--1", '
            '"pattern": "[domain-name:value = \'b.example.org\']", "pattern_type": "stix", '
            '"valid_from": "2026-11-01T00:00:00Z"}]}'
        )
        follower.waits_for(12)
        with other.open("ab") as file:
            file.write(b"c.example.org\n")
        one.write(5)
        follower.waits_for(18)
        follower.end()
        assert sorted(follower.values()) == sorted([*one.values(), *(f"{name}.example.org" for name in "abc")])


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    with Follower(tmp_path / "spool", tmp_path / "list.txt") as follower:
        eventually((tmp_path / "spool" / "spool.sqlite").exists, 30, "the spool is made")
        (tmp_path / "list.txt").write_bytes(b"a.example.com\n")
        follower.waits_for(1)
        follower.end()
        assert follower.values() == ["a.example.com"]
