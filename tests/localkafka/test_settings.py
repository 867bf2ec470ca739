"""Where Kafka comes from is read once, and every mistake is reported at once."""

from pathlib import Path

import pytest

from exchange.errors import ConfigurationError
from localkafka.settings import BrokerSettings, Provider

BOTH = ("GBR", "JPN")


def test_nothing_set_means_the_order_of_the_design() -> None:
    settings = BrokerSettings.from_env({"HOME": "/home/operator"}, BOTH)
    assert settings.provider == Provider.AUTO
    assert settings.given == {}
    assert settings.image == "apache/kafka:4.1.1"
    assert settings.jars == Path("/home/operator/.cache/kakehashi/kafka-4.1.1")


def test_brokers_are_given_for_each_nation() -> None:
    environ = {
        "KAKEHASHI_GBR_BOOTSTRAP": "kafka.example.org:9092",
        "KAKEHASHI_JPN_BOOTSTRAP": "192.0.2.1:9,[2001:db8::1]:9",
    }
    settings = BrokerSettings.from_env(environ, BOTH)
    assert settings.given == {"GBR": "kafka.example.org:9092", "JPN": "192.0.2.1:9,[2001:db8::1]:9"}


def test_a_single_cluster_may_be_given_by_kafkas_usual_name() -> None:
    environ = {"KAFKA_BOOTSTRAP_SERVERS": "192.0.2.1:9092"}
    assert BrokerSettings.from_env(environ, ("GBR",)).given == {"GBR": "192.0.2.1:9092"}
    assert BrokerSettings.from_env(environ, BOTH).given == {}


def test_every_mistake_is_reported_at_once() -> None:
    environ = {
        "KAKEHASHI_BROKER_PROVIDER": "magic",
        "KAKEHASHI_GBR_BOOTSTRAP": "no-port",
        "KAKEHASHI_KAFKA_HEAP": "much",
    }
    with pytest.raises(ConfigurationError) as reported:
        BrokerSettings.from_env(environ, BOTH)
    for mistake in ("KAKEHASHI_BROKER_PROVIDER=magic", "'no-port'", "KAKEHASHI_JPN_BOOTSTRAP is not set", "HEAP=much"):
        assert mistake in str(reported.value)


def test_brokers_by_settings_only_must_be_set() -> None:
    with pytest.raises(ConfigurationError, match="KAKEHASHI_GBR_BOOTSTRAP, KAKEHASHI_JPN_BOOTSTRAP is not set"):
        BrokerSettings.from_env({"KAKEHASHI_BROKER_PROVIDER": "settings"}, BOTH)
