"""The metrics that every step has, in the workers and in the bridge: batches, transactions, lag, shards and state."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Histogram, Role, closed, labels
from exchange.metrics.labels import SHARD, STEP, BatchOutcome, GuardStage
from schemas.vocabulary import RejectReason

_ROLES: Final = (Role.STREAMS, Role.BRIDGE)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RESTORES: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BYTES: Final = (1e3, 1e4, 3e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 4e6, 1e7)
_SIZES: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)

REFUSED_RECORDS: Final = Counter(
    "refused_records_total",
    labels(closed("stage", GuardStage, "which guard"), closed("reason", RejectReason, "why")),
    unit="records",
    roles=_ROLES,
    help="Records stopped by the guard of the bridge or by the guard of receive.",
    act="Must be 0, but for `release-expired`: what ended while the bridge was away. At `bridge`: the policy let out "
    "what must never leave: close the border, call the release officer, report a defect. At `receive`: the partner "
    "sent what it must not: call the partner.",
)
BATCHES: Final = Counter(
    "batches_total",
    labels(STEP, closed("outcome", BatchOutcome, "how its transaction ended")),
    unit="batches",
    roles=_ROLES,
    help="Transactions of a step; an aborted or uncertain one is tried again, so a batch may count several times.",
    act="`aborted` or `uncertain` more than now and then: the brokers are ill; nothing is lost or doubled, but look "
    "at their logs and disks.",
)
BATCH_SECONDS: Final = Histogram(
    "batch_seconds",
    labels(STEP),
    unit="seconds",
    roles=_ROLES,
    help="From the read of a batch to its commit: its wait for its turn to be computed, the step's own work and the "
    "transaction.",
    act="Rises without `transaction_seconds`: the work itself is slow, of this shard or of the process's others, which "
    "are computed one at a time: CPU limit, or batches of very distinct values.",
    buckets=_SECONDS,
)
BATCH_RECORDS: Final = Histogram(
    "batch_records",
    labels(STEP),
    unit="records",
    roles=_ROLES,
    help="Records in a batch, as they were read.",
    act="At the top for long: the step runs at its limit, see `behind_seconds`.",
    buckets=_SIZES,
)
BATCH_BYTES: Final = Histogram(
    "batch_bytes",
    labels(STEP),
    unit="bytes",
    roles=_ROLES,
    help="Bytes of the records in a batch, as they were read. A batch ends at its step's limit (docs/sre.md), but for "
    "a record that is larger by itself.",
    act="At the top for long: as `batch_records`. Large with few records: a sensor's reports are large; a batch cannot "
    "be smaller than one of them.",
    buckets=_BYTES,
)
OPEN_TRANSACTION_SECONDS: Final = Gauge(
    "open_transaction_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_ROLES,
    help="For how long the transaction of a shard has been in flight; 0 where none is. A shard has one at most.",
    act="Above 30, when brokers end a transaction by themselves: the cluster does not answer, or refuses and is asked "
    "again; the shard's log has Kafka's words. Nothing is lost; the shard ends where it cannot be written.",
)
TRANSACTION_SECONDS: Final = Histogram(
    "transaction_seconds",
    labels(STEP),
    unit="seconds",
    roles=_ROLES,
    help="From the begin of a transaction to the broker's answer to its commit.",
    act="Rises: the output cluster is slow (disk, replication, link).",
    buckets=_SECONDS,
)
LAG_RECORDS: Final = Gauge(
    "lag_records",
    labels(STEP, SHARD),
    unit="records",
    roles=_ROLES,
    help="Records in the inputs of a shard that are not yet in its committed progress.",
    act="Look at `behind_seconds` first: it says how late that is.",
)
BEHIND_SECONDS: Final = Gauge(
    "behind_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_ROLES,
    help="Age of the oldest record that a shard has not yet committed; 0 when it has read everything.",
    act="Rises on one shard: one worker or one key is hot, or it is stuck: see its log and `shard_state`. Rises on "
    "all: add workers, or the brokers are slow.",
)
SHARD_STATE: Final = Gauge(
    "shard_state",
    labels(STEP, SHARD),
    unit="state",
    roles=_ROLES,
    help="Where a shard is in its life: 0 new, 1 restoring, 2 running, 3 fenced, 4 closed. No series: not here.",
    act="3 for longer than a rebalance: two processes claim the shard; stop one of them. A shard that no process "
    "shows as 2 is not worked on: start a worker.",
)
RESTORE_SECONDS: Final = Histogram(
    "restore_seconds",
    labels(STEP),
    unit="seconds",
    roles=_ROLES,
    help="From taking a shard to its first new batch.",
    act="Long restores: the local state was lost (volume, node) and is read from the changelog; give the workers "
    "lasting volumes.",
    buckets=_RESTORES,
)
STATE_ROWS: Final = Gauge(
    "state_rows",
    labels(STEP, SHARD),
    unit="rows",
    roles=_ROLES,
    help="Rows in a shard's state, as the local store estimates them.",
    act="Grows without end: indicators do not expire; look at their `valid_until`, and at the volume's free space.",
)
STATE_BYTES: Final = Gauge(
    "state_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_ROLES,
    help="Bytes that a shard's state takes on the worker's disk, its write-ahead log included.",
    act="As `state_rows`. Grows while the rows do not: the store has not compacted yet; it does so by itself.",
)
STATE_FREE_BYTES: Final = Gauge(
    "state_free_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_ROLES,
    help="Bytes that are free on the disk of a shard's state.",
    act="Make it larger before it is full: then the shards on it stop. Nothing is lost: they are rebuilt from their "
    "changelogs on any disk that has room.",
)
FENCED_SHARDS: Final = Counter(
    "fenced_shards_total",
    labels(STEP),
    unit="shards",
    roles=_ROLES,
    help="How often a shard of this process was taken over by another owner.",
    act="One per rebalance is normal. Again and again: two processes claim the same shards: a second release with the "
    "same nation, or two bridges for one link.",
)
INPUT_GAPS: Final = Counter(
    "input_gaps_total",
    labels(STEP),
    unit="gaps",
    roles=_ROLES,
    help="How often a step has found, on taking a shard, that an input no longer holds what it had not read.",
    act="Must be 0: retention was shorter than an outage, or somebody has deleted records or a topic. The log says "
    "which (`feed.gap`, `bridge.source_recreated`). At a bridge or at `receive`: `kakehashi reconcile --repair` tells "
    "the partner again what it missed. At `intake`: compare with the sensors' own records.",
)
