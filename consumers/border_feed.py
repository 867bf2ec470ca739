"""What a bridge reads while its border is open, and while it is not.

While the border is not open, the position in what was released stands still, and no content passes. Ends, revocations
and recalls go on beside it, by a second position in the same topic: the recalls' lane. When the border opens, the bulk
goes on where it stood. It meets the same recalls again, which the partner drops as versions that it has, and it must
not bring content that one of them has recalled meanwhile: ``recalled`` says which.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import msgspec

from exchange.clients import Cluster, end_offset
from exchange.committed import committed
from exchange.feed import AssignedFeed, as_record
from exchange.policy_record import Border
from exchange.record import Input, Record
from schemas.codec import RELEASED_INDICATOR, Codec, Undecodable
from schemas.records import ReleasedIndicator

_log = logging.getLogger(__name__)

_LANE: Final = "#recalls"
# A transaction takes some four round trips, whatever is in it: over a long link only large ones keep the rate. What is
# not there yet is not waited for, so a trickle is a record a transaction.
_MAX_RECORDS: Final = 32_000


def lane_of(released: str) -> str:
    """How a position names the recalls' lane of a topic."""
    return released + _LANE


class BorderFeed:
    """``exchange.shard.Feed`` of one shard of a bridge: what is released, under its border, and what always goes."""

    def __init__(
        self,
        cluster: Cluster,
        released: Input,
        always: Input,
        border: Callable[[], Border],
        recalled: dict[str, int],
        codec: Codec,
    ) -> None:
        """``border`` says what it is now: not open, where that is not known. ``recalled`` is filled here."""
        self._cluster, self._released, self._always = cluster, released, always
        self._border, self._codec = border, codec
        self._lane_input = Input(lane_of(released.topic), released.partition)
        self._bulk = AssignedFeed(cluster, [released], max_records=_MAX_RECORDS)
        self._rest = AssignedFeed(cluster, [always])
        self._lane: AssignedFeed | None = None
        self._bulk_next = self._lane_next = 0
        self._was = Border.OPEN
        self.recalled = recalled

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start where each stood; what the lane has carried beyond the bulk is looked up again."""
        gaps = self._bulk.resume(next_offsets) + self._rest.resume(next_offsets)
        self._bulk_next = self._bulk.start_of(self._released)
        self._lane_next = max(next_offsets.get(self._lane_input, 0), self._bulk_next)
        if self._lane_next > self._bulk_next:
            end = min(self._lane_next, end_offset(self._cluster, self._released.topic, self._released.partition))
            place = self._released.topic, self._released.partition
            for message in committed(self._cluster, *place, self._bulk_next, end):
                self._note(as_record(message))
        return gaps

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """What always goes, and of what is released as much as the border lets through."""
        border = self._border()
        if border is not self._was:
            _log.warning("border.changed partition=%d from=%s to=%s", self._released.partition, self._was, border)
            self._was = border
        others = self._rest.poll(0)
        wait_s = 0 if others else timeout_s
        if border is Border.OPEN:
            self._end_lane()
            records = self._bulk.poll(wait_s)
            if records:
                self._bulk_next = records[-1].offset + 1
            return [*others, *records]
        return [*others, *self._recalls(wait_s)]

    def _recalls(self, timeout_s: float) -> Sequence[Record]:
        """The lane's records, under its own name. Content among them moves the lane's position, and goes nowhere."""
        if self._lane is None:
            self._lane = AssignedFeed(self._cluster, [self._released])
            self._lane_next = max(self._lane_next, self._bulk_next)
            self._lane.resume({self._released: self._lane_next})
        records = self._lane.poll(timeout_s)
        if records:
            self._lane_next = records[-1].offset + 1
        for record in records:
            self._note(record)
        return [msgspec.structs.replace(record, topic=self._lane_input.topic) for record in records]

    def _note(self, record: Record) -> None:
        found = self._codec.decode(RELEASED_INDICATOR, record.value) if record.value else None
        if found is None or isinstance(found, Undecodable):
            return
        released = cast("ReleasedIndicator", found)
        if released["content"] is None:
            self.recalled[released["id"]] = max(self.recalled.get(released["id"], 0), released["version"])

    def _end_lane(self) -> None:
        if self._lane is not None:
            self._lane.close()
            self._lane = None

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """What was overtaken is forgotten once the bulk is behind the lane."""
        if self.recalled and next_offsets.get(self._released, 0) >= self._lane_next:
            self.recalled.clear()

    def lag(self) -> int:
        """Records that wait."""
        return self._bulk.lag() + self._rest.lag()

    def close(self) -> None:
        """Stop reading."""
        self._end_lane()
        self._bulk.close()
        self._rest.close()
