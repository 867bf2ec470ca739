"""The id and the server properties of one single-node KRaft cluster, for local and container brokers alike."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from uuid import uuid4

MESSAGE_MAX_BYTES = 2 * 1024 * 1024

# A cluster of one node: every internal topic has one replica and few partitions, and nothing waits for others.
SINGLE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "message.max.bytes": str(MESSAGE_MAX_BYTES),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # A group forms, and a dead member's partitions move, as fast as the client asks for.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    # The transaction of a killed owner is aborted about a second after its timeout, not ten.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "transaction.max.timeout.ms": "900000",
    # The longest that fits: a fenced owner must stay fenced, and an owner may be away for weeks.
    "transactional.id.expiration.ms": "2147483647",
    # After kill -9, the same node may register again when its old session is over: 9 s by default.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # Retention and compaction are seen within seconds of being due.
    "log.retention.check.interval.ms": "10000",
    "log.initial.task.delay.ms": "5000",
    "log.cleaner.backoff.ms": "5000",
    "log.segment.delete.delay.ms": "10000",
    # The default of 128 MiB is a quarter of our heap.
    "log.cleaner.dedupe.buffer.size": "33554432",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


def new_cluster_id() -> str:
    """A new unique cluster id. As Kafka's own, it does not begin with a dash: tools would read that as an option."""
    while True:
        name = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        if not name.startswith("-"):
            return name


def single_node(
    listeners: str, advertised: str, controller: str, log_dirs: str, extra: Mapping[str, str]
) -> dict[str, str]:
    """All properties of a single node. ``controller`` is its quorum's host:port; ``extra`` wins over all."""
    places = {
        "listeners": listeners,
        "advertised.listeners": advertised,
        "controller.quorum.voters": f"{SINGLE_NODE['node.id']}@{controller}",
        "log.dirs": log_dirs,
    }
    return SINGLE_NODE | places | dict(extra)


def second_address(client: int, controller: int, link: int, advertised: str) -> dict[str, str]:
    """Properties of a single node on loopback ports with a second listener at ``link``; only clients of that listener
    get the ``host:port`` of ``advertised`` as the broker's address."""
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller},LINK://127.0.0.1:{link}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{client},LINK://{advertised}",
        "listener.security.protocol.map": SINGLE_NODE["listener.security.protocol.map"] + ",LINK:PLAINTEXT",
    }


def rendered(properties: Mapping[str, str]) -> str:
    """The text of a Java properties file (backslashes are its escape character)."""
    return "".join(f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in properties.items())
