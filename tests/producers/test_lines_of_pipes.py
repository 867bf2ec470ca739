"""A list from a pipe is marked by the same lines as a file; lines are counted as they are read."""

import io
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.fingerprint import fingerprint
from producers.inputs import OpenInput
from producers.line_breaks import LineCount, lines_of
from producers.readers.formats import readings_of
from producers.readers.reading import Defaults, Seen
from producers.spool.spool import Spool
from tests.producers.producing import run, values_in
from tests.producers.reading_feeds import an_input

HEADER = "first_seen,domain,tags\n2026-11-20,before.example.com,x\n"
ROW = "2026-11-20,behind.example.com,x\n"
FAST = (
    "11/20/2026-08:00:00.25  [**] [1:2024001:3] made up [**] [Priority: 1] {TCP} 10.1.2.3:50123 -> 198.51.100.7:443\n"
)
ZEEK = "#path\tnotice\n#fields\tts\tid.orig_h\tid.resp_h\tnote\tmsg\n"
NOTICE = "1795000000.5\t10.1.2.3\t198.51.100.7\tMade::Up\tmade up\n"
COMMENTS = [
    "# TLP:RED\n",
    "// TLP:RED\n",
    " # TLP:RED\n",
    "\u3000# TLP:RED\n",
    "\ufeff# TLP:RED\n",
    "\u3000\ufeff// TLP:RED, see https://www.example.com/a\n",
    "# about\rTLP:RED\n",
    "# about\r# TLP:RED\r\n",
]


class Pipe(io.RawIOBase):
    """Bytes that come in pieces, and cannot be read again."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        got = next(self._pieces, b"")
        buffer[: len(got)] = got
        return len(got)


def marked(source: OpenInput, format_name: str) -> list[tuple[str, str]]:
    readings, _ = readings_of(source, format_name, Defaults())
    return [(each.observation.value, each.observation.marking.tlp) for each in readings if isinstance(each, Seen)]


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("size", [3, 1 << 16])
@pytest.mark.parametrize(
    ("format_name", "before", "behind"),
    [
        ("csv-list", HEADER, ROW),
        ("txt-list", "before.example.com\n", "behind.example.com\n"),
        ("suricata-fast", FAST, FAST),
        ("zeek-log", ZEEK + NOTICE, NOTICE),
    ],
)
def test_a_comment_counts_for_all_rows_of_a_file_and_for_those_behind_it_in_a_pipe(
    format_name: str, before: str, behind: str, comment: str, size: int
) -> None:
    if "\r" in comment and format_name in ("suricata-fast", "zeek-log"):
        comment = comment.replace("\rTLP", "\r# TLP")  # a line without a sign is a record there, and refused
    content = (before + comment + behind).encode()
    of_file = marked(an_input(content), format_name)
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    of_pipe = marked(OpenInput("made-up", Pipe(pieces)), format_name)  # type: ignore[arg-type]
    assert [tlp for _, tlp in of_file] == ["TLP:RED", "TLP:RED"]
    assert [value for value, _ in of_pipe] == [value for value, _ in of_file]
    assert of_pipe[-1][1] == "TLP:RED"


def test_the_name_of_an_input_marks_it_whatever_its_format() -> None:
    alert = b'{"timestamp": "2026-11-20T08:00:00+0000", "event_type": "alert", "src_ip": "10.1.2.3", '
    alert += b'"dest_ip": "198.51.100.7", "alert": {"signature": "made up"}}\n'
    assert marked(an_input(alert, "eve TLP-RED.json"), "suricata-eve") == [("198.51.100.7", "TLP:RED")]


@pytest.mark.parametrize("cell", ['"a\rb"', '"a\r\rb"', '"a\r\nb"', '"a\nb"', '"a\r\n\rb"'])
def test_rows_with_breaks_in_their_cells_count_once_in_a_file_that_grows(
    cell: str, sensor_spool: Spool, tmp_path: Path
) -> None:
    file, written = tmp_path / "list.csv", "first_seen,domain,tags\n"
    for number in range(5):
        written += f"2026-11-20,h{number}.example.com,{cell}\n2026-11-20,g{number}.example.com,x\n"
        file.write_bytes(written.encode())
        run(sensor_spool, file)
    assert values_in(sensor_spool) == [f"{letter}{number}.example.com" for number in range(5) for letter in "hg"]


def test_the_last_line_is_read_when_it_is_whole_also_in_utf_16(sensor_spool: Spool, tmp_path: Path) -> None:
    file, text = tmp_path / "list.txt", "# 上上上\na.example.com\nb.example.co"
    for more in ("", "m\nc.example.com\n"):
        file.write_bytes((text + more).encode("utf-16-le"))
        run(sensor_spool, file, defaults=Defaults(encoding="utf-16-le"))
    assert values_in(sensor_spool) == ["a.example.com", "b.example.co", "b.example.com", "c.example.com"]


TEXTS = st.lists(st.sampled_from([b"a", b"b", b"\r", b"\n", b"\r\n", b"\r\r"]), max_size=12).map(b"".join)


@given(TEXTS, TEXTS, st.integers(0, 12))
def test_lines_are_counted_as_they_are_cut(before: bytes, after: bytes, at: int) -> None:
    content = before + after
    count = LineCount("utf-8")
    for piece in (content[:at], content[at:]):
        count.add(piece)
    assert count.whole()[0] == (len(lines_of(content)) if content else 0)
    beginning = fingerprint(io.BytesIO(content), lambda _: [len(before)]).beginnings.get(len(before))
    if beginning is not None and after:
        is_open = before[-1:] not in (b"\r", b"\n")
        assert beginning.splits_a_line is (is_open and after[:1] not in (b"\r", b"\n"))
        if before.endswith(b"\n"):
            assert beginning.lines == len(lines_of(before)) == len(lines_of(content)) - len(lines_of(after))


@pytest.mark.parametrize("first", ["\n", "# about\n", "\ufeff\r\n", "#\n// about\n\u3000# a\n\n"])
def test_a_pipe_is_recognised_by_its_first_row(first: str) -> None:
    record = '{"_path": "notice", "ts": 1795000000.5, '
    record += '"id.orig_h": "10.1.2.3", "id.resp_h": "198.51.100.7", "note": "A::B"}\n'
    contents = [("auto", HEADER + ROW)] if "#" in first else [("auto", record), ("zeek-log", record), ("auto", HEADER)]
    for format_name, content in contents:
        pieces = [*(line.encode() for line in first.splitlines(keepends=True)), content.encode()]
        of_pipe = marked(OpenInput("made-up", Pipe(pieces)), format_name)  # type: ignore[arg-type]
        assert of_pipe == marked(an_input(b"".join(pieces)), format_name) != []
