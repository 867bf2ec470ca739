"""Creates a nation's topics, and checks existing ones against the contract."""

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource  # not exported to type checkers by the package
from confluent_kafka.cimpl import NewTopic

from exchange.errors import TopicMismatch
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster, answer
from exchange.kafka.reach import reached
from schemas.topics import Topic

_log = logging.getLogger(__name__)

_NOT_ALLOWED: Final = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
_SEEN_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.05


def ensure_topics(cluster: Cluster, wanted: Iterable[Topic], *, replication: int = 1) -> list[str]:
    """Create missing topics; the names of those created.

    Raises TopicMismatch like ``check_topics`` if one that exists differs from the contract.
    """
    admin = AdminClient(cluster.client())
    specs = {topic.name: topic for topic in wanted}
    futures = admin.create_topics(
        [
            NewTopic(
                topic.name, num_partitions=topic.partitions, replication_factor=replication, config=topic.settings()
            )
            for topic in specs.values()
        ],
        request_timeout=3 * CALL_TIMEOUT_S,
        operation_timeout=3 * CALL_TIMEOUT_S,
    )
    created = []
    for name, future in futures.items():
        try:
            answer(future, cluster, f"create {name}", known=(KafkaError.TOPIC_ALREADY_EXISTS,))
        except KafkaException:  # it is there
            continue
        created.append(name)
    _await_seen(cluster, specs)
    check_topics(cluster, specs.values())
    return created


def _await_seen(cluster: Cluster, names: Iterable[str]) -> None:
    """A controller answers before its brokers know a new topic: wait until they have."""
    names = set(names)
    deadline = time.monotonic() + _SEEN_S
    while not names <= reached(cluster).keys() and time.monotonic() < deadline:
        threading.Event().wait(_LOOK_AGAIN_S)


def check_topics(cluster: Cluster, wanted: Iterable[Topic]) -> None:
    """Raises TopicMismatch if a topic is missing, or differs from the contract in a way that promises depend on.

    That is: its partitions, because they are where an indicator's history is; its cleanup, because a changelog that
    forgets by age is lost; whose time its records carry, because a sensor's cannot be trusted; the size of records
    that it takes; and, if recalled content must be deleted from it, how long that may take.
    """
    topics, found = list(wanted), reached(cluster)
    admin = AdminClient(cluster.client())
    wrong = [f"{topic.name} is missing" for topic in topics if topic.name not in found]
    here = [topic for topic in topics if topic.name in found]
    wrong += [
        f"{topic.name} has {found[topic.name]} partitions, not {topic.partitions}"
        for topic in here
        if found[topic.name] != topic.partitions
    ]
    for topic, settings in _settings(admin, cluster, here):
        wrong += _differences(topic, settings)
    if wrong:
        raise TopicMismatch(
            f"{cluster.nation}'s cluster at {cluster.bootstrap}: {'; '.join(wrong)}. Create the topics with "
            f"`kakehashi topics --nation {cluster.nation}`, set KAKEHASHI_SHARDS to what the cluster was made with, "
            "or alter what differs with Kafka's own tools"
        )


def settings_of(cluster: Cluster, topics: Iterable[Topic]) -> dict[str, Mapping[str, str]]:
    """The settings of the topics that we may see, by their names."""
    found = _settings(AdminClient(cluster.client()), cluster, list(topics))
    return {topic.name: settings for topic, settings in found}


def _settings(admin: AdminClient, cluster: Cluster, topics: list[Topic]) -> Iterator[tuple[Topic, Mapping[str, str]]]:
    """The settings of each topic that we may see. A missing right to see them is no reason to stop."""
    if not topics:
        return
    resources = {ConfigResource(ConfigResource.Type.TOPIC, topic.name): topic for topic in topics}
    futures = admin.describe_configs(list(resources), request_timeout=CALL_TIMEOUT_S)
    for resource, future in futures.items():
        try:
            found = answer(future, cluster, f"show the settings of {resource.name}", known=_NOT_ALLOWED)
        except KafkaException:
            _log.warning("topics.unchecked topic=%s: its settings may not be described by this role", resource.name)
            continue
        yield resources[resource], {name: entry.value for name, entry in found.items()}


def _differences(topic: Topic, settings: Mapping[str, str]) -> Iterator[str]:
    """The differences from the contract that a promise depends on."""
    for name, expected in topic.settings().items():
        is_here = settings.get(name, "")
        if name == "cleanup.policy":
            same = set(is_here.replace(" ", "").split(",")) == set(expected.split(","))
        elif name == "message.timestamp.type":
            same = is_here == expected
        elif name == "max.message.bytes":
            same = int(is_here or 0) >= int(expected)
        elif name == "max.compaction.lag.ms" and name in topic.config:  # recalled content must be deleted in time
            same = int(is_here or 0) <= int(expected)
        else:
            continue  # how long and how often: an operator's choice
        if not same:
            yield f"{topic.name} has {name}={is_here}, not {expected}"
