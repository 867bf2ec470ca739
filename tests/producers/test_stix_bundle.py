"""STIX bundles, arrays and single objects."""

import json
from datetime import datetime
from typing import Any

import pytest

from producers.markings.taxonomy import effect_of, stix_definitions
from schemas.markings import Pap, SourceMarking, Tlp, understand
from schemas.vocabulary import IndicatorType, RejectReason
from tests.producers.reading_feeds import content_of, document_of, left_out, observations, readings, recorded, refusals

FORMAT = "stix-bundle"

TLP_AMBER_2 = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
TLP_GREEN_1 = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
PAP_RED = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e"
OWN = "marking-definition--00000000-0000-4000-8000-000000000001"


def an_indicator(**changes: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "pattern": "[domain-name:value = 'bad.example.com']",
        "pattern_type": "stix",
        "valid_from": "2026-11-20T08:00:00.500Z",
    } | changes


def bundle(*objects: dict[str, Any]) -> bytes:
    return json.dumps({"type": "bundle", "id": "bundle--x", "objects": objects}).encode()


def quoted_values(pattern: str) -> list[str]:
    """The string literals of a pattern, without a parser."""
    return pattern.replace("\\'", "\0").split("'")[1::2]


@pytest.mark.parametrize("file", ["stix/tweetfeed-week.json.gz", "stix/tweetfeed-taxii-page.json.gz"])
def test_every_indicator_of_a_recorded_feed_is_read_with_its_tlp_2_marking(file: str) -> None:
    document = document_of(file)
    objects = document if isinstance(document, list) else document["objects"]
    indicators = [entry for entry in objects if entry["type"] == "indicator"]
    found = recorded(file, FORMAT)
    seen = observations(found)
    assert len(seen) == len(indicators)
    assert len(found) == len(objects)
    assert [[row.value] for row in seen] == [
        [value.replace("\0", "'") for value in quoted_values(entry["pattern"])[-1:]] for entry in indicators
    ]
    assert {row.marking for row in seen} == {SourceMarking(tlp="TLP:CLEAR")}
    assert [row.first_seen_ms for row in seen] == [
        round(datetime.fromisoformat(entry["valid_from"]).timestamp() * 1000) for entry in indicators
    ]
    assert [dict(row.context)["stix-id"] for row in seen] == [entry["id"] for entry in indicators]


def test_indicators_of_types_that_we_do_not_carry_are_refused_alone() -> None:
    indicators = [entry for entry in document_of("stix/pegasus.stix2.gz")["objects"] if entry["type"] == "indicator"]
    carried = [e for e in indicators if e["pattern"].startswith(("[domain-name:", "[email-addr:", "[file:name"))]
    found = recorded("stix/pegasus.stix2.gz", FORMAT)
    assert len(observations(found)) == len(carried)
    assert len(refusals(found)) == len(indicators) - len(carried) == 81
    assert {refused.reason for refused in refusals(found)} == {RejectReason.UNKNOWN_TYPE}
    assert {row.marking for row in observations(found)} == {SourceMarking()}


def test_the_bytes_of_a_refused_object_are_its_own() -> None:
    found = recorded("stix/apt1.json", FORMAT)
    for refused in refusals(found):
        assert refused.original is not None
        assert refused.original in content_of("stix/apt1.json")
        assert document_of("stix/apt1.json")["objects"][refused.place.line - 1] == json.loads(refused.original)


def test_a_network_in_a_pattern_is_left_to_normalising() -> None:
    values = [row.value for row in observations(recorded("stix/apt1.json", FORMAT))]
    assert "223.166.0.0/15" in values


def test_a_single_object_and_a_bundle_without_indicators_are_read() -> None:
    assert [row.value for row in observations(recorded("stix/single-indicator.json", FORMAT))] == ["10.0.0.0"]
    found = recorded("stix/identity-unicode.json", FORMAT)
    assert {piece.rule for piece in left_out(found)} == {"not-an-indicator"}
    assert len(left_out(found)) == len(found)


def test_a_bundle_of_stix_2_0_is_read() -> None:
    indicators = [e for e in document_of("stix/latrodectus-stix-2.0.json")["objects"] if e["type"] == "indicator"]
    found = recorded("stix/latrodectus-stix-2.0.json", FORMAT)
    assert len(found) - len(left_out(found)) == len(indicators)
    assert len(refusals(found)) == 2


def test_a_document_that_is_no_json_is_refused_whole_with_its_bytes() -> None:
    [refused] = refusals(recorded("stix/invalid-braces.json", FORMAT))
    assert (refused.reason, refused.place.line) == (RejectReason.UNDECODABLE, 0)
    assert refused.original == content_of("stix/invalid-braces.json")


