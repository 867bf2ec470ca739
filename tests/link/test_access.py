"""Who may do what, on a broker with the authoriser on: the partner's bridge writes the inbox and its own progress."""

from contextlib import suppress

import pytest
from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from exchange.errors import ConfigurationError, Unwritable
from exchange.kafka.acls import apply_access
from exchange.kafka.clients import Cluster, idempotent_producer, reader, transactional_producer
from exchange.kafka.log import KafkaLog
from exchange.kafka.reach import reached
from exchange.kafka.topics_admin import check_topics
from exchange.protocol.log import TransactionAborted
from exchange.protocol.record import Input, Output, Position
from exchange.protocol.shard import Shard
from schemas import access, topics
from tests.conftest import Brokers
from tests.link.conftest import SHARDS, Secured

CALL_S = 20.0
WITHIN_S = 60.0
SHOWN_S = 5.0  # what may be read is there in a hundredth of it


def _delivery_error(cluster: Cluster, topic: str) -> int | None:
    """What the cluster states to one record on ``topic``; None if it takes it."""
    reported: list[KafkaError | None] = []
    producer = idempotent_producer(cluster, **{"message.timeout.ms": 10_000})
    producer.produce(topic, b"x", b"k", 0, on_delivery=lambda error, _message: reported.append(error))
    producer.flush(CALL_S)
    return None if reported[0] is None else reported[0].code()


def _may_own(cluster: Cluster, transactional_id: str) -> bool:
    producer: Producer = transactional_producer(cluster, transactional_id)
    try:
        producer.init_transactions(CALL_S)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            raise
        return False
    return True


