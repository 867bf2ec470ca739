"""Quix Streams: its end is when its group has committed all observations."""

import sysconfig
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bench.agent import Absorb, Agent
from bench.agent_options import AgentOptions
from bench.agent_stages import KEYED, SOURCE
from bench.environments import installed
from bench.progress import data_ends
from bench.publish import Sending, per_partition
from bench.role import ROOT, Role
from bench.stand import SHARDS, Stand
from exchange.errors import FatalError
from exchange.kafka.clients import idempotent_producer

VERSION: Final = "3.28.1"
_PINS: Final = Path(__file__).with_name("quix_packages") / "requirements.txt"
# Its own packages come first: of those that both have, it gets its own.
_START: Final = (
    "import runpy, sys; sys.path.append({ours!r}); runpy.run_module('bench.quix_agent', run_name='__main__', "
    "alter_sys=True)"
)
_DONE_S: Final = 120.0
_POLL_S: Final = 0.1
_CALL_S: Final = 10.0
_PASSING: Final = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
_TICK: Final = b"tick"
_TICK_S: Final = 0.5


def _start(stand: Stand, options: AgentOptions) -> Role:
    """Raises NotFound if Quix Streams cannot be installed."""
    python = installed("quixstreams", VERSION, _PINS) / "bin" / "python"
    command = [str(python), "-c", _START.format(ours=sysconfig.get_path("purelib")), *options.arguments()]
    return Role.launch("quix", command, stand.environment(PYTHONPATH=str(ROOT)), stand.folder)


@contextmanager
def _following(stand: Stand, options: AgentOptions, role: Role) -> Iterator[Absorb]:
    """By the offsets that its group commits, which it does with what it has written."""
    consumer = Consumer(stand.home.client() | {"group.id": options.name})

    def absorb(sent: Sequence[Sending]) -> float:
        """Wait until all of it has gone through both dataframes."""
        _await(consumer, role, SOURCE, per_partition(sent))
        return _await(consumer, role, KEYED, data_ends(stand.home, KEYED))

    with _ticks(stand):
        try:
            yield absorb
        finally:
            consumer.close()


def _await(consumer: Consumer, role: Role, topic: str, wanted: Mapping[int, int]) -> float:
    deadline = time.monotonic() + _DONE_S
    places = [TopicPartition(topic, partition) for partition in range(SHARDS)]
    found: dict[int, int] = {}
    while True:
        role.check()
        try:
            found = {place.partition: place.offset for place in consumer.committed(places, _CALL_S)}
        except KafkaException as error:  # while the broker starts to coordinate the new group
            if error.args[0].code() not in _PASSING:
                raise
        if all(found.get(partition, 0) >= offset for partition, offset in wanted.items()):
            return time.monotonic()
        if time.monotonic() > deadline:
            raise FatalError(f"Quix Streams has committed {found} of {wanted}:\n{role.log_tail()}")
        time.sleep(_POLL_S)


@contextmanager
def _ticks(stand: Stand) -> Iterator[None]:
    """A record to each of the agent's partitions at intervals: it has no timer."""
    stopping = threading.Event()

    def tick() -> None:
        producer = idempotent_producer(stand.home)
        while not stopping.wait(_TICK_S):
            for partition in range(SHARDS):
                producer.produce(KEYED, b"", _TICK, partition)
            producer.poll(0)
        producer.flush(_CALL_S)

    ticking = threading.Thread(target=tick, daemon=True)
    ticking.start()
    try:
        yield
    finally:
        stopping.set()
        ticking.join()


QUIX: Final = Agent(f"Quix Streams {VERSION}", _start, _following)
