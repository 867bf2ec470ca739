"""Inputs: compressed, cut, transcoded, limited, slow."""

import gzip
import io
import os

import pytest

from producers.inputs import HEAD_BYTES, OpenInput, is_wide
from tests.producers.reading_feeds import an_input


def all_of(source: OpenInput) -> bytes:
    return source.stream.read()


def test_a_plain_input_is_its_bytes() -> None:
    source = an_input(b"one\ntwo\n")
    assert (source.head, all_of(source), source.damage) == (b"one\ntwo\n", b"one\ntwo\n", "")


def test_an_empty_input_has_an_empty_head() -> None:
    source = an_input(b"")
    assert (source.head, all_of(source)) == (b"", b"")


def test_gzip_is_recognised_by_its_content_and_may_have_several_members() -> None:
    source = an_input(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert all_of(source) == b"one\ntwo\n"
    assert not source.damage


def test_what_comes_before_the_damage_in_a_gzip_stream_is_read() -> None:
    plain = b"".join(b"%d.example.com\n" % number for number in range(20_000))
    packed = gzip.compress(plain)
    source = an_input(packed[: len(packed) // 2])
    got = all_of(source)
    assert plain.startswith(got)
    assert len(got) > len(plain) // 4
    assert "was cut" in source.damage


def test_garbage_inside_a_gzip_stream_is_damage_and_not_an_exception() -> None:
    packed = bytearray(gzip.compress(os.urandom(200_000)))
    packed[100_000:100_100] = bytes(100)
    source = an_input(bytes(packed))
    all_of(source)
    assert source.damage


def test_only_the_limit_of_an_input_is_read() -> None:
    source = OpenInput("grows", io.BytesIO(b"one\ntwo\nthr"), limit=8)
    assert all_of(source) == b"one\ntwo\n"
    assert source.bytes_read == 8


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_wide_encodings_arrive_as_utf_8(encoding: str) -> None:
    text = "値,種別\r\n198.51.100.7,ip\r\n" * 5000
    source = an_input(text.encode(encoding), encoding=encoding)
    assert all_of(source).decode().removeprefix("\ufeff") == text


def test_an_input_in_utf_16_is_noticed_where_no_one_stated_it() -> None:
    assert an_input("198.51.100.7\n".encode("utf-16")).wide_bom
    assert not an_input("198.51.100.7\n".encode("utf-16"), encoding="utf-16").wide_bom


@pytest.mark.parametrize(("encoding", "wide"), [("utf-8", False), ("shift_jis", False), ("utf-16", True)])
def test_wide_is_where_a_line_break_is_more_than_a_byte(encoding: str, wide: bool) -> None:
    assert is_wide(encoding) is wide


def test_an_unknown_encoding_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        is_wide("shift-jisx0213-or-so")


def test_a_slow_pipe_is_not_waited_for_once_its_first_line_is_there() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"198.51.100.7\n")
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb") as end:
        source = OpenInput("-", stream)  # returns, although the pipe is still open
        assert source.head == b"198.51.100.7\n"
        end.close()
        assert all_of(source) == b"198.51.100.7\n"


def test_the_head_is_bounded() -> None:
    source = an_input(b"x" * (3 * HEAD_BYTES))
    assert len(source.head) == HEAD_BYTES
    assert len(all_of(source)) == 3 * HEAD_BYTES