def _may_read(cluster: Cluster, topic: str, within_s: float = WITHIN_S) -> bool:
    """A partition that may be read has a record or its end to show; of a topic that is not shown nothing is stated."""
    consumer = reader(cluster, **{"auto.offset.reset": "earliest", "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while True:
            message = consumer.poll(within_s)
            if message is None:
                return False
            error = message.error()
            if error is None or error.code() == KafkaError._PARTITION_EOF:
                return True
            if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                return False
    finally:
        consumer.close()


def test_the_partners_bridge_does_its_work_with_what_it_is_allowed(secured_jpn: Secured) -> None:
    cluster = secured_jpn.cluster("GBR-bridge")
    check_topics(cluster, access.bridge_topics_abroad("GBR", SHARDS))
    log = KafkaLog(cluster, topics.bridge_step("GBR"), 0, input_ids={}, state_format=None)
    log.fence()
    position = Position(1, 1, {Input(topics.released("JPN"), 0): 7})
    log.commit([Output(topics.inbox("GBR"), 0, b"k", b"v")], [], position)
    log.fence()
    assert log.position() == position
    log.close()
    assert _may_read(cluster, topics.held_digests("GBR"))
    assert _may_read(cluster, topics.accepted("GBR"))


def test_it_writes_nothing_else(secured_jpn: Secured) -> None:
    cluster = secured_jpn.cluster("GBR-bridge")
    mine = {topics.inbox("GBR"), topics.progress(topics.bridge_step("GBR"))}
    mine |= {topics.urgent_inbox("GBR"), topics.progress(topics.urgent_step("GBR"))}
    others = [topic.name for topic in topics.topics_of("JPN", ("GBR", "AUS"), SHARDS) if topic.name not in mine]
    producer = idempotent_producer(cluster, **{"message.timeout.ms": 15_000})
    refused: dict[str, int] = {}

    def reported(error: KafkaError | None, message: Message) -> None:
        refused[message.topic() or ""] = 0 if error is None else error.code()

    for topic in others:
        producer.produce(topic, b"x", b"k", 0, on_delivery=reported)
    producer.flush(2 * CALL_S)
    assert refused == dict.fromkeys(others, KafkaError.TOPIC_AUTHORIZATION_FAILED)


def test_it_reads_nothing_else(secured_jpn: Secured) -> None:
    cluster = secured_jpn.cluster("GBR-bridge")
    seen = {topic.name for topic in access.bridge_topics_abroad("GBR", SHARDS)}
    visible = set(reached(cluster))
    assert visible == seen
    assert not _may_read(cluster, topics.inbox("GBR"), SHOWN_S)  # what it has written is not its to read
    assert not _may_read(cluster, topics.SENSOR_REPORTS, SHOWN_S)


def test_no_partner_can_fence_our_workers_or_another_partners_bridge(secured_jpn: Secured) -> None:
    cluster = secured_jpn.cluster("GBR-bridge")
    assert _may_own(cluster, "kakehashi.bridge.GBR.1")
    for foreign in ("kakehashi.correlate.0", "kakehashi.receive.GBR.0", "kakehashi.bridge.AUS.0", "kakehashi", "x"):
        assert not _may_own(cluster, foreign)


def test_no_partner_can_write_another_ones_inbox_or_progress(secured_jpn: Secured) -> None:
    cluster = secured_jpn.cluster("AUS-bridge")
    step = topics.bridge_step("GBR")
    assert _delivery_error(cluster, topics.inbox("GBR")) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert _delivery_error(cluster, topics.progress(step)) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert _delivery_error(cluster, topics.inbox("AUS")) is None


def test_no_one_but_an_administrator_makes_or_alters_topics_or_acls(secured_jpn: Secured) -> None:
    for user in ("GBR-bridge", "JPN-streams"):
        cluster = secured_jpn.cluster(user)
        admin = AdminClient(cluster.client())
        with pytest.raises(KafkaException, match="uthorization"):
            admin.create_topics([NewTopic("theirs", 1, 1)])["theirs"].result(CALL_S)
        with pytest.raises(ConfigurationError, match=r"super\.users"):
            apply_access(cluster, access.access_of("JPN", ("GBR", "AUS")))


def test_a_partners_bridge_deletes_no_topic(secured_jpn: Secured) -> None:
    admin = AdminClient(secured_jpn.cluster("GBR-bridge").client())
    with pytest.raises(KafkaException, match="uthorization"):
        admin.delete_topics([topics.inbox("GBR")])[topics.inbox("GBR")].result(CALL_S)


def test_our_own_streams_write_no_inbox_and_no_progress_of_a_bridge(secured_jpn: Secured) -> None:
    cluster = secured_jpn.cluster("JPN-streams")
    assert _may_own(cluster, "kakehashi.correlate.1")
    assert not _may_own(cluster, "kakehashi.bridge.GBR.5")
    assert _may_read(cluster, topics.inbox("GBR"))
    assert _delivery_error(cluster, topics.accepted("GBR")) is None
    assert _delivery_error(cluster, topics.inbox("GBR")) == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_who_may_not_own_a_shard_learns_what_to_do(secured_jpn: Secured) -> None:
    log = KafkaLog(secured_jpn.cluster("AUS-bridge"), "bridge.GBR", 0, input_ids={}, state_format=None)
    with pytest.raises(ConfigurationError, match=r"kakehashi\.bridge\.GBR\.0.*kakehashi acls --nation JPN"):
        log.fence()
    log.close()


def test_who_may_not_write_a_topic_learns_what_to_do(secured_jpn: Secured) -> None:
    log = KafkaLog(secured_jpn.cluster("GBR-bridge"), "bridge.GBR", 1, input_ids={}, state_format=None)
    log.fence()

    def commit() -> None:
        for _ in range(Shard.TRIES):
            with suppress(TransactionAborted):  # which need not say what record it was: the next time it is watched
                log.commit([Output(topics.NATIONAL, 1, b"k", b"v")], [], Position(1, 1, {}))

    with pytest.raises(Unwritable, match="kakehashi acls"):
        commit()
    log.close()


def test_applying_again_adds_nothing_and_names_what_is_more(secured_jpn: Secured) -> None:
    wanted = access.access_of("JPN", ("GBR", "AUS"))
    applied = apply_access(secured_jpn.administrator, wanted)
    assert (applied.added, applied.were_there, applied.more) == (0, len(wanted), ())
    less = [each for each in wanted if each != wanted[-1]]
    assert len(apply_access(secured_jpn.administrator, less).more) == 1


def test_a_cluster_without_an_authoriser_is_stated(brokers: Brokers) -> None:
    with pytest.raises(ConfigurationError, match=r"no authoriser.*StandardAuthorizer"):
        apply_access(Cluster("GBR", brokers.gbr), access.access_of("GBR", ("JPN",)))
