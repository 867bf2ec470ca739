"""Reports in PDF: their text by pages, nothing run, and what cannot be read whole refused in clear words."""

import io
import zlib
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from unittest.mock import patch

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText
from pypdf.generic import (
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from producers.pdf import extract
from producers.readers.formats import readers, recognised
from producers.readers.reader import Head
from producers.spool.spool import Spool
from schemas.markings import Tlp, understand
from schemas.vocabulary import RejectReason
from tests.builders import NOW_MS
from tests.producers.producing import run, values_in
from tests.producers.reading_feeds import left_out, observations, readings, refusals

FORMAT = "pdf-report"
EXAMPLE = readers()[FORMAT].example


def a_pdf(*pages: str, key: str = "", script: bool = False, note: str = "", **stated: str) -> bytes:
    """A PDF with a page for each text."""
    writer = PdfWriter()
    font = DictionaryObject({NameObject("/Type"): NameObject("/Font"), NameObject("/Subtype"): NameObject("/Type1")})
    font[NameObject("/BaseFont")] = NameObject("/Helvetica")
    for text in pages:
        page = writer.add_blank_page(595, 842)
        lines = " 0 -20 Td ".join(f"({line}) Tj" for line in text.splitlines())
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 40 700 Td {lines} ET".encode())
        page[NameObject("/Contents")] = writer._add_object(content)
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    if script:
        action = DictionaryObject({NameObject("/S"): NameObject("/JavaScript")})
        action[NameObject("/JS")] = TextStringObject("app.alert('hxxp://script[.]example[.]com')")
        writer.root_object[NameObject("/OpenAction")] = action
    if note:
        writer.add_annotation(0, FreeText(text=note, rect=(50, 550, 200, 650)))
    writer.add_metadata({f"/{name}": text for name, text in stated.items()})
    if key:
        writer.encrypt(key)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def test_values_are_read_with_the_number_of_their_page() -> None:
    found = readings(
        FORMAT,
        a_pdf(
            "A report of https://www.example.com/report",
            "It calls hxxp://bad[.]example[.]com/a\nand 198.51.100[.]7.",
            "ab" * 20,
        ),
    )
    assert [(row.place.line, row.observation.value) for row in found if hasattr(row, "observation")] == [
        (2, "hxxp://bad[.]example[.]com/a"),
        (2, "198.51.100[.]7"),
        (3, "ab" * 20),
    ]
    assert [piece.rule for piece in left_out(found)] == ["not-defanged"]


@pytest.mark.parametrize(
    "content",
    [
        a_pdf("hxxp://bad[.]example[.]com/a", "TLP:AMBER"),
        a_pdf("hxxp://bad[.]example[.]com/a", Keywords="tlp:amber"),
        a_pdf("hxxp://bad[.]example[.]com/a", note="TLP:AMBER"),
    ],
    ids=["page", "metadata", "note"],
)
def test_a_marking_counts_wherever_it_is_written(content: bytes) -> None:
    [seen] = observations(readings(FORMAT, content))
    assert understand(seen.marking).tlp is Tlp.AMBER


def test_scripts_and_attachments_are_counted_and_nothing_of_them_is_read() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(a_pdf("hxxp://bad[.]example[.]com/a", script=True))))
    writer.add_attachment("list.txt", b"hxxp://attached[.]example[.]com/")
    target = io.BytesIO()
    writer.write(target)
    found = readings(FORMAT, target.getvalue())
    assert [row.value for row in observations(found)] == ["hxxp://bad[.]example[.]com/a"]
    assert [piece.rule for piece in left_out(found)] == ["script", "attachment"]


def test_a_page_without_text_is_counted() -> None:
    found = readings(FORMAT, a_pdf("hxxp://bad[.]example[.]com/a", "", "end"))
    assert [(piece.rule, piece.detail) for piece in left_out(found)] == [("prose", ""), ("page-without-text", "page 2")]


