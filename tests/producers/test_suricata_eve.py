"""Suricata's EVE: which records tell of a threat, and what of them is an indicator."""

import json
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import pytest

from producers.readers import suricata_flows
from producers.readers.suricata_eve import NO_THREAT
from schemas.vocabulary import RejectReason
from tests.producers.reading_feeds import content_of, document_of, left_out, observations, readings, recorded, refusals

FORMAT = "suricata-eve"

HONEYPOT = (ip_network("138.68.3.71/32"),)
OURS, THEIRS, RESOLVER = "10.1.2.3", "198.51.100.7", "203.0.113.53"


def an_alert(**changes: Any) -> dict[str, Any]:
    """One of our machines talks to a bad server."""
    return {
        "timestamp": "2026-11-20T08:00:00.250000+0000",
        "flow_id": 1042,
        "event_type": "alert",
        "src_ip": OURS,
        "src_port": 50123,
        "dest_ip": THEIRS,
        "dest_port": 80,
        "proto": "TCP",
        "alert": {
            "action": "allowed",
            "signature_id": 2024001,
            "signature": "ET MALWARE made up",
            "category": "A Network Trojan was detected",
            "severity": 1,
        },
    } | changes


def read(*records: dict[str, Any], **defaults: Any) -> list[Any]:
    return readings(FORMAT, b"".join(json.dumps(record).encode() + b"\n" for record in records), **defaults)


def found_in(*records: dict[str, Any], **defaults: Any) -> list[tuple[str, str]]:
    return [(row.kind.label, row.value) for row in observations(read(*records, **defaults))]


def test_every_alert_of_a_recorded_honeypot_names_its_attacker_and_never_the_honeypot() -> None:
    alerts = [
        record
        for record in document_of("suricata/honeypot-2018-alerts.json")
        if record["alert"]["category"] not in NO_THREAT
    ]
    found = recorded("suricata/honeypot-2018-alerts.json", FORMAT, home_networks=HONEYPOT)
    seen = observations(found)
    assert refusals(found) == []
    assert [row.value for row in seen] == [record["src_ip"] for record in alerts]
    assert "138.68.3.71" not in {row.value for row in seen}
    assert [row.first_seen_ms for row in seen] == [
        int(datetime.fromisoformat(record["timestamp"] + "+00:00").timestamp() * 1_000_000) // 1000 for record in alerts
    ]


def test_without_a_home_network_an_alert_between_strangers_is_refused_with_advice() -> None:
    found = recorded("suricata/honeypot-2018-alerts.json", FORMAT)
    assert observations(found) == []
    assert all("--home-net" in refused.detail for refused in refusals(found))
    assert {refused.reason for refused in refusals(found)} == {RejectReason.NO_HOME_NETWORK}
    assert len(refusals(found)) == 43
    assert {piece.rule for piece in left_out(found)} == {"no-threat"}


def test_the_recorded_alert_of_an_answer_names_server_host_and_url() -> None:
    seen = observations(recorded("suricata/alert-testmyids.json", FORMAT))
    assert [(row.kind.label, row.value) for row in seen] == [
        ("ipv4-addr", "82.165.177.154"),
        ("domain-name", "www.testmyids.com"),
        ("url", "http://www.testmyids.com/"),
    ]
    assert "10.16.1.11 port 54186" in dict(seen[0].context)["destination"]


def test_damaged_lines_of_a_recorded_log_are_refused_and_the_rest_is_read() -> None:
    lines = content_of("suricata/eve-broken.json.gz").split(b"\n")
    broken = []
    for number, line in enumerate(lines, 1):
        try:
            assert not line.strip() or isinstance(json.loads(line), dict)
        except (ValueError, AssertionError):
            broken.append((number, line.rstrip(b"\r")))
    found = recorded("suricata/eve-broken.json.gz", FORMAT)
    assert [(refused.place.line, refused.original) for refused in refusals(found)] == broken
    assert len(broken) == 6
    # Its alerts are of a package manager, classified as not suspicious: no threat, and no one's business.
    assert observations(found) == []


def test_a_record_that_is_cut_off_is_refused_and_null_addresses_are_no_matter() -> None:
    [refused] = refusals(recorded("suricata/eve-cut.json", FORMAT))
    assert (refused.reason, refused.place.line) == (RejectReason.UNREADABLE_LINE, 2)
    nulls = recorded("suricata/eve-nulls.json", FORMAT)
    assert left_out(nulls) == nulls


