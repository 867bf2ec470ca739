"""Which shards of a nation's workers and bridges are worked on, by what their processes report (ADR 34)."""

from collections.abc import Collection
from typing import cast

from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from exchange.process import is_gone
from schemas import topics
from schemas.codec import POLICY_READING, Undecodable
from schemas.records import PolicyReading


def not_running(cluster: Cluster, wanted: Collection[tuple[str, str]], shards: int) -> list[tuple[str, str, int]]:
    """Role, partner and shard of what no process works on. ``wanted`` are roles with their partners.

    A process of this machine that was killed is known to be gone; one of another machine is believed.
    Raises NotFound if the topic is missing, BrokerUnavailable if no broker answers.
    """
    codec, runs = cluster.codec(POLICY_READING), dict[tuple[str, str, int], PolicyReading]()
    with TopicReader(cluster, topics.POLICY_READINGS) as reader:
        for record in reader.records(0):
            role, _, rest = (record.key or b"").decode("utf-8", "replace").partition("/")
            partner, _, number = rest.rpartition("/")
            found = codec.decode(POLICY_READING, record.value) if record.value is not None else None
            if found is None and number.isdigit():
                runs.pop((role, partner, int(number)), None)
            elif found is not None and not isinstance(found, Undecodable):
                reading = cast("PolicyReading", found)
                runs[reading["role"], reading["partner"], reading["shard"]] = reading
    alive = {key for key, reading in runs.items() if not is_gone(*_host_and_pid(reading["process"]))}
    return sorted({(*each, shard) for each in wanted for shard in range(shards)} - alive)


def _host_and_pid(process: str) -> tuple[str, str]:
    host, _, pid = process.rpartition(":")
    return host, pid
