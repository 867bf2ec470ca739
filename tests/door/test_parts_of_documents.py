"""What documents and records say in places that are easily passed over, and what they name that is no indicator."""

import io
import json
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Aside, Defaults, LeftOut, Withdrawn
from schemas.markings import SourceMarking
from tests.door.outcomes import Outcome, outcome_of
from tests.door.test_small_inputs import INDICATOR, D, misp, stix

GREEN, NOBODY, HELD, RED = "TLP:GREEN", "TLP:GREEN to nobody", "TLP:GREEN + UNRECOGNISED", "TLP:RED"
BENIGN = "TLP:GREEN + BENIGN"
OURS, THEIRS = "203.0.113.9", "145.14.7.7"
MD5 = "d41d8cd98f00b204e9800998ecf84271"


def _pieces(name: str, content: str | bytes, reviewed: frozenset[str] | None = None) -> Iterator[Outcome]:
    """What is asserted, withdrawn or refused."""
    home = (ip_network("203.0.113.0/24"),)
    defaults = Defaults(marking=SourceMarking(tlp="TLP:GREEN"), confidence=60, home_networks=home, reviewed=reviewed)
    source = OpenInput(name, io.BytesIO(content.encode() if isinstance(content, str) else content))
    readings, _ = readings_of(source, AUTO, defaults)
    for each in readings:
        if not isinstance(each, Aside | LeftOut) or isinstance(each, Withdrawn):
            yield outcome_of(each)


def _alert(**more: Any) -> list[str]:
    """The values of an alert of our client."""
    record = {
        "timestamp": "2026-11-20T10:00:00.000000+0000",
        "event_type": "alert",
        "direction": "to_server",
        "alert": {"signature": "made up", "signature_id": 1, "severity": 1, "category": "made up"},
        **{"src_ip": OURS, "src_port": 50_000, "dest_ip": THEIRS, "dest_port": 80, "proto": "TCP"},
    }
    return [str(each.get("value", "refused")) for each in _pieces("eve.json", json.dumps(record | more))]


@pytest.mark.parametrize(
    ("attribute", "marking"),
    [
        ({"decay_score": [{"score": 0, "decayed": True}]}, BENIGN),
        ({"decay_score": [{"score": 80, "decayed": False}]}, GREEN),
        ({"warnings": [{"warninglist_name": "Top sites", "warninglist_category": "false_positive"}]}, BENIGN),
        ({"warnings": [{"warninglist_name": "A cloud provider", "warninglist_category": "known"}]}, GREEN),
        ({"comment": "false positive"}, BENIGN),
        ({"comment": "not a false positive"}, GREEN),
        ({"comment": "Intern"}, NOBODY),
    ],
)
def test_what_a_misp_server_adds_to_an_attribute_counts(attribute: dict[str, Any], marking: str) -> None:
    [found] = _pieces("event.json", misp(attribute))
    assert found["marking"] == marking


def _relation(kind: str) -> dict[str, Any]:
    return {
        **{"type": "relationship", "id": "relationship--0d000000-0000-4000-8000-000000000009"},
        **{"relationship_type": kind, "source_ref": INDICATOR, "target_ref": "indicator--0d000000"},
    }


def test_an_indicator_that_another_one_revokes_is_withdrawn() -> None:
    assert [each.get("withdrawn") for each in _pieces("b.json", stix(_relation("revoked-by")))] == ["revoked"]
    assert [each.get("withdrawn") for each in _pieces("b.json", stix(_relation("related-to")))] == [None]


def test_the_texts_of_a_translation_count() -> None:
    content = {"type": "language-content", "id": "language-content--0d000000-0000-4000-8000-000000000009"}
    [found] = _pieces("b.json", stix(content | {"object_ref": INDICATOR, "contents": {"ja": {"name": "【部外秘】C2"}}}))
    assert found["marking"] == NOBODY
    [found] = _pieces("b.json", stix(content | {"object_ref": INDICATOR, "contents": {"ja": {"name": "C2"}}}))
    assert found["marking"] == GREEN


