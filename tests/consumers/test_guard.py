"""The release guard: what may leave passes unchanged, and nothing else does, whatever the bytes are."""

from typing import Any

import pytest

from consumers.bridge import guard, guard_content
from consumers.bridge.guard import Passed, Tombstone
from consumers.bridge.guard_content import Refused
from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.links import all_agreed
from schemas.records import ReleasedIndicator
from schemas.vocabulary import IndicatorType, RejectReason
from tests.builders import (
    DAY_MS,
    NOW_MS,
    a_content,
    a_released,
    an_id,
)

AGREED = all_agreed("GBR", "JPN")
CODEC = Codec()
SHARDS = 4
ANY_ID = an_id(IndicatorType.IPV4_ADDR, "192.0.2.1")


def checked(
    value: bytes | None, key: bytes | None = None, partition: int = 0, shards: int = SHARDS
) -> Passed | Tombstone | Refused:
    return guard.check(value, key, CODEC, agreed=AGREED, now_ms=NOW_MS, partition=partition, shards=shards)


def judged(record: ReleasedIndicator) -> Passed | Tombstone | Refused:
    """The verdict on a record under its own key, on its own partition."""
    try:
        partition = shard_of_key(key_of_id(record["id"]), SHARDS)
    except ValueError:
        partition = 0
    return checked(CODEC.encode(RELEASED_INDICATOR, record), record["id"].encode(), partition)


def with_content(**changes: Any) -> ReleasedIndicator:
    return a_released(content=a_content(**changes))


# ── What passes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"tlp": "TLP:CLEAR", "releasable_to": []},
        {"tlp": "TLP:GREEN", "releasable_to": []},
        {"tlp": "TLP:GREEN", "releasable_to": ["AUS", "JPN"]},
        {"tlp": "TLP:AMBER", "releasable_to": ["GBR", "JPN"]},
        {"tlp": "TLP:AMBER+STRICT"},
        {"pap": "PAP:RED", "caveats": ["OFFICIAL-SENSITIVE", "関係者限り"]},
        {"release_expires_ms": 0, "confidence": -1, "sightings": 0, "labels": []},
        {"release_expires_ms": NOW_MS + 1, "confidence": 100, "sightings": guard_content.MAX_SIGHTINGS},
        {"labels": [f"ラベル{number:02}" for number in range(64)]},
        {"type": "url", "value": "http://c2.example.com/a", "registered_domain": "example.com"},
        {"type": "ipv4-addr", "value": "192.0.2.1", "registered_domain": "", "asn": 64496, "country": "JP"},
        {"tearline": "公開要旨\nBlock it."},
        {"tearline": "x" * guard_content.MAX_TEARLINE_BYTES},
    ],
    ids=str,
)
def test_content_that_may_leave_passes_unchanged(content: dict[str, Any]) -> None:
    record = with_content(**content)
    assert judged(record) == Passed(record)


@pytest.mark.parametrize("kind", ["expired", "revoked", "recalled"])
@pytest.mark.parametrize("reason", sorted(guard.REASONS))
def test_a_record_without_content_always_passes(kind: str, reason: str) -> None:
    record = a_released(kind=kind, reason=reason)
    assert judged(record) == Passed(record)


def test_a_record_after_a_recall_still_names_the_recalled_versions() -> None:
    record = a_released(recalled_through=NOW_MS - 1)
    assert judged(record) == Passed(record)


def test_a_deletion_is_neither_bridged_nor_refused() -> None:
    assert checked(None, a_released()["id"].encode()) == Tombstone()


# ── What does not ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "tlp", ["TLP:RED", "", "RED", "TLP:WHITE", "tlp:green", "TLP:AMBER STRICT", "TLP:GREEN ", "x" * 999]
)
def test_red_unmarked_and_misspelled_labels_never_leave(tlp: str) -> None:
    verdict = judged(with_content(tlp=tlp))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RejectReason.FORBIDDEN_MARKING
    assert not verdict.keep_bytes
    assert len(verdict.detail) < 100


@pytest.mark.parametrize(
    "caveat",
    [
        "UK EYES ONLY",
        "JAPAN EYES ONLY",
        "転送禁止",
        "配付禁止",
        "EMBARGO",
        "UNRECOGNISED",
        "",
        "NOFORN",
        "uk eyes only",
        "極秘",
    ],
)
def test_caveats_that_the_rules_always_withhold_and_unknown_ones_never_leave(caveat: str) -> None:
    verdict = judged(with_content(caveats=[caveat]))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RejectReason.FORBIDDEN_CAVEAT
    assert not verdict.keep_bytes


