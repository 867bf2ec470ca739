"""The topics of a nation's picture on its cluster."""

from collections.abc import Iterable

from consumers.picture.keep import Origin
from consumers.subscription.changes import picture
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster


def origins_on(cluster: Cluster, partners: Iterable[str]) -> dict[str, Origin]:
    """The nation's own topic and that of each partner, by origin; the nation comes first."""
    topics = {cluster.nation: picture(None).topic} | {name: picture(name).topic for name in sorted(partners)}
    return {name: _origin(cluster, name, topic) for name, topic in topics.items()}


def _origin(cluster: Cluster, name: str, topic: str) -> Origin:
    return Origin(name, topic, lambda: TopicReader(cluster, topic))
