"""The metrics of the workers of the steps in a nation: intake, correlate, receive and settle."""

from typing import Final

from exchange.metrics.kinds import LATENCIES, Counter, Gauge, Histogram, Role, closed, labels
from exchange.metrics.labels import (
    ORIGIN,
    PARTNER,
    RULE,
    SHARD,
    STEP,
    CommandFate,
    GapChange,
    IndicatorChange,
    ObservationFate,
    ReceiptCode,
    ReportFate,
    ReviewEnd,
)
from schemas.vocabulary import Outcome, RecordKind

_ROLES: Final = (Role.STREAMS,)

REPORTS: Final = Counter(
    "reports_total",
    labels(closed("fate", ReportFate, "what became of the report")),
    unit="reports",
    roles=_ROLES,
    help="Sensor reports that intake has decided on.",
    act="`duplicate` grows for long: a sensor sends again what was acknowledged; look at its network and its disk. "
    "`quarantined` grows: a whole report was unreadable; `kakehashi quarantine list` has the reason and the sensor.",
)
OBSERVATIONS: Final = Counter(
    "observations_total",
    labels(closed("fate", ObservationFate, "what became of the observation")),
    unit="observations",
    roles=_ROLES,
    help="Observations in accepted reports, before any collapsing.",
    act="The share of `quarantined` jumps: a sensor's format has changed; see `quarantined_records_total` for the "
    "reason, mend the reader or the sensor, then `kakehashi quarantine redrive`. No growth at all while sensors are "
    "up: nothing arrives; look at the producers' `spool_reports`.",
)
SEQUENCE_GAPS: Final = Counter(
    "sequence_gaps_total",
    labels(closed("change", GapChange, "what happened to the missing numbers")),
    unit="gaps",
    roles=_ROLES,
    help="Report numbers that were skipped by a sensor (one each), that came late after all, or that were given up.",
    act="`opened` minus `filled` stays above 0: reports are late or lost; the log names sensor, epoch and numbers: "
    "compare with that sensor's spool. `given_up` grows: a sensor has more gaps than are kept, and what comes late "
    "for them is quarantined, uncounted.",
)
SENSOR_QUOTA_USED: Final = Gauge(
    "sensor_quota_used_ratio",
    labels(STEP, SHARD),
    unit="ratio",
    roles=_ROLES,
    help="How much of a minute's `KAKEHASHI_SENSOR_QUOTA` the busiest sensor of the shard's last batch had used by "
    "then: 1 is all of it.",
    act="Near 1: what that sensor sends beyond it in the minute goes to quarantine, whole reports at a time; the log "
    "of intake names it. Talk to its operator, or raise the quota. The other sensors lose nothing.",
)
INDICATORS: Final = Counter(
    "indicators_total",
    labels(closed("change", IndicatorChange, "what the batch did to the indicator")),
    unit="indicators",
    roles=_ROLES,
    help="Indicators that a committed batch of correlate has touched.",
    act="`new` jumps: one sensor floods the exchange with distinct values; look for it in the log of intake. "
    "`expired` jumps: a wave of `valid_until` passed, or a clock ran ahead.",
)
DECISIONS: Final = Counter(
    "decisions_total",
    labels(PARTNER, closed("outcome", Outcome, "what the rules say")),
    unit="decisions",
    roles=_ROLES,
    help="Sharing decisions on indicators.",
    act="`release` stops while indicators still come: default deny is at work; see `rule_hits_total` for the rule, "
    "and `kakehashi` explains one decision in words. `hold` grows: people have to decide.",
)
RULE_HITS: Final = Counter(
    "rule_hits_total",
    labels(RULE),
    unit="hits",
    roles=_ROLES,
    help="How often a rule was among those that decided.",
    act="A rule that never hit before leads: a policy set was switched or a feed's markings changed; read the rule's "
    "title and basis in the policy folder.",
)
DECIDED_AGAIN: Final = Counter(
    "again_decided_indicators_total",
    labels(),
    unit="indicators",
    roles=_ROLES,
    help="Indicators that were decided again because the rules have changed.",
    act="Grows without an activation or an upgrade: workers with different rules take shards from each other; give all "
    "the same.",
)
UNDECIDED_ROWS: Final = Gauge(
    "undecided_rows",
    labels(STEP, SHARD),
    unit="rows",
    roles=_ROLES,
    help="Rows still to be looked at since the rules have changed, by an estimate: all of them are looked at twice, "
    "first for what a partner knows of, then for the rest.",
    act="Does not fall: the shard stands still, see `shard_state`; or it has more input than it can do, see "
    "`behind_seconds`: add workers.",
)
RULES_BEHIND_SECONDS: Final = Gauge(
    "rules_behind_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_ROLES,
    help="For how long the rules have been in force and some indicators not been decided by them; 0 when all are.",
    act="As `undecided_rows`. Until it is 0, what the new rules forbid may still be with a partner.",
)
REVIEWS: Final = Counter(
    "reviews_total",
    labels(PARTNER, closed("end", ReviewEnd, "how the review has ended")),
    unit="reviews",
    roles=_ROLES,
    help="Reviews of held indicators that have ended.",
    act="`lapsed` grows: officers do not come to it in time, and what could have gone is withheld; "
    "`review.pending.v1` has what waits, with its deadlines.",
)
COMMANDS: Final = Counter(
    "commands_total",
    labels(closed("fate", CommandFate, "what became of the command")),
    unit="commands",
    roles=_ROLES,
    help="Commands of officers that correlate has decided on.",
    act="`refused` grows: unsigned, unknown or late commands come in; `kakehashi quarantine list` has who and "
    "why. Where they are `bad-signature` or `unknown-key`, somebody writes to `command.v1` who should not.",
)
RELEASED_RECORDS: Final = Counter(
    "released_records_total",
    labels(PARTNER, closed("kind", RecordKind, "what the record says")),
    unit="records",
    roles=_ROLES,
    help="Records written to `indicator.released.<partner>`.",
    act="`recalled` jumps: a policy was tightened or somebody recalled by hand; tell the release officers.",
)
AUDIT_ENTRIES: Final = Counter(
    "audit_entries_total",
    labels(),
    unit="entries",
    roles=_ROLES,
    help="Entries appended to the hash chains of `decision.audit`.",
    act="Stands still while `decisions_total` grows: decisions are not explained any more, stop the release and "
    "report a defect: both are written in one transaction.",
)
ACCEPTED_RECORDS: Final = Counter(
    "accepted_records_total",
    labels(ORIGIN, closed("kind", RecordKind, "what the record says")),
    unit="records",
    roles=_ROLES,
    help="Records of a partner taken into our picture of it.",
    act="Stands still while the partner releases: compare with its bridge's `replicated_records_total`.",
)
STALE_RECORDS: Final = Counter(
    "stale_records_total",
    labels(ORIGIN),
    unit="records",
    roles=_ROLES,
    help="Records of a partner that were dropped because a newer version was already there, or theirs was recalled.",
    act="A little is normal (two lanes, late copies). A lot: the partner's bridge has started again from far back.",
)
DUPLICATE_RECORDS: Final = Counter(
    "duplicate_records_total",
    labels(ORIGIN),
    unit="records",
    roles=_ROLES,
    help="Records of a partner that came again under the version that was already there, and were dropped.",
    act="As many as the partner's `urgent_records_total` is normal: what went by the fast lane comes once more with "
    "all else. Many more: its bridge has started again from far back.",
)
RECEIPTS: Final = Counter(
    "receipts_total",
    labels(ORIGIN, closed("code", ReceiptCode, "what was done")),
    unit="receipts",
    roles=_ROLES,
    help="Receipts written about a partner's records.",
    act="`recall_applied` stays behind the partner's recalls: its recalls are not yet acted on here.",
)
PARTNER_RECEIPTS: Final = Counter(
    "partner_receipts_total",
    labels(PARTNER, closed("code", ReceiptCode, "what the partner did")),
    unit="receipts",
    roles=_ROLES,
    help="Receipts of a partner for what we released to it, come home.",
    act="`refused` grows: the partner does not take what we release; `kakehashi released show` has its reason; call "
    "it. `disputed`: an analyst there thinks that we are wrong; `kakehashi released list --disputed` says about what; "
    "tell the release officers.",
)
UNSETTLED_RELEASES: Final = Gauge(
    "unsettled_releases",
    labels(STEP, SHARD),
    unit="releases",
    roles=_ROLES,
    help="Indicators whose last release has had no receipt for longer than `KAKEHASHI_RECEIPT_LIMIT_S`.",
    act="Above 0: the bridge to the partner stands still, or the partner's bridge to us does (receipts come home by "
    "it), or its `receive` does. `kakehashi released list` names them. Where receipts were lost on their way, "
    "`kakehashi reconcile --full --repair` has them given again.",
)
UNSETTLED_RECALLS: Final = Gauge(
    "unsettled_recalls",
    labels(STEP, SHARD),
    unit="recalls",
    roles=_ROLES,
    help="Recalled indicators that the partner has not confirmed for longer than `KAKEHASHI_RECALL_LIMIT_S`.",
    act="Above 0: what should not have been shared may still be used there. Look at the bridge first, then call the "
    "partner; `kakehashi released list --recalls` names them.",
)
UNPURGED_RECALLS: Final = Gauge(
    "unpurged_recalls",
    labels(STEP, SHARD),
    unit="recalls",
    roles=_ROLES,
    help="Recalled indicators that the partner has not said to be purged, two days after their recall.",
    act="Above 0: the partner's topics are not compacted, or its inbox is not emptied: call its SREs.",
)
NATIONAL_LATENCY: Final = Histogram(
    "national_latency_seconds",
    labels(),
    unit="seconds",
    roles=_ROLES,
    help="From the time a sensor made a report to the commit of its indicators on `indicator.national`.",
    act="Rises with `behind_seconds`: workers are too slow, add some. Rises alone: sensors send late (spool, link) "
    "or a sensor's clock is behind.",
    buckets=LATENCIES,
)
MAILBOX_BYTES: Final = Gauge(
    "mailbox_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_ROLES,
    help="Bytes of reports that Faust has handed over and intake has not taken yet; 32 MiB at most. What finds no room "
    "is read by the shard itself later.",
    act="At its top: intake is slower than the sensors; see `behind_seconds`.",
)
