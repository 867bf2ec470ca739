"""Whether a file is one that was read before, or one that has grown."""

import gzip
import io
from hashlib import sha256

import pytest

from producers.fingerprint import Beginning, fingerprint


def test_a_file_is_its_content() -> None:
    stream = io.BytesIO(b"one\ntwo\n")
    found = fingerprint(stream, [])
    assert (found.size, found.digest, stream.tell()) == (8, sha256(b"one\ntwo\n").digest(), 0)


@pytest.mark.parametrize(
    ("before", "after", "splits"),
    [
        (b"one\ntwo\n", b"three\n", False),
        (b"one\ntw", b"o\nthree\n", True),
        (b"one\ntwo", b"\nthree\n", False),
        (b"one\ntwo", b"\r\nthree\r\n", False),
    ],
)
def test_a_beginning_knows_whether_its_last_line_went_on(before: bytes, after: bytes, splits: bool) -> None:
    found = fingerprint(io.BytesIO(before + after), [len(before), 999])
    assert found.beginnings == {len(before): Beginning(sha256(before).digest(), before.count(b"\n"), splits)}


def test_compressed_bytes_have_no_lines_to_split() -> None:
    first, second = gzip.compress(b"one\n"), gzip.compress(b"two\n")
    found = fingerprint(io.BytesIO(first + second), [len(first)])
    assert not found.beginnings[len(first)].splits_a_line


def test_a_large_file_is_read_in_pieces_with_the_same_result() -> None:
    content = bytes(range(256)) * 20_000
    found = fingerprint(io.BytesIO(content), [3, 1 << 20, (1 << 20) + 1])
    assert found.digest == sha256(content).digest()
    assert all(found.beginnings[size].digest == sha256(content[:size]).digest() for size in (3, 1 << 20, (1 << 20) + 1))
