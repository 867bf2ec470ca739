"""Zeek's logs: which of them accuse somebody, which side it is, and what is taken of the others on request."""

import json
import subprocess
from ipaddress import ip_network
from typing import Any

import pytest

from producers.readers.zeek_record import LOGS, unescaped
from schemas.vocabulary import RejectReason
from tests.producers.reading_feeds import FEEDS, left_out, observations, readings, recorded, refusals

FORMAT = "zeek-log"
OURS, THEIRS, OTHER = "10.1.2.3", "198.51.100.7", "203.0.113.9"


def a_log(path: str, names: str, *rows: str, types: str = "") -> bytes:
    """A TSV log; blanks stand for tabs in ``names`` and ``types``."""
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", f"#path\t{path}"]
    head.append("\t".join(("#fields", *names.split())))
    if types:
        head.append("\t".join(("#types", *types.split())))
    return "\n".join([*head, *rows, "#close\t2026-11-20-08-00-00", ""]).encode()


def a_notice(note: str = "Made::Up", **changes: Any) -> bytes:
    """A notice in JSON: one of ours talked to a bad server."""
    flow = {"id.orig_h": OURS, "id.orig_p": 50123, "id.resp_h": THEIRS, "id.resp_p": 443, "proto": "tcp"}
    record = {"_path": "notice", "ts": 1795000000.25, **flow, "note": note, "msg": "made up", **changes}
    return json.dumps({name: value for name, value in record.items() if value is not None}).encode() + b"\n"


def found_in(content: bytes, **defaults: Any) -> list[tuple[str, str]]:
    return [(row.kind.label, row.value) for row in observations(readings(FORMAT, content, **defaults))]


def counted_by_awk(program: str, file: str) -> list[str]:
    """The lines that awk prints of a recorded TSV log."""
    command = ("awk", "-F", "\t", program, str(FEEDS / "zeek" / file))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def rules_in(found: list[Any]) -> set[str]:
    return {piece.rule for piece in left_out(found)}


def test_a_recorded_notice_names_the_server_and_the_hash_that_the_registry_knows() -> None:
    found = observations(recorded("zeek/notice.log", FORMAT))
    rows = counted_by_awk('!/^#/ {split($13, link, "query="); print $5 "\\n" link[2]}', "notice.log")
    assert [row.value for row in found] == rows
    assert [row.kind.label for row in found] == ["ipv4-addr", "file-sha1"] * 2
    assert {row.first_seen_ms for row in found} == {1379288691491}


@pytest.mark.parametrize("file", ["intel-names.log", "intel-certificates.log"])
def test_each_hit_of_a_recorded_intel_log_is_its_value_or_is_refused_for_its_type(file: str) -> None:
    found = recorded(f"zeek/{file}", FORMAT)
    names = counted_by_awk("!/^#/ && $8 ~ /DOMAIN|CERT_HASH/ {print $7}", file)
    others = counted_by_awk("!/^#/ && $8 !~ /DOMAIN|CERT_HASH/ {print $7}", file)
    assert [row.value for row in observations(found)] == names
    assert [refused.reason for refused in refusals(found)] == [RejectReason.UNKNOWN_TYPE] * len(others)


def test_notices_about_weak_keys_accuse_no_one_and_are_taken_on_request_without_a_confidence() -> None:
    rows = counted_by_awk("!/^#/ {print $5}", "notice-weak-keys.log")
    kept = recorded("zeek/notice-weak-keys.log", FORMAT, confidence=60)
    assert [piece.rule for piece in left_out(kept)].count("no-threat") == len(rows)
    asked = observations(
        recorded(
            "zeek/notice-weak-keys.log",
            FORMAT,
            confidence=60,
            include=frozenset({"no-threat"}),
            home_networks=(ip_network("192.150.187.164"),),
        )
    )
    assert [row.value for row in asked] == rows
    assert {row.confidence for row in asked} == {-1}


def test_a_notice_between_two_foreign_addresses_is_refused_until_one_is_named_as_ours() -> None:
    found = recorded("zeek/notice-heartbleed.log", FORMAT)
    assert len(refusals(found)) == len(counted_by_awk("!/^#/", "notice-heartbleed.log"))
    assert "--home-net" in refusals(found)[0].detail
    assert refusals(found)[0].reason is RejectReason.NO_HOME_NETWORK
    named = recorded("zeek/notice-heartbleed.log", FORMAT, home_networks=(ip_network("107.170.241.107"),))
    assert {row.value for row in observations(named)} == {"173.203.79.216"}


