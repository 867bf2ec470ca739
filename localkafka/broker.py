"""The interface of every provider: one running cluster, which tests can kill and restart; and queries to it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec  # not exported to type checkers by the package

from exchange.errors import BrokerUnavailable

_POLL_S = 0.05
_CALL_TIMEOUT_S = 1.0
_GLANCE_S = 2.0


class Broker(Protocol):
    """One cluster of one node."""

    @property
    def bootstrap(self) -> str:
        """``host:port`` for a client's ``bootstrap.servers``; the same for the cluster's whole life."""
        ...

    def stop(self) -> None:
        """Shut it down in good order; its data stays. Nothing happens if it is not running."""
        ...

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does; its data stays."""
        ...

    def restart(self) -> None:
        """Bring it back on the same address and data, running or not, and wait until it answers."""
        ...


@dataclass(frozen=True, slots=True)
class Contents:
    """The size of a cluster without internal topics. ``records`` is None while a topic is being created."""

    topics: int
    records: int | None


def contents_of(bootstrap: str) -> Contents | None:
    """The cluster's topics and records, or None if it does not answer within two seconds."""
    silent = logging.Logger("localkafka", level=logging.CRITICAL)
    client = AdminClient({"bootstrap.servers": bootstrap}, logger=silent)
    try:
        found = client.list_topics(timeout=_GLANCE_S).topics
    except KafkaException:
        return None
    topics = {name: topic for name, topic in found.items() if not name.startswith("__")}
    places = [TopicPartition(name, number) for name, topic in topics.items() for number in topic.partitions]
    latest, earliest = OffsetSpec.latest(), OffsetSpec.earliest()  # type: ignore[no-untyped-call]
    try:
        ends = client.list_offsets(dict.fromkeys(places, latest), request_timeout=_GLANCE_S)
        starts = client.list_offsets(dict.fromkeys(places, earliest), request_timeout=_GLANCE_S)
        records = sum(ends[place].result().offset - starts[place].result().offset for place in places)
    except KafkaException:
        return Contents(len(topics), None)
    return Contents(len(topics), records)


def await_answer(
    bootstrap: str, deadline_s: float, still_there: Callable[[], None], cluster_id: str | None = None
) -> None:
    """Wait until a client's metadata call is answered by a broker, of that cluster if its id is given.

    ``still_there`` is called between attempts and raises when waiting has become pointless.
    Raises BrokerUnavailable after ``deadline_s`` seconds, with the reason of the last attempt.
    """
    give_up = time.monotonic() + deadline_s
    silent = logging.Logger("localkafka", level=logging.CRITICAL)
    client = AdminClient({"bootstrap.servers": bootstrap, "reconnect.backoff.max.ms": 100}, logger=silent)
    while True:
        still_there()
        try:
            cluster = client.list_topics(timeout=_CALL_TIMEOUT_S)
            if cluster.brokers and cluster_id in (None, cluster.cluster_id):
                return
            why = f"cluster {cluster.cluster_id} answers there" if cluster.brokers else "no broker is ready"
        except KafkaException as error:
            why = str(error)
        if time.monotonic() > give_up:
            raise BrokerUnavailable(f"no Kafka answered at {bootstrap} in {deadline_s:g} s: {why}")
        time.sleep(_POLL_S)
