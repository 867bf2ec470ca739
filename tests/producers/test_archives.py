"""What an archive states beside its content counts for it, and a zip archive of several files is refused whole."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from producers.archives import LONGEST_HEADER, gzip_header, zip_directory
from producers.readers.formats import readers
from producers.readers.reading import Defaults
from producers.spool.spool import Spool
from schemas.markings import SourceMarking
from schemas.observation import Observation
from tests.producers.producing import run
from tests.producers.reading_feeds import an_input, observations
from tests.producers.test_unpacking import zipped

LIST = b"bad.example.com\n"


def gzipped(name: bytes = b"", comment: bytes = b"", extra: bytes = b"") -> bytes:
    """A gzip file whose header has these fields (RFC 1952, section 2.3)."""
    flags = (bool(extra) << 2) | (bool(name) << 3) | (bool(comment) << 4)
    fields = len(extra).to_bytes(2, "little") + extra if extra else b""
    fields += name + b"\0" if name else b""
    fields += comment + b"\0" if comment else b""
    plain = gzip.compress(LIST, mtime=0)
    return plain[:3] + bytes([flags]) + plain[4:10] + fields + plain[10:]


def a_zip(name: str | bytes, comment: bytes = b"") -> bytes:
    """A zip archive of one file; a name in bytes is written as it is, as archivers of before Unicode do."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.comment = comment
        archive.writestr(name if isinstance(name, str) else "x" * len(name), LIST)
    return packed.getvalue() if isinstance(name, str) else packed.getvalue().replace(b"x" * len(name), name)


def _seen(packed: bytes) -> list[Observation]:
    """What is read of a list whose operator has stated that what has no marking is TLP:CLEAR."""
    defaults = Defaults(marking=SourceMarking("TLP:CLEAR"))
    return observations(list(readers()["txt-list"].read(an_input(packed), defaults)))


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (gzipped(b"TLP-RED-list.txt"), "TLP:RED"),
        (gzipped(b"list.txt", b"TLP:AMBER+STRICT"), "TLP:AMBER+STRICT"),
        (gzipped(b"TLP-AMBER.txt", b"TLP:RED", b"AB\x02\x00zz"), "TLP:RED"),
        (a_zip("TLP-RED/list.txt"), "TLP:RED"),
        (a_zip("list_TLP_AMBER.txt"), "TLP:AMBER"),
        (a_zip("list.txt", b"TLP:RED"), "TLP:RED"),
        (a_zip("list.txt"), "TLP:CLEAR"),
        (gzipped(b"list.txt"), "TLP:CLEAR"),
    ],
    ids=range(8),
)
def test_a_marking_beside_the_content_is_its_marking(packed: bytes, expected: str) -> None:
    [seen] = _seen(packed)
    assert seen.marking.tlp == expected


@pytest.mark.parametrize(
    "packed",
    [a_zip("転送禁止/list.txt"), a_zip("転送禁止.txt".encode("cp932")), gzipped("部外秘.txt".encode("cp932"))],
    ids=["UTF-8", "zip in cp932", "gzip in cp932"],
)
def test_a_heading_in_japanese_is_understood_also_in_the_encoding_of_windows(packed: bytes) -> None:
    [seen] = _seen(packed)
    assert seen.marking != SourceMarking("TLP:CLEAR")


def test_nothing_of_several_files_is_published(sensor_spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "feed.zip").write_bytes(zipped(LIST, "more.txt"))
    result = run(sensor_spool, tmp_path / "feed.zip")
    assert result.observations == 0
    source = an_input(zipped(LIST, "more.txt"))
    assert (source.stream.read(), source.damage) == (b"", "the zip archive has several files: unpack it first")


def test_a_header_is_read_to_its_end_from_a_pipe_that_gives_a_byte_at_a_time_and_no_further_than_a_bound() -> None:
    class Slow(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return super().read(1)

    packed = gzipped(b"TLP-RED.txt", b"a comment")
    names, got = gzip_header(Slow(packed))
    assert names == ("TLP-RED.txt", "a comment")
    assert packed.startswith(got)
    endless = gzipped(b"")[:3] + b"\x08" + bytes(6) + b"A" * (1 << 20)
    names, got = gzip_header(io.BytesIO(endless))
    assert (names, len(got) <= LONGEST_HEADER + 1024) == ((), True)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"PK\x03\x04", LIST, a_zip("x")[:-30], b"PK\x03\x04" + b"PK\x05\x06"],
    ids=["empty", "two bytes", "a header's beginning", "a list", "cut", "an end that is cut"],
)
def test_what_has_no_directory_is_left_where_it_was(content: bytes) -> None:
    stream = io.BytesIO(content)
    assert (zip_directory(stream), stream.tell()) == (None, 0)


def test_a_folder_in_a_zip_archive_is_no_file_and_its_name_counts() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("internal/", b"")
        archive.writestr("internal/list.txt", b"198.51.100.7\n")
    source = an_input(target.getvalue(), "list.zip")
    assert (source.stream.read(), source.damage) == (b"198.51.100.7\n", "")
    assert source.names == ("list.zip", "internal/", "internal/list.txt")
