"""The format of an input, by its first bytes."""

import gzip

import pytest
import typer

from producers.inputs import OpenInput
from producers.readers.formats import readers, readings_of, recognised
from producers.readers.reader import Head
from producers.readers.reading import Defaults, Rejected
from tests.producers.reading_feeds import FEEDS, an_input, manifest


@pytest.mark.parametrize("entry", manifest(), ids=lambda entry: f"{entry['nation']}-{entry['file']}")
def test_the_format_of_every_recorded_feed_is_recognised(entry: dict[str, str]) -> None:
    with (FEEDS / entry["file"]).open("rb") as stream:
        source = OpenInput(entry["file"], stream)
    assert recognised(Head(source.head, source.name)) == entry["format"]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b'{"timestamp":"x","event_type":"dns"}\n', "suricata-eve"),
        (b'garbage\n{"timestamp":"x","event_type":"dns"}\n', "suricata-eve"),
        (b'[\n  {"event_type": "alert"', "suricata-eve"),
        (b'\xef\xbb\xbf{"type": "bundle"}', "stix-bundle"),
        (b'{"response": [{"Event": {}}]}', "misp-event"),
        (b'{"Event": {"info": "quotes \\"indicator--1\\""}}', "misp-event"),
        (b'{"hello": "world"}', None),
        (b"<?xml version='1.0'?>", None),
        (b"#separator \\x09\n#fields\tts\n", "zeek-log"),
        (b'{"ts": 1795000000, "id.orig_h": "192.0.2.1"}', "zeek-log"),
        (b'{"_path": "weird", "name": "x"}', "zeek-log"),
        (b"#fields\tindicator\tindicator_type\na.example\tIntel::DOMAIN\n", "csv-list"),
        (b"\x00\x01\x02", None),
        (b"", None),
        (b"198.51.100.7\n203.0.113.9\n", "txt-list"),
        (b"198.51.100.7\t3\n203.0.113.9\t4\n", "txt-list"),
        (b"value;type\na.example;domain\n", "csv-list"),
    ],
)
def test_the_format_follows_from_the_beginning(head: bytes, found: str | None) -> None:
    assert recognised(Head(head, "made-up")) == found


def test_the_name_decides_for_a_list_of_one_column_only() -> None:
    assert recognised(Head(b"value\na.example\n", "list.csv")) == "csv-list"
    assert recognised(Head(b"value\na.example\n", "list.csv.gz")) == "csv-list"
    assert recognised(Head(b'{"type": "bundle"}', "list.csv")) == "stix-bundle"


def test_the_command_offers_exactly_the_formats_that_there_are() -> None:
    from kakehashi.format_name import format_names

    assert format_names() == ["auto", *readers()]


def test_a_rule_that_cannot_be_asked_for_is_refused_with_the_closest_one() -> None:
    from kakehashi.format_name import known_rules

    assert known_rules(["dns,ssl", "conn"]) == ["dns", "ssl", "conn"]
    with pytest.raises(typer.BadParameter, match="did you mean `dns`"):
        known_rules(["dsn"])


def test_what_can_be_asked_for_is_left_out_by_a_rule_of_the_same_reader() -> None:
    for reader in readers().values():
        assert set(reader.on_request) <= set(reader.leaves_out)


@pytest.mark.parametrize(
    "content",
    [
        '<?xml version="1.0"?><stix:STIX_Package xmlns:stix="http://stix.mitre.org/stix-1"></stix:STIX_Package>',
        '<cybox:Observables xmlns:cybox="http://cybox.mitre.org/cybox-2"/>',
        '<taxii_11:Poll_Response xmlns:taxii_11="http://taxii.mitre.org/messages/taxii_xml_binding-1.1"/>',
        '{"version": "1.2", "id": "example:Package-1", "indicators": []}',
        '{"version": "1.1.1", "stix_header": {"title": "x"}, "indicators": []}',
        '{"properties": {"xsi:type": "AddressObjectType", "address_value": "198.51.100.7"}}',
    ],
)
@pytest.mark.parametrize("name", ["auto", "stix-bundle"])
def test_stix_1_is_refused_with_what_to_do(content: str, name: str) -> None:
    [refused] = readings_of(an_input(content.encode()), name, Defaults())[0]
    assert isinstance(refused, Rejected)
    assert "stix2-elevator" in refused.detail


LIST = "domain,tlp\nbad.kakenet-mal.org,TLP:RED\n"


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (gzip.compress(gzip.compress(LIST.encode())), "an archive within an archive: unpack it first"),
        (LIST.encode("utf-16-le"), "try --encoding utf-16-le"),
        (LIST.encode("utf-16-be"), "try --encoding utf-16-be"),
        (LIST.replace("\n", "\0\n").encode(), "it is no text"),
        (b"\n \n\n", "nothing but blank lines"),
        (b"\xef\xbb\xbf", "nothing but blank lines"),
        (b"", "the file is empty"),
    ],
)
def test_what_no_reader_recognises_is_one_refusal_that_states_what_to_do(content: bytes, advice: str) -> None:
    readings, reader = readings_of(an_input(content, "list.csv"), "auto", Defaults())
    [refused] = list(readings)
    assert reader is None
    assert isinstance(refused, Rejected)
    assert advice in refused.detail


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "document",
    [
        '{"event_type":"alert","alert":{"metadata":%s}}\n',
        '{"_path":"notice","ts":1.0,"note":"Scan::x","x":%s}\n',
        '{"type":"bundle","objects":[{"type":"indicator","x":%s}]}',
        '{"Event":{"info":"x","Attribute":[{"type":"domain","x":%s}]}}',
    ],
)
def test_json_that_is_nested_too_deeply_is_refused_in_these_words(document: str) -> None:
    readings, _ = readings_of(an_input((document % DEEP).encode(), "deep"), "auto", Defaults())
    [refused] = list(readings)
    assert isinstance(refused, Rejected)
    assert "it is nested too deeply" in refused.detail
    assert "recursion" not in refused.detail


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"7z\xbc\xaf\x27\x1c" + b"\0" * 64, "unpack it first"),
        (b"Rar!\x1a\x07\x01\0" + b"\0" * 64, "unpack it first"),
        (b"\x1f\x9d\x90198.51.100.7\n198.51.100.8\n", "unpack it first"),
        (b"\x5d\0\0\x80\0" + b"\xff" * 8, "unpack it first"),
        (b"list.txt".ljust(257, b"\0") + b"ustar\x0000" + b"\0" * 248, "tar archive"),
        (b"PK\x05\x06" + b"\0" * 18, "without files"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504, "save a mail as .eml"),
        (b'{"cidr":"198.51.100.0/24"}\n', "JSON of a form that no reader knows"),
        ("ip,メモ\n198.51.100.7,x\n".encode("utf-16-le"), "--encoding utf-16-le"),
    ],
)
def test_a_file_of_another_kind_is_refused_whole_and_its_advice_can_be_followed(content: bytes, advice: str) -> None:
    readings, _ = readings_of(an_input(content), "auto", Defaults())
    [refused] = list(readings)
    assert isinstance(refused, Rejected)
    assert advice in refused.detail
