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
    "x509-certificate": ("x509-fingerprint-md5",),
    "tls-fingerprint": ("jarm-fingerprint", "hassh-md5", "hasshserver-md5"),
    "registry-value": ("regkey|value",),
    "package-name": ("mobile-application-id",),
    "process-name": ("windows-service-name", "windows-scheduled-task", "process-state"),
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
    # What is read is read before it is named: a certificate has more than its fingerprints, a registry more than keys.
    parts = {"tls-fingerprint", "x509-certificate", "registry-value"}
    for word in (*_PARTS, *(each.label for each in IndicatorType)):
        assert kind_named(word) in {OTHER, *parts}


@pytest.mark.parametrize(
    ("format_name", "content", "kind"),
    [
        ("stix-bundle", "[windows-registry-key:values[*].name = 'a']", "registry-value"),
        ("stix-bundle", "[x509-certificate:hashes.MD5 = 'a']", "x509-certificate"),
        ("stix-bundle", "[x509-certificate:serial_number = '01']", "x509-certificate"),
        ("stix-bundle", "[file:hashes.SSDEEP = '3:a:b']", "fuzzy-hash"),
        ("stix-bundle", "[process:name = 'a']", "process-name"),
        ("stix-bundle", "[user-account:user_id = 'a']", "user-account"),
        ("stix-bundle", "yara", "yara-rule"),
        ("stix-bundle", "sigma", "sigma-rule"),
        ("csv-list", "type,value\nx509-serial,01\n", "x509-certificate"),
        ("csv-list", "type,value\nCVE,CVE-2024-12345\n", "vulnerability"),
        ("txt-list", "CVE-2024-12345\n", "vulnerability"),
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
        for number, kind in enumerate(("jarm-fingerprint", "jarm-fingerprint", "yara"))
    ]
    file.write_text(json.dumps(an_event(*attributes)))
    with Spool(tmp_path / "spool", "GBR", "edge-1", NOW_MS) as spool:
        summary = run(spool, file)
        publisher = OfflinePublisher(NOWHERE, spool, SENSOR.name)
        lines = list(closing_lines(summary, publisher, "GBR's Kafka"))
        stated = json.loads(as_json(summary, publisher))
    assert "  of kinds that the exchange does not carry: 2 tls-fingerprint, 1 yara-rule" in lines
    assert stated["not_carried"] == {"tls-fingerprint": 2, "yara-rule": 1}


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("HKLM\\Software\\made-up", "registry-key"),
        ("Mozilla/5.0 (made up)", "user-agent"),
        ("Global\\made-up", "mutex"),
    ],
)
def test_a_value_whose_type_is_carried_and_never_guessed_is_refused_with_how_to_state_it(
    value: str, label: str
) -> None:
    [refused] = refusals(readings("txt-list", f"{value}\n".encode()))
    assert (refused.reason, refused.kind) == (RejectReason.UNKNOWN_TYPE, "")
    assert f"--columns {label}" in refused.detail
    [taken] = observations(readings("txt-list", f"{value}\n".encode(), columns=(label,)))
    assert (taken.kind.label, taken.value) == (label, value)
