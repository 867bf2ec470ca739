"""What analysts answer on an indicator: a dispute, or a search without a result. Both are receipts (ADR 60)."""

from collections.abc import Iterable
from typing import Final, cast

from exchange.protocol.record import Record
from schemas.codec import RECEIPT, Codec, Undecodable
from schemas.records import Receipt
from schemas.vocabulary import DisputeReason, SearchResult

_REASONS: Final = tuple(str(each).encode() for each in (*DisputeReason, *SearchResult))


class AnswerReader:
    """Finds answers among the receipts of some topics. ``disputed`` are ids of indicators that were disputed before."""

    def __init__(self, codec: Codec, disputed: Iterable[str] = ()) -> None:
        self._codec, self._disputed = codec, set(disputed)

    def read(self, record: Record) -> Receipt | None:
        """An answer, or what may end a dispute; None of all else.

        Most receipts are neither: their bytes show it without decoding.
        """
        value = record.value or b""
        name = (record.key or b"").decode("utf-8", "replace").partition("/")[0]
        if not any(reason in value for reason in _REASONS) and name not in self._disputed:
            return None
        found = self._codec.decode(RECEIPT, value)
        if isinstance(found, Undecodable):
            return None
        receipt = cast("Receipt", found)
        if is_dispute(receipt):
            self._disputed.add(receipt["indicator_id"])
        return receipt


def is_dispute(receipt: Receipt) -> bool:
    """It stands until its nation has accepted a later version."""
    return receipt["code"] == "disputed"


def is_not_seen(receipt: Receipt) -> bool:
    """It was searched for, and not seen."""
    return receipt["reason"] == SearchResult.NOT_SEEN
