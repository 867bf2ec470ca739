"""Compares what a nation has released to a partner with what the partner holds, and names the differences. Pure.

First the digests of windows, which both sides keep (``streams.settle.step``); only for shards whose windows differ the
records themselves, and what settle remembers of those that their topic has lost. What was released a moment ago, and
what the bridge has not carried yet (its link is down, slow or closed), is on its way: it is not a difference yet.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

import msgspec

from consumers.bridge.guard import uuid_of
from exchange.metrics.labels import Differs, QuarantineStage
from exchange.protocol.record import Record, RowChange
from schemas.codec import QUARANTINED, RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec, Undecodable
from schemas.records import WindowDigest
from schemas.window import fingerprint, window_of

NOWHERE: Final = 0
LOST: Final = -1  # the offset of what its topic has lost: before any position, so no bridge will carry it
_MARK: Final = 9
_DIGITS: Final = 19  # of the greatest Avro long: Python refuses to read thousands, and a partner could write them

_MAY_BE_REFUSED: Final = frozenset({Differs.MISSING, Differs.STALE, Differs.ALTERED})  # altered: its recall was taken
REPAIRED_BY_REISSUE: Final = frozenset(Differs) - {Differs.EXTRA, Differs.REFUSED}
_NO_ANSWER: Final = "disputed"
_BRIDGE: Final = str(QuarantineStage.BRIDGE)


@dataclass(frozen=True, slots=True)
class Difference:
    """One indicator. Versions are 0 if there is none."""

    differs: Differs
    indicator_id: str
    shard: int
    released_version: int
    held_version: int
    reason: str = ""

    @property
    def highest_version(self) -> int:
        """The highest version that either side knows: a newer one that was released since needs no reissue.

        If the partner is ahead, our topic has lost what our state remembers.
        """
        return max(self.released_version, self.held_version)


@dataclass(frozen=True, slots=True)
class SideRecord:
    """One indicator on one side: its last version, its record's fingerprint and offset, and when it was written."""

    version: int
    fingerprint: bytes
    offset: int
    at_ms: int


Windows = Mapping[int, tuple[int, bytes]]
"""Count and sum by window."""


def digests_in(records: Iterable[Record], codec: Codec) -> Windows:
    """The last digest of each window; a deleted digest counts as an empty window."""
    last: dict[int, tuple[int, bytes]] = {}
    for record in records:
        found = None if record.value is None else codec.decode(WINDOW_DIGEST, record.value)
        if found is None:
            last.pop(_number(record.key), None)
        elif not isinstance(found, Undecodable):
            digest = cast("WindowDigest", found)
            last[digest["window_ms"]] = digest["count"], digest["sum"]
    return last


def _number(key: bytes | None) -> int:
    return int(key) if key is not None and len(key) <= _DIGITS and key.isdigit() else -1


def differing(released: Windows, held: Windows) -> list[int]:
    """The windows whose digests are not the same, the earliest first."""
    return sorted(window for window in released.keys() | held.keys() if released.get(window) != held.get(window))


def records_of(
    records: Iterable[Record], codec: Codec, windows: Container[int] | None, named: Container[str] = ()
) -> dict[str, SideRecord]:
    """The last record of each indicator in these windows (None: in all), and of those named, by id; none if deleted."""
    last: dict[str, SideRecord] = {}
    for record in records:
        name = (record.key or b"").decode("utf-8", "replace")
        last.pop(name, None)
        found = None if record.value is None else codec.decode(RELEASED_INDICATOR, record.value)
        if found is None or isinstance(found, Undecodable) or uuid_of(name) is None:
            continue  # settle skips it too; and a partner's text goes to no log and no terminal
        if windows is None or name in named or window_of(found["version"]) in windows:
            mark = fingerprint(record.key or b"", record.value or b"")
            last[name] = SideRecord(found["version"], mark, record.offset, record.timestamp_ms)
    return last


def remembered_by_settle(rows: Iterable[RowChange], windows: Container[int] | None) -> dict[str, SideRecord]:
    """What settle remembers as released in these windows (None: in all), even if the topic has lost it.

    A row of settle under an indicator's id is an array; it begins with the version that was released last,
    0 if there was none, and has its record's fingerprint at ``_MARK``.
    """
    last: dict[str, SideRecord] = {}
    for row in rows:
        name = row.key.decode("utf-8", "replace")
        last.pop(name, None)
        if row.value is None or uuid_of(name) is None:
            continue
        found = msgspec.msgpack.decode(row.value)
        version, mark = found[0], found[_MARK]
        if version and (windows is None or window_of(version) in windows):
            last[name] = SideRecord(version, mark, offset=LOST, at_ms=NOWHERE)
    return last


