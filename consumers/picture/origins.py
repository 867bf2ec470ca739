"""The topics of a nation's picture on its cluster."""

from collections.abc import Iterable, Mapping
from functools import partial

from consumers.picture.answer_feed import Answers
from consumers.picture.keep import Origin
from consumers.subscription.changes import picture
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas.topics import partner_receipts, receipts


def origins_on(cluster: Cluster, partners: Iterable[str]) -> dict[str, Origin]:
    """The nation's own topic and that of each partner, by origin; the nation comes first. With its own are the answers
    of its partners, with each partner's its own answers."""
    known = sorted(partners)
    found = {cluster.nation: _origin(cluster, None, {name: partner_receipts(name) for name in known})}
    return found | {name: _origin(cluster, name, {cluster.nation: receipts(name)}) for name in known}


def _origin(cluster: Cluster, partner: str | None, answers: Mapping[str, str]) -> Origin:
    topic = picture(partner).topic
    topics = [Answers(nation, partial(TopicReader, cluster, name)) for nation, name in answers.items()]
    return Origin(partner or cluster.nation, topic, partial(TopicReader, cluster, topic), topics)
