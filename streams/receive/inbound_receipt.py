"""The inbound guard's second schema: a partner's receipts for our releases, which return in its inbox.

Checked as if the partner had no guard, from the agreement and not from the sender's code:

1.  Exactly one ``Receipt``, of at most ``MAX_BYTES``.
2.  The nation that gives it is the one whose inbox this is: no one speaks for another.
3.  ``indicator_id`` is an indicator's, is the key, and stands on its partition.
4.  The code is one that we know; only a refusal and a dispute have a reason, which is one of theirs.
5.  Version and time are possible. Only a refusal may be of version 0: of what the partner could not read.

Whether it is for something that we have released is not seen here: ``streams.settle.step`` holds it against that.
"""

from typing import Final, cast

import msgspec

from schemas.codec import RECEIPT, Codec, Undecodable
from schemas.identity import shard_of_key
from schemas.records import Receipt
from schemas.vocabulary import DisputeReason, RejectReason
from streams.receive.inbound import DAY_MS, Refused, key_of

MAX_BYTES: Final = 512
_SILENT: Final = {"received", "applied", "recall_applied", "purged"}
_REFUSALS: Final = {str(reason) for reason in RejectReason}
_DISPUTES: Final = {str(reason) for reason in DisputeReason}


class Told(msgspec.Struct, frozen=True, gc=False):
    """The partner's receipt for one of our releases."""

    receipt: Receipt


def admit_receipt(
    value: bytes, key: bytes | None, codec: Codec, *, origin: str, now_ms: int, partition: int, shards: int
) -> Told | Refused:
    """Decide on one receipt of ``inbox.<origin>``. Never raises, whatever the bytes are."""
    if len(value) > MAX_BYTES:
        return Refused(RejectReason.TOO_LARGE, f"a receipt of {len(value)} bytes; at most {MAX_BYTES} are taken")
    decoded = codec.decode(RECEIPT, value)
    if isinstance(decoded, Undecodable):
        return Refused(decoded.reason, decoded.detail)
    receipt = cast("Receipt", decoded)
    wrong = _wrong_with(receipt, key, origin, now_ms, partition, shards)
    return Told(receipt) if wrong is None else Refused(*wrong)


def _wrong_with(
    receipt: Receipt, key: bytes | None, origin: str, now_ms: int, partition: int, shards: int
) -> tuple[RejectReason, str] | None:
    if receipt["nation"] != origin:
        return RejectReason.FOREIGN_ORIGIN, f"a receipt that is not {origin}'s, whose inbox this is"
    raw = key_of(receipt["indicator_id"])
    if raw is None or key != receipt["indicator_id"].encode():
        return RejectReason.KEY_MISMATCH, "a receipt whose id is no indicator's, or not its key"
    if shard_of_key(raw, shards) != partition:
        return RejectReason.KEY_MISMATCH, f"a receipt on partition {partition}, which is not where its id belongs"
    code, reason, version = receipt["code"], receipt["reason"], receipt["version"]
    known = (
        (code in _SILENT and not reason)
        or (code == "refused" and reason in _REFUSALS)
        or (code == "disputed" and reason in _DISPUTES)
    )
    if not known or version < (0 if code == "refused" else 1):
        return RejectReason.MALFORMED_CONTENT, "a receipt with an unknown code"
    if max(version, receipt["at_ms"]) > now_ms + DAY_MS or receipt["at_ms"] < 0:
        return RejectReason.TIME_OUT_OF_RANGE, "a receipt of a time or version that cannot be"
    return None