@pytest.mark.parametrize("kind", ["dns", "http", "tls", "flow", "netflow", "smtp", "anomaly", "stats", "fileinfo"])
def test_what_people_do_is_left_out(kind: str) -> None:
    record = an_alert(event_type=kind, http={"hostname": "a.example"}, fileinfo={"md5": "0" * 32})
    del record["alert"]
    [piece] = read(record)
    assert left_out([piece])[0].rule == {
        "fileinfo": "file-without-alert",
        "netflow": "no-alert",
        "stats": "no-alert",
    }.get(kind, kind)


@pytest.mark.parametrize("category", sorted(NO_THREAT))
def test_an_alert_without_a_threat_is_left_out(category: str) -> None:
    [piece] = read(an_alert(alert={"signature": "x", "category": category}))
    assert left_out([piece])[0].rule == "no-threat"


def test_the_remote_side_is_the_indicator_in_both_directions() -> None:
    answer = an_alert(src_ip=THEIRS, src_port=80, dest_ip=OURS, dest_port=50123)
    assert found_in(an_alert()) == found_in(answer) == [("ipv4-addr", THEIRS)]


def test_a_home_network_is_ours_although_it_is_public() -> None:
    record = an_alert(src_ip=RESOLVER)
    assert found_in(record, home_networks=(ip_network("203.0.113.0/24"),)) == [("ipv4-addr", THEIRS)]


def test_between_our_own_machines_there_is_nothing_to_share() -> None:
    [piece] = read(an_alert(dest_ip="192.168.7.7", http={"hostname": "intranet.example", "url": "/"}))
    assert left_out([piece])[0].rule == "no-indicator"


def test_a_rule_that_knows_its_target_decides() -> None:
    rule = {"signature": "x", "category": "y", "source": {"ip": THEIRS}, "target": {"ip": RESOLVER}}
    assert found_in(an_alert(src_ip=RESOLVER, alert=rule)) == [("ipv4-addr", THEIRS)]
    ours_attacks = {"signature": "x", "category": "y", "source": {"ip": OURS}, "target": {"ip": THEIRS}}
    assert found_in(an_alert(alert=ours_attacks)) == []


def test_host_url_and_sni_are_taken_of_a_remote_server_only() -> None:
    http, tls = {"hostname": "bad.example", "url": "/gate.php"}, {"sni": "tls.example"}
    outbound = an_alert(http=http, tls=tls, dest_port=8080)
    assert found_in(outbound) == [
        ("ipv4-addr", THEIRS),
        ("domain-name", "bad.example"),
        ("url", "http://bad.example:8080/gate.php"),
        ("domain-name", "tls.example"),
    ]
    attack_on_our_server = an_alert(src_ip=THEIRS, dest_ip=OURS, http=http, tls=tls)
    assert found_in(attack_on_our_server) == [("ipv4-addr", THEIRS)]


@pytest.mark.parametrize(
    "hint",
    [
        {"flow": {"src_ip": OURS}, "src_port": 80, "dest_port": 50123},
        {"direction": "to_server", "src_port": 80, "dest_port": 50123},
        {"src_port": 50123, "dest_port": 80},
    ],
)
def test_the_flow_the_direction_or_the_lower_port_shows_the_server(hint: dict[str, Any]) -> None:
    assert ("domain-name", "bad.example") in found_in(an_alert(http={"hostname": "bad.example"}, **hint))


def test_a_proxy_request_names_its_whole_url() -> None:
    record = an_alert(http={"hostname": "bad.example", "url": "http://bad.example/x"}, dest_port=3128)
    assert ("url", "http://bad.example/x") in found_in(record)


@pytest.mark.parametrize(
    "dns",
    [
        {"query": [{"type": "query", "rrname": "c2.example", "rrtype": "A"}]},
        {"queries": [{"rrname": "c2.example", "rrtype": "A"}]},
        {"rrname": "c2.example", "type": "query"},
    ],
)
def test_an_alert_on_a_query_names_the_name_and_never_the_resolver(dns: dict[str, Any]) -> None:
    assert found_in(an_alert(dest_ip=RESOLVER, dest_port=53, dns=dns)) == [("domain-name", "c2.example")]


