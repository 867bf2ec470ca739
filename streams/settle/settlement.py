"""One indicator between us and one partner: our releases, the partner's receipts, and overdue answers. Pure.

A receipt for version n settles all versions up to n. A receipt and its release arrive on two topics, in either order.
An early receipt waits for its release for ``EARLY_MS``, or for ``LONGEST_EARLY_MS`` while other releases still
arrive; after that it counts as a receipt for something never released. A dispute settles nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.records import Receipt, ReleasedIndicator

FORMAT: Final = 3
EARLY_MS: Final = 60_000
# A shard that was rebuilt, or did not run for long, reads one topic before the other.
LONGEST_EARLY_MS: Final = 60 * 60_000
PURGE_LIMIT_MS: Final = 2 * 24 * 60 * 60 * 1000
_ACCEPTED: Final = frozenset({"applied", "recall_applied", "purged"})
_ANSWERS: Final = _ACCEPTED | {"received", "refused"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a partner may be silent, in milliseconds: about a release, about a recall, and until it is purged."""

    release_ms: int
    recall_ms: int
    purge_ms: int = PURGE_LIMIT_MS


class Late(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How many indicators wait for too long: for any receipt, for a recall's receipt, for its purge."""

    releases: int = 0
    recalls: int = 0
    purges: int = 0

    def changed(self, before: "Late", after: "Late") -> "Late":
        """These counts after one indicator has changed."""
        return Late(
            self.releases + after.releases - before.releases,
            self.recalls + after.recalls - before.recalls,
            self.purges + after.purges - before.purges,
        )


class EarlyReceipt(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A receipt for a version that is not known, read at ``at_ms``; ``value`` and ``offset`` are of its record."""

    code: str
    version: int
    value: bytes
    offset: int
    at_ms: int


class ReleaseRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The row. ``version`` is the latest release; the first one without a receipt was written at ``since_ms``.

    ``recalled_through`` was last raised at ``recall_ms``. ``settled`` is the highest version with any receipt,
    ``taken`` the highest that the partner has accepted, ``purged`` the highest whose recalled content it has purged.
    After compaction the recalling record may be unknown: then any record above ``recalled_through`` counts as it.
    ``early`` are early receipts, the highest of each code. ``late`` is this row's part of the counts,
    ``fingerprint`` is of the last record, written at ``last_ms``.
    """

    version: int = 0
    since_ms: int = 0
    recalled_through: int = 0
    recall_ms: int = 0
    settled: int = 0
    taken: int = 0
    purged: int = 0
    early: tuple[EarlyReceipt, ...] = ()
    late: Late = Late()
    fingerprint: bytes = b""
    last_ms: int = 0

    def released(self, record: ReleasedIndicator, fingerprint: bytes, at_ms: int) -> "ReleaseRow":
        """The row after one more release; an older one than the known release changes nothing."""
        version = record["version"]
        if version <= self.version:
            return self
        row = msgspec.structs.replace(
            self,
            version=version,
            fingerprint=fingerprint,
            since_ms=at_ms if self.settled >= self.version else self.since_ms,
            last_ms=at_ms,
        )
        if record["recalled_through"] > row.recalled_through:
            row = msgspec.structs.replace(row, recall_ms=at_ms, recalled_through=record["recalled_through"])
        matched = [one for one in row.early if one.version <= version]
        row = row.without(matched)
        for one in matched:
            row = row.answered(one.version, one.code, at_ms)
        return row

    def receipted(self, receipt: Receipt, value: bytes, offset: int, now_ms: int) -> "ReleaseRow":
        """The row after a receipt of the partner; ``value`` and ``offset`` are of its record."""
        if receipt["version"] <= self.version:
            return self.answered(receipt["version"], receipt["code"], now_ms)
        one = EarlyReceipt(receipt["code"], receipt["version"], value, offset, now_ms)
        same = next((other for other in self.early if other.code == one.code), None)
        if same is None:
            return msgspec.structs.replace(self, early=(*self.early, one))
        return self if same.version >= one.version else self.without([same]).receipted(receipt, value, offset, now_ms)

    def answered(self, version: int, code: str, at_ms: int) -> "ReleaseRow":
        """The row after a receipt for a version that was released."""
        if code not in _ANSWERS:
            return self
        taken = version if code in _ACCEPTED else 0
        # The releases that are still open were made with the last one at the latest.
        open_ms = min(at_ms, self.last_ms or at_ms)
        return msgspec.structs.replace(
            self,
            settled=max(self.settled, version),
            taken=max(self.taken, taken),
            purged=max(self.purged, version if code == "purged" else 0),
            since_ms=open_ms if self.settled < version < self.version else self.since_ms,
        )

    def unmatched(self, now_ms: int, *, releases_come: bool) -> list[EarlyReceipt]:
        """Its receipts for versions never released; ``releases_come`` if this shard is still reading releases."""
        wait_ms = LONGEST_EARLY_MS if releases_come else EARLY_MS
        return [one for one in self.early if now_ms >= one.at_ms + wait_ms]

    def without(self, early: Sequence[EarlyReceipt]) -> "ReleaseRow":
        """The row without these early receipts."""
        if not early:
            return self
        return msgspec.structs.replace(self, early=tuple(one for one in self.early if one not in early))

    def judged(self, now_ms: int, limits: Limits) -> tuple["ReleaseRow", int]:
        """The row with what is late by now, and when the row is due again; 0 if never."""
        recalled = self.recalled_through
        waits = (
            (self.settled < self.version, self.since_ms + limits.release_ms),
            (self.taken <= recalled != 0, self.recall_ms + limits.recall_ms),
            (self.purged <= recalled != 0, self.recall_ms + limits.purge_ms),
        )
        late = Late(*(int(is_open and at_ms <= now_ms) for is_open, at_ms in waits))
        times = [at_ms for is_open, at_ms in waits if is_open and at_ms > now_ms]
        times += [max(one.at_ms, now_ms) + EARLY_MS for one in self.early]
        return (self if late == self.late else msgspec.structs.replace(self, late=late)), min(times, default=0)


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(ReleaseRow)


def encode(row: ReleaseRow) -> bytes:
    """The row as the changelog keeps it."""
    return _ENCODER.encode(row)


def decode(data: bytes) -> ReleaseRow:
    """The row that the changelog kept. Raises ``msgspec.DecodeError`` for damaged bytes."""
    return _DECODER.decode(data)
