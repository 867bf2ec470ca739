"""Finds what analysts answered, on the cluster of either nation: disputes that stand, and searches without a result."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from consumers.subscription.answers import AnswerReader, is_dispute, is_not_seen
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from exchange.protocol.record import Record
from schemas import topics
from schemas.records import Receipt


def topics_of_disputes(origin: str | None, partners: Sequence[str]) -> list[str]:
    """The topics with the disputes of a picture: our own receipts for ``origin``'s records, or those of all partners
    for ours."""
    return [topics.receipts(origin)] if origin else [topics.partner_receipts(partner) for partner in partners]


class Disputes:
    """The disputes on some topics of receipts, read on with each ``read``. One stands until its nation has accepted a
    later version. The last search for an indicator that found nothing stays."""

    def __init__(self, cluster: Cluster, names: Sequence[str]) -> None:
        """Raises NotFound if a topic is missing, BrokerUnavailable if no broker answers."""
        self._answers = AnswerReader(cluster.codec())
        self._standing: dict[tuple[str, str], Receipt] = {}  # by topic and indicator
        self._not_seen: dict[tuple[str, str], Receipt] = {}
        self._stack = ExitStack()
        self._next: dict[tuple[str, int], int] = {}
        with ExitStack() as opened:
            self._readers = {name: opened.enter_context(TopicReader(cluster, name)) for name in names}
            self._stack = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def read(self, *shards: int) -> list[Receipt]:
        """Read what was added since the last time, of all shards or of these; the disputes that are new and stand."""
        before = dict(self._standing)
        for name, reader in self._readers.items():
            for partition in reader.partitions:
                if not shards or partition in shards:
                    first, end = reader.bounds(partition)
                    start = max(first, self._next.get((name, partition), 0))
                    for record in reader.read(partition, start, end):
                        self._take(name, record)
                    self._next[name, partition] = end
        return [each for key, each in self._standing.items() if before.get(key) != each]

    def of(self, indicator_id: str, *names: str) -> list[Receipt]:
        """Those on one indicator, of all topics or of these."""
        return self._of(self._standing, indicator_id, names)

    def not_seen(self, indicator_id: str, *names: str) -> list[Receipt]:
        """The searches for one indicator that found nothing, of all topics or of these: the last of each nation."""
        return self._of(self._not_seen, indicator_id, names)

    def _of(self, known: Mapping[tuple[str, str], Receipt], indicator_id: str, names: Sequence[str]) -> list[Receipt]:
        found = (known.get((name, indicator_id)) for name in names or self._readers)
        return [each for each in found if each is not None]

    def _take(self, topic: str, record: Record) -> None:
        receipt = self._answers.read(record)
        if receipt is None:
            return
        key = topic, receipt["indicator_id"]
        before = self._standing.get(key)
        if is_not_seen(receipt):
            self._not_seen[key] = receipt
        if is_dispute(receipt):
            if before is None or receipt["version"] >= before["version"]:
                self._standing[key] = receipt
        elif before is not None and receipt["version"] > before["version"]:
            del self._standing[key]
