"""Measures Quix Streams: feeds its agent with single observations, and waits until its group has committed them."""

import sysconfig
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from bench.agent_stages import KEYED, SOURCE
from bench.environments import installed
from bench.outcome import without, wrong
from bench.pipeline import brokers_cpu, settled, together
from bench.plain import WARM_UP, as_singles
from bench.progress import data_ends
from bench.publish import per_partition, publish
from bench.role import ROOT, Role, cpu_seconds, resident_bytes
from bench.run import Run
from bench.stand import HOME, ROLL_UP_MS, SHARDS, Stand, ensure
from bench.workload import Work, generate
from exchange.errors import FatalError
from exchange.kafka.clients import idempotent_producer
from schemas.topics import Topic

VERSION: Final = "3.28.1"
WHAT: Final = f"Quix Streams {VERSION}"
_PINS: Final = Path(__file__).with_name("quix_packages") / "requirements.txt"
# Its own packages come first: of those that both have, it gets its own.
_START: Final = (
    "import runpy, sys; sys.path.append({ours!r}); runpy.run_module('bench.quix_agent', run_name='__main__', "
    "alter_sys=True)"
)
_DONE_S: Final = 120.0
_POLL_S: Final = 0.1
_CALL_S: Final = 10.0
_TICK: Final = b"tick"
_TICK_S: Final = 0.5


def measure(stand: Stand, work: Work, epoch_ms: int) -> Run:
    """Run the work through one agent, from empty topics. Raises NotFound if Quix Streams cannot be installed."""
    python = installed("quixstreams", VERSION, _PINS) / "bin" / "python"
    stand.refresh()
    ensure(stand.home, [Topic(SOURCE, "sensor", SHARDS), Topic(KEYED, "indicator key", SHARDS)])
    warm_up = generate(WARM_UP, nation=HOME, epoch_ms=epoch_ms, sensor_prefix="warm-up")
    records, before, name = as_singles(work), as_singles(warm_up), f"bench-{time.time_ns()}"
    command = [str(python), "-c", _START.format(ours=sysconfig.get_path("purelib"))]
    command += ["--bootstrap", stand.home.bootstrap, "--name", name, "--datadir", str(stand.folder / "plain")]
    command += ["--roll-up-ms", str(ROLL_UP_MS)]
    environment = stand.environment(PYTHONPATH=str(ROOT))
    with (
        Role.launch("quix", command, environment, stand.folder) as role,
        _ticks(stand),
        closing(_Committed(stand, name, role)) as group,
    ):
        publish(stand.home, before, SOURCE)
        group.await_all(per_partition(before))
        brokers, worker = brokers_cpu(stand), cpu_seconds(role.pid)
        began = time.monotonic()
        publish(stand.home, records, SOURCE)
        ended = group.await_all(per_partition([*before, *records]))
        worker_cpu, broker_cpu = cpu_seconds(role.pid) - worker, brokers_cpu(stand) - brokers
        resident = resident_bytes(role.pid)
        expected = together(work.expected, warm_up.expected)
        national, released, _ = settled(stand, expected)
        settled_cpu = cpu_seconds(role.pid) - worker - worker_cpu
    return Run(
        what=WHAT,
        work=work.name,
        observations=len(records),
        absorbed_s=ended - began,
        worker_cpu_s=worker_cpu,
        brokers_cpu_s=broker_cpu,
        settled_cpu_s=settled_cpu,
        resident_bytes=resident,
        batches=0,
        national=without(national, warm_up.expected.distinct, warm_up.expected.sightings),
        released=without(released, warm_up.expected.released, warm_up.expected.released_sightings),
        void=wrong(expected, national, released),
    )


class _Committed:
    """The offsets that the agent's group has committed, which it does with what it has written."""

    def __init__(self, stand: Stand, group: str, role: Role) -> None:
        self._stand, self._role = stand, role
        self._consumer = Consumer(stand.home.client() | {"group.id": group})

    def await_all(self, sent: Mapping[int, int]) -> float:
        """Wait until all that was sent has gone through both dataframes; when that was."""
        self._await(SOURCE, sent)
        return self._await(KEYED, data_ends(self._stand.home, KEYED))

    def _await(self, topic: str, wanted: Mapping[int, int]) -> float:
        deadline = time.monotonic() + _DONE_S
        places = [TopicPartition(topic, partition) for partition in range(SHARDS)]
        while True:
            self._role.check()
            found = {place.partition: place.offset for place in self._consumer.committed(places, _CALL_S)}
            if all(found[partition] >= offset for partition, offset in wanted.items()):
                return time.monotonic()
            if time.monotonic() > deadline:
                raise FatalError(f"Quix Streams has committed {found} of {wanted}:\n{self._role.log_tail()}")
            time.sleep(_POLL_S)

    def close(self) -> None:
        """Stop."""
        self._consumer.close()


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
