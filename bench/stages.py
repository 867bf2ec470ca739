"""(d) The cost of each stage: intake and correlate in this process, with RocksDB and without Kafka, sampled."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.sampled import Samples, grouped, sampling, unknown
from bench.steps import Steps, batches
from bench.workload import Work
from exchange.errors import FatalError

BATCH: Final = 10  # reports of a shard in one batch, as under load
TOP: Final = 12

# A place belongs to the first group that names it; a name of nothing is an error (``sampled.unknown``).
INTAKE: Final[Mapping[str, tuple[str, ...]]] = {
    "decode report": ("streams/intake/ledger.py:readable → decode",),
    "encode block": ("streams/intake/step.py:Intake._write_blocks → encode",),
    "columns": ("streams/intake/columns.py",),
    "validate": ("streams/intake/validate.py",),
    "normalise": ("schemas/normalise/*", "streams/intake/collapse.py:Normaliser*", "streams/intake/collapse.py:_norm*",
                  "streams/intake/collapse.py:normalise", "schemas/identity.py"),
    "collapse": ("streams/intake/collapse.py",),
    "blocks": ("streams/blocks.py",),
    "report identity": ("streams/intake/sequences.py", "streams/intake/ledger.py"),
    "rocksdb": ("exchange/protocol/state.py",),
    "intake itself": ("streams/intake/step.py", "exchange/protocol/effects.py", "exchange/metrics/kinds.py"),
}  # fmt: skip
CORRELATE: Final[Mapping[str, tuple[str, ...]]] = {
    "decode block": ("streams/correlate/step.py:Correlate._read", "streams/correlate/step.py:Correlate._read → decode",
                     "streams/blocks.py"),
    "lifecycle": ("streams/correlate/lifecycle.py", "streams/correlate/row.py:Row.next_end",
                  "streams/correlate/row.py:Row.end",
                  "streams/correlate/indicator.py:IndicatorUpdater._changed_by_time",
                  "streams/correlate/indicator.py:IndicatorUpdater._waits"),
    "row to and from bytes": ("streams/correlate/row.py:encode", "streams/correlate/row.py:decode"),
    # The code that makes a record writes it, too (``schemas/row_writer.py``: forms).
    "national record": ("streams/correlate/national.py", "streams/correlate/repeated.py",
                        "streams/correlate/indicator.py:IndicatorUpdater._publish_national"),
    "merge": ("streams/correlate/row.py", "streams/correlate/assertion.py",
              "streams/correlate/indicator.py:IndicatorUpdater._merged",
              "streams/correlate/merge.py", "streams/correlate/statement.py", "streams/correlate/terms.py",
              "streams/correlate/further.py", "streams/correlate/branches.py", "schemas/markings.py"),
    "enrich": ("streams/enrichment/enrich.py", "streams/enrichment/*"),
    "released record": ("streams/correlate/content.py", "streams/correlate/released.py",
                        "streams/correlate/included.py", "streams/rules/obligations.py",
                        "streams/correlate/releases.py:Releaser._content",
                        "streams/correlate/releases.py:Releaser._send"),
    "decided again": ("streams/correlate/redecide.py", "streams/rules/in_force.py", "streams/rules/rulebook.py"),
    "classify": ("streams/correlate/units.py", "streams/rules/*", "streams/correlate/review.py",
                 "streams/correlate/releases.py:Releaser._ruled",
                 "streams/correlate/releases.py:Releaser._included"),
    "audit record": ("streams/audit/entry.py", "streams/correlate/releases.py:Releaser._audit"),
    "what was told": ("streams/correlate/next_release.py", "streams/correlate/releases.py"),
    "officers": ("streams/correlate/commands.py", "streams/correlate/execute.py", "streams/correlate/officers.py"),
    "rocksdb": ("exchange/protocol/state.py",),
    "correlate itself": ("streams/correlate/step.py", "streams/correlate/indicator.py", "streams/correlate/work.py",
                         "streams/correlate/oversized.py", "exchange/protocol/effects.py",
                         "exchange/metrics/kinds.py", "schemas/identity.py", "schemas/vocabulary.py"),
}  # fmt: skip


def measure(work: Work, now_ms: int) -> dict[str, Any]:
    """Microseconds of processor time per observation, by stage and by the most expensive functions, of both steps."""
    if wrong := unknown(INTAKE) + unknown(CORRELATE):
        raise FatalError(
            f"stages name files or functions that no longer exist: {', '.join(wrong)}: correct bench/stages.py"
        )
    with tempfile.TemporaryDirectory(prefix="kakehashi-bench-") as folder:
        both = Steps(Path(folder), now_ms)
        intake, correlate = Samples(), Samples()
        outputs = 0
        for reports in batches(work, now_ms, BATCH):
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


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 2) for name, share in shares.items()}


def _top(intake: Samples, correlate: Samples, count: int) -> list[dict[str, Any]]:
    """The most expensive functions of both steps."""
    found = [
        {"step": step, "file": file, "function": function, "us": round(share, 2)}
        for step, samples in (("intake", intake), ("correlate", correlate))
        for (file, function), share in samples.share_us(count).items()
    ]
    return sorted(found, key=lambda one: -float(str(one["us"])))[:TOP]
