"""``kakehashi tail``'s lines of JSON: each change of a picture as the contract has it, with labels for codes."""

from typing import Any, cast

import msgspec

from consumers.subscription.changes import Change
from consumers.subscription.subscription import Gap
from schemas.markings import Pap, Tlp
from schemas.records import MarkingRecord


def as_json(change: Change | Gap, topic: str) -> bytes:
    """One line of JSON: the record as the contract has it, markings by their labels, its state, topic, partition and
    offset. A gap has the state ``gap`` and no offset."""
    if isinstance(change, Gap):
        return msgspec.json.encode({"state": "gap", "reason": change.reason, "detail": change.detail, "topic": topic})
    head: dict[str, Any] = {"state": change.state}
    if change.detail:
        head["detail"] = change.detail
    body = {"id": change.key} if change.record is None else _labelled(change.record)
    return msgspec.json.encode(head | body | {"topic": topic, "partition": change.partition, "offset": change.offset})


def _labelled(record: dict[str, Any]) -> dict[str, Any]:
    """A national record's marking codes as the labels that people and tools know; others as they are."""
    if "marking" not in record:
        return record
    changed = record | {"marking": _marking_labels(record["marking"])}
    if "sources" in record:
        changed["sources"] = [_labelled(source) for source in record["sources"]]
    return changed


def _marking_labels(marking: MarkingRecord) -> dict[str, Any]:
    tlp, pap = marking["tlp"], marking["pap"]
    return cast("dict[str, Any]", marking) | {
        "tlp": Tlp(tlp).label if tlp in Tlp.__members__.values() else f"code {tlp}",
        "pap": Pap(pap).label if pap in Pap.__members__.values() else f"code {pap}",
    }
