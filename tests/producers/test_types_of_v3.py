"""Certificates, user agents, mutexes, registry keys and imphashes: from each format whose source states the type."""

import json
from typing import Any

import pytest

from producers.readers.reading import rejected
from producers.readers.stix_pattern import Taken, taken_of
from producers.spool.mentions import mentioned
from schemas.identity import indicator_key
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason
from tests.producers.reading_feeds import observations, readings, refusals
from tests.producers.taxii_collection import an_indicator
from tests.producers.test_misp_event import an_attribute, an_event
from tests.producers.test_openioc import an_ioc, an_item, both, either
from tests.producers.test_suricata_eve import OURS, THEIRS, an_alert
from tests.producers.test_suricata_eve import found_in as found_in_eve

SHA1, SHA256, MD5 = "3b" * 20, "3b" * 32, "3b" * 16
OCTETS = ":".join(["3B"] * 20)
KEY = "HKLM\\Software\\made-up"
AGENT = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"


def found_in(format_name: str, content: bytes, **defaults: Any) -> list[tuple[str, str]]:
    return [(row.kind.label, row.value) for row in observations(readings(format_name, content, **defaults))]


@pytest.mark.parametrize(
    ("pattern", "label", "value"),
    [
        (f"x509-certificate:hashes.'SHA-1' = '{SHA1}'", "x509-sha1", SHA1),
        (f"x509-certificate:hashes.SHA1 = '{SHA1}'", "x509-sha1", SHA1),
        (f"x509-certificate:hashes.'SHA-256' = '{SHA256}'", "x509-sha256", SHA256),
        ("mutex:name = 'Global\\\\made-up'", "mutex", "Global\\made-up"),
        ("windows-registry-key:key = 'HKLM\\\\Software\\\\made-up'", "registry-key", KEY),
        (f"{AGENT} = 'made-up/1.0'", "user-agent", "made-up/1.0"),
        (f"file:extensions.'windows-pebinary-ext'.imphash = '{MD5}'", "imphash", MD5),
    ],
)
def test_a_pattern_of_stix_names_it(pattern: str, label: str, value: str) -> None:
    document = {"type": "bundle", "objects": [an_indicator(1, pattern=f"[{pattern}]")]}
    assert found_in("stix-bundle", json.dumps(document).encode()) == [(label, value)]


@pytest.mark.parametrize(
    ("beside", "kinds"),
    [
        (f"x509-certificate:hashes.'SHA-1' = '{SHA1}' AND x509-certificate:issuer = 'x'", ["x509-sha1"]),
        ("mutex:name = 'm' AND process:pid = 7", []),
        (f"{AGENT} = 'x' AND network-traffic:dst_port = 80", []),
        (f"file:extensions.'windows-pebinary-ext'.imphash = '{MD5}' AND file:hashes.MD5 = '{MD5}'", ["file-md5"]),
        ("windows-registry-key:key = 'HKLM\\\\x' AND windows-registry-key:values[*].data = 'y'", []),
    ],
)
def test_of_a_conjunction_a_certificate_stands_for_the_whole_and_the_others_do_not(
    beside: str, kinds: list[str]
) -> None:
    taken = taken_of(f"[{beside}]")
    assert [claim.kind.label for claim in taken.claims] == kinds if isinstance(taken, Taken) else not kinds


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("x509-fingerprint-sha1", OCTETS, [("x509-sha1", OCTETS)]),
        ("x509-fingerprint-sha256", SHA256, [("x509-sha256", SHA256)]),
        ("user-agent", "made-up | 1.0", [("user-agent", "made-up | 1.0")]),
        ("mutex", "a|b", [("mutex", "a|b")]),
        ("regkey", KEY, [("registry-key", KEY)]),
        ("imphash", MD5, [("imphash", MD5)]),
        ("filename|imphash", f"a.exe|{MD5}", [("imphash", MD5)]),
        ("regkey|value", f"{KEY}|x", []),
    ],
)
def test_an_attribute_of_misp_names_it(kind: str, value: str, expected: list[tuple[str, str]]) -> None:
    assert found_in("misp-event", json.dumps(an_event(an_attribute(type=kind, value=value))).encode()) == expected