def without_superseded(records: Iterable[Record], remembered: MutableMapping[str, SideRecord]) -> Iterator[Record]:
    """The records of the released topic, while their indicators are taken out of ``remembered``: the topic is newer."""
    for record in records:
        remembered.pop((record.key or b"").decode("utf-8", "replace"), None)
        yield record


def refusals_in(records: Iterable[Record], codec: Codec) -> Mapping[str, tuple[int, str]]:
    """Version and reason of the partner's last refusal of each indicator, from its receipts that returned."""
    last: dict[str, tuple[int, str]] = {}
    for record in records:
        found = codec.decode(RECEIPT, record.value)
        if isinstance(found, Undecodable) or found["code"] != "refused":
            continue
        if found["version"] >= last.get(found["indicator_id"], (NOWHERE, ""))[0]:
            last[found["indicator_id"]] = found["version"], found["reason"]
    return last


def answered_in(records: Iterable[Record], codec: Codec) -> Mapping[str, int]:
    """The highest version of each indicator that the partner has answered, by its receipts that returned."""
    last: dict[str, int] = {}
    for record in records:
        found = codec.decode(RECEIPT, record.value)
        if not isinstance(found, Undecodable) and found["code"] != _NO_ANSWER:
            name = found["indicator_id"]
            last[name] = max(last.get(name, NOWHERE), found["version"])
    return last


def stopped_in(records: Iterable[Record], codec: Codec, topic: str) -> Mapping[int, str]:
    """Why our bridge's guard stopped records of the released topic in one shard, by their offset, from quarantine."""
    stopped: dict[int, str] = {}
    for record in records:
        found = codec.decode(QUARANTINED, record.value)
        if not isinstance(found, Undecodable) and (found["stage"], found["topic"]) == (_BRIDGE, topic):
            stopped[found["offset"]] = f"stopped by our bridge's guard: {found['reason']}"
    return stopped


def differences(
    released: Mapping[str, SideRecord],
    held: Mapping[str, SideRecord],
    refused: Mapping[str, tuple[int, str]],
    shard: int,
    *,
    settled_before_ms: int,
    carried_to: int | None = None,
    answered: Mapping[str, int] | None = None,
    stopped: Mapping[int, str] = MappingProxyType({}),
) -> Iterator[Difference]:
    """The differences, in the order of the ids.

    Leaves out what was released at ``settled_before_ms`` or later, and what is at offset ``carried_to`` or after it:
    the next that the bridge will carry, None if not known. With ``answered``, an indicator that both sides have but
    that the partner has not answered is a difference too: its receipt was lost on the way home. What is at an offset in
    ``stopped`` is never on its way: it is refused, for the reason given there.
    """
    for name in sorted(released.keys() | held.keys()):
        ours, theirs = released.get(name), held.get(name)
        if ours is not None and ours.offset in stopped:
            there = NOWHERE if theirs is None else theirs.version
            yield Difference(Differs.REFUSED, name, shard, ours.version, there, stopped[ours.offset])
            continue
        if ours is not None and (
            ours.at_ms >= settled_before_ms or (carried_to is not None and ours.offset >= carried_to)
        ):
            continue
        differs = _compared(ours, theirs)
        if differs is None and answered is not None and ours is not None and answered.get(name, 0) < ours.version:
            differs = Differs.UNANSWERED
        if differs is None:
            continue
        version = NOWHERE if ours is None else ours.version
        there = NOWHERE if theirs is None else theirs.version
        refusal, reason = refused.get(name, (NOWHERE, ""))
        if differs in _MAY_BE_REFUSED and refusal >= version:
            yield Difference(Differs.REFUSED, name, shard, version, there, reason)
        else:
            yield Difference(differs, name, shard, version, there)


def _compared(ours: SideRecord | None, theirs: SideRecord | None) -> Differs | None:
    if ours is None:
        return None if theirs is None else Differs.EXTRA
    if theirs is None:
        return Differs.MISSING
    if theirs.version != ours.version:
        return Differs.STALE if theirs.version < ours.version else Differs.AHEAD
    return None if theirs.fingerprint == ours.fingerprint else Differs.ALTERED
