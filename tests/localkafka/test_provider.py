"""Settings come before Docker, Docker before the jars; and what was forced is not quietly replaced."""

from pathlib import Path

import pytest

from exchange.errors import BrokerUnavailable, Refused
from localkafka.provider import choose, clusters
from localkafka.settings import BrokerSettings, Provider
from tests.conftest import Brokers
from tests.localkafka.kafka import committed_values, make_topic, producer_of, write


def _settings(**environ: str) -> BrokerSettings:
    return BrokerSettings.from_env(environ, ("GBR", "JPN"))


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


def test_settings_come_first() -> None:
    settings = _settings(KAKEHASHI_GBR_BOOTSTRAP="192.0.2.1:9092", KAKEHASHI_JPN_BOOTSTRAP="192.0.2.2:9092")
    assert choose(settings, lambda _line: None) == Provider.SETTINGS


@pytest.mark.usefixtures("no_docker")
def test_without_settings_and_docker_the_jars_are_used_and_stated_to_be() -> None:
    shown: list[str] = []
    assert choose(_settings(), shown.append) == Provider.LOCAL
    assert shown == ["no Docker daemon answers: using the Apache jars"]


@pytest.mark.usefixtures("no_docker")
def test_a_forced_docker_that_is_not_there_is_an_error() -> None:
    with pytest.raises(BrokerUnavailable, match="KAKEHASHI_BROKER_PROVIDER=docker, but no Docker daemon answers"):
        choose(_settings(KAKEHASHI_BROKER_PROVIDER="docker"), lambda _line: None)


def test_brokers_of_settings_are_used_and_never_killed(brokers: Brokers, tmp_path: Path) -> None:
    settings = _settings(KAKEHASHI_GBR_BOOTSTRAP=brokers.gbr, KAKEHASHI_JPN_BOOTSTRAP=brokers.jpn)
    with clusters(settings, tmp_path, lambda _line: None) as given:
        assert {nation: broker.bootstrap for nation, broker in given.items()} == {
            "GBR": brokers.gbr,
            "JPN": brokers.jpn,
        }
        for hurt in (given["GBR"].kill, given["GBR"].stop, given["GBR"].restart):
            with pytest.raises(Refused, match="given by settings"):
                hurt()


def test_the_two_nations_are_two_clusters(brokers: Brokers, unique: str) -> None:
    topic = f"{unique}sightings"
    for bootstrap in (brokers.gbr, brokers.jpn):
        make_topic(bootstrap, topic)
    write(producer_of(brokers.gbr, f"{unique}sensor"), topic, b"seen in GBR", commit=True)
    assert committed_values(brokers.gbr, topic) == [b"seen in GBR"]
    assert committed_values(brokers.jpn, topic) == []
