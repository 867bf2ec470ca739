"""(g) Correlate with a state of many indicators: rebuild after its disk is lost, throughput, memory and disk.

The changelog is written as correlate itself would have left it (its own rows, batch numbers and progress, by
``KafkaLog``), because letting the pipeline see ten million indicators first would take the evening. A worker then
starts without local state, rebuilds, and is sent observations of indicators that it knows, drawn at random.
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.pipeline import absorb
from bench.publish import Publisher, encoded
from bench.role import Role, cpu_seconds, resident_bytes
from bench.stand import HOME, PARTNER, SHARDS, Stand
from bench.tree_memory import watched
from bench.workload import REPORT_SIZE, SENSORS, Expected, Work, observation
from exchange.kafka.clients import topic_ids
from exchange.kafka.log import KafkaLog
from exchange.protocol.record import Input, Position, RowChange
from producers.report import report_of
from schemas import topics
from schemas.identity import indicator_key, shard_of_key
from schemas.markings import SourceMarking, understand
from schemas.normalise import Invalid, canonical
from schemas.records import SensorReport
from streams.audit.entry import Versions
from streams.correlate import row as rows_of
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.row import Row, Sent
from streams.correlate.statement import Statement
from streams.correlate.step import STATE_FORMAT
from streams.enrichment.enrich import NOTHING_KNOWN
from streams.enrichment.installed import installed_enricher
from streams.rules.engine import Engine
from streams.rules.policy_set import load

_STEP: Final = "correlate"
_BATCH: Final = 25_000
_SEED: Final = 31_337
_SPREAD_MS: Final = 3_600_000


def measure(stand: Stand, indicators: int, observations: int, now_ms: int) -> dict[str, Any]:
    """One size of state."""
    stand.refresh()
    publisher = Publisher(stand.home)
    began = time.monotonic()
    size = prefill(stand, decided_rows(indicators, now_ms), now_ms)
    prefilled_s = time.monotonic() - began
    records = encoded(repetitions(indicators, observations, now_ms))
    state = stand.folder / "state"
    arguments = ["kakehashi", "streams", "--nation", HOME]
    with (
        Role.start("streams", arguments, stand.environment(), stand.folder) as role,
        watched(role.pid) as peak,
    ):
        role.await_ready()
        rebuilt_s = _restore_seconds(role)
        at_rest = resident_bytes(role.pid)
        cpu, began = cpu_seconds(role.pid), time.monotonic()
        publisher.publish(records)
        ended, _ = absorb(stand, role, records)
        cpu = cpu_seconds(role.pid) - cpu
        busy = resident_bytes(role.pid)
        disk = _size(state)
    with Role.start("streams", arguments, stand.environment(), stand.folder) as role:
        role.await_ready()
        restarted_s = _restore_seconds(role)
    return {
        "indicators": indicators,
        "observations": observations,
        "row_bytes": size // indicators,
        "prefill_s": round(prefilled_s, 1),
        "rebuild_s": round(rebuilt_s, 2),
        "restart_s": round(restarted_s, 2),
        "rate": round(observations / (ended - began)),
        "worker_cpu_us": round(cpu / observations * 1e6, 1),
        "resident_mib_rebuilt": round(at_rest / (1 << 20)),
        "resident_mib_busy": round(busy / (1 << 20)),
        "resident_mib_peak": round(peak.value / (1 << 20)),
        "disk_mib": round(disk / (1 << 20)),
    }


def prefill(stand: Stand, rows: Iterator[tuple[bytes, Row]], now_ms: int) -> int:
    """Write the changelog and progress of these indicators; the bytes of their rows."""
    ids = topic_ids(stand.home, [topics.OBSERVATIONS, topics.changelog(_STEP)])
    logs = [KafkaLog(stand.home, _STEP, shard, input_ids=ids, state_format=STATE_FORMAT) for shard in range(SHARDS)]
    waiting: list[list[RowChange]] = [[] for _ in range(SHARDS)]
    batches = [0] * SHARDS
    size = 0

    def commit(shard: int) -> None:
        batches[shard] += 1
        position = Position(batches[shard], now_ms, {Input(topics.OBSERVATIONS, shard): 0})
        rows, waiting[shard] = waiting[shard], []
        logs[shard].commit((), rows, position)

    for log in logs:
        log.fence()
    for key, row in rows:
        data = rows_of.encode(row)
        size += len(data)
        shard = shard_of_key(key, SHARDS)
        waiting[shard].append(RowChange(key, data, row.due_ms))
        if len(waiting[shard]) == _BATCH:
            commit(shard)
    for shard, log in enumerate(logs):
        commit(shard)
        log.close()
    return size


def decided_rows(indicators: int, now_ms: int) -> Iterator[tuple[bytes, Row]]:
    """Rows that were decided under the installed rules: there is nothing to decide again."""
    engine = Engine(load(HOME))
    rules = Versions(engine.version, engine.engine_version, installed_enricher().version).digest
    for key, row in rows_for(indicators, now_ms):
        yield key, msgspec.structs.replace(row, rules=rules)


def rows_for(indicators: int, now_ms: int, marked: SourceMarking | None = None) -> Iterator[tuple[bytes, Row]]:
    """Indicators that one sensor reported once, ``marked`` or unmarked, released to the nation and the partner."""
    lifetimes = Lifetimes.load()
    for number in range(indicators):
        seen = observation(_SEED, number, 1, now_ms)
        known = canonical(seen.kind, seen.value)
        if isinstance(known, Invalid):
            raise AssertionError(f"the generator made an invalid value: {known.detail}")
        marking = understand(marked or seen.marking)
        at_ms = now_ms - _SPREAD_MS
        statement = Statement.of(
            at_ms, 0, at_ms, marking, seen.confidence, 0, tuple(sorted(seen.labels)), seen.description, seen.context
        )
        assertion = Assertion(_sensor(number), statement, (Tally.under(marking, 1, at_ms, at_ms),))
        sent = Sent(PARTNER, "content", at_ms, bytes(16), decision=bytes(16), decision_id=f"{HOME}-0-{number}")
        row = Row(known[0], known[1], NOTHING_KNOWN, (assertion,), version=at_ms, emitted_ms=at_ms, sent=(sent,))
        yield indicator_key(*known), msgspec.structs.replace(row, due_ms=row.next_end(lifetimes, at_ms))


def repetitions(indicators: int, observations: int, now_ms: int) -> Work:
    """Observations of known indicators, drawn at random, each by the sensor that knows it."""
    dice = random.Random(indicators)
    waiting: dict[str, list[int]] = {}
    reports: list[SensorReport] = []
    sequences: dict[str, int] = {}

    def publish_one(sensor: str) -> None:
        rows = [observation(_SEED, number, 1, now_ms) for number in waiting.pop(sensor)]
        sequence = sequences[sensor] = sequences.get(sensor, -1) + 1
        reports.append(
            report_of(
                rows,
                nation=HOME,
                sensor=sensor,
                epoch=now_ms,
                sequence=sequence,
                produced_at_ms=now_ms,
                tool="bench",
            )
        )

    for _ in range(observations):
        number = dice.randrange(indicators)
        sensor = _sensor(number)
        waiting.setdefault(sensor, []).append(number)
        if len(waiting[sensor]) == REPORT_SIZE:
            publish_one(sensor)
    for sensor in list(waiting):
        publish_one(sensor)
    return Work(f"{indicators} known", tuple(reports), observations, Expected(indicators, 0, None, None))


def _sensor(number: int) -> str:
    return f"bench-{number % SENSORS:02d}"


def _restore_seconds(role: Role) -> float:
    """The longest of correlate's shards, by the worker's own log."""
    lines = role.log.read_text("utf-8", "replace").splitlines()
    return max(float(line.rpartition("after_s=")[2]) for line in lines if "shard.running step=correlate" in line)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
