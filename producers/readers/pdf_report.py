"""Reads reports in PDF: the text of their pages, as reports in prose are read. Nothing is published without a review.

A position is the number of the page. Scripts, actions and attachments are counted, and neither run nor opened. A file
that is encrypted, cut off or damaged is refused whole: a page that cannot be read may state how the rest may be shared.
"""

from collections.abc import Iterator
from typing import Final

from producers.inputs import OpenInput
from producers.pdf.text import text_of
from producers.readers.document import whole
from producers.readers.prose_report import LEAVES_OUT, readings_of_prose
from producers.readers.prose_text import Prose, Stated
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, LeftOut, Reading
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MAX_PDF_BYTES: Final = 64 << 20
_MAGIC: Final = b"%PDF-"
_SCRIPT: Final = "script"
_NO_TEXT: Final = "page-without-text"


def _read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    content = source.stream.read(MAX_PDF_BYTES + 1)
    if len(content) > MAX_PDF_BYTES:
        yield whole(source, RejectReason.TOO_LARGE, f"more than {MAX_PDF_BYTES} bytes: cut it up", content)
        return
    found = text_of(content) if not source.damage else None
    if found is None or found.refused:
        why = source.damage or (found.refused if found else "")
        yield whole(source, RejectReason.UNDECODABLE, f"the PDF cannot be read: {why}", content)
        return
    source.records = len(found.pages)
    for _ in range(found.scripts):
        yield LeftOut(SourcePlace(source.name, 1), _SCRIPT)
    lines = [(number, line) for number, page in enumerate(found.pages, 1) for line in page.splitlines()]
    stated = [Stated(name, text) for name, text in found.stated]
    yield from readings_of_prose(Prose(lines, stated, found.attachments), source, defaults)
    for number, page in enumerate(found.pages, 1):
        if not page.strip():
            yield LeftOut(SourcePlace(source.name, len(found.pages)), _NO_TEXT, f"page {number}")


def _recognise(head: Head) -> Recognition | None:
    return Recognition(Specificity.WORDS) if head.start.startswith(_MAGIC) else None


_PAGE: Final = b"BT /F1 12 Tf 40 700 Td (TLP:GREEN) Tj 0 -20 Td (It calls hxxp://bad[.]example[.]com/gate.php) Tj ET"
READER: Final = Reader(
    name="pdf-report",
    reads="reports in PDF: defanged values, and hashes of files, by their pages. Published only with `--reviewed`",
    leaves_out={
        **LEAVES_OUT,
        _SCRIPT: "scripts and actions, which are not run",
        _NO_TEXT: "pages without text, such as pictures: look at them",
    },
    example=b"%PDF-1.4\n"
    b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
    b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R\n"
    b"/Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n"
    b"4 0 obj\n<< /Length " + str(len(_PAGE)).encode() + b" >>\nstream\n" + _PAGE + b"\nendstream\nendobj\n"
    b"5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R /Size 6 >>\nstartxref\n0\n%%EOF\n",
    recognise=_recognise,
    read=_read,
    unit="page",
    grows=False,
    is_reviewed=True,
)
