"""What a refusal suggests, followed literally, keeps the marking; an encoding that would lose it is never suggested."""

import re

import pytest

from producers.readers.reading import Rejected, Seen
from schemas.markings import Caveat, Tlp, understand
from tests.producers.reading_feeds import observations, readings, refusals

CAVEATS = ["関係者限り", "機密性3情報", "転送禁止", "配付禁止", "複製禁止"]
NOTES = ["㈱サンプル①", "フィッシング", "備考", "表示能力", "サーバ", "カ"]
ENCODINGS = ["cp932", "euc_jp", "iso2022_jp"]
SUGGESTED = re.compile(r"--encoding (\S+)")


def encoded(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return None


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("caveat", CAVEATS)
@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("header", ["種別,値,取扱制限,備考", "type,value,caveats,note"])
def test_the_encoding_that_is_suggested_keeps_the_caveat(header: str, note: str, caveat: str, encoding: str) -> None:
    content = encoded(f"{header}\ndomain,bad.example.com,{caveat},{note}\n", encoding)
    if content is None:
        return  # the encoding has no such letter
    read = {"utf-8"}
    while (suggested := suggestions(content, sorted(read)[-1])) - read:
        read |= suggested
    for name in read:
        for seen in observations(readings("csv-list", content, encoding=name)):
            assert caveat in understand(seen.marking).caveats, f"read as {name}"
    if read == {"utf-8"}:  # it could be several: then none is suggested
        assert all("ask its source" in refused.detail for refused in refusals(readings("csv-list", content)))
    else:
        assert any(observations(readings("csv-list", content, encoding=name)) for name in read), "nothing that reads it"


def suggestions(content: bytes, encoding: str) -> set[str]:
    found = refusals(readings("csv-list", content, encoding=encoding))
    return {name for refused in found for name in SUGGESTED.findall(refused.detail)}


@pytest.mark.parametrize("text", ["ДСП", "ЧРЕЗ СЛУЖБУ", "ΕΜΠΙΣΤΕΥΤΙΚΟ"])
@pytest.mark.parametrize("encoding", ["cp1251", "koi8_r", "iso8859_7"])
def test_no_western_encoding_is_suggested_for_other_scripts(text: str, encoding: str) -> None:
    content = encoded(f"198.51.100.7 # {text}\n", encoding)
    if content is None:
        return
    [refused] = readings("txt-list", content)
    assert isinstance(refused, Rejected)
    assert "latin-1" not in refused.detail


@pytest.mark.parametrize("text", ["café", "Müller & Söhne", "Señor"])
def test_western_text_is_suggested_as_western(text: str) -> None:
    [refused] = readings("txt-list", f"198.51.100.7 # {text}\n".encode("latin-1"))
    assert isinstance(refused, Rejected)
    assert "--encoding latin-1" in refused.detail


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_japanese_text_that_is_read_as_western_is_refused_or_holds(encoding: str) -> None:
    """An operator may choose the wrong encoding all by himself."""
    content = "type,value,caveats\ndomain,bad.example.com,関係者限り\n".encode("cp932")
    for reading in readings("csv-list", content, encoding=encoding):
        if isinstance(reading, Seen):
            assert Caveat.UNRECOGNISED in understand(reading.observation.marking).caveats


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("2026-11-20,0a0a0a0a0a0a0a0a0a0a0a0a0a0a0b01,TLP:RED\n", ("date", "md5", "")),
        ("2026-11-20,0a0a0a0a0a0a0a0a0a0a0a0a0a0a0b01,TLP:RED\n", ("date", "md5", "tlp")),
        ("http://b.example.com/a,https://r.example.com/1,TLP:RED\n", ("url", "", "")),
        ("observed_thing,colour\nb.example.com,TLP:RED\n", ("domain", "colour")),
        ("0a0a0a0a0a0a0a0a0a0a0a0a0a0a0b01,TLP:RED\n", ("ja3", "")),
    ],
)
def test_columns_that_are_named_as_advised_keep_the_marking(content: str, columns: tuple[str, ...]) -> None:
    assert not observations(readings("csv-list", content.encode()))
    seen = observations(readings("csv-list", content.encode(), columns=columns))
    assert seen
    assert all(understand(each.marking).tlp is Tlp.RED for each in seen if each.value != "observed_thing")


def test_a_note_behind_a_value_counts_once_it_is_written_as_advised() -> None:
    [refused] = refusals(readings("txt-list", b"145.14.5.0/24 UK EYES ONLY\n"))
    assert "begin a note with a blank and #" in refused.detail
    [seen] = observations(readings("txt-list", b"145.14.5.0/24 # UK EYES ONLY\n"))
    assert understand(seen.marking).caveats == (Caveat.UK_EYES_ONLY,)