def test_an_external_reference_may_be_a_marking() -> None:
    cited = [{"source_name": "TLP", "external_id": "red"}]
    [found] = _pieces("b.json", stix(external_references=cited))
    assert found["marking"] == RED


@pytest.mark.parametrize(
    "content", [f"[{stix()}]", f"[{stix()}, {stix()}]", f'{{"type": "bundle", "objects": [{stix()}]}}']
)
def test_a_bundle_in_a_list_or_in_another_is_read_rather_than_left_out(content: str) -> None:
    assert {(each["value"], each["marking"]) for each in _pieces("b.json", content)} == {(D, GREEN)}


def test_a_bundle_in_many_others_is_refused_and_an_empty_one_is_nothing() -> None:
    empty = {"type": "bundle", "id": "bundle--x", "objects": []}
    assert not list(_pieces("b.json", json.dumps(empty)))
    content = stix()
    for _ in range(5):
        content = f'{{"type": "bundle", "objects": [{content}]}}'
    assert [each["refused"] for each in _pieces("b.json", content)] == ["undecodable"]


@pytest.mark.parametrize("target", [f"{D}:443", f"{D}:8443"])
def test_a_target_of_host_and_port_is_that_of_a_proxy_whatever_the_method(target: str) -> None:
    assert _alert(dest_port=3128, app_proto="http", http={"hostname": D, "url": target}) == [D]


@pytest.mark.parametrize("port", [25, 465, 587, 993, 995])
def test_a_mail_server_within_tls_is_no_threat(port: int) -> None:
    assert _alert(dest_port=port, app_proto="tls", tls={"sni": "mail.kakenet-mal.org"}) == []
    assert _alert(dest_port=443, app_proto="tls", app_proto_orig="smtp", tls={"sni": "mail.kakenet-mal.org"}) == []
    assert _alert(dest_port=443, app_proto="tls", tls={"sni": D}) == [THEIRS, D]


@pytest.mark.parametrize(
    ("file", "is_taken"),
    [({}, True), ({"state": "CLOSED", "gaps": False}, True), ({"gaps": False}, False), ({"state": "ERROR"}, False)],
)
def test_a_file_counts_only_if_it_is_stated_to_be_whole(file: dict[str, Any], is_taken: bool) -> None:
    sides = {"src_ip": THEIRS, "src_port": 80, "dest_ip": OURS, "dest_port": 50_000, "direction": "to_client"}
    assert (MD5 in _alert(**sides, files=[{"md5": MD5, **file}])) == is_taken


def test_a_comment_in_fast_log_counts() -> None:
    line = "11/20/2026-10:00:00.000000  [**] [1:1:1] x [**] [Priority: 1] {TCP} 203.0.113.9:5000 -> 145.14.7.7:443\n"
    assert [each["marking"] for each in _pieces("fast.log", f"{line}# TLP:RED\n")] == [RED]


@pytest.mark.parametrize("said", [{"sources": ["feed TLP:RED"]}, {"desc": "tlp.red"}])
def test_the_source_of_an_intel_hit_may_restrict(said: dict[str, Any]) -> None:
    hit = {
        **{"ts": 1_763_632_800.0, "id.orig_h": OURS, "id.resp_h": THEIRS, "seen.indicator": D},
        **{"seen.indicator_type": "Intel::DOMAIN", "seen.where": "DNS::IN_REQUEST", "sources": ["x"]},
    }
    assert [each["marking"] for each in _pieces("intel.log", json.dumps(hit | said))] == [RED]


IOC = (
    '<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="x"><description>{said}</description>{beside}<definition>'
    '<Indicator operator="OR" id="a"><IndicatorItem id="i" condition="is"><Context document="Network" '
    'search="Network/DNS" type="mir"/><Content type="string">bad.kakenet-mal.org</Content></IndicatorItem></Indicator>'
    "</definition></ioc>"
)


