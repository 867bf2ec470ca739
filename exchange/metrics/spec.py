"""Every metric of the exchange: this file is the specification, ``docs/metrics.md`` is printed from it.

A new metric is a new entry here, and nothing else makes one (a test holds that). Counted once a batch, never
once an observation. No sensor is ever a label: a nation has as many sensors as it likes, and which one it was
is in the log line and in the quarantine record.
"""

from typing import Any, Final

from exchange.metrics.kinds import Counter, Gauge, Histogram, Label, Metric, Role, bounded, closed, labels
from exchange.metrics.labels import (
    FROM,
    ORIGIN,
    PARTNER,
    RULE,
    SHARD,
    STEP,
    TO,
    BatchOutcome,
    CommandFate,
    Differs,
    GapChange,
    GuardStage,
    IndicatorChange,
    ObservationFate,
    QuarantineStage,
    ReceiptCode,
    ReportFate,
    ReviewEnd,
)
from schemas.vocabulary import Outcome, RecordKind, RejectReason

_PRODUCE, _STREAMS, _BRIDGE = (Role.PRODUCE,), (Role.STREAMS,), (Role.BRIDGE,)
_STEPS = (Role.STREAMS, Role.BRIDGE)
_EVERY = tuple(Role)

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LATENCIES: Final = (0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
_RESTORES: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BYTES: Final = (1e3, 1e4, 3e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 4e6, 1e7)
_SIZES: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)