def test_marking_ids_of_both_tlp_versions_and_of_pap_are_understood() -> None:
    known = [effect_of(effect) for effect in stix_definitions().values()]
    assert {each.tlp for each in known if each.tlp} == {tlp.label for tlp in Tlp if tlp is not Tlp.UNMARKED}
    assert {each.pap for each in known if each.pap} == {pap.label for pap in Pap if pap is not Pap.UNSTATED}
    [seen] = observations(
        readings(FORMAT, bundle(an_indicator(object_marking_refs=[TLP_GREEN_1, TLP_AMBER_2, PAP_RED])))
    )
    assert seen.marking == SourceMarking(tlp="TLP:AMBER", pap="PAP:RED")


def test_what_is_written_for_release_stands_in_a_property_of_its_own() -> None:
    [released, other] = observations(
        readings(
            FORMAT,
            bundle(an_indicator(description="we were hit", x_kakehashi_tearline="Block it."), an_indicator()),
        )
    )
    assert (released.description, dict(released.context)["tearline"]) == ("we were hit", "Block it.")
    assert "tearline" not in dict(other.context)


def test_a_granular_marking_counts_for_the_whole_indicator() -> None:
    granular = [{"marking_ref": TLP_AMBER_2, "selectors": ["description"]}]
    [seen] = observations(readings(FORMAT, bundle(an_indicator(granular_markings=granular))))
    assert seen.marking.tlp == "TLP:AMBER"


def test_a_marking_that_the_bundle_defines_is_understood() -> None:
    definition = {
        "type": "marking-definition",
        "id": OWN,
        "extensions": {"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {"tlp_2_0": "amber+strict"}},
    }
    [seen] = observations(readings(FORMAT, bundle(an_indicator(object_marking_refs=[OWN]), definition)))
    assert understand(seen.marking).tlp is Tlp.AMBER_STRICT


def test_a_statement_restricts_nothing_and_an_unknown_marking_holds() -> None:
    statement = {
        "type": "marking-definition",
        "id": OWN,
        "definition_type": "statement",
        "definition": {"statement": "Copyright"},
    }
    [stated] = observations(readings(FORMAT, bundle(an_indicator(object_marking_refs=[OWN]), statement)))
    [unknown] = observations(readings(FORMAT, bundle(an_indicator(object_marking_refs=[OWN]))))
    assert stated.marking == SourceMarking()
    assert unknown.marking == SourceMarking(caveats=(OWN,))
    assert understand(unknown.marking).caveats


def test_the_facts_of_an_indicator_arrive() -> None:
    [seen] = observations(
        readings(
            FORMAT,
            bundle(
                an_indicator(
                    confidence=70,
                    valid_until="2026-12-20T08:00:00Z",
                    labels=["c2", "tlp:red"],
                    indicator_types=["malicious-activity"],
                    description="seen in the ministry",
                )
            ),
            labels=("ours",),
            confidence=10,
        )
    )
    assert (seen.kind, seen.value) == (IndicatorType.DOMAIN_NAME, "bad.example.com")
    assert (seen.confidence, seen.labels) == (70, ("c2", "malicious-activity", "ours"))
    assert seen.first_seen_ms % 1000 == 500
    assert seen.valid_until_ms - seen.first_seen_ms == 30 * 86_400_000 - 500
    assert (seen.marking.tlp, seen.description) == ("TLP:RED", "seen in the ministry")


def test_a_revoked_indicator_is_not_asserted() -> None:
    [revoked] = readings(FORMAT, bundle(an_indicator(revoked=True)))
    assert [piece.rule for piece in left_out([revoked])] == ["revoked"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"valid_from": "2026-13-45"}, RejectReason.TIME_OUT_OF_RANGE),
        ({"pattern": "[ipv4-addr:value = "}, RejectReason.UNDECODABLE),
        ({"pattern": 7}, RejectReason.UNDECODABLE),
        ({"pattern_type": "yara"}, RejectReason.UNKNOWN_TYPE),
        ({"type": ""}, RejectReason.UNDECODABLE),
    ],
)
def test_a_broken_object_is_refused_alone(change: dict[str, Any], reason: RejectReason) -> None:
    found = readings(FORMAT, bundle(an_indicator(**change), an_indicator()))
    [refused] = refusals(found)
    assert (refused.reason, refused.place.line) == (reason, 1)
    assert len(observations(found)) == 1


def test_half_a_surrogate_pair_in_one_object_does_not_cost_the_others() -> None:
    content = bundle(an_indicator(description="cut \ud83d"), an_indicator(name="whole"))
    assert [row.description for row in observations(readings(FORMAT, content))] == ["cut \ufffd", ""]


@pytest.mark.parametrize("content", [b"[" * 100_000, b"{", b"\xff{}", b'{"objects": 7}', b"[7]", b'"text"'])
def test_no_document_makes_the_reader_raise(content: bytes) -> None:
    assert observations(readings(FORMAT, content)) == []
    assert refusals(readings(FORMAT, content))
