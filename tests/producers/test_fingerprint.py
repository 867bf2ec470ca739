"""Whether a file is one that was read before, or one that has grown."""

import gzip
import io
from collections.abc import Collection
from hashlib import sha256

import pytest

from producers.fingerprint import Beginning, Fingerprint, fingerprint


def of(content: bytes, *sizes: int) -> Fingerprint:
    return fingerprint(io.BytesIO(content), lambda _: sizes)


def test_a_file_is_its_content() -> None:
    stream = io.BytesIO(b"one\ntwo\n")
    found = fingerprint(stream, lambda _: [])
    assert (found.size, found.digest, stream.tell()) == (8, sha256(b"one\ntwo\n").digest(), 0)


@pytest.mark.parametrize("members", [[b"one\ntwo\nthree\n"], [b"one\nt", b"wo\n", b"three\n"]])
def test_a_compressed_file_is_what_it_holds(members: list[bytes]) -> None:
    plain = b"".join(members)
    compressed = b"".join(map(gzip.compress, members))
    found, expected = of(compressed, 4, 6), of(plain, 4, 6)
    assert (found.size, found.digest, found.prefix) == (expected.size, expected.digest, expected.prefix)
    assert found.beginnings == expected.beginnings
    assert (found.stored_size, found.stored_digest) == (len(compressed), sha256(compressed).digest())


def test_a_cut_compressed_file_is_what_can_be_read_of_it() -> None:
    plain = bytes(range(256)) * 4
    cut = of(gzip.compress(plain)[:-8])
    assert (cut.size, cut.digest) == (len(plain), sha256(plain).digest())
    assert cut.stored_size == len(gzip.compress(plain)) - 8


@pytest.mark.parametrize(
    ("before", "after", "lines", "splits"),
    [
        (b"one\ntwo\n", b"three\n", 2, False),
        (b"one\ntw", b"o\nthree\n", 1, True),
        (b"one\ntwo", b"\nthree\n", 2, False),
        (b"one\ntwo", b"\r\nthree\r\n", 2, False),
    ],
)
def test_a_beginning_knows_whether_its_last_line_went_on(before: bytes, after: bytes, lines: int, splits: bool) -> None:
    found = of(before + after, len(before), 999)
    assert found.beginnings == {len(before): Beginning(sha256(before).digest(), lines, splits)}


@pytest.mark.parametrize("length", [1, 2, 3, 100, 65_535, 65_536, 200_000])
def test_what_has_grown_is_found_by_a_prefix_of_what_it_was(length: int) -> None:
    content = bytes(index * 7 % 251 for index in range(300_000))
    asked: list[bytes] = []

    def sizes(prefixes: Collection[bytes]) -> list[int]:
        asked.extend(prefixes)
        return []

    fingerprint(io.BytesIO(gzip.compress(content)), sizes)
    assert of(content[:length]).prefix in asked
    assert of(b"x" + content[:length]).prefix not in asked


def test_an_empty_file_has_no_prefix() -> None:
    assert of(b"").prefix == b""


def test_a_large_file_is_read_in_pieces_with_the_same_result() -> None:
    content = bytes(range(256)) * 20_000
    found = of(content, 3, 1 << 20, (1 << 20) + 1)
    assert found.digest == sha256(content).digest()
    assert all(found.beginnings[size].digest == sha256(content[:size]).digest() for size in (3, 1 << 20, (1 << 20) + 1))
