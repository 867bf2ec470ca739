"""Which receipts of a partner for our releases are accepted."""

from typing import Any

import pytest

from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.quarantine import Refused
from schemas.records import Receipt
from streams.receive.inbound_receipt import admit_receipt
from tests.builders import DAY_MS, NOW_MS, PARTNER, a_receipt, a_released

CODEC = Codec()
SHARDS = 4
KEY = a_receipt()["indicator_id"].encode()
SHARD = shard_of_key(key_of_id(KEY.decode()), SHARDS)


def admitted(value: bytes, key: bytes | None = KEY, partition: int = SHARD) -> Receipt | Refused:
    return admit_receipt(value, key, CODEC, origin=PARTNER, now_ms=NOW_MS, partition=partition, shards=SHARDS)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "received"},
        {"code": "applied"},
        {"code": "recall_applied"},
        {"code": "purged"},
        {"code": "refused", "reason": "forbidden-marking"},
        {"code": "refused", "reason": "undecodable", "version": 0},
        {"code": "disputed", "reason": "outdated"},
        {"code": "received", "reason": "not-seen"},
    ],
    ids=str,
)
def test_a_receipt_with_each_code_is_accepted(changes: dict[str, Any]) -> None:
    receipt = a_receipt(**changes)
    assert admitted(CODEC.encode(RECEIPT, receipt)) == receipt


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nation": "FRA"}, "foreign-origin"),
        ({"nation": "GBR"}, "foreign-origin"),
        ({"indicator_id": "indicator--no"}, "key-mismatch"),
        ({"code": "unknown"}, "malformed-content"),
        ({"code": "applied", "reason": "because"}, "malformed-content"),
        ({"code": "refused", "reason": "because"}, "malformed-content"),
        ({"code": "disputed", "reason": "undecodable"}, "malformed-content"),
        ({"code": "received", "reason": "outdated"}, "malformed-content"),
        ({"code": "applied", "reason": "not-seen"}, "malformed-content"),
        ({"code": "purged", "version": 0}, "malformed-content"),
        ({"version": -5}, "malformed-content"),
        ({"version": NOW_MS + 2 * DAY_MS}, "time-out-of-range"),
        ({"at_ms": NOW_MS + 2 * DAY_MS}, "time-out-of-range"),
        ({"at_ms": -1}, "time-out-of-range"),
        ({"reason": "r" * 600}, "too-large"),
    ],
    ids=str,
)
def test_a_receipt_that_cannot_be_this_partners_is_refused(changes: dict[str, Any], reason: str) -> None:
    verdict = admitted(CODEC.encode(RECEIPT, a_receipt(**changes)))
    assert isinstance(verdict, Refused)
    assert verdict.reason == reason


def test_a_receipt_with_another_key_or_partition_and_a_record_that_is_not_a_receipt_are_refused() -> None:
    value = CODEC.encode(RECEIPT, a_receipt())
    released = CODEC.encode(RELEASED_INDICATOR, a_released())
    for verdict in (
        admitted(value, b"another"),
        admitted(value, None),
        admitted(value, partition=(SHARD + 1) % SHARDS),
        admitted(value + b"\0"),
        admitted(value[:-1]),
        admitted(released),
    ):
        assert isinstance(verdict, Refused)
