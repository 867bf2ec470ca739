"""A feed that empties its topics behind the reader: committed records are deleted, and cannot be read again.

For an inbox: recalled content must not remain there for the rest of its retention. Deleting moves the
partition's begin (``DeleteRecords``); its files go when their segment is full or old (``segment.ms``).
"""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from exchange.feeds.assigned import MAX_RECORDS, AssignedFeed
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster
from exchange.protocol.record import Input, Record

_log = logging.getLogger(__name__)

EVERY_S: Final = 30.0


class ConsumedFeed(AssignedFeed):
    """A ``Feed`` whose inputs have no other reader. Deletes at intervals, and waits for no answer.

    If it may not delete, it logs that and continues: settle finds undeleted records.
    """

    def __init__(
        self,
        cluster: Cluster,
        inputs: Sequence[Input],
        *,
        max_records: int = MAX_RECORDS,
        every_s: float = EVERY_S,
    ) -> None:
        super().__init__(cluster, inputs, max_records=max_records)
        self._every_s = every_s
        self._done: dict[Input, int] = {}
        self._admin: AdminClient | None = None
        self._answers: list[Future[Any]] = []
        self._asked_at = -every_s

    def resume(self, next_offsets: Mapping[Input, int]) -> int:
        """Start at these offsets; records that the predecessor had no time to delete are deleted."""
        gaps = super().resume(next_offsets)
        self.acknowledge(next_offsets)
        return gaps

    def acknowledge(self, next_offsets: Mapping[Input, int]) -> None:
        """Records before these offsets may be deleted."""
        self._done |= {source: offset for source, offset in next_offsets.items() if source in self._inputs}

    def poll(self, timeout_s: float) -> Sequence[Record]:
        """The next records; acknowledged ones are deleted even if no more come."""
        now = time.monotonic()
        if self._done and now - self._asked_at >= self._every_s:
            self._asked_at = now
            self._delete()
        elif self._admin is not None and all(future.done() for future in self._answers):
            self._admin = None
        return super().poll(timeout_s)

    def places(self) -> Mapping[Input, int] | None:
        """The next offset of each input; None until what was read is deleted."""
        return None if self._done or self._admin is not None else super().places()

    def _delete(self) -> None:
        wanted = [TopicPartition(source.topic, source.partition, offset) for source, offset in self._done.items()]
        self._done = {}
        # A client for each time: it is rarely needed, and an idle one wakes up every second.
        self._admin = AdminClient(self._cluster.client())
        answers = self._admin.delete_records(wanted, request_timeout=CALL_TIMEOUT_S)
        self._answers = list(answers.values())
        for place, future in answers.items():
            future.add_done_callback(_report(place))


def _report(place: TopicPartition) -> "Any":
    def report(future: "Future[Any]") -> None:
        failure = future.exception()
        if failure is not None:
            _log.warning(
                "feed.undeleted topic=%s partition=%d offset=%d error=%s: what was read stays until its retention ends",
                place.topic, place.partition, place.offset, failure,
            )  # fmt: skip

    return report