@pytest.mark.parametrize(
    "content",
    [
        {"tlp": "TLP:AMBER", "releasable_to": []},
        {"tlp": "TLP:AMBER+STRICT", "releasable_to": ["GBR"]},
        {"tlp": "TLP:GREEN", "releasable_to": ["AUS"]},
        {"tlp": "TLP:CLEAR", "releasable_to": ["jpn"]},
    ],
    ids=str,
)
def test_a_record_that_does_not_name_the_partner_is_refused(content: dict[str, Any]) -> None:
    verdict = judged(with_content(**content))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RejectReason.NOT_RELEASABLE_HERE
    assert not verdict.keep_bytes


@pytest.mark.parametrize("pap", ["PAP:MAUVE", "RED", "PAP:WHITE"])
def test_an_unknown_pap_label_does_not_leave(pap: str) -> None:
    verdict = judged(with_content(pap=pap))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RejectReason.FORBIDDEN_MARKING
    assert not verdict.keep_bytes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"release_expires_ms": NOW_MS}, RejectReason.RELEASE_EXPIRED),
        ({"release_expires_ms": 1}, RejectReason.RELEASE_EXPIRED),
        ({"release_expires_ms": -1}, RejectReason.RELEASE_EXPIRED),
        ({"release_expires_ms": 1 << 62}, RejectReason.TIME_OUT_OF_RANGE),
        ({"valid_until_ms": -1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"valid_until_ms": 1 << 62}, RejectReason.TIME_OUT_OF_RANGE),
        ({"first_seen_ms": NOW_MS, "last_seen_ms": NOW_MS - 1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"first_seen_ms": -1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"last_seen_ms": NOW_MS + DAY_MS + 1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"confidence": 101}, RejectReason.CONFIDENCE_OUT_OF_RANGE),
        ({"confidence": -2}, RejectReason.CONFIDENCE_OUT_OF_RANGE),
        ({"sightings": -1}, RejectReason.COUNT_OUT_OF_RANGE),
        ({"sightings": (1 << 62) + 1}, RejectReason.COUNT_OUT_OF_RANGE),
        ({"asn": -1}, RejectReason.MALFORMED_CONTENT),
        ({"asn": 1 << 32}, RejectReason.MALFORMED_CONTENT),
        ({"country": "jp"}, RejectReason.MALFORMED_CONTENT),
        ({"country": "victim"}, RejectReason.MALFORMED_CONTENT),
        ({"registered_domain": "intranet.example.net"}, RejectReason.MALFORMED_CONTENT),
        ({"registered_domain": "c"}, RejectReason.MALFORMED_CONTENT),
        ({"labels": ["b", "a"]}, RejectReason.MALFORMED_CONTENT),
        ({"labels": ["a", "a"]}, RejectReason.MALFORMED_CONTENT),
        ({"labels": [f"{number:03}" for number in range(65)]}, RejectReason.TOO_MANY_LABELS),
        ({"labels": ["x" * 257]}, RejectReason.TOO_MANY_LABELS),
        ({"labels": [""]}, RejectReason.TOO_MANY_LABELS),
        ({"labels": ["a\x1b[31m"]}, RejectReason.TOO_MANY_LABELS),
        ({"labels": ["a\x9b31m"]}, RejectReason.TOO_MANY_LABELS),
        ({"releasable_to": ["JPN", "GBR"]}, RejectReason.MALFORMED_CONTENT),
        ({"releasable_to": ["JPN", "the victim"]}, RejectReason.MALFORMED_CONTENT),
        ({"caveats": ["関係者限り", "PERSONAL DATA"]}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "x" * (guard_content.MAX_TEARLINE_BYTES + 1)}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "長" * 683}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "a\tb"}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "a\r\nb"}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "\x1b[31m"}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "a\x85b"}, RejectReason.MALFORMED_CONTENT),
        ({"type": "malware"}, RejectReason.UNKNOWN_TYPE),
        ({"value": "C2.example.com"}, RejectReason.INVALID_VALUE),
        ({"value": "c2[.]example.com"}, RejectReason.INVALID_VALUE),
        ({"value": "192.0.2.1"}, RejectReason.INVALID_VALUE),
        ({"type": "ipv4-addr", "value": "2001:db8::1"}, RejectReason.INVALID_VALUE),
        ({"value": ""}, RejectReason.INVALID_VALUE),
    ],
    ids=str,
)
def test_impossible_content_is_refused_and_its_bytes_are_kept(content: dict[str, Any], reason: RejectReason) -> None:
    verdict = judged(with_content(**content))
    assert isinstance(verdict, Refused)
    assert verdict.reason is reason
    assert verdict.keep_bytes


