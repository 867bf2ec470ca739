"""What happens to followed files beside plain rotation: nothing is lost in silence, and nothing counts twice."""

import gzip
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from producers.follow.places import siblings_of
from producers.spool.spool import Spool
from tests.producers.scripted_follow import Steps, append, assert_once, followed, kill, lines, names, nothing

BUNDLE = Path(__file__).parents[1] / "feeds" / "stix" / "tlp2-marked.json"


def stat_of(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        return path.stat()
    return None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "list.txt"


def test_rotated_copies_that_a_pattern_does_not_match_are_read_after_a_stop(path: Path, sensor_spool: Spool) -> None:
    path.write_text(lines(0, 100))
    followed(sensor_spool, path.parent / "*.txt", steps=[(100, nothing)])
    append(path, lines(100, 150))
    path.rename(path.with_name("list.txt.2"))
    path.with_name("list.txt.1").write_text(lines(150, 200))
    path.write_text(lines(200, 250))
    reported = followed(sensor_spool, path.parent / "*.txt", steps=[(250, nothing)])
    assert_once(sensor_spool, names(0, 250))
    assert reported.gaps == []


def test_two_rotations_between_two_looks_at_a_pattern_lose_nothing(path: Path, sensor_spool: Spool) -> None:
    def rotate_twice() -> None:
        path.rename(path.with_name("list.txt.2"))
        path.with_name("list.txt.1").write_text(lines(100, 200))
        path.write_text(lines(200, 250))

    path.write_text(lines(0, 100))
    followed(sensor_spool, path.parent / "*.txt", steps=[(100, rotate_twice), (250, nothing)])
    assert_once(sensor_spool, names(0, 250))


def test_what_was_written_after_a_file_that_is_gone_is_read_and_the_gap_is_declared(
    path: Path, sensor_spool: Spool
) -> None:
    path.write_text(lines(0, 100))
    older = path.with_name("list.txt-20200101")  # from before anyone followed
    older.write_text(lines(900, 950))
    os.utime(older, (1e9, 1e9))
    followed(sensor_spool, path, steps=[(100, nothing)])
    path.with_name("list.txt.2").write_text(lines(150, 200))
    path.with_name("list.txt.1").write_text(lines(200, 250))
    path.write_text(lines(250, 300))
    reported = followed(sensor_spool, path, steps=[(250, nothing)])
    assert_once(sensor_spool, [*names(0, 100), *names(150, 300)])
    assert len(reported.gaps) == 1


@pytest.mark.parametrize("place", ["list.txt", "*.txt", "list*"])
def test_a_compressed_copy_that_has_less_than_was_read_is_read_from_what_was_spooled(
    path: Path, sensor_spool: Spool, place: str
) -> None:
    """The writer went on with a file that logrotate had compressed and removed, and the follower was killed then."""
    path.write_text(lines(0, 2000))
    followed(sensor_spool, path.parent / place, steps=[(300, kill)], report_size=100)
    path.with_name("list.txt-20261130.gz").write_bytes(gzip.compress(lines(0, 1995).encode()))
    path.unlink()
    path.write_text(lines(2000, 2100))
    reported = followed(sensor_spool, path.parent / place, steps=[(2095, nothing)])
    assert_once(sensor_spool, [*names(0, 1995), *names(2000, 2100)])
    assert len(reported.gaps) == 1


@pytest.mark.parametrize("place", ["list.txt", "*.txt", "list*"])
def test_a_copy_that_is_being_compressed_is_read_from_the_file_that_is_still_beside_it(
    path: Path, sensor_spool: Spool, place: str
) -> None:
    path.write_text(lines(0, 2000))
    followed(sensor_spool, path.parent / place, steps=[(300, kill)], report_size=100)
    append(path, lines(2000, 4000))
    path.rename(path.with_name("list.txt.1"))
    packed = gzip.compress(lines(0, 4000).encode())
    path.with_name("list.txt.1.gz").write_bytes(packed[: len(packed) * 3 // 4])
    path.write_text(lines(4000, 4100))
    reported = followed(sensor_spool, path.parent / place, steps=[(4100, nothing)])
    assert_once(sensor_spool, names(0, 4100))
    assert reported.gaps == []


def test_files_of_a_folder_that_are_gone_after_a_stop_are_one_gap(path: Path, sensor_spool: Spool) -> None:
    for number in range(3):
        path.with_name(f"{number}.txt").write_text(lines(10 * number, 10 * number + 10))
    followed(sensor_spool, path.parent, steps=[(30, nothing)])
    for number in range(2):
        path.with_name(f"{number}.txt").unlink()
    [gap] = followed(sensor_spool, path.parent, steps=[(30, nothing)]).gaps
    assert "files of it were removed: 2, such as" in gap
    assert followed(sensor_spool, path.parent, steps=[(30, nothing)]).gaps == []


@pytest.mark.parametrize("place", ["list.txt", "*.txt"], ids=["path", "pattern"])
def test_a_file_that_is_replaced_by_a_longer_copy_of_itself_is_read_on(
    path: Path, sensor_spool: Spool, place: str
) -> None:
    def replace(lines_now: int) -> None:  # as rsync does
        path.with_name(".new").write_text(lines(0, lines_now))
        path.with_name(".new").rename(path)

    path.write_text(lines(0, 200))
    steps: Steps = [(200, partial(replace, 250)), (250, partial(replace, 300)), (300, nothing)]
    followed(sensor_spool, path.parent / place, steps=steps)
    assert_once(sensor_spool, names(0, 300))


def test_an_ended_file_whose_inode_has_new_content_of_the_same_size_is_read(path: Path, sensor_spool: Spool) -> None:
    old = path.with_name("old")

    def rotate() -> None:
        path.rename(old)
        path.write_text(lines(200, 300))

    def has_ended() -> bool:
        number = old.stat().st_ino
        return not any(number == found.st_ino for found in map(stat_of, Path("/proc/self/fd").iterdir()) if found)

    def reuse() -> None:
        with old.open("r+") as file:
            file.write(lines(300, 400))

    path.write_text(lines(100, 200))
    followed(sensor_spool, path.parent, steps=[(100, rotate), (200, nothing), (has_ended, reuse), (300, nothing)])
    assert_once(sensor_spool, names(100, 400))


def test_a_first_line_that_is_not_whole_is_found_after_two_rotations(path: Path, sensor_spool: Spool) -> None:
    other = path.with_name("other.txt")
    other.write_text(lines(500, 501))
    path.write_text("1.exam")

    def rotate() -> None:
        append(path, "ple.com\n")
        path.rename(path.with_name("list.txt.1"))
        path.write_text(lines(2, 50))

    followed(sensor_spool, path, other, steps=[(1, rotate), (50, nothing)])
    assert_once(sensor_spool, [*names(1, 50), *names(500, 501)])


def test_a_first_line_that_became_whole_is_no_gap_after_its_file_is_gone(path: Path, sensor_spool: Spool) -> None:
    copy = path.with_name("list.txt.1")
    path.write_text(lines(0, 100))

    def rotate() -> None:
        path.rename(copy)
        path.write_text("100.exam")

    steps: Steps = [
        (100, rotate),
        (
            lambda: 8 in {state.size for state in sensor_spool.unfinished()},
            partial(append, path, "ple.com\n" + lines(101, 150)),
        ),
        (150, nothing),
    ]
    followed(sensor_spool, path, steps=steps)
    assert {state.size for state in sensor_spool.unfinished()} <= {len(lines(0, 100)), len(lines(100, 150))}


def test_a_document_that_was_seen_before_it_was_whole_is_no_gap_after_the_next_one(
    path: Path, sensor_spool: Spool
) -> None:
    text = BUNDLE.read_text().replace("\n", " ")
    path.write_text(text[: len(text) // 2])
    steps: Steps = [
        (lambda: bool(sensor_spool.unfinished()), partial(path.write_text, text)),
        (1, nothing),
        (lambda: not sensor_spool.unfinished(), nothing),
    ]
    followed(sensor_spool, path, steps=steps)
    assert sensor_spool.unfinished() == []


def test_two_lists_that_begin_with_the_same_comment_are_both_read(path: Path, sensor_spool: Spool) -> None:
    heading = "".join(f"# line {number} of a licence that is long enough\n" for number in range(60))
    path.write_text(heading + lines(0, 60))

    def drop() -> None:
        path.with_name("shorter.txt").write_text(heading + lines(100, 130))

    followed(sensor_spool, path.parent, steps=[(60, drop), (90, nothing)])
    assert_once(sensor_spool, [*names(0, 60), *names(100, 130)])


def test_rotated_copies_that_have_other_names_at_each_look_are_a_declared_gap(
    path: Path, sensor_spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(lines(0, 100))
    followed(sensor_spool, path, steps=[(100, nothing)])
    append(path, lines(100, 150))
    path.rename(path.with_name("list.txt.1"))
    path.write_text(lines(150, 200))
    looks = [0]

    def restless(at: Path) -> list[Path]:
        looks[0] += 1
        return [*siblings_of(at), *([at] if looks[0] % 2 and looks[0] < 60 else [])]

    monkeypatch.setattr("producers.follow.beside.siblings_of", restless)
    reported = followed(sensor_spool, path, steps=[(200, nothing)])
    assert_once(sensor_spool, names(0, 200))
    assert any("had other names at each look" in gap for gap in reported.gaps)
