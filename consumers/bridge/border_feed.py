"""The inputs of a bridge under its border: the bulk of releases, and the fast lane ahead of it.

While the border is not open, the position in the releases does not move, and no content passes; ends, revocations and
recalls continue by the fast lane. When it opens, the bulk continues from its position. It reads the same records again,
and the partner drops the versions that it has. It carries no content that the fast lane has overtaken, so content that
was recalled before the bulk reached it never leaves.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import msgspec

from consumers.bridge.overtaken import Overtaken, holds_back
from consumers.bridge.portion import MAX_BYTES, Portion
from consumers.bridge.throttle import Throttle
from exchange.authority.policy_record import Border
from exchange.clock import now_ms
from exchange.errors import TransientError
from exchange.feeds.assigned import MAX_RECORDS, AssignedFeed
from exchange.feeds.gathering import Gathering
from exchange.kafka.clients import Cluster, begin_offset, end_offset
from exchange.kafka.committed import as_record, committed
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Output, Record
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.records import ReleasedIndicator

_log = logging.getLogger(__name__)

# A poll does not wait for more records, so at a low rate a transaction has one. All of them fit into one batch of the
# producer (``INBOX_BATCH_BYTES``): a second one would be sent a round trip later.
MAX_RECORDS_OF_BULK: Final = 32_000
GATHER_RECEIPTS_S: Final = 1.0  # for receipts: no one waits for them, and each transaction has a fixed cost


class BorderClosed(TransientError):
    """A batch that an open border let through was not written before the border closed. It stays at home."""


class BatchOvertaken(TransientError):
    """The fast lane carried a later version of a record that was not written yet. That record stays at home."""


def _must_still_go(let_through: Border | None, border: Border | None, source: Input) -> None:
    """Raises BorderClosed for a batch that a border let through, if it would not do so now."""
    if let_through is Border.OPEN and border is not Border.OPEN:
        why = "the border was closed" if border else "whether the border is open became unknown"
        raise BorderClosed(
            f"{source.topic}-{source.partition}: {why} before the batch that it had let through was written abroad, "
            "so the batch stays. After a restart the bridge continues by the border's state then"
        )


def _log_border(partition: int, was: Border | None, border: Border | None) -> None:
    """An outage of the cluster is no decision of an officer: the log distinguishes the two."""
    if border is None:
        _log.warning("border.unknown partition=%d was=%s: nothing is released until policy.v1 is read", partition, was)
    elif was is None:
        _log.warning("border.known partition=%d is=%s", partition, border)
    else:
        _log.warning("border.changed partition=%d from=%s to=%s", partition, was, border)


class BorderFeed(Feed[Mapping[bytes, int]]):
    """The feed of one shard of a bridge's bulk: releases, under the border, and receipts, which always pass. Its facts
    are the versions that the fast lane may have carried ahead of the bulk."""

    looks_ahead = True
    idle_s = 0.1  # two clients, the border and the rate are polled

    def __init__(
        self,
        cluster: Cluster,
        released: Input,
        always: Input,
        urgent: Input,
        border: Callable[[], Border | None],
        codecs: tuple[Codec, Codec],
        throttle: Throttle,
    ) -> None:
        """``border`` returns its state now, None if it is not known. ``codecs`` are ours and the partner's."""
        self._throttle, self._portion = throttle, Portion()
        self._cluster, self._released, self._urgent = cluster, released, urgent
        self._border, (self._codec, self._codec_abroad) = border, codecs
        self._bulk = AssignedFeed(cluster, [released], max_records=MAX_RECORDS_OF_BULK, max_bytes=MAX_BYTES)
        self._rest = AssignedFeed(cluster, [always, urgent])
        self._kept: list[Record] = []  # receipts that were read and not handed out yet
        self._gathering = Gathering(GATHER_RECEIPTS_S)
        self._bulk_next = 0
        self._was: Border | None = Border.OPEN
        self._overtaken = Overtaken()

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at the position of each input; read again what the fast lane carried ahead of the bulk."""
        gaps, self._kept = self._bulk.resume(next_offsets), []
        self._bulk_next = self._bulk.start_of(self._released)
        topic, partition = self._urgent.topic, self._urgent.partition
        self._overtaken.begin_at(max(next_offsets.get(self._urgent, 0), begin_offset(self._cluster, topic, partition)))
        self._look_ahead()
        return gaps + self._rest.resume({**next_offsets, self._urgent: self._overtaken.next})

    def _look_ahead(self) -> None:
        """Read the fast lane up to its end: recalls that were made while no bridge ran must be known first."""
        topic, partition = self._urgent.topic, self._urgent.partition
        for message in committed(self._cluster, topic, partition, self._overtaken.next):
            self._note(as_record(message))

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """Receipts, and as many releases as the border and the rate let through."""
        border = self._border()
        if border is not self._was:
            _log_border(self._released.partition, self._was, border)
            self._was = border
            if border is Border.OPEN:
                self._look_ahead()
        if border is not Border.OPEN:
            return self._others(timeout_s)
        others = self._others(0)
        self._overtaken.bulk_at(self._bulk_next, time.monotonic(), self._end)
        allowed = self._throttle.allowed(now_ms(), time.monotonic())
        if allowed == 0:
            wait_s = self._throttle.held(time.monotonic(), something=self._bulk.lag() > 0)
            return others or self._others(min(timeout_s, wait_s))
        self._bulk.max_bytes = self._portion.bytes if allowed is None else min(self._portion.bytes, allowed)
        records = self._bulk.poll(0 if others else timeout_s)
        if records:
            self._bulk_next = records[-1].offset + 1
            size = sum(len(each.value or b"") + len(each.key or b"") for each in records)
            self._throttle.spend(size)
            self._portion.sent(size, time.monotonic())
            others += self._handed_out()  # the transaction is made anyway
        return [*others, *records]

    def ahead(self) -> Sequence[Record]:
        """Receipts, while the bulk waits for its turn; what overtakes the bulk meanwhile is noted before it."""
        return self._others(0)

    def facts(self, records: Sequence[Record]) -> Mapping[bytes, int]:
        """The highest version of each key of these records that the fast lane may have carried ahead of the bulk."""
        return self._overtaken.of(record.key for record in records)

    def marks(self) -> Mapping[Input, int]:
        """The offset at which the next owner of the shard begins to read the fast lane."""
        return {self._urgent: self._overtaken.begin}

    def recheck(self, outputs: Sequence[Output]) -> None:
        """Raises BorderClosed or BatchOvertaken if outputs that are not written yet must not leave any more."""
        _must_still_go(self._was, self._border(), self._released)
        self._read(0)
        for output in outputs:
            if self._is_older(output):
                raise BatchOvertaken(
                    f"{self._released.topic}-{self._released.partition}: the fast lane has carried a later version of "
                    f"{output.key.decode()} before this one was written abroad, so this one stays. After a restart "
                    "the bridge continues without it"
                )

    def _is_older(self, output: Output) -> bool:
        ahead = self._overtaken[output.key]
        released = released_in(output.value, self._codec_abroad) if ahead else None
        return released is not None and holds_back(ahead, released)

    def _others(self, timeout_s: float) -> list[Record]:
        """Receipts, if they have gathered; versions on the fast lane are noted."""
        is_due = not self._gathering.left_s()
        self._read(0 if self._kept and is_due else timeout_s)
        return self._handed_out() if is_due or len(self._kept) >= MAX_RECORDS else []

    def _read(self, timeout_s: float) -> None:
        for record in self._rest.poll(timeout_s):
            if record.topic == self._urgent.topic:
                self._note(record)
            else:
                self._kept.append(record)

    def _handed_out(self) -> list[Record]:
        receipts, self._kept = self._kept, []
        if receipts:
            self._gathering.began(left_some=len(receipts) >= MAX_RECORDS)
        return receipts

    def _note(self, record: Record) -> None:
        released = released_in(record.value, self._codec)
        self._overtaken.note(record.offset, record.key, 0 if released is None else released["version"])

    def _end(self) -> int:
        return end_offset(self._cluster, self._released.topic, self._released.partition)

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:  # noqa: ARG002  # retention deletes them
        """Adapt the size of the next batch to the time that this one took."""
        self._portion.carried(time.monotonic())

    def lag(self) -> int:
        """Records that wait."""
        return self._bulk.lag() + self._rest.lag() + len(self._kept)

    def close(self) -> None:
        """Stop reading."""
        self._bulk.close()
        self._rest.close()


class UrgentBorderFeed(Feed[Mapping[bytes, int]]):
    """One shard of a bridge's fast lane. Nothing is ahead of it.

    While the border is not open, content keeps its offset and loses its value: it is not carried here, but with the
    bulk when the border opens.
    """

    def __init__(self, cluster: Cluster, urgent: Input, border: Callable[[], Border | None], codec: Codec) -> None:
        self._copies = AssignedFeed(cluster, [urgent])
        self._source, self._border, self._codec = urgent, border, codec
        self._was: Border | None = None

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at this offset."""
        return self._copies.resume(next_offsets)

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records, without the content that the border does not let through."""
        records = self._copies.poll(timeout_s)
        self._was = self._border()
        if not records or self._was is Border.OPEN:
            return records
        return [self._without_content(record) for record in records]

    def facts(self, records: Sequence[Record]) -> Mapping[bytes, int]:  # noqa: ARG002  # nothing is ahead of them
        """No version is ahead."""
        return {}

    def recheck(self, outputs: Sequence[Output]) -> None:  # noqa: ARG002  # the border is for all of them
        """Raises BorderClosed if the last batch must not leave any more."""
        _must_still_go(self._was, self._border(), self._source)

    def lag(self) -> int:
        """Records that wait."""
        return self._copies.lag()

    def close(self) -> None:
        """Stop reading."""
        self._copies.close()

    def _without_content(self, record: Record) -> Record:
        released = released_in(record.value, self._codec)
        if released is None or released["content"] is None:
            return record
        return msgspec.structs.replace(record, value=None)


def released_in(value: bytes | None, codec: Codec) -> ReleasedIndicator | None:
    """The released indicator in a record's value; None if it is a deletion, or cannot be read."""
    found = codec.decode(RELEASED_INDICATOR, value) if value else None
    return None if found is None or isinstance(found, Undecodable) else cast("ReleasedIndicator", found)
