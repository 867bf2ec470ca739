"""The first call to a cluster: whether it answers, and if not, why, for the person who can act.

librdkafka retries for ever and reports errors on the side; here they are received, and one that no retry changes (a
certificate, a password) is a ConfigurationError at once.
"""

import time
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from exchange.errors import BrokerUnavailable, ConfigurationError
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster
from exchange.kafka.tls import has_tls, why_refused

_GLANCE_S: Final = 1.0


def reached(cluster: Cluster, within_s: float = CALL_TIMEOUT_S) -> dict[str, int]:
    """The number of partitions of each topic that we may see.

    Raises ConfigurationError if our security settings will not do, BrokerUnavailable if there is no answer.
    """
    said: list[KafkaError] = []
    try:
        admin = AdminClient(cluster.client() | {"error_cb": said.append})
    except KafkaException as error:
        raise ConfigurationError(f"{_settings(cluster)} cannot be used: {error.args[0].str()}") from error
    deadline = time.monotonic() + within_s
    while True:
        try:
            found: Any = admin.list_topics(timeout=_GLANCE_S)
        except KafkaException as error:
            admin.poll(0)  # its error callbacks are called now
            wrong = why_not(cluster, said)
            if wrong:
                raise ConfigurationError(wrong) from error
            if time.monotonic() > deadline:
                raise BrokerUnavailable(
                    f"no answer from {cluster.nation}'s Kafka at {cluster.bootstrap}: {error.args[0].str()}"
                ) from error
        else:
            return {name: len(topic.partitions) for name, topic in found.topics.items()}


def why_not(cluster: Cluster, said: list[KafkaError]) -> str:
    """The necessary change, by a client's or handshake's error; empty if the settings are not the cause."""
    where = f"{cluster.nation}'s Kafka at {cluster.bootstrap}"
    for error in said:
        if error.code() == KafkaError._AUTHENTICATION:
            user = cluster.security.get("sasl.username", "")
            return (
                f"{where} does not let user {user!r} in: its name or its password is wrong, or it has no "
                f"{cluster.security.get('sasl.mechanism', 'SASL')} credentials there. Set "
                f"KAKEHASHI_{cluster.nation}_KAFKA_SASL_USERNAME and ..._SASL_PASSWORD, or have "
                f"{cluster.nation}'s administrator set them anew"
            )
    return why_refused(cluster) if has_tls(cluster) else ""


def _settings(cluster: Cluster) -> str:
    names = ", ".join(sorted(cluster.security)) or "none"
    return f"{cluster.nation}'s client settings (KAKEHASHI_{cluster.nation}_KAFKA_…: {names})"
