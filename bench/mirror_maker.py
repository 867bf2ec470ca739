"""Kafka's own MirrorMaker 2 in its exactly-once mode, from the Apache jars: the bridge's rival.

https://kafka.apache.org/documentation/#georeplication: dedicated mode, ``exactly.once.source.support`` on the target.
Its progress is what Connect commits with each transaction: the source offsets in ``mm2-offsets.<source>.internal``.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

from bench.role import ROOT, Role
from bench.stand import HOME, PARTNER, SHARDS, Stand
from exchange.errors import FatalError
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster, reader
from localkafka.jars import KAFKA_VERSION, cache_folder, classpath, fetch_jars
from localkafka.local import find_java

_PINS: Final = Path(__file__).parent / "mirror_maker_jars"
_LOG: Final = ROOT / "exchange" / "brokers" / "log4j2.properties"
_OFFSETS: Final = f"mm2-offsets.{HOME}.internal"
_POLL_S: Final = 0.2
_FETCH_S: Final = 120.0  # about 40 MB, once


def properties(source: Cluster, target: Cluster, topic: str) -> dict[str, str]:
    """The settings by which it copies one topic, exactly once, and nothing else."""
    flow = f"{HOME}->{PARTNER}"
    return {
        "clusters": f"{HOME},{PARTNER}",
        f"{HOME}.bootstrap.servers": source.bootstrap,
        f"{PARTNER}.bootstrap.servers": target.bootstrap,
        f"{flow}.enabled": "true",
        f"{PARTNER}->{HOME}.enabled": "false",
        f"{flow}.topics": topic.replace(".", "\\."),
        f"{PARTNER}.exactly.once.source.support": "enabled",
        f"{HOME}.consumer.isolation.level": "read_committed",
        "dedicated.mode.enable.internal.rest": "true",
        "listeners": "http://127.0.0.1:0",
        "tasks.max": str(SHARDS),
        "replication.factor": "1",
        "offset.storage.replication.factor": "1",
        "config.storage.replication.factor": "1",
        "status.storage.replication.factor": "1",
        "offset-syncs.topic.replication.factor": "1",
        "checkpoints.topic.replication.factor": "1",
        "heartbeats.topic.replication.factor": "1",
        # Its default policy reads a name with a dot as one that came from elsewhere, and ours as a loop.
        "replication.policy.class": "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
        "sync.topic.acls.enabled": "false",
        "sync.topic.configs.enabled": "false",
    }


def fetched() -> Path:
    """The folder of its jars. Raises ExchangeError if they cannot be fetched in two minutes."""
    return fetch_jars(cache_folder(os.environ).with_name(f"mirror-maker-{KAFKA_VERSION}"), print, _PINS, _FETCH_S)


def start(stand: Stand, topic: str) -> Role:
    """The process, with the heap that its own start script gives it."""
    jars = fetched()
    stand.folder.mkdir(parents=True, exist_ok=True)
    written = stand.folder / "mirror-maker.properties"
    lines = (f"{name} = {value}" for name, value in properties(stand.home, stand.partner, topic).items())
    written.write_text("\n".join(line.replace("\\", "\\\\") for line in lines) + "\n", encoding="utf-8")
    command = [
        find_java(os.environ),
        "-Xms256m",
        "-Xmx2g",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_LOG}",
        "-cp",
        classpath(jars, _PINS),
        "org.apache.kafka.connect.mirror.MirrorMaker",
        str(written),
    ]
    return Role.launch("mirror-maker", command, os.environ, stand.folder)


class MirrorProgress:
    """The committed position of each partition of the source."""

    def __init__(self, cluster: Cluster, source: str) -> None:
        self._cluster, self._source = cluster, source
        self._consumer = reader(cluster, **{"fetch.wait.max.ms": 20})
        self._following = False
        self.next_offset: dict[int, int] = {}

    def await_offsets(self, wanted: Mapping[int, int], role: Role, timeout_s: float) -> float:
        """Wait until every partition is there; the monotonic time of it. FatalError if it takes too long."""
        deadline = time.monotonic() + timeout_s
        while any(self.next_offset.get(shard, 0) < offset for shard, offset in wanted.items() if offset > 0):
            self._read()
            role.check()
            if time.monotonic() > deadline:
                raise FatalError(
                    f"MirrorMaker 2 is not done after {timeout_s:g} s: {self.next_offset}, wanted {wanted}\n"
                    + role.log_tail()
                )
        return time.monotonic()

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _read(self) -> None:
        if not self._following and not self._follow():
            time.sleep(_POLL_S)
            return
        messages = self._consumer.consume(1, _POLL_S)
        if messages:
            messages += self._consumer.consume(1000, 0)
        for message in messages:
            if message.error() is None and message.value() is not None:
                self.take(json.loads(message.key() or b"null"), json.loads(message.value() or b"null"))

    def take(self, key: Sequence[Mapping[str, object]], value: Mapping[str, int]) -> None:
        """One of Connect's own records: the last that was copied of one partition."""
        place = key[1]
        if place.get("topic") == self._source and isinstance(shard := place.get("partition"), int):
            self.next_offset[shard] = value["offset"] + 1

    def _follow(self) -> bool:
        """Connect makes its topic when it starts."""
        try:
            found = self._consumer.list_topics(timeout=CALL_TIMEOUT_S).topics.get(_OFFSETS)
        except KafkaException:
            return False
        if found is None or not found.partitions:
            return False
        self._consumer.assign([TopicPartition(_OFFSETS, number, OFFSET_BEGINNING) for number in found.partitions])
        self._following = True
        return True
