"""The least that shows a broker to be a working Kafka: a topic, a transaction, a committed read."""

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

_CALL_TIMEOUT_S = 30.0


def make_topic(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)]).values():
        made.result(_CALL_TIMEOUT_S)


def producer_of(bootstrap: str, transactional_id: str) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id, "log_level": 0})
    producer.init_transactions(_CALL_TIMEOUT_S)
    return producer


def write(producer: Producer, topic: str, *values: bytes, commit: bool) -> None:
    """Write the values in one transaction, and commit or abort it."""
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value)
    producer.flush(_CALL_TIMEOUT_S)
    if commit:
        producer.commit_transaction(_CALL_TIMEOUT_S)
    else:
        producer.abort_transaction(_CALL_TIMEOUT_S)


def committed_values(bootstrap: str, topic: str) -> list[bytes | None]:
    """Every committed value of the topic, from its beginning to its end."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "read-once",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        values: list[bytes | None] = []
        while record := consumer.poll(_CALL_TIMEOUT_S):
            error = record.error()
            if error is not None:
                if error.name() == "_PARTITION_EOF":
                    return values
                raise AssertionError(f"reading {topic}: {error}")
            values.append(record.value())
        raise AssertionError(f"{topic} gave neither a record nor its end in {_CALL_TIMEOUT_S:g} s")
    finally:
        consumer.close()
