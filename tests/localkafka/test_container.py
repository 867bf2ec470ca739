"""Kafka in Docker, by testcontainers, is the same broker: it can be killed, comes back, and leaves nothing.

The image is the setting's. Where it is neither here nor to be pulled, one is built from this machine's own
Java, which speaks the same environment: what is tested is our container class, and Kafka itself is Kafka.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from localkafka import docker_daemon, persistent
from localkafka.container import ContainerBroker
from localkafka.image import build_image
from localkafka.jars import cache_folder, fetch_jars
from localkafka.provider import choose, clusters
from localkafka.settings import BrokerSettings, Provider
from tests.localkafka.kafka import committed_values, make_topic, producer_of, write
from tests.polling import eventually

pytestmark = pytest.mark.kafka

_BUILT = "kakehashi/kafka:local"


@pytest.fixture(scope="module")
def image() -> str:
    """The setting's image, or the one built here."""
    wanted = BrokerSettings.from_env(os.environ, ("GBR", "JPN")).image
    if docker_daemon.obtain_image(wanted) is None:
        return wanted
    build_image(_BUILT, fetch_jars(cache_folder(os.environ)))
    return _BUILT


@pytest.fixture
def broker(image: str) -> Iterator[ContainerBroker]:
    broker = ContainerBroker("GBR", image)
    broker.start()
    yield broker
    broker.remove()


def _settings(image: str, home: Path, provider: Provider) -> BrokerSettings:
    return BrokerSettings.from_env(
        {
            "KAKEHASHI_BROKER_PROVIDER": provider.value,
            "KAKEHASHI_KAFKA_IMAGE": image,
            "KAKEHASHI_HOME": str(home),
            "HOME": os.environ["HOME"],
        },
        ("GBR", "JPN"),
    )


def test_a_committed_transaction_survives_the_kill_of_its_container(broker: ContainerBroker) -> None:
    make_topic(broker.bootstrap, "sightings")
    write(producer_of(broker.bootstrap, "sensor"), "sightings", b"1", b"2", commit=True)
    address = broker.bootstrap

    broker.kill()
    broker.restart()

    assert broker.bootstrap == address
    assert committed_values(broker.bootstrap, "sightings") == [b"1", b"2"]


def test_a_container_takes_every_compression(broker: ContainerBroker) -> None:
    make_topic(broker.bootstrap, "sightings")
    refused: list[str] = []
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        producer = Producer({"bootstrap.servers": broker.bootstrap, "compression.type": codec})
        for _ in range(10):  # compression that does not pay is left out
            producer.produce(
                "sightings",
                codec * 100,
                on_delivery=lambda error, _record: refused.append(str(error)) if error else None,
            )
        assert producer.flush(10) == 0
    assert refused == []
    assert len(committed_values(broker.bootstrap, "sightings")) == 40


def test_two_nations_in_docker_leave_nothing_behind(image: str, tmp_path: Path) -> None:
    settings = _settings(image, tmp_path, Provider.DOCKER)
    with clusters(settings, tmp_path, lambda _line: None) as both:
        brokers = list(both.values())
        ids = [broker.container_id for broker in brokers if isinstance(broker, ContainerBroker)]
        assert len(ids) == 2
        assert len({broker.bootstrap for broker in brokers}) == 2
    assert [docker_daemon.status(container) for container in ids] == [None, None]


def test_no_container_outlives_a_parent_that_was_killed(image: str) -> None:
    program = (
        "import sys\n"
        "from localkafka.container import ContainerBroker\n"
        "broker = ContainerBroker('GBR', sys.argv[1])\n"
        "broker.start()\n"
        "print(broker.container_id, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, image], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        container = parent.stdout.readline().strip()
        assert docker_daemon.status(container) == "running"
        parent.kill()
    if shutil.which("docker") is None:
        docker_daemon.sweep()  # without Docker's own program there is no guard, and the next start sweeps
    eventually(lambda: docker_daemon.status(container) is None, 20, f"container {container[:12]} was removed")


def test_daily_work_in_docker_goes_down_and_comes_up_with_its_data(image: str, tmp_path: Path) -> None:
    settings = _settings(image, tmp_path, Provider.DOCKER)
    try:
        before = persistent.up(settings, lambda _line: None)
        make_topic(before[0].bootstrap, "sightings")
        assert {cluster.provider for cluster in before} == {Provider.DOCKER}

        persistent.down(tmp_path, settings.nations, wipe=False)
        assert not persistent.is_running(tmp_path, before[0])

        assert persistent.up(settings, lambda _line: None) == before
        assert persistent.look(tmp_path, before[0]).topics == 1
    finally:
        persistent.down(tmp_path, settings.nations, wipe=True)
    assert docker_daemon.status(before[0].container) is None


def test_an_image_that_cannot_be_had_falls_through_to_the_jars_and_reports_it(tmp_path: Path) -> None:
    shown: list[str] = []
    settings = _settings("registry.invalid/kafka:none", tmp_path, Provider.AUTO)
    assert choose(settings, shown.append) == Provider.LOCAL
    assert "registry.invalid/kafka:none" in shown[-1]
    assert "using the Apache jars" in shown[-1]
