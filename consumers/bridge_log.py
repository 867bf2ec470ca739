"""A bridge's log abroad, which says so where its position there is gone."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from exchange.clients import Cluster, end_offset
from exchange.kafka_log import KafkaLog
from exchange.record import Position
from schemas import topics
from schemas.codec import Codec

_log = logging.getLogger(__name__)

NOTHING: Final = 0


class BridgeLog(KafkaLog):
    """``exchange.shard.Log`` on the partner's cluster.

    Whoever has written to the inbox had a position. Where it is gone, because somebody has deleted the topic, all that
    is released is carried again: the receiving side's version floor drops it, and it is declared. So is a first batch
    that was cut off in the middle: from here, where the inbox may not be read, the two look the same.
    """

    def __init__(
        self,
        partner: Cluster,
        home: str,
        shard: int,
        *,
        input_ids: Mapping[str, str],
        codec: Codec,
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__(partner, topics.bridge_step(home), shard, input_ids=input_ids, state_format=None, codec=codec)
        self._partner, self._inbox, self._number, self._on_lost = partner, topics.inbox(home), shard, on_lost

    def position(self) -> Position | None:
        """The last position; None at the first start, and where it was lost."""
        found = super().position()
        if found is None and end_offset(self._partner, self._inbox, self._number) > NOTHING:
            _log.error(
                "bridge.position_lost topic=%s shard=%d at=%s: all that is released is carried again, and %s drops "
                "what it has; find out who deleted the topic (a bridge killed in its first batch says so, too)",
                topics.progress(self._step), self._number, self._partner.bootstrap, self._partner.nation,
            )  # fmt: skip
            self._on_lost()
        return found
