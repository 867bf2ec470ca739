"""OpenIOC: what stands for itself, what is a part of something, and what a newer version of a document ends."""

from collections import Counter
from xml.etree import ElementTree

import pytest

from producers.readers.formats import AUTO, readers, readings_of
from producers.readers.reading import Aside, Defaults, Seen, Whole
from schemas.markings import Caveat, understand
from schemas.vocabulary import RejectReason
from tests.producers.reading_feeds import FEEDS, an_input, left_out, observations, readings, recorded, refusals

FORMAT = "openioc"
_MANDIANT = "{http://schemas.mandiant.com/2010/ioc}"
_TYPES = {
    "FileItem/Md5sum": "file-md5",
    "DnsEntryItem/Host": "domain-name",
    "DnsEntryItem/RecordName": "domain-name",
    "PortItem/remoteIP": "ipv4-addr",
    "Email/From": "email-addr",
}


def an_ioc(criteria: str, around: str = "", attributes: str = 'id="i" last-modified="2026-11-20T08:00:00"') -> bytes:
    """A document of version 1.0."""
    return (
        f'<?xml version="1.0"?><ioc xmlns="http://schemas.mandiant.com/2010/ioc" {attributes}>{around}'
        f"<definition>{criteria}</definition></ioc>"
    ).encode()


def an_item(search: str, content: str, condition: str = "is", name: str = "x", more: str = "") -> str:
    return (
        f'<IndicatorItem id="{name}" condition="{condition}" {more}><Context search="{search}"/>'
        f"<Content>{content}</Content></IndicatorItem>"
    )


def either(*parts: str) -> str:
    return f'<Indicator operator="OR">{"".join(parts)}</Indicator>'


def both(*parts: str) -> str:
    return f'<Indicator operator="AND">{"".join(parts)}</Indicator>'


HASH = an_item("FileItem/Md5sum", "0" * 32)
NAME = an_item("FileItem/FileName", "svchost.exe")
HOST = an_item("DnsEntryItem/Host", "bad.example.com")
PATH = an_item("FileItem/FilePath", "Local\\Temp", "contains")
SIZE = an_item("FileItem/SizeInBytes", "75264")


@pytest.mark.parametrize("file", ["apt3.ioc", "apt12.ioc", "apt18.ioc"])
def test_recorded_documents_give_each_value_of_their_alternatives_and_every_item_a_fate(file: str) -> None:
    root = ElementTree.parse(FEEDS / "openioc" / file).getroot()  # noqa: S314 - a recorded file
    alternatives = list(root.find(f"{_MANDIANT}definition")[0])  # type: ignore[index]
    expected = Counter[str]()
    for item in alternatives:
        context, content = item.find(f"{_MANDIANT}Context"), item.find(f"{_MANDIANT}Content")
        if context is not None and content is not None and context.get("search") in _TYPES:
            expected[content.text or ""] += 1
    found = recorded(f"openioc/{file}", FORMAT)
    seen = [row for row in observations(found) if row.kind.label in _TYPES.values()]
    assert Counter(row.value for row in seen) == expected
    assert len(found) == len(list(root.iter(f"{_MANDIANT}IndicatorItem")))


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (either(HASH, NAME, HOST), ["0" * 32, "svchost.exe", "bad.example.com"]),
        (both(HASH, NAME, SIZE), ["0" * 32]),
        (both(NAME, PATH), []),
        (both(either(NAME, HASH), PATH), ["0" * 32]),
        (either(both(NAME, PATH), HOST), ["bad.example.com"]),
        (both(HOST), ["bad.example.com"]),
        (both(HOST, an_item("PortItem/remoteIP", "198.51.100.7")), ["bad.example.com"]),
        (both(HOST, PATH), []),
        (both(HASH, an_item("FileItem/FileName", "a.exe", "isnot")), ["0" * 32]),
        (either(an_item("DnsEntryItem/Host", "good.example.com", "isnot"), HOST), ["bad.example.com"]),
        (either(an_item("DnsEntryItem/Host", "good.example.com", more='negate="true"')), []),
        (either(an_item("DnsEntryItem/Host", "bad.example.org", "contains")), ["bad.example.org"]),
        (either(an_item("DnsEntryItem/Host", "example", "contains")), []),
        (either(an_item("PortItem/remoteIP", "198.51.100.7", "contains")), ["198.51.100.7"]),
        (either(an_item("PortItem/remoteIP", "198.51.", "contains")), []),
        (either(an_item("FileItem/FileName", "svchost", "contains")), []),
        (either(an_item("Network/URI", "/gate.php")), []),
        (either(an_item("Network/URI", "http://bad.example.com/gate.php")), ["http://bad.example.com/gate.php"]),
        (either(an_item("DnsEntryItem/Host", "bad[.]example[.]com")), ["bad[.]example[.]com"]),
    ],
)
def test_a_value_is_taken_if_it_stands_for_itself(criteria: str, expected: list[str]) -> None:
    found = readings(FORMAT, an_ioc(criteria))
    assert [row.value for row in observations(found)] == expected
    assert refusals(found) == []


def test_version_1_1_is_read_too() -> None:
    positive = an_item("FileItem/Sha256sum", "0" * 64, more='negate="false"')
    content = (
        '<OpenIOC xmlns="http://openioc.org/schemas/OpenIOC_1.1" id="i" last-modified="2026-11-20T08:00:00Z">'
        "<metadata><short_description>made up</short_description><authored_date>2026-11-19T08:00:00Z</authored_date>"
        '<links><link rel="family">Mirai</link></links></metadata><criteria>'
        f"{either(HOST, positive)}"
        '</criteria><parameters><param id="p" ref-id="x" name="tlp"><value>amber</value></param></parameters></OpenIOC>'
    )
    found = observations(readings(FORMAT, content.encode()))
    assert [row.value for row in found] == ["bad.example.com", "0" * 64]
    assert {(row.labels, row.marking.tlp, row.first_seen_ms) for row in found} == {
        (("Mirai",), "TLP:AMBER", 1795075200000)
    }


