"""Lines: too long, in another encoding, with a byte order mark; none of them stops the rest."""

import gzip
import io
from hashlib import sha256

from producers.inputs import OpenInput
from producers.readers.lines import MAX_LINE_BYTES, Line, lines
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
    return list(lines(OpenInput("eve.json", io.BufferedReader(LongLine())), "utf-8"))


def test_a_line_of_50_mb_is_refused_in_bounded_memory_and_the_rest_is_read() -> None:
    (before, too_long, after), cost = alone(_long_line_read)
    assert isinstance(before, Line)
    assert isinstance(after, Line)
    assert [(line.number, line.text) for line in (before, after)] == [(1, "before.example"), (3, "after.example")]
    assert isinstance(too_long, Rejected)
    assert (too_long.reason, too_long.place) == (RejectReason.LINE_TOO_LONG, SourcePlace("eve.json", 2))
    assert (too_long.original, too_long.size) == (None, 50 * MEBIBYTE + 1)
    assert too_long.digest == sha256(b"x" * 50 * MEBIBYTE + b"\n").digest()
    assert too_long.excerpt == "x" * 200
    assert cost.memory < 8 * MEBIBYTE


def originals(content: bytes) -> list[tuple[int, bytes]]:
    return [(line.number, line.original) for line in lines(an_input(content), "utf-8") if isinstance(line, Line)]


def test_a_line_of_the_greatest_length_is_read() -> None:
    content = b"x" * (MAX_LINE_BYTES - 1)
    assert originals(content + b"\n") == [(1, content)]
    assert originals(content) == [(1, content)]


def test_line_endings_of_both_kinds_and_a_byte_order_mark_go() -> None:
    found = originals(b"\xef\xbb\xbfone\r\n\r\ntwo\nthree")
    assert found == [(1, b"one"), (2, b""), (3, b"two"), (4, b"three")]


def test_half_a_line_at_the_cut_of_a_gzip_stream_is_not_taken_for_a_line() -> None:
    whole = [b"%d.example.com" % number for number in range(5000)]
    packed = gzip.compress(b"\n".join(whole))
    for cut in (2000, 3001, 4003):
        *good, last = lines(an_input(packed[:cut]), "utf-8")
        assert [line.original for line in good if isinstance(line, Line)] == whole[: len(good)]
        assert isinstance(last, Rejected)
        assert last.reason is RejectReason.TRUNCATED
        assert str(len(good)) in last.detail


def test_a_line_that_is_not_utf_8_is_refused_with_its_bytes_and_advice() -> None:
    content = "フィッシング".encode("shift_jis")
    before, refused, after = lines(an_input(b"before\n" + content + b"\nafter\n"), "utf-8")
    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.place.line, refused.original) == (RejectReason.UNREADABLE_LINE, 2, content)
    assert isinstance(before, Line)
    assert isinstance(after, Line)
    assert "--encoding cp932 (Shift-JIS of Windows)" in refused.detail


def test_nothing_is_guessed_where_an_encoding_is_given() -> None:
    good, bad = lines(an_input("偽.example\n".encode("shift_jis") + b"\x81\x00"), "shift_jis")
    assert isinstance(good, Line)
    assert good.text == "偽.example"
    assert isinstance(bad, Rejected)
