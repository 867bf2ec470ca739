"""A bridge's log abroad, which says so where its position there is gone, or is one in a topic that is another now."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from exchange.kafka.clients import Cluster, end_offset
from exchange.kafka.log import KafkaLog
from exchange.protocol.record import Input, Position
from schemas import topics
from schemas.codec import Codec

_log = logging.getLogger(__name__)

NOTHING: Final = 0


class BridgeLog(KafkaLog):
    """A ``Log`` on the partner's cluster.

    A bridge has no rows, and whoever receives drops the versions that it has. So it need not stop where its position
    means nothing any more: it carries again what there is, and declares it.
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
        """``begins`` says where the inputs begin now.

        ``on_lost`` is told of a position that is gone, ``on_gap`` of a topic that is another under its name.
        """
        super().__init__(
            partner,
            topics.bridge_step(home),
            shard,
            input_ids=input_ids,
            state_format=None,
            codec=codec,
            batch_bytes=topics.INBOX_BATCH_BYTES,
        )
        self._partner, self._inbox, self._number = partner, topics.inbox(home), shard
        self._begins = begins
        self._ids, self._on_lost, self._on_gap = input_ids, on_lost, on_gap

    def fence(self) -> None:
        """Become the owner. Who has no position yet commits one before anything else: where the inputs begin.

        So whoever has written to the inbox, be it half a batch, had a position: where there is none it was deleted. And
        what retention takes before the first batch is a gap like any other.
        """
        super().fence()
        if self.progress() is not None:
            return
        if end_offset(self._partner, self._inbox, self._number) > NOTHING:
            _log.error(
                "bridge.position_lost topic=%s shard=%d at=%s: all that is released is carried again, and %s drops "
                "what it has; find out who deleted the topic",
                topics.progress(self._step), self._number, self._partner.bootstrap, self._partner.nation,
            )  # fmt: skip
            self._on_lost()
        self.commit((), (), Position(next_offsets=self._begins()))

    def position(self) -> Position | None:
        """The last position, without the topics that were deleted and made anew: those begin where they begin."""
        found = self.progress()
        if found is None:
            return None
        inputs = [each for each in found["inputs"] if self._ids.get(each["topic"], "") in ("", each["topic_id"])]
        for each in found["inputs"]:
            if each not in inputs:
                _log.error(
                    "bridge.source_recreated topic=%s partition=%d id=%s was=%s: carried from its beginning; what it "
                    "held from offset %d on and was not carried is lost: reconcile with the other side",
                    each["topic"], each["partition"], self._ids[each["topic"]], each["topic_id"], each["next_offset"],
                )  # fmt: skip
                self._on_gap()
        return self._as_position({**found, "inputs": inputs})