@pytest.mark.parametrize(
    ("file", "log", "rows"),
    [("dns.log", "dns", 54), ("conn-date-issue.log", "conn", 3), ("http-cut.log.gz", "http", 150)],
)
def test_logs_that_accuse_no_one_are_left_out_and_counted_under_their_name(file: str, log: str, rows: int) -> None:
    found = recorded(f"zeek/{file}", FORMAT)
    assert observations(found) == []
    assert [piece.rule for piece in left_out(found)].count(log) == rows
    assert [refused.reason for refused in refusals(found)] == [RejectReason.TRUNCATED] * file.endswith(".gz")


@pytest.mark.parametrize(("file", "log"), [("json-http.log", "http"), ("json-weird.log", "weird")])
def test_json_that_does_not_state_its_log_is_known_by_its_fields(file: str, log: str) -> None:
    assert rules_in(recorded(f"zeek/{file}", FORMAT)) == {log}


def test_an_object_around_a_record_names_its_log() -> None:
    found = recorded("zeek/wrapped.json", FORMAT)
    records = [json.loads(line) for line in (FEEDS / "zeek/wrapped.json").read_text().splitlines()]
    assert [piece.rule for piece in left_out(found)] == [next(iter(record)) for record in records]


def test_names_that_ours_asked_for_are_taken_of_a_dns_log_on_request() -> None:
    found = observations(recorded("zeek/dns.log", FORMAT, include=frozenset({"dns"}), confidence=70))
    asked = counted_by_awk('!/^#/ && $9 != "-" && $9 !~ /in-addr.arpa$/ {print $9}', "dns.log")
    assert [row.value for row in found] == asked
    assert {row.confidence for row in found} == {-1}


def test_urls_of_a_recorded_http_log_are_taken_on_request() -> None:
    found = observations(recorded("zeek/json-http.log", FORMAT, include=frozenset({"http"})))
    records = [json.loads(line) for line in (FEEDS / "zeek/json-http.log").read_text().splitlines()]
    expected = [f"http://{each['host']}{each['uri']}" for each in records if "host" in each]
    assert [row.value for row in found if row.kind.label == "url"] == expected
    assert {row.value for row in found if row.kind.label == "ipv4-addr"} == {each["id.resp_h"] for each in records}


@pytest.mark.parametrize(
    ("note", "flow", "expected"),
    [
        ("Signatures::Sensitive_Signature", {}, [THEIRS]),
        ("Made::Up", {"id.orig_h": THEIRS, "id.resp_h": OURS}, [THEIRS]),
        ("Scan::Port_Scan", {"id.orig_h": None, "id.resp_h": None, "src": THEIRS}, [THEIRS]),
        ("Scan::Address_Scan", {"id.orig_h": None, "id.resp_h": None, "src": OURS}, []),
        ("SSH::Password_Guessing", {"id.orig_h": None, "id.resp_h": None, "src": THEIRS}, [THEIRS]),
        ("Heartbleed::SSL_Heartbeat_Attack", {"id.orig_h": THEIRS, "id.resp_h": OURS}, [THEIRS]),
        ("HTTP::SQL_Injection_Victim", {"id.orig_h": THEIRS, "id.resp_h": OURS}, []),
        ("Software::Vulnerable_Version", {"src": THEIRS}, []),
        ("Made::Up", {"id.resp_h": "10.9.9.9"}, []),
    ],
)
def test_the_address_of_a_notice_is_the_side_that_is_not_ours(
    note: str, flow: dict[str, Any], expected: list[str]
) -> None:
    found = readings(FORMAT, a_notice(note, **flow))
    assert [row.value for row in observations(found)] == expected
    assert refusals(found) == []


def test_a_foreign_address_alone_is_refused_unless_the_notice_states_that_it_attacks() -> None:
    [refused] = refusals(
        readings(FORMAT, a_notice("Made::Up", **{"id.orig_h": None, "id.resp_h": None, "src": THEIRS}))
    )
    assert "not stated" in refused.detail


