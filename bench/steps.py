"""Intake and correlate in this process, with RocksDB and without Kafka, and a work's reports as they read them."""

import gc
from pathlib import Path

from bench.publish import encoded
from bench.stand import HOME, PARTNER, ROLL_UP_MS, SHARDS
from bench.workload import Work
from exchange.authority.roster import Roster
from exchange.protocol.record import Record
from exchange.protocol.state import RocksState, open_state
from exchange.protocol.step import Batch, Step
from schemas import topics
from schemas.codec import Codec
from streams.correlate.lifecycle import Lifetimes
from streams.correlate.step import Correlate, CorrelateSettings
from streams.enrichment.installed import installed_enricher
from streams.intake.collapse import Normaliser
from streams.intake.step import Intake
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from streams.rules.policy_set import load


def batches(work: Work, now_ms: int, size: int) -> list[dict[int, list[Record]]]:
    """The reports as the shards read them: ``size`` of each shard at a time."""
    queues: dict[int, list[Record]] = {shard: [] for shard in range(SHARDS)}
    for sending in encoded(work):
        queue = queues[sending.partition]
        queue.append(Record(topics.SENSOR_REPORTS, sending.partition, len(queue), sending.key, sending.value, now_ms))
    longest = max(map(len, queues.values()))
    return [
        {shard: queue[start : start + size] for shard, queue in queues.items() if queue[start : start + size]}
        for start in range(0, longest, size)
    ]


class Steps:
    """Intake and correlate of all shards, with their state. ``now_ms`` is the shards' time."""

    def __init__(self, folder: Path, now_ms: int) -> None:
        codec, enricher, classifier = Codec(), installed_enricher(), Classifier(Engine(load(HOME)))
        settings = CorrelateSettings(HOME, (PARTNER,), ROLL_UP_MS, Lifetimes.load(), lambda: Roster(HOME), 1)
        self.now_ms, normaliser = now_ms, Normaliser()
        self._turns = 0
        self._intakes: list[tuple[Step[None], RocksState]] = [
            (
                Intake(
                    HOME,
                    shard,
                    SHARDS,
                    codec,
                    quota=1_000_000_000,
                    roster=lambda: Roster(HOME),
                    normaliser=normaliser,
                ),
                open_state(folder / f"intake{shard}", "bench", 1),
            )
            for shard in range(SHARDS)
        ]
        self._correlates: list[tuple[Step[None], RocksState]] = [
            (Correlate(settings, shard, codec, enricher, classifier), open_state(folder / f"c{shard}", "bench", 1))
            for shard in range(SHARDS)
        ]
        self._offsets = [0] * SHARDS
        gc.collect()
        gc.freeze()  # a worker does not have the generated work: its collector does not visit it

    def intake(self, shard: int, records: list[Record]) -> list[tuple[int, bytes]]:
        """The blocks of one shard's reports, by the shard they go to."""
        step, state = self._intakes[shard]
        effects = step.compute(Batch(records, (), None), state, self.now_ms)
        self._turns += 1
        state.apply(effects.rows, self._turns, self._turns)
        return [
            (output.partition, output.value or b"") for output in effects.outputs if output.topic == topics.OBSERVATIONS
        ]

    def correlate(self, blocks: list[tuple[int, bytes]]) -> int:
        """Let every shard take its blocks; how many records result from it."""
        written = 0
        for shard, (step, state) in enumerate(self._correlates):
            records = []
            for target, value in blocks:
                if target == shard:
                    records.append(Record(topics.OBSERVATIONS, shard, self._offsets[shard], b"", value, self.now_ms))
                    self._offsets[shard] += 1
            if records:
                effects = step.compute(Batch(records, (), None), state, self.now_ms)
                self._turns += 1
                state.apply(effects.rows, self._turns, self._turns)
                written += len(effects.outputs)
        return written

    def close(self) -> None:
        """Close the state."""
        gc.unfreeze()
        for _, state in (*self._intakes, *self._correlates):
            state.close()
