"""What other collectors are known to lose or to count twice in a rotation, replayed; the numbers are of their trackers.

Vector, Filebeat, the OpenTelemetry Collector and Fluent Bit know a file by its first bytes or its inode, or close it
after a time. Here a file is known by inode and content together, and is never left with unread bytes.
"""

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.producers.following import Follower, writing
from tests.producers.test_follow import assert_once, shift

HEADER = b"".join(b"# line %d of a header that every file of this list begins with\n" % line for line in range(40))


def test_vector_22954_files_of_a_few_bytes_are_read_though_the_follower_restarts_amid_the_rotation(
    tmp_path: Path,
) -> None:
    (tmp_path / "logs").mkdir()
    with (
        writing(tmp_path / "logs" / "list.txt") as writer,
        Follower(tmp_path / "spool", str(tmp_path / "logs" / "list*")) as follower,
    ):
        for _ in range(3):
            writer.write(2)  # fewer than the 256 bytes of a checksum
            follower.end(signal.SIGKILL)
            shift(writer.path)
            writer.reopen()
            writer.write(2)
            follower.start()
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


def test_vector_23619_a_truncation_under_a_common_header_counts_nothing_twice(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", str(path.parent / "list*")) as follower:
        for number in range(3):
            writer.file.write(HEADER)
            writer.write(50)
            follower.waits_for(writer.written)
            shutil.copyfile(path, path.with_name(f"list.txt.{number}"))
            os.truncate(path, 0)
        writer.write(5)
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


def test_filebeat_40197_a_new_file_under_a_used_inode_is_no_truncation(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    first, second = tmp_path / "logs" / "list-1.txt", tmp_path / "logs" / "list-2.txt"
    first.write_bytes(b"".join(b"%d.example.com\n" % number for number in range(50)))
    inode = first.stat().st_ino
    with Follower(tmp_path / "spool", str(tmp_path / "logs" / "list*")) as follower:
        follower.waits_for(50)
        follower.end()  # an open file keeps its inode
        first.unlink()
        for number in range(1_000):  # other processes take inodes, too
            spare = second.with_name(f"spare-{number}")
            spare.write_bytes(b"50.example.com\n51.example.com\n")  # shorter than what was read of the first
            if spare.stat().st_ino == inode:
                spare.rename(second)
                break
        else:
            pytest.skip("this file system does not use an inode again")
        follower.start()
        follower.waits_for(52)
        follower.end()
        assert sorted(follower.values()) == sorted(f"{number}.example.com" for number in range(52))
        [gap] = follower.gaps  # what was written to the first one, before it was removed, is not known
        assert "files of it were removed: 1, such as" in gap


def test_opentelemetry_19765_a_new_file_with_the_same_first_kilobytes_does_not_take_over_an_offset(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", path) as follower:
        for _ in range(3):
            writer.file.write(HEADER)
            writer.write(10)
            follower.waits_for(writer.written)
            path.unlink()
            writer.reopen()
        writer.file.write(HEADER)
        writer.write(3)
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)


def test_fluent_bit_10414_a_rotated_file_is_read_to_its_end_however_late(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "list.txt"
    with writing(path) as writer, Follower(tmp_path / "spool", path, quiet_s=0.1) as follower:
        writer.write(5)
        follower.waits_for(5)
        assert follower.process is not None
        follower.process.send_signal(signal.SIGSTOP)  # it is behind by several of its waits
        for _ in range(3):
            writer.write(2_000)
            shift(path)
            writer.reopen()
        writer.write(5)
        follower.process.send_signal(signal.SIGCONT)
        follower.waits_for(writer.written)
        follower.end()
        assert_once(follower, writer)
