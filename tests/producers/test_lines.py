"""Lines: too long, in another encoding, with a byte order mark; none of them stops the rest."""

import gzip
import io
from hashlib import sha256

from producers.inputs import Input
from producers.readers.lines import MAX_LINE_BYTES, Line, decoded, lines
from producers.readers.reading import Rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason
from tests.alone import alone
from tests.producers.reading_feeds import an_input

MEBIBYTE = 1 << 20


class LongLine(io.RawIOBase):
    """A file of one good line, a line of 50 MB and another good line, that never is in memory."""

    def __init__(self) -> None:
        self.parts = iter([b"before.example\n", *[b"x" * MEBIBYTE] * 50, b"\nafter.example\n"])
        self.left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.left = self.left or next(self.parts, b"")
        got, self.left = self.left[: len(buffer)], self.left[len(buffer) :]
        buffer[: len(got)] = got
        return len(got)


def _long_line_read() -> list[Line | Rejected]:
    return list(lines(Input("eve.json", io.BufferedReader(LongLine()))))


def test_a_line_of_50_mb_is_refused_in_bounded_memory_and_the_rest_is_read() -> None:
    (before, too_long, after), cost = alone(_long_line_read)
    assert (before, after) == (Line(1, b"before.example"), Line(3, b"after.example"))
    assert isinstance(too_long, Rejected)
    assert (too_long.reason, too_long.place) == (RejectReason.LINE_TOO_LONG, SourcePlace("eve.json", 2))
    assert (too_long.original, too_long.size) == (None, 50 * MEBIBYTE + 1)
    assert too_long.digest == sha256(b"x" * 50 * MEBIBYTE + b"\n").digest()
    assert too_long.excerpt == "x" * 200
    assert cost.memory < 8 * MEBIBYTE


def test_a_line_of_the_greatest_length_is_read() -> None:
    content = b"x" * (MAX_LINE_BYTES - 1)
    assert list(lines(an_input(content + b"\n"))) == [Line(1, content)]
    assert list(lines(an_input(content))) == [Line(1, content)]


def test_line_endings_of_both_kinds_and_a_byte_order_mark_go() -> None:
    found = lines(an_input(b"\xef\xbb\xbfone\r\n\r\ntwo\nthree"))
    assert list(found) == [Line(1, b"one"), Line(2, b""), Line(3, b"two"), Line(4, b"three")]


def test_half_a_line_at_the_cut_of_a_gzip_stream_is_not_taken_for_a_line() -> None:
    whole = [b"%d.example.com" % number for number in range(5000)]
    packed = gzip.compress(b"\n".join(whole))
    for cut in (2000, 3001, 4003):
        *good, last = lines(an_input(packed[:cut]))
        assert [line.content for line in good if isinstance(line, Line)] == whole[: len(good)]
        assert isinstance(last, Rejected)
        assert last.reason is RejectReason.TRUNCATED
        assert str(len(good)) in last.detail


def test_a_line_that_is_not_utf_8_is_refused_with_its_bytes_and_advice() -> None:
    place = SourcePlace("一覧.csv", 7)
    content = "フィッシング".encode("shift_jis")
    refused = decoded(content, "utf-8", place)
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.place, refused.original) == (RejectReason.UNREADABLE_LINE, place, content)
    assert "--encoding shift_jis (Shift-JIS)" in refused.detail


def test_nothing_is_guessed_where_an_encoding_is_given() -> None:
    place = SourcePlace("list.txt", 1)
    assert decoded("偽.example".encode("shift_jis"), "shift_jis", place) == "偽.example"
    assert isinstance(decoded(b"\x81\x00", "shift_jis", place), Rejected)
