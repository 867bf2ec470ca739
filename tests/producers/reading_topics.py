"""Reads what a sensor has published, straight from the topics."""

from confluent_kafka import KafkaError, Message, TopicPartition

from exchange.kafka.clients import Cluster, begin_offset, reader
from exchange.kafka.topics_admin import ensure_topics
from schemas import topics
from schemas.codec import QUARANTINED, SENSOR_REPORT, Codec
from schemas.identity import shard_of_sensor
from schemas.records import Quarantined, SensorReport

SHARDS = 4
CODEC = Codec()
_PATIENCE_S = 20.0


def with_topics(cluster: Cluster) -> Cluster:
    """The same cluster, on which the topics of its nation exist."""
    partner = "JPN" if cluster.nation == "GBR" else "GBR"
    ensure_topics(cluster, topics.topics_of(cluster.nation, [partner], SHARDS))
    return cluster


def messages(cluster: Cluster, topic: str, sensor: str) -> list[Message]:
    """A sensor's records, in order: tests share the cluster, and a partition holds those of other sensors too."""
    place = shard_of_sensor(sensor, SHARDS)
    consumer = reader(cluster, **{"enable.partition.eof": True})
    found: list[Message] = []
    try:
        consumer.assign([TopicPartition(topic, place, begin_offset(cluster, topic, place))])
        while True:
            message = consumer.poll(_PATIENCE_S)
            assert message is not None, f"{topic}-{place} stopped before its end"
            error = message.error()
            if error is None:
                key = message.key() or b""
                if key == sensor.encode() or key.startswith(f"sensor-{sensor}-".encode()):
                    found.append(message)
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error
                return found
    finally:
        consumer.close()


def published_reports(cluster: Cluster, sensor: str) -> list[SensorReport]:
    """The reports of a sensor, in the order of the topic, repeats included."""
    return [
        CODEC.decode(SENSOR_REPORT, message.value())  # type: ignore[misc]
        for message in messages(cluster, topics.SENSOR_REPORTS, sensor)
    ]


def published_refusals(cluster: Cluster, sensor: str) -> list[Quarantined]:
    """The quarantine records of a sensor."""
    return [
        CODEC.decode(QUARANTINED, message.value())  # type: ignore[misc]
        for message in messages(cluster, topics.QUARANTINE, sensor)
    ]
