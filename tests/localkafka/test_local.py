"""A local broker is a real Kafka that can be killed, comes back, and dies with whoever started it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.errors import BrokerUnavailable
from localkafka.jars import cache_folder, fetch_jars
from localkafka.local import LocalBroker, LocalBrokerSettings
from localkafka.ports import Ports, free_ports
from tests.localkafka.kafka import committed_values, make_topic, producer_of, write
from tests.polling import eventually

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def jars() -> Path:
    return fetch_jars(cache_folder(os.environ))


def test_a_committed_transaction_survives_kill_and_an_aborted_one_is_not_read(tmp_path: Path, jars: Path) -> None:
    with LocalBroker(tmp_path, jars) as broker:
        make_topic(broker.bootstrap, "sightings")
        producer = producer_of(broker.bootstrap, "sensor")
        write(producer, "sightings", b"1", b"2", commit=True)
        write(producer, "sightings", b"aborted", commit=False)
        address = broker.bootstrap

        broker.kill()
        broker.restart()

        assert broker.bootstrap == address
        assert committed_values(broker.bootstrap, "sightings") == [b"1", b"2"]


def test_a_second_owner_of_a_transactional_id_fences_the_first(tmp_path: Path, jars: Path) -> None:
    with LocalBroker(tmp_path, jars) as broker:
        make_topic(broker.bootstrap, "sightings")
        zombie = producer_of(broker.bootstrap, "shard-0")
        producer_of(broker.bootstrap, "shard-0")
        with pytest.raises(Exception, match="fenced"):
            write(zombie, "sightings", b"late", commit=True)
        assert committed_values(broker.bootstrap, "sightings") == []


def test_the_callers_properties_win(tmp_path: Path, jars: Path) -> None:
    settings = LocalBrokerSettings(properties={"message.max.bytes": "1000"})
    with LocalBroker(tmp_path, jars, settings=settings) as broker:
        make_topic(broker.bootstrap, "sightings")
        with pytest.raises(Exception, match="too large"):
            write(producer_of(broker.bootstrap, "sensor"), "sightings", b"x" * 2000, commit=True)


def test_a_broker_that_cannot_start_reports_it_with_the_end_of_its_log(tmp_path: Path, jars: Path) -> None:
    settings = LocalBrokerSettings(properties={"num.io.threads": "none"})
    with pytest.raises(BrokerUnavailable, match=r"num\.io\.threads"):
        LocalBroker(tmp_path, jars, settings=settings).start()


def test_two_brokers_on_one_port_are_an_error_with_its_reason(tmp_path: Path, jars: Path) -> None:
    with LocalBroker(tmp_path / "first", jars) as first:
        ports = Ports(client=first.ports.client, controller=free_ports().controller)
        second = LocalBroker(tmp_path / "second", jars, ports=ports)
        with pytest.raises(BrokerUnavailable, match="in use"):
            second.start()
        assert second.pid is None


def test_no_broker_outlives_a_parent_that_was_killed(tmp_path: Path, jars: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from localkafka.local import LocalBroker\n"
        "broker = LocalBroker(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
        "broker.start()\n"
        "print(broker.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), str(jars)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        java = int(parent.stdout.readline())
        assert Path(f"/proc/{java}").exists()
        parent.kill()
    eventually(lambda: _has_ended(java), 10, f"the broker (process {java}) ended after its parent")


def _has_ended(pid: int) -> bool:
    """Ended, or ended and waiting for a parent that does not collect it."""
    try:
        return not Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return True
