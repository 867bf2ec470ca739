"""The log of a bridge's bulk, on the partner's cluster: reports a lost position or recreated topic, and continues."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from exchange.kafka.clients import Cluster, end_offset
from exchange.kafka.log import KafkaLog
from exchange.kafka.progress import position_of
from exchange.protocol.log import Log
from exchange.protocol.record import Input, Output, Position, RowChange
from schemas import topics
from schemas.codec import Codec

_log = logging.getLogger(__name__)

NOTHING: Final = 0


class BridgeLog(Log):
    """A transactional log that does not stop if its position is lost.

    A bridge has no rows, and the receiving nation drops the versions that it has. So the bridge carries all records
    again, and reports the loss.
    """

    def __init__(
        self,
        partner: Cluster,
        home: str,
        shard: int,
        *,
        input_ids: Mapping[str, str],
        begins: Callable[[], Mapping[Input, int]],
        codec: Codec,
        on_lost: Callable[[], None],
        on_gap: Callable[[], None],
    ) -> None:
        """``begins`` returns the offsets where the inputs begin now.

        ``on_lost`` is called for a lost position, ``on_gap`` for each recreated topic.
        """
        self._step = topics.bridge_step(home)
        self._log = KafkaLog(
            partner,
            self._step,
            shard,
            input_ids=input_ids,
            state_format=None,
            codec=codec,
            batch_bytes=topics.INBOX_BATCH_BYTES,
        )
        self._partner, self._inbox, self._shard = partner, topics.inbox(home), shard
        self._begins = begins
        self._ids, self._on_lost, self._on_gap = input_ids, on_lost, on_gap

    def fence(self) -> None:
        """Become the owner. An owner that finds no position first commits one, at the beginning of its inputs.

        So an owner that has written to the inbox, even half a batch, had a position: if there is none, it was deleted.
        Records that retention deletes before the first batch are a gap like any other.
        """
        self._log.fence()
        if self._log.progress() is not None:
            return
        if end_offset(self._partner, self._inbox, self._shard) > NOTHING:
            _log.error(
                "bridge.position_lost topic=%s shard=%d at=%s: all releases are carried again, and %s drops "
                "those that it has; find out who deleted the topic",
                topics.progress(self._step), self._shard, self._partner.bootstrap, self._partner.nation,
            )  # fmt: skip
            self._on_lost()
        self._log.commit((), (), Position(next_offsets=self._begins()))

    def position(self) -> Position | None:
        """The last position, without the topics that were recreated: those are read from their beginning."""
        found = self._log.progress()
        if found is None:
            return None
        inputs = [each for each in found["inputs"] if self._ids.get(each["topic"], "") in ("", each["topic_id"])]
        for each in found["inputs"]:
            if each not in inputs:
                _log.error(
                    "bridge.source_recreated topic=%s partition=%d id=%s was=%s: carried from its beginning; "
                    "records from offset %d on that were not carried are lost: reconcile with the partner",
                    each["topic"], each["partition"], self._ids[each["topic"]], each["topic_id"], each["next_offset"],
                )  # fmt: skip
                self._on_gap()
        return position_of(found, inputs)

    def commit(
        self,
        outputs: Sequence[Output],
        rows: Sequence[RowChange],
        position: Position,
        on_handed_over: Callable[[], None] = lambda: None,
    ) -> int:
        """Outputs and position in one transaction; 0: there is no changelog."""
        return self._log.commit(outputs, rows, position, on_handed_over)

    def close(self) -> None:
        """Drop the producer. An open transaction ends when the next owner fences this one."""
        self._log.close()
