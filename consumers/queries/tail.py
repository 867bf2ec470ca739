"""``kakehashi tail``'s lines of JSON: each change of a picture, with its position on the topic."""

from typing import Any

import msgspec

from consumers.queries.layout import indicator
from consumers.subscription.changes import Change
from consumers.subscription.subscription import Gap


def as_json(change: Change | Gap, topic: str, nation: str) -> bytes:
    """One line of JSON: the indicator in the layout of all records, its state, topic, partition and offset. A gap has
    the state ``gap`` and no offset."""
    if isinstance(change, Gap):
        return msgspec.json.encode({"state": "gap", "reason": change.reason, "detail": change.detail, "topic": topic})
    head: dict[str, Any] = {"state": change.state}
    if change.detail:
        head["detail"] = change.detail
    body = {"id": change.key} if change.record is None else indicator(change.record, nation)
    return msgspec.json.encode(head | body | {"topic": topic, "partition": change.partition, "offset": change.offset})
