"""Records of Suricata and Zeek within what a collector has put around them, recognised without being asked."""

import json
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Aside, Defaults, LeftOut, Reading
from tests.door.outcomes import marking_text
from tests.producers.reading_feeds import an_input, observations, refusals

THEIRS = "198.51.100.7"
ALERT: dict[str, Any] = {
    **{"timestamp": "2026-11-20T08:00:00.000000+0000", "event_type": "alert", "src_ip": "203.0.113.9"},
    **{"dest_ip": THEIRS, "alert": {"signature": "made up", "category": "A Network Trojan was detected"}},
}
NOTICE: dict[str, Any] = {
    **{"ts": 1795000000.5, "id.orig_h": "203.0.113.9", "id.resp_h": THEIRS, "msg": "made up", "actions": []},
    "note": "Signatures::Sensitive_Signature",
}
WRAPPINGS: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    lambda record: {"message": json.dumps(record)},
    lambda record: {"log": f"{json.dumps(record)}\n", "stream": "stdout"},
    lambda record: {"suricata": {"eve": {"x": 1}}, "zeek": {"x": 1}, "event": {"original": json.dumps(record)}},
    lambda record: {"_index": "x", "_source": record},
    lambda record: {"result": {"_raw": json.dumps(record)}},
    lambda record: {"version": "1.1", "host": "x", "full_message": json.dumps(record)},
    lambda record: {"_source": {"message": json.dumps(record)}},
]


def read(content: str, name: str = "x.json") -> list[Reading]:
    defaults = Defaults(home_networks=(ip_network("203.0.113.0/24"),))
    found, _ = readings_of(an_input(content.encode(), name), AUTO, defaults)
    return [each for each in found if not isinstance(each, Aside)]


@pytest.mark.parametrize("number", range(len(WRAPPINGS)))
@pytest.mark.parametrize("record", [ALERT, NOTICE], ids=["eve", "zeek"])
def test_a_wrapped_record_is_read_with_what_is_said_around_it(number: int, record: dict[str, Any]) -> None:
    wrapped = WRAPPINGS[number](record) | {"@timestamp": "2026-11-20T08:00:00Z"}
    for content in (json.dumps(wrapped), json.dumps([wrapped]), json.dumps(wrapped, indent=1)):
        assert [row.value for row in observations(read(content))] == [THEIRS]
    [row] = observations(read(json.dumps(wrapped | {"tags": ["tlp:red"]})))
    assert marking_text(row.marking) == "TLP:RED"
    if all(isinstance(value, str | int) for value in wrapped.values()):
        [refused] = refusals(read(json.dumps(wrapped)[:-1] + ', "@timestamp": 1}'))
        assert "a key twice" in refused.detail


def test_a_record_that_is_of_no_log_and_of_no_collector_is_refused_and_not_passed_over() -> None:
    found = read("\n".join(json.dumps(each) for each in (NOTICE, {"time": 1, "x": "y"}, {"ts": 1, "x": "y"})))
    assert ["it has no ts" in each.detail for each in refusals(found)] == [True]
    assert [each.rule for each in found if isinstance(each, LeftOut)] == ["other-log"]


def test_numbers_that_a_collector_has_written_as_texts_are_read() -> None:
    record = ALERT | {"flow_id": "111", "src_port": "50000", "dest_port": "8080", "proto": "TCP"}
    [row] = observations(read(json.dumps(record)))
    assert ("destination", f"{THEIRS} port 8080") in row.context


@pytest.mark.parametrize(
    "metadata", [{"tlp": "red"}, {"tlp": ["red"]}, {"sharing": "TLP:RED"}, {"tlp": ["green", "red"]}]
)
def test_a_rules_metadata_restrict_with_and_without_their_list(metadata: dict[str, Any]) -> None:
    [row] = observations(read(json.dumps(ALERT | {"alert": {"signature": "made up", "metadata": metadata}})))
    assert row.marking.tlp == "TLP:RED"


def test_an_address_in_brackets_is_no_name() -> None:
    http = {"hostname": "[2001:db8::7]", "url": "/a", "http_method": "GET"}
    found = observations(read(json.dumps(ALERT | {"dest_ip": "2001:db8::7", "direction": "to_server", "http": http})))
    assert [row.kind.label for row in found] == ["ipv6-addr", "url"]


FIELDS = ("ts", "id.orig_h", "id.resp_h", "note", "msg")
ROW = ("1795000000.5", "203.0.113.9", THEIRS, "Signatures::Sensitive_Signature", "made up")


def log_of(fields: tuple[str, ...] = FIELDS, row: tuple[str, ...] = ROW, before: str = "#separator \\x09\n") -> str:
    return "\n".join((f"{before}#path\tnotice", "\t".join(("#fields", *fields)), "\t".join(row), ""))


@pytest.mark.parametrize("before", ["# TLP:RED\n#separator \\x09\n", "#set_separator\t,\n# TLP:RED\n", "# TLP:RED\n"])
def test_a_log_is_known_behind_comments_and_without_the_first_line_of_its_header(before: str) -> None:
    [row] = observations(read(log_of(before=before), "x"))
    assert (row.value, row.marking.tlp) == (THEIRS, "TLP:RED")


def test_columns_with_one_name_are_refused_by_it() -> None:
    fields, row = (*FIELDS[:3], "id.resp_h", *FIELDS[3:]), (*ROW[:3], "198.51.100.9", *ROW[3:])
    [refused] = refusals(read(log_of(fields, row), "x"))
    assert "several columns with the name id_resp_h" in refused.detail


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (("ts", "src_ip", "dst_ip", "note", "msg"), "'dst_ip'"),
        (("ts", "id.orig_h", "id.resp_h", "kind", "msg"), "no `note`"),
    ],
)
def test_a_notice_whose_columns_were_renamed_is_refused_and_guessed_nothing_of(
    fields: tuple[str, ...], said: str
) -> None:
    in_json = json.dumps(dict(zip(fields, ROW, strict=True)) | {"_path": "notice"})
    for content in (log_of(fields), in_json):
        [refused] = refusals(read(content, "x"))
        assert said in refused.detail
