"""Each piece of every recorded feed has an outcome: observed, refused, or left out by a rule. No tool counts more."""

import gzip
import lzma
from pathlib import Path
from typing import Final

import pytest

from producers.readers.formats import readings_of
from producers.readers.reading import Aside, Defaults, LeftOut, Rejected
from schemas.vocabulary import RejectReason
from tests.producers.reading_feeds import FEEDS, an_input
from tests.recordings.independent_counts import COUNTED, misp_proposals

pytestmark = pytest.mark.filterwarnings("ignore")  # the libraries' own

RECORDINGS: Final = Path(__file__).parent
_OPTIONS: Final = {
    "mstic-rapid-release.csv": Defaults(date_format="%m/%d/%Y"),
    "prince-of-persia-latin-1.csv": Defaults(encoding="cp1252", columns=("md5",)),
    "list-shift-jis.csv": Defaults(encoding="cp932"),
}
_REFUSED_WHOLE: Final = {
    "PyMISP__tests__stix1.xml-utf8.xz": "it is STIX 1.x in XML",
    "misp-stix__tests__test_event1_stix12.xml.xz": "it is STIX 1.x in XML",
    "cti-stix-validator__stix2validator__test__v21__test_examples__invalid_braces.json.xz": "it is not recognised",
    "invalid-braces.json": "it is not recognised",
    "feed__hashes.csv.xz": "a column has no name",
    "zeek__scripts.base.frameworks.logging.ascii-json-utf8__ssh.log.xz": "it is JSON of a form that no reader knows",
    "zeek__scripts.base.frameworks.logging.ascii-json__ssh.log.xz": "it is JSON of a form that no reader knows",
    "empty.txt": "",
}
"""What is no feed, or of an unknown type: refused with what it is, and what to do."""
_INDEX: Final = "feed__manifest.json.xz"
"""What names the events of a feed, and has no values of its own."""
_CUT: Final = frozenset({"http-cut.log.gz", "nso-v3-domains-cut.txt.gz", "zat__data__http.log.corrupt.gz.xz"})
"""Of a compressed stream that breaks off the readable part is read, and the break is refused."""


def files() -> list[Path]:
    """All recorded feeds."""
    shipped = (each for each in FEEDS.glob("*/*") if each.parent.name != "LICENSES")
    return sorted([*RECORDINGS.glob("*/*.xz"), *shipped])


def content_of(path: Path) -> bytes:
    """The bytes as they were published."""
    content = path.read_bytes()
    if path.name in _CUT:
        return lzma.decompress(content) if path.suffix == ".xz" else content
    return {".gz": gzip.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)(content)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_piece_of_a_recorded_feed_has_an_outcome(path: Path) -> None:
    content, options = content_of(path), _OPTIONS.get(path.name, Defaults())
    source = an_input(content, path.name.removesuffix(".xz"), encoding=options.encoding)
    found, reader = readings_of(source, "auto", options)
    pieces = [each for each in found if not isinstance(each, Aside)]
    if path.name in _REFUSED_WHOLE:
        [piece] = pieces
        assert isinstance(piece, Rejected)
        assert piece.detail.startswith(_REFUSED_WHOLE[path.name])
        return
    assert reader is not None
    if path.name == _INDEX:
        assert [each.rule for each in pieces if isinstance(each, LeftOut)] == ["feed-index"]
        return
    if path.name in _CUT:
        assert [each.reason for each in pieces if isinstance(each, Rejected)] == [RejectReason.TRUNCATED]
        return
    counted, taken = COUNTED[reader.name](content), {str(each.place.line) for each in pieces}
    assert counted - taken == set()
    if reader.name not in ("prose-report", "misp-event"):  # prose is a piece, too, and a proposal
        assert taken - counted == set()
    if reader.name == "misp-event":
        proposals = [each for each in pieces if isinstance(each, LeftOut) and each.rule == "proposal"]
        assert len(proposals) == misp_proposals(content)
