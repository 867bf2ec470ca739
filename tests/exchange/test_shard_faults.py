"""A counting shard on real Kafka, whose processes are killed and whose broker comes and goes: all counts are exact."""

import gc
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

import pytest
from confluent_kafka import Producer

from exchange.kafka.clients import Cluster
from exchange.kafka.progress import last_progress
from exchange.metrics.kinds import Role
from exchange.protocol.thread import ShardThread
from exchange.role import metrics_of
from localkafka.broker import Broker
from localkafka.local import LocalBroker
from schemas.codec import Codec
from tests.conftest import Brokers
from tests.exchange.kafka_step import KafkaStep
from tests.polling import eventually

_KEYS: Final = 7
_KILLS: Final = 10
_SETTLED_S: Final = 90.0
_TIMEOUT_MS: Final = 2_000


class Sensor:
    """Sends records as long as it is asked to, whatever the broker does, and knows what it has sent."""

    def __init__(self, step: KafkaStep) -> None:
        self._topic, self.sent = step.source.topic, 0
        self._producer = Producer(step.cluster.client() | {"enable.idempotence": True, "linger.ms": 1})

    def send(self, number: int) -> None:
        for _ in range(number):
            self._producer.produce(self._topic, b"+50", b"%d" % (self.sent % _KEYS), 0)
            self.sent += 1
        self._producer.poll(0)

    def finish(self) -> None:
        assert self._producer.flush(_SETTLED_S) == 0

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Send all the while: a few records each time, so that there are many transactions to be hit."""
        over = threading.Event()

        def go_on() -> None:
            while not over.wait(0.01):
                self.send(5)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.finish()


def _settled(step: KafkaStep, sensor: Sensor) -> None:
    """Wait until everything is counted, and check that everything was counted once."""
    eventually(lambda: len(step.committed()) >= sensor.sent, _SETTLED_S, f"{sensor.sent} records are counted")
    outputs = [value or b"" for value in step.committed()]
    offsets = [int(value.split(b"=")[0].removeprefix(b"0.")) for value in outputs]
    assert offsets == list(range(sensor.sent)), "one output for each input, in order"
    seen: Counter[int] = Counter()
    for offset, value in zip(offsets, outputs, strict=True):
        seen[offset % _KEYS] += 1
        assert value.endswith(b"=%d" % seen[offset % _KEYS]), "each counts on from the last"
    assert {key: row.value for key, row in step.rows().items()} == {
        b"%d" % key: b"%d" % count for key, count in seen.items()
    }


def test_two_workers_that_compete_and_are_killed_count_each_record_once(
    brokers: Brokers, unique: str, tmp_path: Path
) -> None:
    random, step = Random(11), KafkaStep(Cluster("GBR", brokers.gbr), unique)
    sensor = Sensor(step)

    def worker(number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.exchange.counting_worker", brokers.gbr, unique]
        return subprocess.Popen([*command, str(tmp_path / str(number))], stdin=subprocess.PIPE)

    workers = [worker(0), worker(1)]
    try:
        with sensor.sending():
            for _ in range(_KILLS):
                victim, before = random.randrange(2), len(step.committed())
                eventually(lambda: len(step.committed()) > before, _SETTLED_S, "somebody counts")  # noqa: B023  # in this round
                workers[victim].kill()
                workers[victim].communicate()
                workers[victim] = worker(victim)
        _settled(step, sensor)
        assert [each.poll() for each in workers] == [None, None], "nobody ended of itself"
    finally:
        for each in workers:
            each.kill()
            each.communicate()


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Without Python's collector of circles: what is dropped must end by itself, not when the collector comes by."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
def test_a_broker_that_stops_dies_and_freezes_in_the_middle_of_turns_loses_and_doubles_nothing(
    own_broker: Broker, unique: str, tmp_path: Path
) -> None:
    clients = _threads()
    step = KafkaStep(Cluster("GBR", own_broker.bootstrap), unique)
    sensor, broken = Sensor(step), list[Exception]()
    thread = ShardThread(
        "intake",
        0,
        lambda: step.shard(tmp_path / "state", timeout_ms=_TIMEOUT_MS),
        metrics_of(Role.STREAMS, "GBR", ("JPN",), ("intake",)),
        on_broken=broken.append,
        retake_after_s=0.2,
    )

    def counted() -> int:
        found = last_progress(step.cluster, step.name, 0, Codec())
        return 0 if found is None else found["batch"]

    def goes_on() -> None:
        before = counted()
        eventually(lambda: counted() > before or bool(broken), _SETTLED_S, "the shard goes on")

    thread.start()
    with sensor.sending():
        goes_on()
        own_broker.restart()
        goes_on()
        own_broker.kill()
        own_broker.restart()
        goes_on()
        own_broker.stop()
        threading.Event().wait(1.5 * _TIMEOUT_MS / 1000)  # an outage that outlasts the transaction
        own_broker.restart()
        goes_on()
        if isinstance(own_broker, LocalBroker):
            own_broker.pause()
            threading.Event().wait(1.5 * _TIMEOUT_MS / 1000)
            own_broker.resume()
            goes_on()
    _settled(step, sensor)
    assert thread.stop(_SETTLED_S)
    assert broken == []
    del sensor
    eventually(lambda: _threads() <= clients, 10.0, "no client outlives its shard, whatever has failed")


def test_a_shard_is_closed_at_once_though_its_transaction_is_open_and_its_broker_away(
    own_broker: Broker, unique: str, tmp_path: Path
) -> None:
    step = KafkaStep(Cluster("GBR", own_broker.bootstrap), unique)
    shard = step.shard(tmp_path / "state")
    shard.take()
    producer = shard._log._transactions.producer  # type: ignore[attr-defined]
    producer.begin_transaction()
    producer.produce(step.out.topic, b"open", b"k", 0)
    own_broker.kill()
    for _ in range(100):
        producer.produce(step.out.topic, bytes(1000), b"k", 0)
    del producer
    closing = threading.Thread(target=shard.close, daemon=True)
    closing.start()
    closing.join(10.0)
    assert not closing.is_alive()


def test_a_shard_has_few_threads_and_connections_and_gives_them_back(
    brokers: Brokers, unique: str, tmp_path: Path
) -> None:
    """Measured: per shard a producer and a consumer, each with four threads and one or two connections."""
    step = KafkaStep(Cluster("GBR", brokers.gbr), unique)
    threads, connections = _threads(), _connections()
    shard = step.shard(tmp_path / "state")
    shard.take()
    step.send(b"+0")
    while shard.turn(1.0) is None:
        pass
    eventually(lambda: _threads() - threads <= 8, 10.0, "the clients that only restored are gone")
    assert _connections() - connections <= 5
    shard.close()
    del shard
    eventually(lambda: _threads() <= threads, 10.0, "all threads are gone")
    eventually(lambda: _connections() <= connections, 10.0, "all connections are gone")


def _threads() -> int:
    """The threads of Kafka clients in this process: librdkafka names its own. Others begin when they are first needed,
    as RocksDB's, and stay."""
    return sum(_name_of(number).startswith("rdk:") for number in os.listdir("/proc/self/task"))


def _name_of(thread: str) -> str:
    try:
        return Path("/proc/self/task", thread, "comm").read_text()
    except OSError:  # it has ended
        return ""


def _connections() -> int:
    links = Path("/proc/self/fd")
    found = 0
    for number in os.listdir(links):
        try:
            found += os.readlink(links / number).startswith("socket:")
        except FileNotFoundError:  # the listing's own
            continue
    return found
