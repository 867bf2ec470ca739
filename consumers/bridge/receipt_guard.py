"""The guard for receipts: a receipt that leaves has closed codes and numbers, and nothing else.

It complements the guard of releases (``guard.py``): receipts report what we did with each of the partner's records.

1.  **A null value** is not a receipt, and is never bridged (``Tombstone``).
2.  **Schema.** Exactly one ``Receipt``, at most ``MAX_BYTES`` long, byte for byte as our own writer writes it.
3.  **Identity.** ``indicator_id`` is a UUIDv5 identifier, is the record's key, and is on its partition.
4.  **Nation.** It is ours: no other nation's receipts are passed on. [promise 8]
5.  **Code** is one of the closed list; ``refused`` and ``disputed`` have a reason of their own lists, ``received`` may
    have the result of a search, the others have none.
6.  **Version and time** are possible; version 0 is only in a refusal of an unreadable record.
"""

from typing import Final, cast

import msgspec

from consumers.bridge.guard import Tombstone, uuid_of
from consumers.bridge.guard_content import CLOCK_TOLERANCE_MS, Refused
from schemas.codec import RECEIPT, Codec, Undecodable
from schemas.identity import shard_of_key
from schemas.records import Receipt
from schemas.vocabulary import DisputeReason, RejectReason, SearchResult

MAX_BYTES: Final = 256
REASONS: Final = {
    "received": frozenset({"", *map(str, SearchResult)}),
    "applied": frozenset({""}),
    "recall_applied": frozenset({""}),
    "purged": frozenset({""}),
    "refused": frozenset(str(reason) for reason in RejectReason),
    "disputed": frozenset(str(reason) for reason in DisputeReason),
}


class PassedReceipt(msgspec.Struct, frozen=True, gc=False):
    """May leave unchanged."""

    receipt: Receipt


_TOMBSTONE: Final = Tombstone()


def check_receipt(
    value: bytes | None,
    key: bytes | None,
    codec: Codec,
    *,
    home: str,
    now_ms: int,
    partition: int,
    shards: int,
) -> PassedReceipt | Tombstone | Refused:
    """Decide on one record of the receipts' topic. Never raises, whatever the bytes are.

    The bytes of a refused record are never kept: what is not a receipt may hold anything.
    """
    if value is None:
        return _TOMBSTONE
    if len(value) > MAX_BYTES:
        return Refused(RejectReason.TOO_LARGE, f"is {len(value)} bytes; a receipt has at most {MAX_BYTES}")
    decoded = codec.decode(RECEIPT, value)
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    if codec.encode(RECEIPT, decoded) != value:
        return Refused(RejectReason.UNDECODABLE, "is not encoded as our writer encodes it: bytes may hide in it")
    receipt = cast("Receipt", decoded)
    return _wrong_with(receipt, key, home, now_ms, partition, shards) or PassedReceipt(receipt)


def _wrong_with(
    receipt: Receipt, key: bytes | None, home: str, now_ms: int, partition: int, shards: int
) -> Refused | None:
    """Rules 3 to 6."""
    raw = uuid_of(receipt["indicator_id"])
    if raw is None:
        return Refused(RejectReason.KEY_MISMATCH, "its indicator_id is not an indicator's")
    if key != receipt["indicator_id"].encode() or shard_of_key(raw, shards) != partition:
        return Refused(RejectReason.KEY_MISMATCH, "its key is not its id, or it is on another's partition")
    if receipt["nation"] != home:
        return Refused(RejectReason.FOREIGN_ORIGIN, f"is not a receipt of {home}")
    if receipt["reason"] not in REASONS.get(receipt["code"], frozenset()):
        return Refused(RejectReason.MALFORMED_CONTENT, f"code {receipt['code']} with a reason that is not of its list")
    if receipt["version"] < 0 or (receipt["version"] == 0 and receipt["code"] != "refused"):
        return Refused(RejectReason.MALFORMED_CONTENT, f"code {receipt['code']} for version {receipt['version']}")
    latest_ms = now_ms + CLOCK_TOLERANCE_MS
    if not 0 <= receipt["at_ms"] <= latest_ms or receipt["version"] > latest_ms:
        return Refused(
            RejectReason.TIME_OUT_OF_RANGE, "its time or version is a day ahead of our clock, or before 1970"
        )
    return None