def test_the_resolver_of_a_notice_is_never_published() -> None:
    assert found_in(a_notice("Made::Up", **{"id.resp_p": 53, "proto": "udp"})) == []


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("Intel::ADDR", THEIRS, [("ipv4-addr", THEIRS)]),
        ("Intel::ADDR", OURS, []),
        ("Intel::URL", "bad.example.com/a", [("url", "bad.example.com/a")]),
        ("Intel::FILE_HASH", "0" * 40, [("file-sha1", "0" * 40)]),
        ("Intel::EMAIL", "bad@example.com", [("email-addr", "bad@example.com")]),
        ("Intel::SOFTWARE", "made up 1.0", [("user-agent", "made up 1.0")]),
        ("Intel::CERT_HASH", "0" * 40, [("x509-sha1", "0" * 40)]),
        ("Intel::CERT_HASH", "0" * 64, [("x509-sha256", "0" * 64)]),
        ("Intel::CERT_HASH", "0" * 32, []),
        ("Intel::PUBKEY_HASH", "0" * 40, []),
    ],
)
def test_a_hit_is_of_the_type_that_the_log_states(kind: str, value: str, expected: list[tuple[str, str]]) -> None:
    record = {"ts": 1795000000, "seen.indicator": value, "seen.indicator_type": kind, "sources": ["made-up"]}
    assert found_in(json.dumps(record).encode()) == expected


def test_a_hit_of_what_this_exchange_has_delivered_is_no_report_of_its_own() -> None:
    record = {"ts": 1795000000, "seen.indicator": THEIRS, "seen.indicator_type": "Intel::ADDR"}
    ours = readings(FORMAT, json.dumps({**record, "sources": ["kakehashi-JPN"]}).encode())
    both = readings(FORMAT, json.dumps({**record, "sources": ["kakehashi-JPN", "vendor"]}).encode())
    assert (observations(ours), rules_in(ours)) == ([], {"no-indicator"})
    assert [row.value for row in observations(both)] == [THEIRS]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["file-md5", "file-sha256"]),
        ({"missing_bytes": 4}, []),
        ({"overflow_bytes": 1}, []),
        ({"timedout": True}, []),
        ({"total_bytes": 20}, []),
        ({"tx_hosts": [OURS]}, []),
        ({"tx_hosts": None, "id.orig_h": OURS, "id.resp_h": THEIRS, "is_orig": False}, ["file-md5", "file-sha256"]),
        ({"tx_hosts": None, "id.orig_h": OURS, "id.resp_h": THEIRS, "is_orig": True}, []),
        ({"tx_hosts": None}, []),
    ],
)
def test_a_file_counts_if_the_other_side_sent_it_and_all_of_it_was_seen(
    changes: dict[str, Any], expected: list[str]
) -> None:
    record = {"ts": 1795000000, "fuid": "F1", "analyzers": ["MD5"], "tx_hosts": [THEIRS], "seen_bytes": 10}
    record |= {"missing_bytes": 0, "overflow_bytes": 0, "timedout": False, "md5": "0" * 32, "sha256": "0" * 64}
    content = json.dumps({name: value for name, value in {**record, **changes}.items() if value is not None}).encode()
    assert [kind for kind, _ in found_in(content, include=frozenset({"files"}))] == expected


@pytest.mark.parametrize(
    "names", ["id.orig_h id.orig_p id.resp_h id.resp_p", "id_orig_h id_orig_p id_resp_h id_resp_p"]
)
def test_tsv_in_either_form_of_names_is_read(names: str) -> None:
    row = f"1795000000.5\t{OURS}\t50123\t{THEIRS}\t443\tMade::Up\tmade\\x09up\\\\"
    content = a_log("notice", f"ts {names} note msg", row)
    [seen] = observations(readings(FORMAT, content))
    assert (seen.value, seen.description, seen.first_seen_ms) == (THEIRS, "made\tup\\", 1795000000500)


