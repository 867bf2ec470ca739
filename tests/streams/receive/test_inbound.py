"""The inbound guard: a partner's record is accepted, dropped as old, or refused, whatever its bytes are."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.bridge import guard
from schemas.codec import INDICATOR, RELEASED_INDICATOR, RELEASED_INDICATOR_V2, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.links import all_agreed
from schemas.records import ReleasedIndicator
from schemas.vocabulary import RejectReason
from streams.receive import inbound
from streams.receive.inbound import Accepted, Duplicate, RefusedRecord, Stale, Verdict
from tests.builders import DAY_MS, NOW_MS, a_content, a_released, an_id, an_indicator
from tests.golden.make import CASES

OUT, IN = all_agreed("GBR", "JPN"), all_agreed("JPN", "GBR")
CODEC = Codec()
SHARDS = 4


def admitted(
    value: bytes | None, key: bytes | None, partition: int, *, floor: int | None = None, recalled_through: int = 0
) -> Verdict:
    return inbound.admit(
        value,
        key,
        CODEC,
        agreed=IN,
        now_ms=NOW_MS,
        partition=partition,
        shards=SHARDS,
        floor=floor,
        recalled_through=recalled_through,
    )


def judged(record: ReleasedIndicator, *, floor: int | None = None, recalled_through: int = 0) -> Verdict:
    """The verdict on a record under its own key, on its own partition."""
    try:
        partition = shard_of_key(key_of_id(record["id"]), SHARDS)
    except ValueError:
        partition = 0
    value = CODEC.encode(RELEASED_INDICATOR, record)
    return admitted(value, record["id"].encode(), partition, floor=floor, recalled_through=recalled_through)


def with_content(**changes: Any) -> ReleasedIndicator:
    return a_released(content=a_content(**changes))


@pytest.mark.parametrize("kind", ["content", "expired", "revoked"])
def test_a_new_version_is_accepted(kind: str) -> None:
    record = a_released(kind=kind)
    for floor in (None, NOW_MS - 1):
        assert judged(record, floor=floor) == Accepted(record, recalled_through=0, recalls=False)


def test_a_recall_is_accepted_and_names_the_recalled_versions() -> None:
    record = a_released(kind="recalled")
    assert judged(record, floor=NOW_MS - 5) == Accepted(record, recalled_through=NOW_MS - 1, recalls=True)


def test_a_recall_of_something_never_received_is_accepted() -> None:
    assert judged(a_released(kind="recalled")) == Accepted(a_released(kind="recalled"), NOW_MS - 1, recalls=True)


def test_a_recall_that_compaction_removed_arrives_with_the_next_version() -> None:
    record = a_released(recalled_through=NOW_MS - 10)
    assert judged(record, floor=NOW_MS - 20) == Accepted(record, recalled_through=NOW_MS - 10, recalls=True)
    assert judged(record, floor=NOW_MS - 5, recalled_through=NOW_MS - 10) == Accepted(record, NOW_MS - 10, False)


def test_recalled_versions_stay_recalled_whatever_a_later_record_names() -> None:
    record = a_released(recalled_through=0)
    assert judged(record, floor=NOW_MS - 5, recalled_through=NOW_MS - 5) == Accepted(record, NOW_MS - 5, recalls=False)


@pytest.mark.parametrize("kind", ["content", "recalled"])
def test_an_equal_version_is_a_duplicate_and_a_lower_one_is_stale(kind: str) -> None:
    record = a_released(kind=kind)
    assert judged(record, floor=NOW_MS) == Duplicate(NOW_MS)
    assert judged(record, floor=NOW_MS + 1) == Stale(NOW_MS, floor=NOW_MS + 1)


def test_content_of_a_recalled_version_is_never_accepted_again() -> None:
    record = a_released()
    assert judged(record, floor=None, recalled_through=NOW_MS) == Stale(NOW_MS, floor=NOW_MS)
    assert judged(record, floor=5, recalled_through=NOW_MS + 7) == Stale(NOW_MS, floor=NOW_MS + 7)


def test_a_duplicate_of_a_release_that_has_ended_since_is_a_duplicate_and_not_refused() -> None:
    record = with_content(release_expires_ms=NOW_MS - 1)
    assert judged(record, floor=NOW_MS) == Duplicate(NOW_MS)
    verdict = judged(record)
    assert isinstance(verdict, RefusedRecord)
    assert verdict.refused.reason is RejectReason.RELEASE_EXPIRED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"origin": "JPN"}, RejectReason.LOOPED),
        ({"hops": ["GBR", "JPN"]}, RejectReason.LOOPED),
        ({"hops": ["GBR", "JPN", "GBR"]}, RejectReason.LOOPED),
        ({"hops": ["GBR"] * 20}, RejectReason.LOOPED),
        ({"origin": "AUS"}, RejectReason.FOREIGN_ORIGIN),
        ({"origin": "AUS", "hops": ["AUS", "GBR"]}, RejectReason.FOREIGN_ORIGIN),
        ({"hops": []}, RejectReason.FOREIGN_ORIGIN),
        ({"hops": ["GBR", "GBR"]}, RejectReason.FOREIGN_ORIGIN),
        ({"id": an_id(value="other.example.com")}, RejectReason.KEY_MISMATCH),
        ({"kind": "recalled", "id": "indicator--6a1e7b1e-0000-4000-8000-000000000000"}, RejectReason.KEY_MISMATCH),
        ({"kind": "recalled", "id": "x" * 5000}, RejectReason.KEY_MISMATCH),
        ({"kind": "recalled", "content": a_content()}, RejectReason.MALFORMED_CONTENT),
        ({"kind": "content", "content": None}, RejectReason.MALFORMED_CONTENT),
        ({"recalled_through": NOW_MS}, RejectReason.MALFORMED_CONTENT),
        ({"recalled_through": -1}, RejectReason.MALFORMED_CONTENT),
        ({"reason": "aged-out"}, RejectReason.MALFORMED_CONTENT),
        ({"version": NOW_MS + DAY_MS + 1}, RejectReason.TIME_OUT_OF_RANGE),
    ],
    ids=str,
)
def test_a_record_that_cannot_be_the_partners_is_refused(changes: dict[str, Any], reason: RejectReason) -> None:
    record = a_released(**changes)
    verdict = judged(record)
    assert isinstance(verdict, RefusedRecord)
    assert (verdict.refused.reason, verdict.keep_bytes) == (reason, record["content"] is None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"tlp": "TLP:RED"}, RejectReason.FORBIDDEN_MARKING),
        ({"tlp": ""}, RejectReason.FORBIDDEN_MARKING),
        ({"tlp": "TLP:ORANGE"}, RejectReason.FORBIDDEN_MARKING),
        ({"pap": "PAP:ORANGE"}, RejectReason.FORBIDDEN_MARKING),
        ({"caveats": ["UK EYES ONLY"]}, RejectReason.FORBIDDEN_CAVEAT),
        ({"caveats": ["JAPAN EYES ONLY"]}, RejectReason.FORBIDDEN_CAVEAT),
        ({"caveats": ["転送禁止"]}, RejectReason.FORBIDDEN_CAVEAT),
        ({"caveats": ["配付禁止"]}, RejectReason.FORBIDDEN_CAVEAT),
        ({"caveats": ["EMBARGO"]}, RejectReason.FORBIDDEN_CAVEAT),
        ({"caveats": ["NOFORN"]}, RejectReason.FORBIDDEN_CAVEAT),
        ({"tlp": "TLP:AMBER", "releasable_to": []}, RejectReason.NOT_RELEASABLE_HERE),
        ({"tlp": "TLP:AMBER+STRICT", "releasable_to": ["AUS"]}, RejectReason.NOT_RELEASABLE_HERE),
        ({"releasable_to": ["AUS"]}, RejectReason.NOT_RELEASABLE_HERE),
    ],
    ids=str,
)
def test_content_that_should_not_have_been_shared_is_refused_and_not_kept(
    content: dict[str, Any], reason: RejectReason
) -> None:
    verdict = judged(with_content(**content))
    assert isinstance(verdict, RefusedRecord)
    assert (verdict.refused.reason, verdict.keep_bytes) == (reason, False)
    looped = judged(a_released(content=a_content(**content), origin="JPN"))
    assert isinstance(looped, RefusedRecord)
    assert not looped.keep_bytes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"type": "malware"}, RejectReason.UNKNOWN_TYPE),
        ({"value": "C2.EXAMPLE.COM"}, RejectReason.INVALID_VALUE),
        ({"first_seen_ms": NOW_MS, "last_seen_ms": NOW_MS - 1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"last_seen_ms": NOW_MS + 2 * DAY_MS}, RejectReason.TIME_OUT_OF_RANGE),
        ({"first_seen_ms": -1}, RejectReason.TIME_OUT_OF_RANGE),
        ({"valid_until_ms": 1 << 60}, RejectReason.TIME_OUT_OF_RANGE),
        ({"confidence": 101}, RejectReason.CONFIDENCE_OUT_OF_RANGE),
        ({"sightings": -1}, RejectReason.COUNT_OUT_OF_RANGE),
        ({"labels": ["a"] * 65}, RejectReason.TOO_MANY_LABELS),
        ({"labels": ["x" * 257]}, RejectReason.TOO_MANY_LABELS),
        ({"labels": ["\x1b]0;owned\x07"]}, RejectReason.TOO_MANY_LABELS),
        ({"releasable_to": ["JPN", "not a nation"]}, RejectReason.MALFORMED_CONTENT),
        ({"country": "Japan"}, RejectReason.MALFORMED_CONTENT),
        ({"registered_domain": "example.org"}, RejectReason.MALFORMED_CONTENT),
        ({"asn": 1 << 32}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "x" * 2049}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "\x1b]0;owned\x07"}, RejectReason.MALFORMED_CONTENT),
        ({"tearline": "a\r\nb"}, RejectReason.MALFORMED_CONTENT),
    ],
    ids=str,
)
def test_impossible_content_is_refused(content: dict[str, Any], reason: RejectReason) -> None:
    verdict = judged(with_content(**content))
    assert isinstance(verdict, RefusedRecord)
    assert (verdict.refused.reason, verdict.keep_bytes) == (reason, False)


def test_a_record_of_the_second_schema_with_an_empty_tearline_is_refused_and_still_recalls() -> None:
    record = a_released(recalled_through=NOW_MS - 5)
    body = CODEC.encode(RELEASED_INDICATOR, record)[5:]
    empty = CODEC.reframe(RELEASED_INDICATOR_V2, b"12345" + body + b"\x00")
    verdict = admitted(empty, record["id"].encode(), shard_of_key(key_of_id(record["id"]), SHARDS))
    assert isinstance(verdict, RefusedRecord)
    assert verdict.refused.reason is RejectReason.MALFORMED_CONTENT
    assert verdict.recall is not None
    assert verdict.recall.recalled_through == NOW_MS - 5


def test_a_value_that_is_not_a_released_indicator_is_refused() -> None:
    value = CODEC.encode(RELEASED_INDICATOR, a_released())
    cases = [
        (None, RejectReason.TRUNCATED),
        (b"", RejectReason.TRUNCATED),
        (value[:-1], RejectReason.TRUNCATED),
        (value + b"\x00", RejectReason.UNDECODABLE),
        (CODEC.encode(INDICATOR, an_indicator()), RejectReason.UNKNOWN_SCHEMA),
        (bytes(5 << 20), RejectReason.TOO_LARGE),
    ]
    for case, reason in cases:
        verdict = admitted(case, an_id().encode(), 0)
        assert isinstance(verdict, RefusedRecord)
        assert (verdict.refused.reason, verdict.keep_bytes) == (reason, False)


def test_a_record_under_another_key_or_on_another_partition_is_refused() -> None:
    record = a_released()
    value, key = CODEC.encode(RELEASED_INDICATOR, record), record["id"].encode()
    at = shard_of_key(key_of_id(record["id"]), SHARDS)
    for verdict in (
        admitted(value, None, at),
        admitted(value, key + b" ", at),
        admitted(value, key, (at + 1) % SHARDS),
    ):
        assert isinstance(verdict, RefusedRecord)
        assert verdict.refused.reason is RejectReason.KEY_MISMATCH


@settings(max_examples=400)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 400))
def test_damaged_bytes_always_give_a_verdict(place: int, byte: int, cut: int | None) -> None:
    record = CASES[RELEASED_INDICATOR]["all_fields"]
    damaged = bytearray(CODEC.encode(RELEASED_INDICATOR, record))
    damaged[place % len(damaged)] = byte
    admitted(bytes(damaged)[:cut], record["id"].encode(), shard_of_key(key_of_id(record["id"]), SHARDS))


@pytest.mark.parametrize("kind", ["expired", "revoked", "recalled"])
@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("policy-changed", "policy-changed"),
        ("", ""),
        ("victim: Example Bank", ""),
        ("a-newer-code", ""),
        ("Policy-Changed", ""),
        ("a\nb", ""),
        ("x" * 5000, ""),
    ],
)
def test_an_end_is_obeyed_whatever_its_reason_is_and_no_free_text_is_taken(kind: str, reason: str, kept: str) -> None:
    verdict = judged(a_released(kind=kind, reason=reason, content=None))
    assert isinstance(verdict, Accepted)
    assert verdict.record["reason"] == kept


TLP = st.sampled_from(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED", ""])
CONTENTS = st.builds(
    a_content,
    tlp=TLP,
    releasable_to=st.sampled_from([[], ["JPN"], ["AUS"], ["GBR", "JPN"]]),
    caveats=st.sampled_from([[], ["転送禁止"], ["UK EYES ONLY"], ["PERSONAL DATA"]]),
    release_expires_ms=st.sampled_from([0, NOW_MS, NOW_MS + 1]),
    confidence=st.integers(-3, 102),
    tearline=st.sampled_from(["", "for release", "a\nb", "a\tb", "\x7f", "長" * 682, "長" * 683]),
)


@settings(max_examples=300)
@given(record=st.builds(a_released, content=CONTENTS, origin=st.sampled_from(["GBR", "JPN", "AUS"])))
def test_every_record_that_a_correct_partner_releases_is_accepted(record: ReleasedIndicator) -> None:
    """The two guards are written independently; they must agree on valid records."""
    sent = guard.check(
        CODEC.encode(RELEASED_INDICATOR, record),
        record["id"].encode(),
        CODEC,
        agreed=OUT,
        now_ms=NOW_MS,
        partition=shard_of_key(key_of_id(record["id"]), SHARDS),
        shards=SHARDS,
    )
    assert isinstance(sent, guard.Passed) == isinstance(judged(record), Accepted)
