"""Recalls at home while correlate works through a backlog: both at once, the rate of the bulk and how late a recall is.

The worker is real. Indicators that it has released are recalled at an even pace, by signed commands, while it has a
backlog of reports. Only those count that were sent while bulk was still under way.
"""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.latency import percentile
from bench.pipeline import absorb
from bench.progress import StepProgress
from bench.publish import Publisher, Sending, encoded, per_partition
from bench.role import Role
from bench.stand import HOME, PARTNER, SHARDS, Stand
from bench.workload import Shape, Work, generate, released_ids
from consumers.desk.commands import command
from exchange.authority.roster import Officer, entry_text
from exchange.authority.roster import Role as MayDo
from exchange.clock import now_ms
from exchange.errors import FatalError
from exchange.kafka.clients import idempotent_producer, reader
from schemas import topics
from schemas.codec import COMMAND, Codec
from schemas.identity import key_of_id, shard_of_key
from schemas.signing import public_of, signed_command
from schemas.vocabulary import CommandKind

RECALLS_PER_S: Final = 10
_RECALLED: Final = Shape(4_000, 1, seed=999_979)
_DONE_S: Final = 600.0
_LOST_S: Final = 60.0


def measure(stand: Stand, work: Work, epoch_ms: int) -> dict[str, Any]:
    """Other indicators are released first; then ``work`` goes in, and they are recalled meanwhile.

    Milliseconds from before a command is sent until a committed reader has the recall on the fast lane's topic.
    """
    stand.refresh()
    publisher = Publisher(stand.home)
    private = Ed25519PrivateKey.generate()
    rosters = stand.folder / "officers"
    rosters.mkdir(exist_ok=True)
    officer = Officer("bench", "Bench", public_of(private), frozenset({MayDo.RECALL}))
    (rosters / f"{HOME}.toml").write_text(entry_text(officer), "utf-8")
    environment = stand.environment(KAKEHASHI_OFFICERS=str(rosters))
    with (
        Role.start("streams", ["kakehashi", "streams", "--nation", HOME], environment, stand.folder) as role,
        closing(StepProgress(stand.home, "intake", topics.SENSOR_REPORTS)) as taken_in,
        closing(StepProgress(stand.home, "correlate", topics.OBSERVATIONS)) as correlated,
    ):
        role.await_ready()
        before = generate(_RECALLED, nation=HOME, epoch_ms=epoch_ms, sensor_prefix="recalled")
        first, bulk = encoded(before), encoded(work)
        publisher.publish(first)
        absorb(stand, role, first)
        recalls = _commands(released_ids(_RECALLED), private)
        reports = per_partition([*first, *bulk])
        began = time.monotonic()
        publisher.publish(bulk)
        with closing(_Recalls(stand, recalls)) as sent:

            def recall_one() -> None:
                if sent.left():
                    sent.send()
                sent.read(1 / RECALLS_PER_S)
                correlated.read(0)

            taken_in.await_offsets(reports, role, _DONE_S, recall_one)
            seconds = correlated.await_end(stand.home, role, _DONE_S, recall_one) - began
            is_late = not sent.left()
            sent.await_all()
            times = sorted(sent.taken_ms)
    return {
        "work": work.name,
        "rate": round(work.observations / seconds),
        "batches": correlated.batches,
        "recalls": len(times),
        "p50_ms": round(percentile(times, 50)),
        "p99_ms": round(percentile(times, 99)),
        "max_ms": round(times[-1]),
        "void": "recalls were used up before the bulk was through" if is_late else "",
    }


def _commands(released: Sequence[str], private: Ed25519PrivateKey) -> list[Sending]:
    codec, made = Codec(), []
    for name in released:
        wanted = command(
            CommandKind.RECALL, HOME, name, reason="bench", now_ms=now_ms(), partner=PARTNER,
            reason_code="recalled-by-hand",
        )  # fmt: skip
        value = codec.encode(COMMAND, signed_command(codec, wanted, private))
        made.append(Sending(shard_of_key(key_of_id(name), SHARDS), name.encode(), value))
    return made


class _Recalls:
    """Sends commands, and sees their recalls on the fast lane's topic."""

    def __init__(self, stand: Stand, commands: Sequence[Sending]) -> None:
        self._commands, self.count = commands, 0
        self._producer = idempotent_producer(stand.home, **{"linger.ms": 0})
        self._consumer = reader(stand.home, **{"fetch.wait.max.ms": 10})
        name = topics.urgent(PARTNER)
        self._consumer.assign([TopicPartition(name, shard, OFFSET_BEGINNING) for shard in range(SHARDS)])
        self._under_way: dict[bytes, float] = {}
        self.taken_ms: list[float] = []

    def left(self) -> int:
        """Commands that were not sent yet."""
        return len(self._commands) - self.count

    def send(self) -> None:
        """The next one."""
        wanted = self._commands[self.count]
        self.count += 1
        self._under_way[wanted.key] = time.perf_counter()
        self._producer.produce(topics.COMMANDS, wanted.value, wanted.key, wanted.partition)
        self._producer.poll(0)

    def read(self, seconds: float) -> None:
        """Receive the recalls that arrive within the time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            for message in self._consumer.consume(1, left) + self._consumer.consume(10_000, 0):
                began = self._under_way.pop(message.key() or b"", None) if message.error() is None else None
                if began is not None:
                    self.taken_ms.append((time.perf_counter() - began) * 1000)

    def await_all(self) -> None:
        """Until each has arrived. Raises FatalError if one is lost."""
        deadline = time.monotonic() + _LOST_S
        while self._under_way:
            self.read(0.05)
            if time.monotonic() > deadline:
                raise FatalError(f"{len(self._under_way)} of {self.count} recalls have not come in {_LOST_S:g} s")

    def close(self) -> None:
        """Stop."""
        self._consumer.close()
        self._producer.flush(_LOST_S)