def test_fingerprints_are_indicators_and_so_are_the_hashes_of_whole_files_that_the_threat_sent() -> None:
    tls = {"ja3": {"hash": "a" * 32, "string": "771"}, "ja4": "t13d1516h2_8daaf6152771_b186095e22b6"}
    whole = {"filename": "/a/b.exe", "md5": "b" * 32, "sha256": "c" * 64, "state": "CLOSED", "gaps": False}
    files = [whole, {"filename": "/x/c.dll"}, whole | {"md5": "d" * 32, "state": "TRUNCATED"}]
    answer = {"src_ip": THEIRS, "src_port": 443, "dest_ip": OURS, "dest_port": 50123}
    assert found_in(an_alert(**answer, tls=tls, files=files))[1:] == [
        ("ja3", "a" * 32),
        ("ja4", "t13d1516h2_8daaf6152771_b186095e22b6"),
        ("file-md5", "b" * 32),
        ("file-sha256", "c" * 64),
    ]
    assert found_in(an_alert(files=files)) == [("ipv4-addr", THEIRS)]  # what our client sent is our own


def test_a_file_of_a_flow_that_alerted_before_is_an_indicator() -> None:
    file = {
        "timestamp": "2026-11-20T08:00:01+0000",
        "event_type": "fileinfo",
        "flow_id": 1042,
        "fileinfo": {"filename": "/b.exe", "sha256": "c" * 64},
    }
    seen = observations(read(file, an_alert(), file, file | {"flow_id": 7}))
    assert [row.value for row in seen] == [THEIRS, "c" * 64]
    assert seen[1].first_seen_ms - seen[0].first_seen_ms == 750
    assert dict(seen[1].context)["file-name"] == "/b.exe"
    assert seen[1].description == "ET MALWARE made up"


def test_the_flows_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suricata_flows, "MAX_ALERTED_FLOWS", 4)
    file = {"timestamp": "2026-11-20T08:00:01+0000", "event_type": "fileinfo", "fileinfo": {"md5": "0" * 32}}
    alerts = [an_alert(flow_id=number) for number in (1, 2, 3, 4)]
    assert len(observations(read(*alerts, file | {"flow_id": 1}))) == 4
    assert len(observations(read(*alerts, file | {"flow_id": 2}))) == 5
    assert len(observations(read(*alerts, file | {"flow_id": 4}))) == 5


def test_what_a_rule_states_about_itself_arrives() -> None:
    rule = an_alert()["alert"] | {
        "metadata": {"confidence": ["High"], "malware_family": ["Made_Up"], "mitre_technique_id": ["T1071"]}
    }
    [seen] = observations(read(an_alert(alert=rule, host="sensor-7"), labels=("edge",), confidence=20))
    assert (seen.confidence, seen.labels) == (85, ("Made_Up", "T1071", "edge"))
    assert seen.description == "ET MALWARE made up"
    assert dict(seen.context) == {
        "signature-id": "2024001",
        "category": "A Network Trojan was detected",
        "severity": "1",
        "action": "allowed",
        "source": "10.1.2.3 port 50123",
        "destination": "198.51.100.7 port 80",
        "protocol": "TCP",
        "flow": "1042",
        "sensor-host": "sensor-7",
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"timestamp": "noon"}, RejectReason.TIME_OUT_OF_RANGE),
        ({"alert": None}, RejectReason.UNREADABLE_LINE),
        ({"src_ip": None}, RejectReason.UNREADABLE_LINE),
        ({"http": {"hostname": 7}}, RejectReason.UNREADABLE_LINE),
        ({"event_type": 7}, RejectReason.UNREADABLE_LINE),
    ],
)
def test_a_broken_record_is_refused_alone(change: dict[str, Any], reason: RejectReason) -> None:
    found = read(an_alert(**change), an_alert())
    [refused] = refusals(found)
    assert (refused.reason, refused.place.line) == (reason, 1)
    assert json.loads(refused.original or b"") == an_alert(**change)
    assert len(observations(found)) == 1


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"event_type": "alert"}', b"\xff\xfe{", b"[7]", b"7"])
def test_no_line_makes_the_reader_raise(content: bytes) -> None:
    assert observations(readings(FORMAT, content)) == []
    assert refusals(readings(FORMAT, content))