@pytest.mark.parametrize(
    ("said", "beside", "marking"),
    [
        ("TLP:RED<br/>more", "", RED),
        ("TLP:<b>RED</b>", "", HELD),
        ("x", "<?handling TLP:RED?>", RED),
        ("see <b>below</b>", "", GREEN),
    ],
)
def test_all_text_of_an_openioc_document_counts(said: str, beside: str, marking: str) -> None:
    [found] = _pieces("x.ioc", IOC.format(said=said, beside=beside))
    assert (found["value"], found["marking"]) == (D, marking)


MAIL = "From: a@example.org\nTo: b@example.org\n{header}\nMIME-Version: 1.0\n\nC2: bad[.]kakenet-mal[.]org\n"
PAGE = "<html><body><p>x</p>{said}<p>C2: bad[.]kakenet-mal[.]org</p></body></html>"


@pytest.mark.parametrize(
    ("name", "content", "marking"),
    [
        ("r.eml", MAIL.format(header="Subject: =?utf-8?B?44CQ6YOo5aSW56eY44CR?="), NOBODY),
        ("r.eml", MAIL.format(header="Sensitivity: Company-Confidential"), NOBODY),
        ("r.eml", MAIL.format(header="Subject: x"), GREEN),
        ("r.html", PAGE.format(said="<img src='x.png' alt='TLP:RED'>"), RED),
        ("r.html", PAGE.format(said="<td>Internal</td><td>inactive</td>"), GREEN),
        ("r.html", PAGE.format(said="<table><tr><td><p>Internal<td>x</table>"), GREEN),
        ("r.html", PAGE.format(said="<table><tr><td></td><td>Internal</td></tr><tr><td>x</td></table>"), NOBODY),
        ("r.html", PAGE.format(said="<table><tr><td>x</td><td>y</td></tr></table><p>Internal</p>"), NOBODY),
        ("r.md", "# Report\n\nINTERNAL\n\nC2: bad[.]kakenet-mal[.]org\n", NOBODY),
        ("r.md", "# Report\n\n部外秘\n\nC2: bad[.]kakenet-mal[.]org\n", NOBODY),
    ],
)
def test_headers_headings_and_texts_for_images_of_a_report_count(name: str, content: str, marking: str) -> None:
    [found] = _pieces(name, content, frozenset({D}))
    assert (found["value"], found["marking"]) == (D, marking)


def test_lines_that_end_in_carriage_returns_are_lines() -> None:
    found = list(_pieces("list.txt", f"# TLP:RED\r{D}\r145.14.7.7\r"))
    assert [(each["line"], each["value"], each["marking"]) for each in found] == [(2, D, RED), (3, THEIRS, RED)]
    found = list(_pieces("list.csv", f"domain,tlp\r{D},RED\rb.kakenet-mal.org,GREEN\r"))
    assert [(each["line"], each["marking"]) for each in found] == [(2, RED), (3, GREEN)]


@pytest.mark.parametrize(("cell", "confidence"), [("10/100", 10), ("1/5", 20), ("4 of 5", 80), ("5/1", None)])
def test_a_confidence_may_be_a_fraction(cell: str, confidence: int | None) -> None:
    [found] = _pieces("list.csv", f"domain,confidence\n{D},{cell}\n")
    assert found.get("confidence") == confidence


@pytest.mark.parametrize(
    ("value", "outcome"), [("bins.sh", "invalid-value"), ("http://bins.sh", None), ("bins.sh/x", None), (D, None)]
)
def test_a_url_without_scheme_that_may_be_a_file_is_refused(value: str, outcome: str | None) -> None:
    [found] = _pieces("b.json", stix(pattern=f"[url:value = '{value}']"))
    assert found.get("refused") == outcome
