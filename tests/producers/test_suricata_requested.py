"""Suricata beyond its alerts: records that accuse nobody, EVE as collectors pass it on, and fast.log."""

import json
from ipaddress import ip_network
from typing import Any

import pytest

from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Defaults
from producers.readers.suricata_requested import ON_REQUEST
from schemas.vocabulary import RejectReason
from tests.producers.reading_feeds import an_input, content_of, left_out, observations, readings, recorded, refusals
from tests.producers.test_suricata_eve import FORMAT, OURS, RESOLVER, THEIRS, an_alert, read

FAST = "suricata-fast"
LINE = "11/20/2026-08:00:00.250000  [**] [1:2024001:3] ET MALWARE made up [**] "


def asked(record: dict[str, Any], *rules: str, **defaults: Any) -> list[tuple[str, str]]:
    found = observations(read(record, include=frozenset(rules), **defaults))
    return [(row.kind.label, row.value) for row in found]


def a_record(event_type: str, **changes: Any) -> dict[str, Any]:
    """One of ours has talked to a server, and nobody is accused."""
    return {name: value for name, value in an_alert(event_type=event_type, **changes).items() if name != "alert"}


@pytest.mark.parametrize(
    "dns",
    [
        {"type": "query", "id": 1, "rrname": "bad.example.com", "rrtype": "A"},
        {"version": 2, "type": "query", "rrname": "bad.example.com", "rrtype": "A", "tx_id": 0},
        {"version": 2, "type": "answer", "rrname": "bad.example.com", "answers": [{"rrname": "x", "rdata": THEIRS}]},
        {"version": 3, "type": "request", "queries": [{"rrname": "bad.example.com", "rrtype": "A"}]},
    ],
)
def test_the_name_is_taken_of_every_version_of_a_dns_record_and_never_the_resolver(dns: dict[str, Any]) -> None:
    record = a_record("dns", dns=dns, dest_ip=RESOLVER, dest_port=53, proto="UDP")
    assert asked(record, "dns") == [("domain-name", "bad.example.com")]


def test_of_a_query_from_outside_nothing_is_taken() -> None:
    record = a_record("dns", dns={"rrname": "our.example"}, src_ip=THEIRS, dest_ip=OURS, dest_port=53, proto="UDP")
    [piece] = left_out(read(record, include=frozenset({"dns"})))
    assert piece.rule == "no-indicator"


def test_a_handshake_gives_address_name_and_fingerprints_without_a_confidence() -> None:
    tls = {"sni": "bad.example.com", "ja3": {"hash": "0" * 32}, "ja4": "t13d1516h2_8daaf6152771_b186095e22b6"}
    found = observations(read(a_record("tls", tls=tls, dest_port=443), include=frozenset({"tls"}), confidence=80))
    assert [row.kind.label for row in found] == ["ipv4-addr", "domain-name", "ja3", "ja4"]
    assert {row.confidence for row in found} == {-1}


def test_a_request_gives_its_url_and_an_anomaly_the_address() -> None:
    http = {"hostname": "bad.example.com", "url": "/a", "http_method": "GET"}
    assert ("url", "http://bad.example.com/a") in asked(a_record("http", http=http), "http")
    assert asked(a_record("anomaly", anomaly={"type": "applayer"}), "anomaly") == [("ipv4-addr", THEIRS)]


@pytest.mark.parametrize(
    ("sender", "state", "expected"),
    [(THEIRS, "CLOSED", ["file-sha256"]), (THEIRS, "TRUNCATED", []), (OURS, "CLOSED", [])],
)
def test_a_file_without_an_alert_is_taken_on_request_if_the_other_side_sent_all_of_it(
    sender: str, state: str, expected: list[str]
) -> None:
    record = a_record("fileinfo", src_ip=sender, fileinfo={"sha256": "0" * 64, "state": state})
    assert [kind for kind, _ in asked(record, "file-without-alert")] == expected


def test_where_neither_side_is_ours_the_record_is_refused_with_advice() -> None:
    record = a_record("http", src_ip="203.0.113.1", http={"hostname": "bad.example.com"})
    [refused] = refusals(read(record, include=frozenset({"http"})))
    assert "--home-net" in refused.detail
    home = (ip_network("203.0.113.0/24"),)
    assert asked(record, "http", home_networks=home)[0] == ("ipv4-addr", THEIRS)


def test_each_rule_takes_its_own_records_alone() -> None:
    for kind in ON_REQUEST:
        others = frozenset(ON_REQUEST) - {kind}
        [piece] = left_out(read(a_record(kind), include=others))
        assert piece.rule == kind