# ── Intake ────────────────────────────────────────────────────────────────────────────────────────────────────
REPORTS: Final = Counter(
    "reports_total",
    labels(closed("fate", ReportFate, "what became of the report")),
    unit="reports",
    roles=_STREAMS,
    help="Sensor reports that intake has decided on.",
    act="`duplicate` grows for long: a sensor sends again what was acknowledged; look at its network and its disk. "
    "`quarantined` grows: a whole report was unreadable; `kakehashi quarantine list` has the reason and the sensor.",
)
OBSERVATIONS: Final = Counter(
    "observations_total",
    labels(closed("fate", ObservationFate, "what became of the observation")),
    unit="observations",
    roles=_STREAMS,
    help="Observations in accepted reports, before any collapsing.",
    act="The share of `quarantined` jumps: a sensor's format has changed; see `quarantined_records_total` for the "
    "reason, mend the reader or the sensor, then `kakehashi quarantine redrive`. No growth at all while sensors are "
    "up: nothing arrives; look at the producers' `spool_reports`.",
)
SEQUENCE_GAPS: Final = Counter(
    "sequence_gaps_total",
    labels(closed("change", GapChange, "what happened to the missing numbers")),
    unit="gaps",
    roles=_STREAMS,
    help="Report numbers that were skipped by a sensor (one each), that came late after all, or that were given up.",
    act="`opened` minus `filled` stays above 0: reports are late or lost; the log names sensor, epoch and numbers: "
    "compare with that sensor's spool. `given_up` grows: a sensor has more gaps than are kept, and what comes late "
    "for them is quarantined, uncounted.",
)
SENSOR_QUOTA_USED: Final = Gauge(
    "sensor_quota_used_ratio",
    labels(STEP, SHARD),
    unit="ratio",
    roles=_STREAMS,
    help="How much of a minute's `KAKEHASHI_SENSOR_QUOTA` the busiest sensor of the shard's last batch had used by "
    "then: 1 is all of it.",
    act="Near 1: what that sensor sends beyond it in the minute goes to quarantine, whole reports at a time; the log "
    "of intake names it. Talk to its operator, or raise the quota. The other sensors lose nothing.",
)
# ── Correlate ─────────────────────────────────────────────────────────────────────────────────────────────────
INDICATORS: Final = Counter(
    "indicators_total",
    labels(closed("change", IndicatorChange, "what the batch did to the indicator")),
    unit="indicators",
    roles=_STREAMS,
    help="Indicators that a committed batch of correlate has touched.",
    act="`new` jumps: one sensor floods the exchange with distinct values; look for it in the log of intake. "
    "`expired` jumps: a wave of `valid_until` passed, or a clock ran ahead.",
)
DECISIONS: Final = Counter(
    "decisions_total",
    labels(PARTNER, closed("outcome", Outcome, "what the rules say")),
    unit="decisions",
    roles=_STREAMS,
    help="Sharing decisions on indicators.",
    act="`release` stops while indicators still come: default deny is at work; see `rule_hits_total` for the rule, "
    "and `kakehashi` explains one decision in words. `hold` grows: people have to decide.",
)
RULE_HITS: Final = Counter(
    "rule_hits_total",
    labels(RULE),
    unit="hits",
    roles=_STREAMS,
    help="How often a rule was among those that decided.",
    act="A rule that never hit before leads: a policy set was switched or a feed's markings changed; read the rule's "
    "title and basis in the policy folder.",
)
DECIDED_AGAIN: Final = Counter(
    "again_decided_indicators_total",
    labels(),
    unit="indicators",
    roles=_STREAMS,
    help="Indicators that were decided again because the rules have changed.",
    act="Grows without an activation or an upgrade: workers with different rules take shards from each other; give all "
    "the same.",
)
UNDECIDED_ROWS: Final = Gauge(
    "undecided_rows",
    labels(STEP, SHARD),
    unit="rows",
    roles=_STREAMS,
    help="Rows still to be looked at since the rules have changed, by an estimate: all of them are looked at twice, "
    "first for what a partner knows of, then for the rest.",
    act="Does not fall: the shard stands still, see `shard_state`; or it has more input than it can do, see "
    "`behind_seconds`: add workers.",
)
RULES_BEHIND_SECONDS: Final = Gauge(
    "rules_behind_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_STREAMS,
    help="For how long the rules have been in force and some indicators not been decided by them; 0 when all are.",
    act="As `undecided_rows`. Until it is 0, what the new rules forbid may still be with a partner.",
)
REVIEWS: Final = Counter(
    "reviews_total",
    labels(PARTNER, closed("end", ReviewEnd, "how the review has ended")),
    unit="reviews",
    roles=_STREAMS,
    help="Reviews of held indicators that have ended.",
    act="`lapsed` grows: officers do not come to it in time, and what could have gone is withheld; "
    "`review.pending.v1` has what waits, with its deadlines.",
)
COMMANDS: Final = Counter(
    "commands_total",
    labels(closed("fate", CommandFate, "what became of the command")),
    unit="commands",
    roles=_STREAMS,
    help="Commands of officers that correlate has decided on.",
    act="`refused` grows: unsigned, unknown or late commands come in; `kakehashi quarantine list` has who and "
    "why. Where they are `bad-signature` or `unknown-key`, somebody writes to `command.v1` who should not.",
)
RELEASED_RECORDS: Final = Counter(
    "released_records_total",
    labels(PARTNER, closed("kind", RecordKind, "what the record says")),
    unit="records",
    roles=_STREAMS,
    help="Records written to `indicator.released.<partner>`.",
    act="`recalled` jumps: a policy was tightened or somebody recalled by hand; tell the release officers.",
)
AUDIT_ENTRIES: Final = Counter(
    "audit_entries_total",
    labels(),
    unit="entries",
    roles=_STREAMS,
    help="Entries appended to the hash chains of `decision.audit`.",
    act="Stands still while `decisions_total` grows: decisions are not explained any more, stop the release and "
    "report a defect: both are written in one transaction.",
)
# ── Quarantine ────────────────────────────────────────────────────────────────────────────────────────────────
QUARANTINED_RECORDS: Final = Counter(
    "quarantined_records_total",
    labels(
        closed("stage", QuarantineStage, "who refused it"),
        closed("reason", RejectReason, "why"),
    ),
    unit="records",
    roles=_EVERY,
    help="Records written to quarantine: reports, observations or lines of a source.",
    act="Nothing is lost: `kakehashi quarantine list` shows reasons and originals; mend the cause, then "
    "`kakehashi quarantine redrive`.",
)
# ── Border ────────────────────────────────────────────────────────────────────────────────────────────────────
REPLICATED_RECORDS: Final = Counter(
    "replicated_records_total",
    labels(FROM, TO, closed("kind", RecordKind, "what the record says")),
    unit="records",
    roles=_BRIDGE,
    help="Records committed to the partner's `inbox`.",
    act="Stands still while `released_records_total` grows: see `lag_records` and `batches_total` of the bridge, and "
    "whether the partner's cluster answers.",
)
URGENT_RECORDS: Final = Counter(
    "urgent_records_total",
    labels(FROM, TO, closed("kind", RecordKind, "what the record says")),
    unit="records",
    roles=_BRIDGE,
    help="Copies that went ahead by the fast lane: acknowledged in the partner's `inbox.urgent`.",
    act="Stands still while `released_records_total` of other kinds than `content` grows: see `lag_records` of "
    "`bridge.<home>.urgent`, and whether the partner's cluster answers.",
)
BRIDGE_LIMIT_BYTES: Final = Gauge(
    "bridge_limit_bytes",
    labels(FROM, TO),
    unit="bytes",
    roles=_BRIDGE,
    help="What a bridge's bulk may send in a second by `KAKEHASHI_BRIDGE_RATE` at this time of day: over the whole "
    "link, before compression; 0 without a limit.",
    act="Not what was agreed for this hour: the setting is in UTC, and read when the process starts.",
)
BRIDGE_HELD_SECONDS: Final = Counter(
    "bridge_held_seconds_total",
    labels(FROM, TO),
    unit="seconds",
    roles=_BRIDGE,
    help="For how long released records waited for the bridge's limit, over all shards. The fast lane never does.",
    act="Grows by as many seconds a second as there are shards, day and night, while `lag_records` grows: more is "
    "released than the limit carries; raise `KAKEHASHI_BRIDGE_RATE`.",
)
OVERTAKEN_RECORDS: Final = Counter(
    "overtaken_records_total",
    labels(FROM, TO),
    unit="records",
    roles=_BRIDGE,
    help="Released content that stayed at home, because a later version of it had gone ahead by the fast lane.",
    act="Nothing: what was recalled before it was carried is not carried. Many mean that bulk is far behind: see "
    "`lag_records`.",
)
REPLICATED_RECEIPTS: Final = Counter(
    "replicated_receipts_total",
    labels(FROM, TO, closed("code", ReceiptCode, "what was done")),
    unit="receipts",
    roles=_BRIDGE,
    help="Receipts for a partner's records committed to its `inbox`: their way home.",
    act="Stands still while `receipts_total` grows: as `replicated_records_total`.",
)
BRIDGE_REPLAYS: Final = Counter(
    "bridge_replays_total",
    labels(FROM, TO),
    unit="replays",
    roles=_BRIDGE,
    help="Shards of a bridge that have begun anew because their position on the partner's cluster was gone.",
    act="Must be 0. Nothing is lost or doubled: the receiving side drops what it has. Find out who has deleted "
    "`bridge.<home>.progress` there.",
)
REFUSED_RECORDS: Final = Counter(
    "refused_records_total",
    labels(closed("stage", GuardStage, "which guard"), closed("reason", RejectReason, "why")),
    unit="records",
    roles=_STEPS,
    help="Records stopped by the guard of the bridge or by the guard of receive.",
    act="Must be 0, but for `release-expired`: what ended while the bridge was away. At `bridge`: the policy let out "
    "what must never leave: close the border, call the release officer, report a defect. At `receive`: the partner "
    "sent what it must not: call the partner.",
)
ACCEPTED_RECORDS: Final = Counter(
    "accepted_records_total",
    labels(ORIGIN, closed("kind", RecordKind, "what the record says")),
    unit="records",
    roles=_STREAMS,
    help="Records of a partner taken into our picture of it.",
    act="Stands still while the partner releases: compare with its bridge's `replicated_records_total`.",
)
STALE_RECORDS: Final = Counter(
    "stale_records_total",
    labels(ORIGIN),
    unit="records",
    roles=_STREAMS,
    help="Records of a partner that were dropped because a newer version was already there, or theirs was recalled.",
    act="A little is normal (two lanes, late copies). A lot: the partner's bridge has started again from far back.",
)
DUPLICATE_RECORDS: Final = Counter(
    "duplicate_records_total",
    labels(ORIGIN),
    unit="records",
    roles=_STREAMS,
    help="Records of a partner that came again under the version that was already there, and were dropped.",
    act="As many as the partner's `urgent_records_total` is normal: what went by the fast lane comes once more with "
    "all else. Many more: its bridge has started again from far back.",
)
RECEIPTS: Final = Counter(
    "receipts_total",
    labels(ORIGIN, closed("code", ReceiptCode, "what was done")),
    unit="receipts",
    roles=_STREAMS,
    help="Receipts written about a partner's records.",
    act="`recall_applied` stays behind the partner's recalls: its recalls are not yet acted on here.",
)
PARTNER_RECEIPTS: Final = Counter(
    "partner_receipts_total",
    labels(PARTNER, closed("code", ReceiptCode, "what the partner did")),
    unit="receipts",
    roles=_STREAMS,
    help="Receipts of a partner for what we released to it, come home.",
    act="`refused` grows: the partner does not take what we release; `kakehashi released show` has its reason; call "
    "it. `disputed`: an analyst there thinks that we are wrong; `kakehashi released list --disputed` says about what; "
    "tell the release officers.",
)
UNSETTLED_RELEASES: Final = Gauge(
    "unsettled_releases",
    labels(STEP, SHARD),
    unit="releases",
    roles=_STREAMS,
    help="Indicators whose last release has had no receipt for longer than `KAKEHASHI_RECEIPT_LIMIT_S`.",
    act="Above 0: the bridge to the partner stands still, or the partner's bridge to us does (receipts come home by "
    "it), or its `receive` does. `kakehashi released list` names them. Where receipts were lost on their way, "
    "`kakehashi reconcile --full --repair` has them given again.",
)
UNSETTLED_RECALLS: Final = Gauge(
    "unsettled_recalls",
    labels(STEP, SHARD),
    unit="recalls",
    roles=_STREAMS,
    help="Recalled indicators that the partner has not confirmed for longer than `KAKEHASHI_RECALL_LIMIT_S`.",
    act="Above 0: what should not have been shared may still be used there. Look at the bridge first, then call the "
    "partner; `kakehashi released list --recalls` names them.",
)
UNPURGED_RECALLS: Final = Gauge(
    "unpurged_recalls",
    labels(STEP, SHARD),
    unit="recalls",
    roles=_STREAMS,
    help="Recalled indicators that the partner has not said to be purged, two days after their recall.",
    act="Above 0: the partner's topics are not compacted, or its inbox is not emptied: call its SREs.",
)
RECONCILE_DIFFERENCES: Final = Gauge(
    "reconcile_differences",
    labels(FROM, TO, closed("differs", Differs, "how")),
    unit="differences",
    roles=_BRIDGE,
    help="Indicators that differ between what was released and what the partner holds, by the last reconciliation.",
    act="Above 0: `kakehashi reconcile` names them. `missing`, `stale`, `altered` and `ahead` are mended with "
    "`--repair`; `refused` is for a talk with the partner; `extra`, what it holds and we did not release: call it.",
)
LAST_RECONCILED: Final = Gauge(
    "last_reconciled_seconds",
    labels(FROM, TO),
    unit="seconds",
    roles=_BRIDGE,
    help="When the last reconciliation was done, in seconds since 1970; 0 where none was since the process began.",
    act="Grows old: the bridge's log says what it could not read; on the partner's cluster it needs to read "
    "`held.<home>.digest` and `partner.<home>.indicator`.",
)
# ── Latency ───────────────────────────────────────────────────────────────────────────────────────────────────
NATIONAL_LATENCY: Final = Histogram(
    "national_latency_seconds",
    labels(),
    unit="seconds",
    roles=_STREAMS,
    help="From the time a sensor made a report to the commit of its indicators on `indicator.national`.",
    act="Rises with `behind_seconds`: workers are too slow, add some. Rises alone: sensors send late (spool, link) "
    "or a sensor's clock is behind.",
    buckets=_LATENCIES,
)
REPLICATION_LATENCY: Final = Histogram(
    "replication_latency_seconds",
    labels(FROM, TO),
    unit="seconds",
    roles=_BRIDGE,
    help="From the append of a record on `indicator.released.<partner>` to its commit on the partner's cluster.",
    act="Rises with `transaction_seconds`: the link or the partner's cluster is slow.",
    buckets=_LATENCIES,
)
URGENT_LATENCY: Final = Histogram(
    "urgent_latency_seconds",
    labels(FROM, TO),
    unit="seconds",
    roles=_BRIDGE,
    help="From the append of a copy on `indicator.urgent.<partner>` to its acknowledgement by the partner's cluster.",
    act="Above a second: the link or the partner's cluster is slow, or the bridge has no processor time; bulk never is "
    "the reason.",
    buckets=_LATENCIES,
)
# ── Every step, by shard ──────────────────────────────────────────────────────────────────────────────────────
BATCHES: Final = Counter(
    "batches_total",
    labels(STEP, closed("outcome", BatchOutcome, "how its transaction ended")),
    unit="batches",
    roles=_STEPS,
    help="Transactions of a step; an aborted or uncertain one is tried again, so a batch may count several times.",
    act="`aborted` or `uncertain` more than now and then: the brokers are ill; nothing is lost or doubled, but look "
    "at their logs and disks.",
)
BATCH_SECONDS: Final = Histogram(
    "batch_seconds",
    labels(STEP),
    unit="seconds",
    roles=_STEPS,
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
    roles=_STEPS,
    help="Records in a batch, as they were read.",
    act="At the top for long: the step runs at its limit, see `behind_seconds`.",
    buckets=_SIZES,
)
BATCH_BYTES: Final = Histogram(
    "batch_bytes",
    labels(STEP),
    unit="bytes",
    roles=_STEPS,
    help="Bytes of the records in a batch, as they were read. A batch ends at its step's limit (docs/sre.md), but for "
    "a record that is larger by itself.",
    act="At the top for long: as `batch_records`. Large with few records: a sensor's reports are large; a batch cannot "
    "be smaller than one of them.",
    buckets=_BYTES,
)
MAILBOX_BYTES: Final = Gauge(
    "mailbox_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_STREAMS,
    help="Bytes of reports that Faust has handed over and intake has not taken yet; 32 MiB at most. What finds no room "
    "is read by the shard itself later.",
    act="At its top: intake is slower than the sensors; see `behind_seconds`.",
)
OPEN_TRANSACTION_SECONDS: Final = Gauge(
    "open_transaction_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_STEPS,
    help="For how long the transaction of a shard has been in flight; 0 where none is. A shard has one at most.",
    act="Above 30, when brokers end a transaction by themselves: the cluster does not answer, or refuses and is asked "
    "again; the shard's log has Kafka's words. Nothing is lost; the shard ends where it cannot be written.",
)
TRANSACTION_SECONDS: Final = Histogram(
    "transaction_seconds",
    labels(STEP),
    unit="seconds",
    roles=_STEPS,
    help="From the begin of a transaction to the broker's answer to its commit.",
    act="Rises: the output cluster is slow (disk, replication, link).",
    buckets=_SECONDS,
)
LAG_RECORDS: Final = Gauge(
    "lag_records",
    labels(STEP, SHARD),
    unit="records",
    roles=_STEPS,
    help="Records in the inputs of a shard that are not yet in its committed progress.",
    act="Look at `behind_seconds` first: it says how late that is.",
)
BEHIND_SECONDS: Final = Gauge(
    "behind_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_STEPS,
    help="Age of the oldest record that a shard has not yet committed; 0 when it has read everything.",
    act="Rises on one shard: one worker or one key is hot, or it is stuck: see its log and `shard_state`. Rises on "
    "all: add workers, or the brokers are slow.",
)
SHARD_STATE: Final = Gauge(
    "shard_state",
    labels(STEP, SHARD),
    unit="state",
    roles=_STEPS,
    help="Where a shard is in its life: 0 new, 1 restoring, 2 running, 3 fenced, 4 closed. No series: not here.",
    act="3 for longer than a rebalance: two processes claim the shard; stop one of them. A shard that no process "
    "shows as 2 is not worked on: start a worker.",
)
RESTORE_SECONDS: Final = Histogram(
    "restore_seconds",
    labels(STEP),
    unit="seconds",
    roles=_STEPS,
    help="From taking a shard to its first new batch.",
    act="Long restores: the local state was lost (volume, node) and is read from the changelog; give the workers "
    "lasting volumes.",
    buckets=_RESTORES,
)
STATE_ROWS: Final = Gauge(
    "state_rows",
    labels(STEP, SHARD),
    unit="rows",
    roles=_STEPS,
    help="Rows in a shard's state, as the local store estimates them.",
    act="Grows without end: indicators do not expire; look at their `valid_until`, and at the volume's free space.",
)
STATE_BYTES: Final = Gauge(
    "state_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_STEPS,
    help="Bytes that a shard's state takes on the worker's disk, its write-ahead log included.",
    act="As `state_rows`. Grows while the rows do not: the store has not compacted yet; it does so by itself.",
)
STATE_FREE_BYTES: Final = Gauge(
    "state_free_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_STEPS,
    help="Bytes that are free on the disk of a shard's state.",
    act="Make it larger before it is full: then the shards on it stop. Nothing is lost: they are rebuilt from their "
    "changelogs on any disk that has room.",
)
FENCED_SHARDS: Final = Counter(
    "fenced_shards_total",
    labels(STEP),
    unit="shards",
    roles=_STEPS,
    help="How often a shard of this process was taken over by another owner.",
    act="One per rebalance is normal. Again and again: two processes claim the same shards: a second release with the "
    "same nation, or two bridges for one link.",
)
INPUT_GAPS: Final = Counter(
    "input_gaps_total",
    labels(STEP),
    unit="gaps",
    roles=_STEPS,
    help="How often a step has found, on taking a shard, that an input no longer holds what it had not read.",
    act="Must be 0: retention was shorter than an outage, or somebody has deleted records or a topic. The log says "
    "which (`feed.gap`, `bridge.source_recreated`). At a bridge or at `receive`: `kakehashi reconcile --repair` tells "
    "the partner again what it missed. At `intake`: compare with the sensors' own records.",
)
# ── Sensor side ───────────────────────────────────────────────────────────────────────────────────────────────
SPOOL_REPORTS: Final = Gauge(
    "spool_reports",
    labels(),
    unit="reports",
    roles=_PRODUCE,
    help="Reports that are durable on the sensor's disk and not yet acknowledged by the cluster.",
    act="Grows: the cluster or the link is down, or slower than the sensor; nothing is lost while the disk has room.",
)
SPOOL_OLDEST_SECONDS: Final = Gauge(
    "spool_oldest_seconds",
    labels(),
    unit="seconds",
    roles=_PRODUCE,
    help="Age of the oldest report in the spool; 0 when it is empty.",
    act="As `spool_reports`.",
)
PUBLISHED_REPORTS: Final = Counter(
    "published_reports_total",
    labels(),
    unit="reports",
    roles=_PRODUCE,
    help="Reports acknowledged by the cluster.",
    act="Stands still while the spool grows: see `publish_errors_total` and the producer's log.",
)
PUBLISHED_OBSERVATIONS: Final = Counter(
    "published_observations_total",
    labels(),
    unit="observations",
    roles=_PRODUCE,
    help="Observations in the reports that the cluster has acknowledged.",
    act="As `published_reports_total`.",
)
PUBLISH_ERRORS: Final = Counter(
    "publish_errors_total",
    labels(),
    unit="errors",
    roles=_PRODUCE,
    help="Deliveries of a report that failed; the report stays in the spool and is sent again.",
    act="The log has Kafka's own words: unreachable, not authorised, or too large.",
)
# ── The process itself ────────────────────────────────────────────────────────────────────────────────────────
BUILD_INFO: Final = Gauge(
    "build_info",
    labels(
        bounded("version", str, 1, "the version of the software: one a process"),
        bounded("nation", str, 1, "the nation it runs for: one a process"),
        closed("role", Role, "what it does"),
    ),
    unit="info",
    roles=_EVERY,
    help="Always 1; the labels say what runs.",
    act="Different versions for long: a roll-out has stopped half-way.",
)
LABEL_OVERFLOWS: Final = Counter(
    "label_overflows_total",
    labels(bounded("metric", str, 64, "the metric's name; bounded by this specification")),
    unit="overflows",
    roles=_EVERY,
    help="Values counted under `other` because their label had reached its limit.",
    act="More partners, rules or shards than the specification allows for: raise the limit there, on purpose.",
)

ALL: Final[tuple[Metric[*tuple[Any, ...]], ...]] = tuple(
    entry for entry in list(globals().values()) if isinstance(entry, Metric)
)
LABELS: Final[tuple[Label[Any], ...]] = tuple({label: None for metric in ALL for label in metric.labels.each})
