"""The changes of a topic that a filter lets through, with the ends of what it had let through before."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from consumers.picture.entry import Entry, of_own, of_partner
from consumers.picture.filters import Filter
from consumers.picture.rows import key_of
from consumers.subscription.changes import Change, State
from consumers.subscription.subscription import Gap, Quiet, SnapshotEnd
from schemas.records import Indicator, ReleasedIndicator

_Event = Change | Gap | SnapshotEnd | Quiet


def narrowed(events: Iterable[_Event], filters: Filter, nation: str) -> Iterator[_Event]:
    """The changes that the filter lets through, and those that take an indicator out of it that was in it before.

    Holds 16 bytes for each indicator that it has let through.
    """
    shown: set[bytes] = set()
    for event in events:
        if isinstance(event, Gap):
            shown.clear()
        if not isinstance(event, Change) or _comes(event, filters, nation, shown):
            yield event


def _comes(change: Change, filters: Filter, nation: str, shown: set[bytes]) -> bool:
    key = key_of(change.key)
    if key is None:
        return change.state is State.UNREADABLE
    entry = None if change.record is None else entry_in(change.record, nation, change.received_ms, change.state)
    if entry is not None and filters.matches(entry):
        shown.add(key)
        return True
    was_shown = key in shown
    shown.discard(key)
    return was_shown


def entry_in(record: dict[str, Any], nation: str, received_ms: int, state: State) -> Entry | None:
    """The entry of a national or a released record, if it has content; in a state that is known already."""
    if "content" not in record:
        return _as_of(of_own(cast("Indicator", record), nation, received_ms, 0), state)
    released = cast("ReleasedIndicator", record)
    if released["content"] is None:
        return None
    found = of_partner(
        released["content"],
        id=released["id"],
        origin=released["origin"],
        version=released["version"],
        received_ms=received_ms,
        now_ms=0,
    )
    return _as_of(found, state)


def _as_of(entry: Entry, state: State) -> Entry:
    return msgspec.structs.replace(entry, state=state)