def test_bad_content_with_a_forbidden_marking_is_refused_for_the_marking() -> None:
    """Its bytes are not kept, whatever else is wrong."""
    verdict = judged(a_released(content=a_content(tlp="TLP:RED", confidence=999), origin="AUS", id=ANY_ID))
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.keep_bytes) == (RejectReason.FORBIDDEN_MARKING, False)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"origin": "JPN"}, RejectReason.FOREIGN_ORIGIN),
        ({"origin": "gbr"}, RejectReason.FOREIGN_ORIGIN),
        ({"hops": []}, RejectReason.LOOPED),
        ({"hops": ["GBR", "JPN"]}, RejectReason.LOOPED),
        ({"hops": ["JPN", "GBR"]}, RejectReason.LOOPED),
        ({"hops": ["GBR"] * 20}, RejectReason.LOOPED),
        ({"id": ANY_ID}, RejectReason.KEY_MISMATCH),
        ({"version": 0}, RejectReason.MALFORMED_CONTENT),
        ({"recalled_through": NOW_MS}, RejectReason.MALFORMED_CONTENT),
        ({"recalled_through": -1}, RejectReason.MALFORMED_CONTENT),
        ({"version": NOW_MS + DAY_MS + 1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"reason": "aged-out"}, RejectReason.MALFORMED_CONTENT),
        ({"content": None}, RejectReason.MALFORMED_CONTENT),
        ({"kind": "recalled", "content": a_content()}, RejectReason.MALFORMED_CONTENT),
        ({"kind": "recalled", "recalled_through": 0}, RejectReason.MALFORMED_CONTENT),
        ({"kind": "recalled", "reason": ""}, RejectReason.MALFORMED_CONTENT),
        ({"kind": "revoked", "reason": "the victim is 192.0.2.7"}, RejectReason.MALFORMED_CONTENT),
        ({"kind": "recalled", "origin": "JPN"}, RejectReason.FOREIGN_ORIGIN),
        ({"kind": "expired", "id": "indicator--the-victim-is-192.0.2.7"}, RejectReason.KEY_MISMATCH),
        ({"kind": "expired", "id": an_id().upper()}, RejectReason.KEY_MISMATCH),
        ({"kind": "expired", "id": an_id().replace("-5e79-", "-4e79-")}, RejectReason.KEY_MISMATCH),
        ({"kind": "expired", "id": "{" + an_id()[11:] + "}"}, RejectReason.KEY_MISMATCH),
    ],
    ids=str,
)
def test_a_record_that_is_not_ours_to_send_is_refused(changes: dict[str, Any], reason: RejectReason) -> None:
    verdict = judged(a_released(**changes))
    assert isinstance(verdict, Refused)
    assert verdict.reason is reason
    assert verdict.keep_bytes


def test_a_record_under_another_key_or_on_another_partition_is_refused() -> None:
    record = a_released()
    value, key = CODEC.encode(RELEASED_INDICATOR, record), record["id"].encode()
    at = shard_of_key(key_of_id(record["id"]), SHARDS)
    verdicts = [
        checked(value, None, at),
        checked(value, key[:-1], at),
        checked(value, key_of_id(record["id"]), at),
        checked(value, key, (at + 1) % SHARDS),
    ]
    assert [verdict.reason for verdict in verdicts if isinstance(verdict, Refused)] == [RejectReason.KEY_MISMATCH] * 4


@pytest.mark.parametrize("kind", ["expired", "revoked", "recalled"])
@pytest.mark.parametrize("version", [NOW_MS + DAY_MS + 1, 1 << 62])
def test_a_record_from_the_future_never_leaves_even_without_content(kind: str, version: int) -> None:
    """It would be a floor at the partner that no later version passes."""
    verdict = judged(a_released(kind=kind, version=version, recalled_through=1))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RejectReason.TIME_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ipv4-addr", "10.0.0.5"),
        ("ipv4-net", "8.0.0.0/6"),
        ("ipv6-addr", "64:ff9b::a01:203"),
        ("domain-name", "db.internal"),
        ("url", "http://192.168.1.1/a"),
        ("url", "http://c2.example.com/?ip=10.0.0.5"),
    ],
)
def test_what_is_inside_a_network_never_leaves_whatever_the_rules_decided(kind: str, value: str) -> None:
    verdict = judged(with_content(type=kind, value=value, registered_domain=""))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RejectReason.INVALID_VALUE
