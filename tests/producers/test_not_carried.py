"""Kinds of indicators without a type here: each is refused by its name, in whatever format it comes, and counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from pymisp import MISPAttribute

from kakehashi.produce_view import as_json, closing_lines
from producers.readers.misp_attribute import _PARTS
from producers.readers.not_carried import OTHER, kind_named, kind_of
from producers.spool.spool import Spool
from schemas.vocabulary import IndicatorType, RejectReason
from tests.builders import NOW_MS
from tests.producers.producing import NOWHERE, SENSOR, OfflinePublisher, run
from tests.producers.reading_feeds import observations, readings, refusals
from tests.producers.taxii_collection import an_indicator
from tests.producers.test_misp_event import an_attribute, an_event

# Of MISP's types that its own tools may mark for detection, what a person acts on, with the kind that they are.
MISP = {
    "x509-certificate": ("x509-fingerprint-sha1", "x509-fingerprint-sha256", "x509-fingerprint-md5"),
    "tls-fingerprint": ("jarm-fingerprint", "hassh-md5", "hasshserver-md5"),
    "mutex": ("mutex",),
    "registry-key": ("regkey", "regkey|value"),
    "user-agent": ("user-agent",),
    "package-name": ("mobile-application-id",),
    "process-name": ("windows-service-name", "windows-scheduled-task", "process-state"),
    "imphash": ("imphash", "filename|imphash"),
    "fuzzy-hash": ("ssdeep", "tlsh", "impfuzzy", "vhash", "telfhash", "authentihash", "filename|tlsh"),
    "yara-rule": ("yara",),
    "sigma-rule": ("sigma",),
    "network-rule": ("snort", "bro", "zeek"),
    "vulnerability": ("vulnerability", "weakness"),
    "cryptocurrency-address": ("btc", "xmr", "dash"),
    "payment-account": ("iban", "bic", "cc-number", "bank-account-nr", "prtn"),
    "phone-number": ("phone-number",),
    "user-account": ("github-username", "jabber-id", "twitter-id"),
    "mac-address": ("mac-address", "mac-eui-64"),
    "pdb-path": ("pdb",),
    "named-pipe": ("named pipe",),
    "email-text": ("email-subject", "email-body", "email-x-mailer"),
}


@pytest.mark.parametrize(("kind", "words"), MISP.items(), ids=list(MISP))
def test_a_misp_type_is_refused_by_the_name_of_its_kind(kind: str, words: tuple[str, ...]) -> None:
    known = MISPAttribute().describe_types["types"]
    for word in words:
        assert word in known
        [refused] = refusals(
            readings("misp-event", json.dumps(an_event(an_attribute(type=word, value="a|b"))).encode())
        )
        assert (refused.reason, refused.kind) == (RejectReason.UNKNOWN_TYPE, kind)
        assert kind in refused.detail
        assert word in refused.detail


def test_no_word_for_a_type_that_is_carried_names_another_kind() -> None:
    for word in _PARTS:
        assert kind_named(word) == OTHER
    for each in IndicatorType:
        assert kind_named(each.label) in (OTHER, "tls-fingerprint")  # `ja4` is read before it is named


@pytest.mark.parametrize(
    ("format_name", "content", "kind"),
    [
        ("stix-bundle", "[mutex:name = 'm']", "mutex"),
        ("stix-bundle", "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE']", "registry-key"),
        ("stix-bundle", "[x509-certificate:serial_number = '01']", "x509-certificate"),
        ("stix-bundle", "[file:hashes.SSDEEP = '3:a:b']", "fuzzy-hash"),
        ("stix-bundle", "[process:name = 'a']", "process-name"),
        ("stix-bundle", "[user-account:user_id = 'a']", "user-account"),
        (
            "stix-bundle",
            "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'a']",
            "user-agent",
        ),
        ("stix-bundle", "yara", "yara-rule"),
        ("stix-bundle", "sigma", "sigma-rule"),
        ("csv-list", "type,value\nmutex,m\n", "mutex"),
        ("csv-list", "type,value\nCVE,CVE-2024-12345\n", "vulnerability"),
        ("txt-list", "CVE-2024-12345\n", "vulnerability"),
        ("txt-list", "HKLM\\Software\\made-up\n", "registry-key"),
        ("txt-list", "bc1qmadeupmadeupmadeupmadeupmadeupmadeup0\n", "cryptocurrency-address"),
        ("txt-list", "+44 20 7946 0000\n", "phone-number"),
        ("txt-list", "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C\n", "fuzzy-hash"),
    ],
)
def test_other_formats_name_the_kind_too(format_name: str, content: str, kind: str) -> None:
    if format_name == "stix-bundle":
        changes: dict[str, Any] = {"pattern": content}
        if not content.startswith("["):
            changes = {"pattern_type": content, "pattern": "rule a {}"}
        content = json.dumps({"type": "bundle", "objects": [an_indicator(1, **changes)]})
    found = readings(format_name, content.encode())
    assert [refused.kind for refused in refusals(found)] == [kind]
    assert observations(found) == []


@pytest.mark.parametrize("value", ["bad.example.com", "198.51.100.7", "0" * 40, "http://bad.example.com/a", "AS64500"])
def test_no_value_that_is_carried_is_taken_for_another_kind(value: str) -> None:
    assert kind_of(value) == ""


def test_the_summary_counts_them_by_kind(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    attributes = [
        an_attribute(uuid=f"00000000-0000-4000-8000-{number:012d}", type=kind)
        for number, kind in enumerate(("mutex", "mutex", "yara"))
    ]
    file.write_text(json.dumps(an_event(*attributes)))
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        summary = run(spool, file)
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        lines = list(closing_lines(summary, publisher, "GBR's Kafka"))
        stated = json.loads(as_json(summary, publisher))
    assert "  of kinds that the exchange does not carry: 2 mutex, 1 yara-rule" in lines
    assert stated["not_carried"] == {"mutex": 2, "yara-rule": 1}