@pytest.mark.parametrize(
    ("around", "tlp"),
    [
        ("<description>made up TLP:RED</description>", "TLP:RED"),
        ("<keywords>apt, tlp:amber</keywords>", "TLP:AMBER"),
        ('<links><link rel="tlp">red</link></links>', "TLP:RED"),
        ("<!-- TLP:RED -->", "TLP:RED"),
        ("<handling>TLP:AMBER+STRICT</handling>", "TLP:AMBER+STRICT"),
    ],
)
def test_a_marking_is_found_in_every_text_beside_the_criteria(around: str, tlp: str) -> None:
    [seen] = observations(readings(FORMAT, an_ioc(either(HOST), around)))
    assert seen.marking.tlp.upper() == tlp


def test_the_name_of_an_e_mail_s_attachment_may_name_people() -> None:
    items = either(an_item("Email/Attachment/Name", "Invoice_Tanaka.pdf"), an_item("FileItem/FileName", "dropper.exe"))
    found = observations(readings(FORMAT, an_ioc(items, "<keywords>tlp:clear</keywords>")))
    assert {row.value: understand(row.marking).caveats for row in found} == {
        "Invoice_Tanaka.pdf": (Caveat.PERSONAL_DATA,),
        "dropper.exe": (),
    }


def test_a_term_that_the_exchange_does_not_carry_is_refused_by_its_name_and_line() -> None:
    found = readings(FORMAT, an_ioc(f"\n{either(an_item('RegistryItem/Value', 'HKLM'), HOST)}"))
    [refused] = refusals(found)
    assert (refused.reason, len(observations(found))) == (RejectReason.UNKNOWN_TYPE, 1)
    assert "line 2" in refused.detail
    assert "RegistryItem/Value" in refused.detail


def test_a_document_is_a_group_of_its_items() -> None:
    items = either(
        an_item("DnsEntryItem/Host", "bad.example.com", name="a"), an_item("RegistryItem/Value", "x", name="b")
    )
    found = list(readers()[FORMAT].read(an_input(an_ioc(items)), Defaults()))
    [whole] = [reading for reading in found if isinstance(reading, Whole)]
    [seen] = [reading for reading in found if isinstance(reading, Seen)]
    assert (whole.names, seen.object_id, seen.group) == (frozenset({"i/a"}), "i/a", whole.group)
    assert whole.group.modified_ms == seen.modified_ms == 1795161600000
    assert not [each for each in found if isinstance(each, Aside) and each is not whole]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b'<!DOCTYPE x [<!ENTITY a "b">]><ioc xmlns="http://schemas.mandiant.com/2010/ioc"/>', "document type"),
        (an_ioc(either(HOST))[:-9], "unclosed token"),
        (an_ioc(""), "no criteria"),
        (b"<ioc>" * 200, "nested more than 100 deep"),
        (b"<html><body>openioc</body></html>", "its root is 'html'"),
        (an_ioc(either(HOST)).replace(b"</ioc>", b"</ioc><ioc/>"), "junk after document element"),
    ],
)
def test_what_is_no_openioc_is_refused_whole_and_states_why(content: bytes, detail: str) -> None:
    [refused] = readings(FORMAT, content)
    assert left_out([refused]) == []
    assert detail in refusals([refused])[0].detail


def test_an_unknown_encoding_is_refused() -> None:
    [refused] = refusals(readings(FORMAT, b"<?xml version='1.0' encoding='UTFFF-8'?><ioc/>"))
    assert "unknown encoding" in refused.detail


def test_an_item_with_several_contents_is_refused_and_ends_nothing() -> None:
    twice = HOST.replace("</IndicatorItem>", "<Content>other.example.com</Content></IndicatorItem>")
    about = HOST.replace("<Content>", '<Context search="FileItem/FileName"/><Content>')
    for odd in (twice, about):
        source = an_input(an_ioc(either(HASH, odd)))
        found = list(readers()[FORMAT].read(source, Defaults()))
        assert [refused.reason for refused in refusals(found)] == [RejectReason.UNDECODABLE]
        assert len(observations(found)) == 1
        assert not any(isinstance(each, Whole) for each in found)


@pytest.mark.parametrize("term", ["DriverItem/Md5sum", "ServiceItem/serviceDLLmd5sum", "ServiceItem/pathmd5sum"])
def test_the_hashes_of_drivers_and_services_are_of_files(term: str) -> None:
    [row] = observations(readings(FORMAT, an_ioc(either(an_item(term, "0" * 32)))))
    assert row.kind.label == "file-md5"


def test_a_document_in_utf_16_is_read_as_its_refusal_advises() -> None:
    content = an_ioc(either(HASH)).decode().replace("1.0", '1.0" encoding="utf-16', 1).encode("utf-16")
    defaults = Defaults(encoding="utf-16")
    found = readers()[FORMAT].read(an_input(content, encoding="utf-16"), defaults)
    assert len(observations(list(found))) == 1


def test_a_document_without_a_namespace_is_known_by_its_files_name() -> None:
    content = an_ioc(either(HASH)).replace(b' xmlns="http://schemas.mandiant.com/2010/ioc"', b"")
    found, reader = readings_of(an_input(content, "apt.ioc"), AUTO, Defaults())
    assert reader is not None
    assert len(observations(list(found))) == 1
