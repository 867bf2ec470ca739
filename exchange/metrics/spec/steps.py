"""The metrics that every step has, in the workers and in the bridge: batches, transactions, lag, shards and state."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Histogram, Role, closed, labels
from exchange.metrics.labels import CLUSTER, SHARD, STEP, BatchOutcome, GuardStage
from schemas.vocabulary import RejectReason

_ROLES: Final = (Role.STREAMS, Role.BRIDGE)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_RESTORES: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BYTES: Final = (1e3, 1e4, 3e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 4e6, 1e7)
_SIZES: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)

CLUSTER_SILENT_SECONDS: Final = Gauge(
    "cluster_silent_seconds",
    labels(CLUSTER),
    unit="seconds",
    roles=_ROLES,
    help="For how long a Kafka cluster has not answered this process; 0 if it answered the last question. It is asked "
    "every 2 s, also if nothing is to be done.",
    act="Above 10 s: `/ready` is no. Of one process: its network or its credentials. Of all: the brokers. Nothing is "
    "lost; sensors keep their reports. Above 20 s an alert fires.",
)
CLOCK_AHEAD_SECONDS: Final = Gauge(
    "clock_ahead_seconds",
    labels(),
    unit="seconds",
    roles=_ROLES,
    help="By how much this machine's clock is ahead of its nation's brokers; negative if it is behind. The earlier of "
    "the two counts, within 10 s.",
    act="Beyond 5 s an alert fires: synchronise the clocks (NTP) of this machine and of the brokers. Nothing ends "
    "early; if this machine is behind, ends and deadlines are late. If both were wrong together, see the SRE page.",
)
REFUSED_RECORDS: Final = Counter(
    "refused_records_total",
    labels(closed("stage", GuardStage, "guard"), closed("reason", RejectReason, "reason")),
    unit="records",
    roles=_ROLES,
    help="Records stopped by the guard of the bridge or by the guard of receive.",
    act="Must be 0, except `release-expired`: releases that ended while the bridge was down. At `bridge`: the policy "
    "released what must never be released: close the border, call the release officer, report a defect. At `receive`: "
    "the partner sent a forbidden record: call the partner.",
)
BATCHES: Final = Counter(
    "batches_total",
    labels(STEP, closed("outcome", BatchOutcome, "how its transaction ended")),
    unit="batches",
    roles=_ROLES,
    help="Transactions of a step; an aborted or uncertain one is tried again, so a batch may count several times.",
    act="`aborted` or `uncertain` more than occasionally: the brokers have a fault. Nothing is lost or doubled, but "
    "check their logs and disks.",
)
BATCH_SECONDS: Final = Histogram(
    "batch_seconds",
    labels(STEP),
    unit="seconds",
    roles=_ROLES,
    help="From the read of a batch to its commit: waiting for its turn to compute, the step's own work, and the "
    "transaction.",
    act="Rises without `transaction_seconds`: the work is slow, of this shard or of the other shards of the process, "
    "which compute one at a time: CPU limit, or batches of very distinct values.",
    buckets=_SECONDS,
)
BATCH_RECORDS: Final = Histogram(
    "batch_records",
    labels(STEP),
    unit="records",
    roles=_ROLES,
    help="Records in a batch, as they were read.",
    act="At the limit for long: the step runs at its capacity, see `behind_seconds`.",
    buckets=_SIZES,
)
BATCH_BYTES: Final = Histogram(
    "batch_bytes",
    labels(STEP),
    unit="bytes",
    roles=_ROLES,
    help="Bytes of the records in a batch, as they were read. A batch ends at its step's limit (docs/sre.md), except "
    "if a single record is larger.",
    act="At the limit for long: as `batch_records`. Large with few records: a sensor's reports are large; a batch "
    "cannot be smaller than one of them.",
    buckets=_BYTES,
)
OPEN_TRANSACTION_SECONDS: Final = Gauge(
    "open_transaction_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_ROLES,
    help="Time that the transaction of a shard has been in flight; 0 if there is none. A shard has one at most.",
    act="Above 30, when brokers abort a transaction: the cluster does not answer, or refuses and is retried; the "
    "shard's log has Kafka's error. Nothing is lost; if it cannot be written, the shard ends.",
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
    act="Look at `behind_seconds` first: it gives the delay.",
)
BEHIND_SECONDS: Final = Gauge(
    "behind_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_ROLES,
    help="Age of the oldest record that a shard has not yet committed; 0 when it has read everything.",
    act="Rises on one shard: one worker or one key is hot, or the shard is stuck: see its log and `shard_state`. Rises "
    "on all: add workers, or the brokers are slow.",
)
SHARD_STATE: Final = Gauge(
    "shard_state",
    labels(STEP, SHARD),
    unit="state",
    roles=_ROLES,
    help="State of a shard: 0 new, 1 restoring, 2 running, 3 fenced, 4 closed, 5 waiting. No series: no shard here.",
    act="3 for longer than a rebalance: two processes claim the shard; stop one of them. A shard that no process shows "
    "as 2 is not processed: start a worker. 5: nothing can be decided, see `shard.waiting` in its "
    "log; it continues by itself.",
)
RESTORE_SECONDS: Final = Histogram(
    "restore_seconds",
    labels(STEP),
    unit="seconds",
    roles=_ROLES,
    help="From taking a shard to its first new batch.",
    act="Long restores: the local state was lost (volume, node) and is read from the changelog; give the workers "
    "persistent volumes.",
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
    help="Bytes that a shard's state uses on the worker's disk, including its write-ahead log.",
    act="As `state_rows`. Grows while the rows do not: the store has not compacted yet; it does so by itself.",
)
STATE_FREE_BYTES: Final = Gauge(
    "state_free_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_ROLES,
    help="Free bytes on the disk of a shard's state.",
    act="Enlarge the disk before it is full: otherwise the shards on it stop. Nothing is lost: they are rebuilt from "
    "their changelogs on any disk that has room.",
)
FENCED_SHARDS: Final = Counter(
    "fenced_shards_total",
    labels(STEP),
    unit="shards",
    roles=_ROLES,
    help="Takeovers of a shard of this process by another owner.",
    act="One per rebalance is normal. Repeatedly: two processes claim the same shards: a second Helm release with the "
    "same nation, or two bridges for one link.",
)
INPUT_GAPS: Final = Counter(
    "input_gaps_total",
    labels(STEP),
    unit="gaps",
    roles=_ROLES,
    help="Gaps that a step found on taking a shard: an input no longer holds records that it had not read.",
    act="Must be 0: retention was shorter than an outage, or someone has deleted records or a topic. The log names it "
    "(`feed.gap`, `bridge.source_recreated`). At a bridge or at `receive`: `kakehashi reconcile --repair` reissues "
    "what the partner missed. At `intake`: compare with the sensors' own records.",
)