def test_another_separator_and_a_second_header_are_obeyed() -> None:
    second = a_log("intel", "ts seen.indicator seen.indicator_type", f"1795000000\t{THEIRS}\tIntel::ADDR")
    first = (
        "#separator ;\n#unset_field;~\n#path;notice\n#fields;ts;src;note\n"
        f"1795000000;{OTHER};Scan::Port_Scan\n1795000000;~;Scan::Port_Scan\n"
    )
    found = readings(FORMAT, first.encode() + second)
    assert [row.value for row in observations(found)] == [OTHER, THEIRS]
    assert len(refusals(found)) == 1


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (a_log("notice", "ts src note", "1795000000\t198.51.100.7"), "2 cells"),
        (a_log("notice", "ts src note", "1795000000\t198.51.100.7\tScan::X\tmore"), "4 cells"),
        (b"#separator \\x09\n#path\tnotice\n1795000000\t198.51.100.7\n", "no line #fields"),
        (a_log("notice", "ts src note", "soon\t198.51.100.7\tScan::X"), "seconds since 1970"),
        (b'{"_path": "notice", "ts": 1795000000, "src": "198.51.100.7", "note": "Scan::X"', "cut"),
        (a_notice().replace(b'"proto"', b'"id.resp_h": "203.0.113.9", "proto"'), "twice"),
        (a_notice(tlp="red", id={"resp_h": OTHER}), "twice"),
        (a_notice().replace(b'"proto"', b'"x.tlp": "red", "x_tlp": "clear", "proto"'), "twice"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_and_states_why(content: bytes, detail: str) -> None:
    [refused] = refusals(readings(FORMAT, content))
    assert detail in refused.detail


@pytest.mark.parametrize(
    ("content", "tlp"),
    [
        (a_notice(tags=["tlp:red"]), "TLP:RED"),
        (a_notice(x_tlp="amber"), "TLP:AMBER"),
        (a_notice(msg="made up TLP:AMBER+STRICT"), "TLP:AMBER+STRICT"),
        (a_log("notice", "ts src note", "1795000000\t198.51.100.7\tScan::X") + b"# TLP:RED\n", "TLP:RED"),
        (a_log("notice", "ts src note tlp", "1795000000\t198.51.100.7\tScan::X\tTLP:AMBER"), "TLP:AMBER"),
    ],
)
def test_a_marking_is_found_wherever_it_is_written(content: bytes, tlp: str) -> None:
    [seen] = observations(readings(FORMAT, content))
    assert seen.marking.tlp.upper() == tlp


def test_every_log_that_is_known_is_read_or_left_out_by_its_own_rule() -> None:
    for log in LOGS - {"notice", "intel", "signatures"}:
        found = readings(FORMAT, a_log(log, "ts uid", "1795000000\tC1"))
        assert log in rules_in(found)


@pytest.mark.parametrize(
    ("cell", "text"),
    [("a\\x09b", "a\tb"), ("\\xe5\\xb1\\xb1", "山"), ("\\xff", "\\xff"), ("a\\\\x09", "a\\x09"), ("C:\\\\a", "C:\\a")],
)
def test_escapes_stand_for_bytes_and_what_is_no_text_stays_as_it_is(cell: str, text: str) -> None:
    assert unescaped(cell) == text


def test_a_notice_of_the_intelligence_framework_may_be_ours_and_is_taken_on_request_alone() -> None:
    record = {"_path": "notice", "ts": 1795000000.5, "note": "Intel::Notice", "sub": "c2.example.com"}
    content = json.dumps(record).encode()
    [left] = readings(FORMAT, content)
    assert [each.rule for each in left_out([left])] == ["intel-notice"]
    [seen] = observations(readings(FORMAT, content, include=frozenset({"intel-notice"}), confidence=80))
    assert (seen.value, seen.confidence) == ("c2.example.com", -1)


@pytest.mark.parametrize("length", [10, 64 << 10, 200_000])
def test_a_marking_at_the_end_of_a_long_comment_counts_for_the_rows_before_it(length: int) -> None:
    row = f"1795000000.5\t{OURS}\t{THEIRS}\tMade::Up\tmade up"
    log = a_log("notice", "ts id.orig_h id.resp_h note msg", row).replace(
        b"#close", b"#" + b"made up " * (length // 8) + b"TLP:RED\n#close"
    )
    [seen] = observations(readings(FORMAT, log))
    assert seen.marking.tlp == "TLP:RED"
