"""The inbound guard for receipts: a partner's receipts for our releases, which return in its inbox.

Checked as if the partner had no guard, from the agreement and not from the sender's code:

1.  Exactly one ``Receipt``, of at most ``MAX_BYTES``.
2.  It is of the nation whose inbox this is: no nation answers for another.
3.  ``indicator_id`` is an indicator's, is the key, and gives the record's partition.
4.  The code is a known one; only a refusal and a dispute have a reason, from their closed lists, and what was received
    may have the result of a search.
5.  Version and time are possible. Only a refusal may be of version 0: of a record that the partner could not read.

Whether we released what it answers is checked later, by ``streams.settle.step``.
"""

from typing import Final, cast

from schemas.codec import RECEIPT, Codec, Undecodable
from schemas.identity import shard_of_key
from schemas.quarantine import Refused
from schemas.records import Receipt
from schemas.vocabulary import DisputeReason, RejectReason, SearchResult
from streams.receive.inbound import key_of
from streams.receive.inbound_content import DAY_MS

MAX_BYTES: Final = 512
_WITHOUT_REASON: Final = {"received", "applied", "recall_applied", "purged"}
_REFUSALS: Final = {str(reason) for reason in RejectReason}
_DISPUTES: Final = {str(reason) for reason in DisputeReason}
_RESULTS: Final = {str(result) for result in SearchResult}


def admit_receipt(
    value: bytes, key: bytes | None, codec: Codec, *, origin: str, now_ms: int, partition: int, shards: int
) -> Receipt | Refused:
    """Decide on one receipt of ``inbox.<origin>``: the receipt, or why it is refused. Never raises."""
    if len(value) > MAX_BYTES:
        return Refused(RejectReason.TOO_LARGE, f"a receipt of {len(value)} bytes; at most {MAX_BYTES} are accepted")
    decoded = codec.decode(RECEIPT, value)
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    receipt = cast("Receipt", decoded)
    return _problem(receipt, key, origin, now_ms, partition, shards) or receipt


def _problem(
    receipt: Receipt, key: bytes | None, origin: str, now_ms: int, partition: int, shards: int
) -> Refused | None:
    """Rules 2 to 5."""
    if receipt["nation"] != origin:
        return Refused(RejectReason.FOREIGN_ORIGIN, f"a receipt that is not {origin}'s, whose inbox this is")
    raw = key_of(receipt["indicator_id"])
    if raw is None or key != receipt["indicator_id"].encode():
        return Refused(RejectReason.KEY_MISMATCH, "a receipt whose id is not an indicator's, or not its key")
    if shard_of_key(raw, shards) != partition:
        detail = f"a receipt on partition {partition}, and its id belongs to another"
        return Refused(RejectReason.KEY_MISMATCH, detail)
    code, reason, version = receipt["code"], receipt["reason"], receipt["version"]
    known = (
        (code in _WITHOUT_REASON and not reason)
        or (code == "refused" and reason in _REFUSALS)
        or (code == "disputed" and reason in _DISPUTES)
        or (code == "received" and reason in _RESULTS)
    )
    if not known or version < (0 if code == "refused" else 1):
        return Refused(RejectReason.MALFORMED_CONTENT, "a receipt with an unknown code, reason or version")
    if max(version, receipt["at_ms"]) > now_ms + DAY_MS or receipt["at_ms"] < 0:
        return Refused(
            RejectReason.TIME_OUT_OF_RANGE, "a receipt whose time or version is before 1970 or a day ahead of our clock"
        )
    return None
