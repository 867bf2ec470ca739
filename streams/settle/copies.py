"""Looks whether a nation's topics still hold content that its partner has recalled: reads them, and believes no config.

The inbox and the picture of the partner, one partition of each, also what was never committed: an aborted record lies
there until it is cleaned away. A look takes as long as the partitions are; it has a thread of its own, and a shard
asks again until the answer is there.
"""

import logging
import threading
from collections.abc import Mapping, Sequence

from exchange.errors import ExchangeError
from exchange.kafka.clients import Cluster, begin_offset, end_offset
from exchange.kafka.committed import committed
from schemas.codec import RELEASED_INDICATOR, RELEASED_INDICATOR_V2, Codec, Undecodable

_log = logging.getLogger(__name__)

Recalled = Mapping[bytes, int]
"""Ids, and the version up to which their content was recalled."""


class TopicCopies:
    """``streams.settle.step.Copies`` over one partition of these topics. One thread asks."""

    def __init__(self, cluster: Cluster, topics: Sequence[str], shard: int, codec: Codec) -> None:
        self._cluster, self._topics, self._shard, self._codec = cluster, tuple(topics), shard, codec
        self._look: threading.Thread | None = None
        self._found: dict[tuple[bytes, int], bool] = {}

    def left(self, recalled: Recalled) -> Mapping[bytes, bool]:
        """What the last look has found of these, each answer once; where any is unknown, a look begins."""
        if self._look is not None and self._look.is_alive():
            return {}
        answers = {name: found for name in recalled if (found := self._found.get((name, recalled[name]))) is not None}
        self._found = {}
        if answers.keys() != recalled.keys():
            self._look = threading.Thread(target=self._find, args=(dict(recalled),), name="copies", daemon=True)
            self._look.start()
        return answers

    def _find(self, recalled: Recalled) -> None:
        try:
            found = self.find(recalled)
        except ExchangeError as error:  # nothing is known then, and it is asked again
            _log.warning("copies.unknown shard=%d: %s", self._shard, error)
        else:
            self._found = {(name, through): name in found for name, through in recalled.items()}

    def find(self, recalled: Recalled) -> frozenset[bytes]:
        """Those of which content up to their version can still be read somewhere. Takes its time."""
        found: set[bytes] = set()
        for topic in self._topics:
            begin = begin_offset(self._cluster, topic, self._shard)
            end = end_offset(self._cluster, topic, self._shard)
            for message in committed(self._cluster, topic, self._shard, begin, end, aborted_too=True):
                key, value = message.key(), message.value()
                if key is None or value is None or key not in recalled:
                    continue
                if self._is_content(value, recalled[key]):
                    found.add(key)
        return frozenset(found)

    def _is_content(self, value: bytes, through: int) -> bool:
        record = self._codec.decode(RELEASED_INDICATOR, value)
        if isinstance(record, Undecodable):
            # Somebody's receipt for it holds nothing of it; what nobody can read may.
            return self._codec.schema_of(value) in (None, RELEASED_INDICATOR, RELEASED_INDICATOR_V2)
        return record["content"] is not None and record["version"] <= through
