"""A record of a topic as it arrives at the picture."""

from typing import cast

import msgspec

from consumers.picture.entry import Entry, of_own, of_partner
from consumers.picture.rows import key_of
from consumers.subscription.changes import State
from exchange.protocol.record import Record
from schemas.codec import INDICATOR, RELEASED_INDICATOR, Codec, Undecodable
from schemas.records import Indicator, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL, EndReason


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One record: an indicator's new version, its end, or the deletion of its key (REMOVED; version 0).

    ``entry`` is None if it has no content. ``recalled_through`` is the highest version that was recalled.
    """

    key: bytes
    version: int
    state: State
    reason: str
    received_ms: int
    recalled_through: int = 0
    entry: Entry | None = None
    sources: bytes | None = None

    @property
    def is_end(self) -> bool:
        """Whether it takes an indicator out of use."""
        return self.state in (State.EXPIRED, State.REVOKED, State.RECALLED)

    @property
    def erases(self) -> bool:
        """Whether the content of earlier versions may not be kept."""
        return self.state in (State.RECALLED, State.REMOVED) or self.reason == EndReason.RELEASE_ENDED


def arrival_of(record: Record, codec: Codec, nation: str, origin: str, now_ms: int) -> Arrival | str:
    """What arrived, or why it cannot be read. Never raises because of the record."""
    key = key_of((record.key or b"").decode("utf-8", "replace"))
    if key is None:
        return "its key is no indicator's id"
    if record.value is None:
        return Arrival(key, 0, State.REMOVED, "", record.timestamp_ms)
    if origin == nation:
        own = codec.decode(INDICATOR, record.value)
        if isinstance(own, Undecodable):
            return f"{own.reason}: {own.detail}"
        return _of_own(key, cast("Indicator", own), nation, record.timestamp_ms, now_ms)
    released = codec.decode(RELEASED_INDICATOR, record.value)
    if isinstance(released, Undecodable):
        return f"{released.reason}: {released.detail}"
    return _of_partner(key, cast("ReleasedIndicator", released), origin, record.timestamp_ms, now_ms)


def _of_own(key: bytes, record: Indicator, nation: str, received_ms: int, now_ms: int) -> Arrival | str:
    if record["type"] not in TYPE_BY_LABEL:
        return "its type is not known here"
    entry = of_own(record, nation, received_ms, now_ms)
    sources = msgspec.msgpack.encode(record["sources"]) if record["sources"] else None
    return Arrival(key, record["version"], entry.state, "", received_ms, 0, entry, sources)


def _of_partner(key: bytes, record: ReleasedIndicator, origin: str, received_ms: int, now_ms: int) -> Arrival | str:
    version, through, content = record["version"], record["recalled_through"], record["content"]
    if content is None:
        return Arrival(key, version, State(record["kind"]), record["reason"], received_ms, through)
    if content["type"] not in TYPE_BY_LABEL:
        return "its type is not known here"
    entry = of_partner(content, id=record["id"], origin=origin, version=version, received_ms=received_ms, now_ms=now_ms)
    if content["release_expires_ms"] and content["release_expires_ms"] <= now_ms:
        return Arrival(key, version, State.ENDED, EndReason.RELEASE_ENDED.value, received_ms, through)
    return Arrival(key, version, entry.state, "", received_ms, through, entry)
