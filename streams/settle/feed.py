"""Settle's feed: its inputs, and whether our topics still hold content that the partner has recalled.

A search reads one partition of the inbox and of the partner's accepted records, uncommitted records included: an
aborted record is there until compaction or retention removes it. No topic setting is trusted. The time of a search
grows with the partitions, so it has a thread of its own; its answers are facts of a later batch.
"""

import logging
import queue
import threading
from collections.abc import Mapping, Sequence

from exchange.errors import ExchangeError
from exchange.feeds.assigned import AssignedFeed
from exchange.kafka.clients import Cluster
from exchange.kafka.committed import committed
from exchange.protocol.feed import Feed
from exchange.protocol.record import Input, Record
from schemas.codec import LATER_RELEASES, RELEASED_INDICATOR, Codec, Undecodable
from streams.settle.holding import Copies, Found

_log = logging.getLogger(__name__)


class TopicCopies:
    """Searches one partition of these topics for copies."""

    def __init__(self, cluster: Cluster, topics: Sequence[str], shard: int, codec: Codec) -> None:
        self._cluster, self._topics, self._shard, self._codec = cluster, tuple(topics), shard, codec

    def find(self, recalled: Mapping[bytes, int]) -> Copies:
        """The answer for each id, of content up to its version. Reads the partitions from the beginning."""
        found: set[bytes] = set()
        for topic in self._topics:
            for message in committed(self._cluster, topic, self._shard, aborted_too=True):
                key, value = message.key(), message.value()
                if key is None or value is None or key not in recalled:
                    continue
                if self._is_content(value, recalled[key]):
                    found.add(key)
        return {name: Found(through, name in found) for name, through in recalled.items()}

    def _is_content(self, value: bytes, through: int) -> bool:
        record = self._codec.decode(RELEASED_INDICATOR, value)
        if isinstance(record, Undecodable):
            # A receipt holds nothing of the content; a record that cannot be read may.
            return self._codec.schema_of(value) in (None, RELEASED_INDICATOR, *LATER_RELEASES)
        return record["content"] is not None and record["version"] <= through


class SettleFeed(Feed[Copies]):
    """The inputs of settle, and the answers to its questions.

    One search runs at a time. Questions that arrive meanwhile wait for the next one, which answers all of them: each
    question that settle has to ask again is a row of each indicator.
    """

    def __init__(self, inputs: AssignedFeed, copies: TopicCopies, shard: int) -> None:
        self._inputs, self._copies, self._shard = inputs, copies, shard
        self._search: threading.Thread | None = None
        self._answers: queue.SimpleQueue[Copies] = queue.SimpleQueue()
        self._known: dict[bytes, Found] = {}  # handed out, and not acknowledged yet
        self._asked: dict[bytes, int] = {}  # and not searched for yet

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at these offsets."""
        return self._inputs.resume(next_offsets)

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records."""
        return self._inputs.poll(timeout_s)

    def more(self) -> Sequence[Record]:
        """What has arrived since."""
        return self._inputs.more()

    def places(self) -> Mapping[Input, int] | None:
        """The next offset of each input; None while a search runs, or its answers are not used."""
        is_idle = self._search is None or not self._search.is_alive()
        return self._inputs.places() if is_idle and self._answers.empty() and not (self._asked or self._known) else None

    def close_clients(self) -> None:
        """Close the client."""
        self._inputs.close_clients()

    def open_clients(self, places: Mapping[Input, int]) -> None:
        """Read on at these offsets."""
        self._inputs.open_clients(places)

    def facts(self, records: Sequence[Record]) -> Copies:  # noqa: ARG002  # answers are about no record
        """The answers so far; the same again until a batch with them is committed."""
        while not self._answers.empty():
            self._known |= self._answers.get_nowait()
        self._begin()
        return dict(self._known)

    def ask(self, questions: Mapping[bytes, int]) -> None:
        """Search for copies of content of these ids, up to these versions, as soon as no other search runs."""
        self._asked |= questions
        self._begin()

    def _begin(self) -> None:
        if self._asked and (self._search is None or not self._search.is_alive()):
            questions, self._asked = self._asked, {}
            self._search = threading.Thread(target=self._find, args=(questions,), name="copies", daemon=True)
            self._search.start()

    def _find(self, questions: Mapping[bytes, int]) -> None:
        try:
            self._answers.put(self._copies.find(questions))
        except ExchangeError as error:  # without an answer settle asks again
            _log.warning("copies.unknown shard=%d: %s", self._shard, error)

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """The facts of the last batch have been used."""
        self._known = {}
        self._inputs.acknowledge(next_offsets)

    def lag(self) -> int:
        """Records that wait."""
        return self._inputs.lag()

    def close(self) -> None:
        """Stop reading. A running search ends by itself."""
        self._inputs.close()