def test_an_object_of_misp_that_describes_one_file_or_key_does_not_give_its_properties() -> None:
    def an_object(name: str, *attributes: dict[str, Any]) -> bytes:
        held = [
            an_attribute(uuid=f"00000000-0000-4000-8000-{place:012d}", object_relation=each["type"], **each)
            for place, each in enumerate(attributes)
        ]
        return json.dumps(an_event(Object=[{"name": name, "Attribute": held}])).encode()

    file = an_object("file", {"type": "md5", "value": MD5}, {"type": "imphash", "value": MD5})
    assert found_in("misp-event", file) == [("file-md5", MD5)]
    key = an_object("registry-key", {"type": "regkey", "value": KEY}, {"type": "text", "value": "made up"})
    assert found_in("misp-event", key) == []
    alone = an_object("registry-key", {"type": "regkey", "value": KEY}, {"type": "text", "value": "x", "to_ids": False})
    assert found_in("misp-event", alone) == [("registry-key", KEY)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"type,value\nx509-fingerprint-sha1,{OCTETS}\n", [("x509-sha1", OCTETS)]),
        (f"type,value\nSSLCertFingerprint,{SHA256}\n", [("x509-sha256", SHA256)]),
        (f"type,value\nmutex,m\nregkey,{KEY}\n", [("mutex", "m"), ("registry-key", KEY)]),
        ("type,value\nuser-agent,u/1\n", [("user-agent", "u/1")]),
        (f"imphash\n{MD5}\n", [("imphash", MD5)]),
        (f"sha256,imphash,user_agent\n{SHA256},{MD5},curl\n", [("file-sha256", SHA256)]),
        (f"sha1\n{SHA1}\n", [("file-sha1", SHA1)]),
    ],
)
def test_a_list_names_it_in_a_column_of_types_and_as_the_only_column(
    content: str, expected: list[tuple[str, str]]
) -> None:
    assert found_in("csv-list", content.encode()) == expected


def test_a_fingerprint_that_is_neither_of_the_two_is_refused() -> None:
    [refused] = refusals(readings("csv-list", f"type,value\nSSLCertFingerprint,{MD5}\n".encode()))
    assert refused.reason is RejectReason.UNKNOWN_TYPE
    assert "neither the SHA-1 nor the SHA-256" in refused.detail


def test_the_certificate_of_a_server_that_ours_asked_is_taken_and_our_own_is_not() -> None:
    tls = {"sni": "bad.example.com", "fingerprint": OCTETS.lower()}
    asked = found_in_eve(an_alert(tls=tls, dest_port=443))
    assert asked == [("ipv4-addr", THEIRS), ("domain-name", "bad.example.com"), ("x509-sha1", OCTETS.lower())]
    assert found_in_eve(an_alert(src_ip=THEIRS, dest_ip=OURS, tls=tls)) == [("ipv4-addr", THEIRS)]
    assert found_in_eve(an_alert(tls={"fingerprint": "made up"}, dest_port=443)) == [("ipv4-addr", THEIRS)]


@pytest.mark.parametrize(("digits", "label"), [(SHA1, "x509-sha1"), (SHA256, "x509-sha256")])
def test_zeek_s_log_of_tls_has_the_servers_certificate_first_in_its_chain(digits: str, label: str) -> None:
    record = {"_path": "ssl", "ts": 1795000000, "id.orig_h": OURS, "id.orig_p": 50123, "id.resp_h": THEIRS}
    record |= {"id.resp_p": 443, "established": True, "cert_chain_fps": [digits, "0" * len(digits)]}
    asked = frozenset({"ssl"})
    assert found_in("zeek-log", json.dumps(record).encode(), include=asked) == [("ipv4-addr", THEIRS), (label, digits)]
    swapped = record | {"id.orig_h": THEIRS, "id.resp_h": OURS}
    assert found_in("zeek-log", json.dumps(swapped).encode(), include=asked) == [("ipv4-addr", THEIRS)]


def test_openioc_names_user_agents_and_registry_keys_that_stand_for_themselves() -> None:
    agent, key = an_item("Network/UserAgent", "made-up/1.0"), an_item("RegistryItem/Path", KEY, name="y")
    assert found_in("openioc", an_ioc(either(agent, key))) == [("user-agent", "made-up/1.0"), ("registry-key", KEY)]
    assert found_in("openioc", an_ioc(both(agent, key))) == []
    assert found_in("openioc", an_ioc(either(an_item("Network/UserAgent", "made", "contains")))) == []


@pytest.mark.parametrize(
    ("kind", "line", "value"),
    [
        (IndicatorType.USER_AGENT, "nonsense;Made Up/1.0 (x y);TLP:??", "Made Up/1.0 (x y)"),
        (IndicatorType.MUTEX, '"Global\\made up",mutex,?', "Global\\made up"),
        (IndicatorType.REGISTRY_KEY, "HKLM\\Software\\made up|?", "HKEY_LOCAL_MACHINE\\software\\made up"),
        (IndicatorType.X509_SHA1, f"{SHA1},?", SHA1),
        (IndicatorType.X509_SHA256, f"{SHA256},?", SHA256),
        (IndicatorType.IMPHASH, f"{MD5},?", MD5),
    ],
)
def test_a_line_that_is_refused_still_mentions_it_so_a_complete_reading_does_not_end_it(
    kind: IndicatorType, line: str, value: str
) -> None:
    refused = rejected(SourcePlace("f", 1), RejectReason.UNREADABLE_LINE, "made up", line.encode())
    assert indicator_key(kind, value) in set(mentioned(refused))
