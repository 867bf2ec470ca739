"""``kakehashi tail``'s lines of JSON: each change of a picture, with its position on the topic."""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from consumers.queries.layout import indicator
from consumers.subscription.changes import Change
from consumers.subscription.subscription import Gap
from schemas.records import Receipt

_DISPUTE: Final[tuple[Literal["nation", "reason", "version", "at_ms"], ...]] = ("nation", "reason", "version", "at_ms")


def as_json(change: Change | Gap, topic: str, nation: str, disputes: Sequence[Receipt] = ()) -> bytes:
    """One line of JSON: the indicator in the layout of all records, its state, the disputes on it, topic, partition and
    offset. A gap has the state ``gap`` and no offset."""
    if isinstance(change, Gap):
        return msgspec.json.encode({"state": "gap", "reason": change.reason, "detail": change.detail, "topic": topic})
    head: dict[str, Any] = {"state": change.state}
    if change.detail:
        head["detail"] = change.detail
    body: dict[str, Any] = {"id": change.key} if change.record is None else indicator(change.record, nation)
    if disputes:
        body["disputes"] = [{name: each[name] for name in _DISPUTE} for each in disputes]
    head["received_ms"] = change.received_ms
    return msgspec.json.encode(head | body | {"topic": topic, "partition": change.partition, "offset": change.offset})
