"""Receipts that may leave: closed codes and numbers about an indicator, of our own nation, and nothing else."""

from typing import Any

import pytest

from consumers.bridge.guard import Tombstone
from consumers.bridge.guard_content import Refused
from consumers.bridge.receipt_guard import REASONS, PassedReceipt, check_receipt
from schemas.codec import QUARANTINED, RECEIPT, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.records import Receipt
from tests.builders import DAY_MS, NOW_MS, PARTNER, a_quarantined, a_receipt

CODEC = Codec()
SHARDS = 4
SHARD = shard_of_key(key_of_id(a_receipt()["indicator_id"]), SHARDS)


def checked(
    receipt: Receipt | bytes | None, *, key: bytes | None = None, partition: int = SHARD, home: str = PARTNER
) -> PassedReceipt | Tombstone | Refused:
    value = CODEC.encode(RECEIPT, receipt) if isinstance(receipt, dict) else receipt
    name = receipt["indicator_id"].encode() if isinstance(receipt, dict) and key is None else key
    return check_receipt(value, name, CODEC, home=home, now_ms=NOW_MS, partition=partition, shards=SHARDS)


@pytest.mark.parametrize("code", [code for code in REASONS if code not in {"refused", "disputed"}])
def test_a_receipt_of_a_known_code_without_a_reason_passes(code: str) -> None:
    receipt = a_receipt(code=code)
    assert checked(receipt) == PassedReceipt(receipt)


@pytest.mark.parametrize(
    ("code", "reason"), [("refused", "forbidden-marking"), ("disputed", "false-positive"), ("received", "not-seen")]
)
def test_a_refusal_a_dispute_and_a_search_pass_with_a_reason_of_their_own(code: str, reason: str) -> None:
    assert isinstance(checked(a_receipt(code=code, reason=reason)), PassedReceipt)


def test_a_refusal_of_an_unreadable_record_passes_without_a_version() -> None:
    assert isinstance(checked(a_receipt(code="refused", reason="undecodable", version=0)), PassedReceipt)


def test_a_deletion_of_ours_is_not_bridged() -> None:
    assert isinstance(checked(None), Tombstone)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"code": "applied", "reason": "meet me at noon"}, "malformed-content"),
        ({"code": "refused", "reason": "meet me at noon"}, "malformed-content"),
        ({"code": "refused", "reason": ""}, "malformed-content"),
        ({"code": "disputed", "reason": "forbidden-marking"}, "malformed-content"),
        ({"code": "applied", "reason": "not-seen"}, "malformed-content"),
        ({"code": "received", "reason": "outdated"}, "malformed-content"),
        ({"code": "received", "reason": "not-seen", "version": 0}, "malformed-content"),
        ({"code": "unknown"}, "malformed-content"),
        ({"code": "applied", "version": 0}, "malformed-content"),
        ({"version": -1}, "malformed-content"),
        ({"version": NOW_MS + 2 * DAY_MS}, "time-out-of-range"),
        ({"at_ms": -1}, "time-out-of-range"),
        ({"at_ms": NOW_MS + 2 * DAY_MS}, "time-out-of-range"),
        ({"nation": "GBR"}, "foreign-origin"),
        ({"indicator_id": "indicator--no"}, "key-mismatch"),
        ({"indicator_id": "indicator--6ba7b810-9dad-11d1-80b4-00c04fd430c8"}, "key-mismatch"),
        ({"indicator_id": "x" * 300}, "too-large"),
    ],
    ids=str,
)
def test_any_other_record_is_refused_and_its_bytes_are_not_kept(changes: dict[str, Any], reason: str) -> None:
    verdict = checked(a_receipt(**changes))
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.keep_bytes) == (reason, False)


def test_a_receipt_under_another_key_or_on_another_partition_is_refused() -> None:
    for verdict in (checked(a_receipt(), key=b"another"), checked(a_receipt(), partition=(SHARD + 1) % SHARDS)):
        assert isinstance(verdict, Refused)
        assert verdict.reason == "key-mismatch"


def test_bytes_that_our_writer_would_not_have_written_are_refused() -> None:
    value, key = CODEC.encode(RECEIPT, a_receipt()), a_receipt()["indicator_id"].encode()
    padded = value[:5] + b"\xca\x80\x00"[:2] + value[5:]
    for spoilt in (value + b"\0", value[:-1], padded, b"\0\0", CODEC.encode(QUARANTINED, a_quarantined())[:200]):
        assert isinstance(checked(spoilt, key=key), Refused)
