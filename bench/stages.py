"""(d) What each stage costs: intake and correlate in this process, with RocksDB and without Kafka, sampled."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.publish import encoded
from bench.sampled import Samples, grouped, sampling, unknown
from bench.stand import HOME, PARTNER, ROLL_UP_MS, SHARDS
from bench.workload import Work
from exchange.errors import FatalError
from exchange.record import Record
from exchange.roster import Roster
from exchange.shard import Step
from exchange.state import RocksState, open_state
from schemas import topics
from schemas.codec import Codec
from streams.classification.engine import Engine
from streams.classification.policy_set import load
from streams.correlate import Correlate, CorrelateSettings
from streams.intake import Intake
from streams.stages.enrich import Enricher
from streams.stages.lifecycle import Lifetimes
from streams.stages.release import Classifier

BATCH: Final = 10  # reports of a shard in one batch, as under load
TOP: Final = 12

# A place belongs to the first group that names it; a name of nothing is an error (``sampled.unknown``).
INTAKE: Final[Mapping[str, tuple[str, ...]]] = {
    "decode report": ("streams/ledger.py:readable → decode",),
    "encode block": ("streams/intake.py:Intake._digest → encode",),
    "frame": ("streams/stages/columns.py",),
    "validate": ("streams/stages/validate.py",),
    "normalise": ("schemas/normalise/*", "streams/stages/collapse.py:Normaliser*", "streams/stages/collapse.py:_norm*",
                  "streams/stages/collapse.py:normalise", "schemas/identity.py"),
    "collapse": ("streams/stages/collapse.py",),
    "blocks": ("streams/stages/blocks.py",),
    "report identity": ("streams/stages/sequences.py", "streams/ledger.py"),
    "rocksdb": ("exchange/state.py",),
    "intake itself": ("streams/intake.py", "exchange/metric_kinds.py"),
}  # fmt: skip
CORRELATE: Final[Mapping[str, tuple[str, ...]]] = {
    "decode block": ("streams/correlate.py:Correlate._read", "streams/correlate.py:Correlate._read → decode",
                     "streams/stages/blocks.py"),
    "encode national": ("streams/correlate.py:Correlate._tell_nation → encode",),
    "encode released": ("streams/disclose.py:Discloser._send → encode",),
    "encode decision": ("streams/disclose.py:Discloser._audit → encode",),
    "lifecycle": ("streams/stages/lifecycle.py", "streams/stages/row.py:Row.next_end", "streams/stages/row.py:Row.end",
                  "streams/correlate.py:Correlate._time_has_told", "streams/correlate.py:Correlate._waits"),
    "row to and from bytes": ("streams/stages/row.py:encode", "streams/stages/row.py:decode"),
    "national record": ("streams/stages/national.py", "streams/correlate.py:Correlate._tell_nation"),
    "merge": ("streams/stages/row.py", "streams/stages/assertion.py", "streams/correlate.py:Correlate._merged",
              "schemas/markings.py"),
    "enrich": ("streams/stages/enrich.py", "streams/stages/enrichment/*"),
    "released record": ("streams/stages/release.py:content_for", "streams/stages/release.py:digest_of",
                        "streams/stages/release.py:end_of", "streams/classification/obligations.py",
                        "streams/disclose.py:Discloser._content", "streams/disclose.py:Discloser._send"),
    "classify": ("streams/stages/release.py", "streams/classification/*", "streams/stages/review.py",
                 "streams/disclose.py:Discloser._ruled", "streams/disclose.py:Discloser._had"),
    "audit record": ("streams/stages/audit.py", "streams/disclose.py:Discloser._audit"),
    "what was told": ("streams/stages/disclosure.py", "streams/disclose.py"),
    "officers": ("streams/stages/commands.py", "streams/stages/obey.py", "streams/stages/standing.py"),
    "decided again": ("streams/redecide.py", "streams/rulebook.py"),
    "rocksdb": ("exchange/state.py",),
    "correlate itself": ("streams/correlate.py", "streams/work.py", "exchange/metric_kinds.py", "schemas/identity.py",
                         "schemas/vocabulary.py"),
}  # fmt: skip


def measure(work: Work, now_ms: int) -> dict[str, Any]:
    """Microseconds of processor time per observation, by stage and by the dearest functions, of both steps."""
    if wrong := unknown(INTAKE) + unknown(CORRELATE):
        raise FatalError(f"stages are cut by names that are none any more: {', '.join(wrong)}: mend bench/stages.py")
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as folder:
        both = _Steps(Path(folder), now_ms)
        intake, correlate = Samples(), Samples()
        outputs = 0
        for reports in _batches(work, now_ms):
            blocks: list[tuple[int, bytes]] = []
            with sampling(intake):
                for shard, records in reports.items():
                    blocks += both.intake(shard, records)
            with sampling(correlate):
                outputs += both.correlate(blocks)
        both.close()
    count = work.observations
    return {
        "observations": count,
        "work": work.name,
        "outputs_per_observation": round(outputs / count, 3),
        "intake_us": round(intake.seconds / count * 1e6, 2),
        "correlate_us": round(correlate.seconds / count * 1e6, 2),
        "intake": _rounded(grouped(intake.share_us(count), INTAKE)),
        "correlate": _rounded(grouped(correlate.share_us(count), CORRELATE)),
        "top": _top(intake, correlate, count),
    }


def _batches(work: Work, now_ms: int) -> list[dict[int, list[Record]]]:
    """The reports as the shards read them: so many of each shard at a time."""
    queues: dict[int, list[Record]] = {shard: [] for shard in range(SHARDS)}
    for sending in encoded(work):
        queue = queues[sending.partition]
        queue.append(Record(topics.SENSOR_REPORTS, sending.partition, len(queue), sending.key, sending.value, now_ms))
    longest = max(map(len, queues.values()))
    return [
        {shard: queue[start : start + BATCH] for shard, queue in queues.items() if queue[start : start + BATCH]}
        for start in range(0, longest, BATCH)
    ]


class _Steps:
    """Intake and correlate of all shards, with their state."""

    def __init__(self, folder: Path, now_ms: int) -> None:
        codec, enricher, classifier = Codec(), Enricher.load(), Classifier(Engine(load(HOME)))
        settings = CorrelateSettings(HOME, (PARTNER,), ROLL_UP_MS, Lifetimes.load(), Roster(HOME), 1)
        self._now_ms = now_ms
        self._turns = 0
        self._intakes: list[tuple[Step, RocksState]] = [
            (Intake(HOME, shard, SHARDS, codec, quota=1_000_000_000), open_state(folder / f"intake{shard}", "bench", 1))
            for shard in range(SHARDS)
        ]
        self._correlates: list[tuple[Step, RocksState]] = [
            (Correlate(settings, shard, codec, enricher, classifier), open_state(folder / f"c{shard}", "bench", 1))
            for shard in range(SHARDS)
        ]
        self._offsets = [0] * SHARDS

    def intake(self, shard: int, records: list[Record]) -> list[tuple[int, bytes]]:
        """The blocks of one shard's reports, by the shard they go to."""
        step, state = self._intakes[shard]
        effects = step.compute(records, (), state, self._now_ms)
        self._turns += 1
        state.apply(effects.rows, self._turns, self._turns)
        return [
            (output.partition, output.value or b"") for output in effects.outputs if output.topic == topics.OBSERVATIONS
        ]

    def correlate(self, blocks: list[tuple[int, bytes]]) -> int:
        """Let every shard take its blocks; how many records come of it."""
        written = 0
        for shard, (step, state) in enumerate(self._correlates):
            records = []
            for target, value in blocks:
                if target == shard:
                    records.append(Record(topics.OBSERVATIONS, shard, self._offsets[shard], b"", value, self._now_ms))
                    self._offsets[shard] += 1
            if records:
                effects = step.compute(records, (), state, self._now_ms)
                self._turns += 1
                state.apply(effects.rows, self._turns, self._turns)
                written += len(effects.outputs)
        return written

    def close(self) -> None:
        """Close the state."""
        for _, state in (*self._intakes, *self._correlates):
            state.close()


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 2) for name, share in shares.items()}


def _top(intake: Samples, correlate: Samples, count: int) -> list[dict[str, Any]]:
    """The dearest functions of both steps."""
    found = [
        {"step": step, "file": file, "function": function, "us": round(share, 2)}
        for step, samples in (("intake", intake), ("correlate", correlate))
        for (file, function), share in samples.share_us(count).items()
    ]
    return sorted(found, key=lambda one: -float(str(one["us"])))[:TOP]
