"""The versions that the fast lane may have carried ahead of the bulk, for one shard, so that nothing older follows.

The fast lane's records are copies, written in the same transactions as the bulk's. So a version can be forgotten once
the bulk has passed the end that its topic had after the copy was read: the copy's original is before that end, even
after compaction.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from schemas.records import ReleasedIndicator

ASK_EVERY_S: Final = 2.0


class Overtaken:
    """The highest version of each key that was read from the fast lane, in two generations. For the older one the
    offset is known at which the bulk has passed it. For one thread."""

    def __init__(self) -> None:
        self._older: dict[bytes, int] = {}
        self._newer: dict[bytes, int] = {}
        self._passed_at: int | None = None
        self._asked_s = -ASK_EVERY_S
        self._newer_begin = 0
        self.next = 0
        self.begin = 0

    def __bool__(self) -> bool:
        return bool(self._older or self._newer)

    def __contains__(self, key: bytes | None) -> bool:
        return key in self._older or key in self._newer

    def __getitem__(self, key: bytes | None) -> int:
        """The highest version of this key that may be ahead of the bulk; 0 if none is."""
        if key is None:
            return 0
        return max(self._older.get(key, 0), self._newer.get(key, 0))

    def of(self, keys: Iterable[bytes | None]) -> Mapping[bytes, int]:
        """The highest version that may be ahead of the bulk, for each of these keys that has one."""
        if not self:
            return {}
        return {key: self[key] for key in keys if key is not None and key in self}

    def begin_at(self, offset: int) -> None:
        """Nothing is known yet; the fast lane is read from this offset on."""
        self._older, self._newer, self._passed_at = {}, {}, None
        self.begin = self._newer_begin = self.next = offset

    def note(self, offset: int, key: bytes | None, version: int) -> None:
        """A copy at ``offset`` of the fast lane; called again, it changes nothing."""
        self.next = max(self.next, offset + 1)
        if key is not None and version:
            self._newer[key] = max(self._newer.get(key, 0), version)

    def bulk_at(self, offset: int, now_s: float, end: Callable[[], int]) -> None:
        """The bulk reads on from ``offset``, at monotonic time ``now_s``. ``end`` reads the end of its topic, with
        uncommitted records: seldom, and only while there is something to forget."""
        if self._passed_at is not None and offset >= self._passed_at:
            self._older, self._passed_at = {}, None
            self.begin = self._newer_begin
        if self._passed_at is None and not self._newer:
            self.begin = self._newer_begin = self.next
        elif self._passed_at is None and now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            self._older, self._newer = self._newer, {}
            self._newer_begin = self.next
            self._passed_at = end()


def holds_back(ahead: int, released: ReleasedIndicator) -> bool:
    """Whether this is content of an older version than the one that may be ahead of the bulk."""
    return released["content"] is not None and released["version"] < ahead
