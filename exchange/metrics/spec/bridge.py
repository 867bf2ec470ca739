"""The metrics of the bridge: records carried to the partner, records delayed, and reconciliation."""

from typing import Final

from exchange.metrics.kinds import LATENCIES, Counter, Gauge, Histogram, Role, closed, labels
from exchange.metrics.labels import FROM, TO, Differs, ReceiptCode
from schemas.vocabulary import RecordKind

_ROLES: Final = (Role.BRIDGE,)

REPLICATED_RECORDS: Final = Counter(
    "replicated_records_total",
    labels(FROM, TO, closed("kind", RecordKind, "kind of the record")),
    unit="records",
    roles=_ROLES,
    help="Records committed to the partner's `inbox`.",
    act="Does not grow while `released_records_total` grows: see `lag_records` and `batches_total` of the bridge, and "
    "check that the partner's cluster answers.",
)
URGENT_RECORDS: Final = Counter(
    "urgent_records_total",
    labels(FROM, TO, closed("kind", RecordKind, "kind of the record")),
    unit="records",
    roles=_ROLES,
    help="Copies carried by the fast lane: acknowledged in the partner's `inbox.urgent`.",
    act="Does not grow while `released_records_total` of kinds other than `content` grows: see `lag_records` of "
    "`bridge.<home>.urgent`, and check that the partner's cluster answers.",
)
BRIDGE_LIMIT_BYTES: Final = Gauge(
    "bridge_limit_bytes",
    labels(FROM, TO),
    unit="bytes",
    roles=_ROLES,
    help="Bytes that a bridge's bulk may send in a second by `KAKEHASHI_BRIDGE_RATE` at this time of day: over the "
    "whole link, before compression; 0 without a limit.",
    act="Not the rate agreed for this hour: the setting is in UTC, and read when the process starts.",
)
BRIDGE_HELD_SECONDS: Final = Counter(
    "bridge_held_seconds_total",
    labels(FROM, TO),
    unit="seconds",
    roles=_ROLES,
    help="Time that released records waited for the bridge's limit, over all shards. The fast lane never waits for it.",
    act="Grows by as many seconds a second as there are shards, day and night, while `lag_records` grows: more is "
    "released than the limit carries; raise `KAKEHASHI_BRIDGE_RATE`.",
)
OVERTAKEN_RECORDS: Final = Counter(
    "overtaken_records_total",
    labels(FROM, TO),
    unit="records",
    roles=_ROLES,
    help="Released content that was not carried because the fast lane had already carried a later version of it.",
    act="Normal: content that is recalled before it is carried is not carried. Many mean that bulk is far behind: see "
    "`lag_records`.",
)
REPLICATED_RECEIPTS: Final = Counter(
    "replicated_receipts_total",
    labels(FROM, TO, closed("code", ReceiptCode, "receipt code")),
    unit="receipts",
    roles=_ROLES,
    help="Receipts for a partner's records, committed to its `inbox`.",
    act="Does not grow while `receipts_total` grows: as `replicated_records_total`.",
)
BRIDGE_REPLAYS: Final = Counter(
    "bridge_replays_total",
    labels(FROM, TO),
    unit="replays",
    roles=_ROLES,
    help="Shards of a bridge that started again from the beginning because their position on the partner's cluster was "
    "gone.",
    act="Must be 0. Nothing is lost or doubled: the receiving side drops duplicates. Find out who has deleted "
    "`bridge.<home>.progress` there.",
)
RECONCILE_DIFFERENCES: Final = Gauge(
    "reconcile_differences",
    labels(FROM, TO, closed("differs", Differs, "kind of difference")),
    unit="differences",
    roles=_ROLES,
    help="Indicators that differ between what was released and what the partner holds, at the last reconciliation.",
    act="Above 0: `kakehashi reconcile` names them. `--repair` reissues `missing`, `stale`, `altered` and `ahead`. For "
    "`refused` and for `extra` (held there, but not released by us): call the partner.",
)
LAST_RECONCILED: Final = Gauge(
    "last_reconciled_seconds",
    labels(FROM, TO),
    unit="seconds",
    roles=_ROLES,
    help="Time of the last reconciliation, in seconds since 1970; 0 if there was none since the process started.",
    act="Grows old: the bridge's log states what it could not read; on the partner's cluster it needs to read "
    "`held.<home>.digest` and `partner.<home>.indicator`.",
)
REPLICATION_LATENCY: Final = Histogram(
    "replication_latency_seconds",
    labels(FROM, TO),
    unit="seconds",
    roles=_ROLES,
    help="From the append of a record on `indicator.released.<partner>` to its commit on the partner's cluster.",
    act="Rises with `transaction_seconds`: the link or the partner's cluster is slow.",
    buckets=LATENCIES,
)
URGENT_LATENCY: Final = Histogram(
    "urgent_latency_seconds",
    labels(FROM, TO),
    unit="seconds",
    roles=_ROLES,
    help="From the append of a copy on `indicator.urgent.<partner>` to its acknowledgement by the partner's cluster.",
    act="Above a second: the link or the partner's cluster is slow, or the bridge has no processor time. Bulk is never "
    "the cause.",
    buckets=LATENCIES,
)