def a_bomb() -> bytes:
    """A page whose content unfolds to a gigabyte."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    stream = StreamObject()
    piece = b" " * (1 << 20)
    packer = zlib.compressobj(9)
    # after a full flush, equal pieces are packed into equal bytes
    first, next_one = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    checksum = reduce(lambda sum_so_far, _: zlib.adler32(piece, sum_so_far), range(1024), 1)
    end = zlib.compressobj(9, wbits=-zlib.MAX_WBITS).flush() + checksum.to_bytes(4)
    stream._data = first + 1023 * next_one + end
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    stream[NameObject("/Length")] = NumberObject(len(stream._data))
    page[NameObject("/Contents")] = writer._add_object(stream)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (lambda: a_pdf("hxxp://bad[.]example[.]com/a", key="made-up"), "encrypted"),
        (lambda: a_pdf("hxxp://bad[.]example[.]com/a")[:-200], "cut off"),
        (lambda: EXAMPLE.replace(b"/Kids [3 0 R]", b"/Kids [(a) ]"), "no text"),
        (lambda: a_pdf(""), "no text"),
        (lambda: a_pdf(*["a"] * 2001), "2000 are the most"),
        (a_bomb, "cannot be read"),
        (lambda: b"%PDF-1.7\n%%EOF", "damaged"),
    ],
    ids=["encrypted", "cut", "damaged", "scanned", "pages", "bomb", "empty"],
)
def test_what_cannot_be_read_whole_is_refused_in_clear_words(content: Callable[[], bytes], expected: str) -> None:
    found = readings(FORMAT, content())
    [refused] = refusals(found)
    assert observations(found) == []
    assert (refused.reason, refused.place.line) == (RejectReason.UNDECODABLE, 0)
    assert expected in refused.detail


def test_a_file_without_a_password_to_open_it_is_read() -> None:
    content = PdfWriter(clone_from=PdfReader(io.BytesIO(a_pdf("hxxp://bad[.]example[.]com/a"))))
    content.encrypt("", "made-up")
    target = io.BytesIO()
    content.write(target)
    assert len(observations(readings(FORMAT, target.getvalue()))) == 1


def test_a_file_that_takes_too_long_is_ended_and_the_next_one_is_read() -> None:
    with (
        patch.object(extract, "_WALL_S", 0.2),
        patch.object(extract, "extracted", endless),
    ):
        assert b"takes more than" in extract._limited(b"")
    assert b'"pages"' in extract._limited(EXAMPLE)


def endless(_: bytes) -> bytes:
    """Never return."""
    while True:
        pass


def test_nothing_is_published_without_a_review(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(EXAMPLE)
    assert recognised(Head(EXAMPLE)) == FORMAT
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        [unreviewed] = run(spool, file).unreviewed
        assert "without a review" in unreviewed
        assert values_in(spool) == []


@pytest.mark.parametrize(
    "xmp", ['<x:xmpmeta xmp:Label="TLP:RED"/>', "<rdf:li>TLP:RED</rdf:li>"], ids=["attribute", "element"]
)
def test_a_marking_in_the_xmp_of_a_file_counts(xmp: str) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(a_pdf("hxxp://bad[.]example[.]com/a"))))
    stream = DecodedStreamObject()
    stream.set_data(f'<?xpacket begin="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">{xmp}</x:xmpmeta>'.encode())
    writer.root_object[NameObject("/Metadata")] = writer._add_object(stream)
    target = io.BytesIO()
    writer.write(target)
    [seen] = observations(readings(FORMAT, target.getvalue()))
    assert understand(seen.marking).tlp is Tlp.RED


def test_a_marking_in_the_name_of_an_attachment_counts() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(a_pdf("hxxp://bad[.]example[.]com/a"))))
    writer.add_attachment("TLP-RED list.txt", b"x")
    target = io.BytesIO()
    writer.write(target)
    [seen] = observations(readings(FORMAT, target.getvalue()))
    assert understand(seen.marking).tlp is Tlp.RED