def test_the_counts_of_a_recorded_sensor_are_those_of_its_records() -> None:
    records = [json.loads(line) for line in content_of("suricata/eve-broken.json.gz").splitlines() if _is_json(line)]
    found = recorded("suricata/eve-broken.json.gz", FORMAT)
    for kind in ("dns", "http", "flow"):
        expected = sum(record.get("event_type") == kind for record in records)
        assert [piece.rule for piece in left_out(found)].count(kind) == expected > 0


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@pytest.mark.parametrize(
    "wrapped",
    [
        {"_index": "logs", "_source": an_alert()},
        {"@timestamp": "x", "message": json.dumps(an_alert())},
        {"suricata": {"eve": an_alert()}},
        {"event": {"original": json.dumps(an_alert())}},
        {"result": {"_raw": json.dumps(an_alert())}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_an_alert_in_a_collectors_object_is_the_alert_also_over_several_lines(
    wrapped: dict[str, Any], indent: int | None
) -> None:
    first, second = (json.dumps(each, indent=indent) + "\n" for each in (wrapped, an_alert(dest_ip="203.0.113.9")))
    found = readings(FORMAT, (first + second).encode())
    assert [row.value for row in observations(found)] == [THEIRS, "203.0.113.9"]
    assert [reading.place.line for reading in found] == [1, first.count("\n") + 1]


def test_what_a_collector_states_about_sharing_counts() -> None:
    [seen] = observations(read({"tags": ["tlp:red"], "_source": an_alert()}))
    assert seen.marking.tlp == "TLP:RED"


def test_an_object_that_is_cut_off_costs_no_other_one() -> None:
    whole = json.dumps(an_alert(), indent=1) + "\n"
    found = readings(FORMAT, (whole + whole[:120] + "\n" + whole).encode())
    assert len(observations(found)) == 2
    assert [refused.reason for refused in refusals(found)] == [RejectReason.UNREADABLE_LINE]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{LINE}[Classification: Misc Attack] [Priority: 2] {{TCP}} {OURS}:50123 -> {THEIRS}:443", [THEIRS]),
        (f"{LINE}[Priority: 2] {{TCP}} {THEIRS}:50123 -> {OURS}:443", [THEIRS]),
        (f"{LINE}[Classification: Not Suspicious Traffic] [Priority: 3] {{TCP}} {OURS}:1 -> {THEIRS}:443", []),
        (f"{LINE}[Priority: 2] {{TCP}} {OURS}:50123 -> 10.9.9.9:443", []),
        (f"{LINE}[Priority: 2] {{TCP}} {OURS}:50123 -> {THEIRS}:25", []),
        (f"{LINE}[Priority: 2] {{TCP}} fe80::1:50123 -> 2001:db8::7:443", ["2001:db8::7"]),
        (
            f"11/20/26-08:00:00.250000 [Drop] [**] [1:1:1] x [**] [Priority: 1] {{ICMP}} {THEIRS}:8 -> {OURS}:0",
            [THEIRS],
        ),
    ],
)
def test_a_line_of_fast_log_is_the_side_that_is_not_ours(line: str, expected: list[str]) -> None:
    found = readings(FAST, f"{line}\n".encode())
    assert [row.value for row in observations(found)] == expected
    assert refusals(found) == []
    assert {row.first_seen_ms for row in observations(found)} <= {1795161600250}


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (f"{LINE}[Priority: 2] {{TCP}} {OURS}:50123 ->", "cut"),
        (f"{LINE}[Priority: 2] {{UDP}} {OURS}:50123 -> {RESOLVER}:53", "resolver"),
        (f"{LINE}[Priority: 2] {{TCP}} {RESOLVER}:50123 -> {THEIRS}:443", "--home-net"),
        (f"13{LINE[2:]}[Priority: 2] {{TCP}} {OURS}:50123 -> {THEIRS}:443", "month/day/year"),
    ],
)
def test_a_line_of_fast_log_that_cannot_be_used_is_refused_and_states_why(line: str, detail: str) -> None:
    [refused] = refusals(readings(FAST, f"{line}\n".encode()))
    assert detail in refused.detail


def test_an_alert_of_snort_without_a_year_is_refused_with_what_to_do() -> None:
    line = "11/20-08:00:00.250000  [**] [1:1:1] made up [**] [Priority: 1] {TCP} 10.1.2.3:50123 -> 198.51.100.7:443\n"
    found, reader = readings_of(an_input(line.encode(), "alert"), AUTO, Defaults())
    [refused] = refusals(list(found))
    assert reader is not None
    assert reader.name == "suricata-fast"
    assert "start Snort with -y" in refused.detail
