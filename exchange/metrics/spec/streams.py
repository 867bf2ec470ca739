"""The metrics of the workers of the steps in a nation: intake, correlate, receive and settle."""

from typing import Final

from exchange.metrics.kinds import LATENCIES, Counter, Gauge, Histogram, Role, closed, labels
from exchange.metrics.labels import (
    ORIGIN,
    PARTNER,
    RULE,
    SENSOR,
    SHARD,
    STEP,
    CommandFate,
    GapChange,
    IndicatorChange,
    LeftOut,
    ObservationFate,
    ReceiptCode,
    ReportFate,
    ReviewEnd,
    SignatureFate,
)
from schemas.vocabulary import Outcome, RecordKind

_ROLES: Final = (Role.STREAMS,)

REPORTS: Final = Counter(
    "reports_total",
    labels(closed("fate", ReportFate, "fate of the report")),
    unit="reports",
    roles=_ROLES,
    help="Sensor reports that intake has decided on.",
    act="`duplicate` grows for long: a sensor sends acknowledged reports again; check its network and its disk. "
    "`quarantined` grows: whole reports were unreadable; `kakehashi quarantine list` has the reason and the sensor.",
)
SIGNED_REPORTS: Final = Counter(
    "signed_reports_total",
    labels(closed("signed", SignatureFate, "who vouches for the report")),
    unit="reports",
    roles=_ROLES,
    help="Sensor reports by who has signed them; `refused` are quarantined.",
    act="`refused` grows: a sensor has no key, or another one than the roster has, or someone reports under its name; "
    "`kakehashi quarantine list --reason bad-signature` (`unsigned`, `unknown-key`) has the sensor: call its operator. "
    "`unsigned` before all must sign: these sensors have no key yet.",
)
OBSERVATIONS: Final = Counter(
    "observations_total",
    labels(closed("fate", ObservationFate, "fate of the observation")),
    unit="observations",
    roles=_ROLES,
    help="Observations in accepted reports, before any collapsing.",
    act="The share of `quarantined` jumps: a sensor's format has changed; see `quarantined_records_total` for the "
    "reason, correct the reader or the sensor, then `kakehashi quarantine redrive`. No growth at all while sensors are "
    "up: nothing arrives; check the producers' `spool_reports`.",
)
SEQUENCE_GAPS: Final = Counter(
    "sequence_gaps_total",
    labels(closed("change", GapChange, "state of the missing sequences")),
    unit="gaps",
    roles=_ROLES,
    help="Sequences of reports that a sensor skipped (`opened`), that arrived late (`filled`), or that are no longer "
    "expected (`given_up`), one each.",
    act="`opened` minus `filled` stays above 0: reports are late or lost; the log names sensor, epoch and sequences: "
    "compare with that sensor's spool. `given_up` grows: a sensor has more gaps than are kept, and late reports for "
    "them are quarantined, uncounted.",
)
SENSOR_QUOTA_USED: Final = Gauge(
    "sensor_quota_used_ratio",
    labels(STEP, SHARD),
    unit="ratio",
    roles=_ROLES,
    help="Share of a minute's `KAKEHASHI_SENSOR_QUOTA` that the busiest sensor of the shard's last batch had used by "
    "then: 1 is all of it.",
    act="Near 1: reports of that sensor above the quota go to quarantine, whole reports at a time; the log of intake "
    "names it. Call its operator, or raise the quota. The other sensors lose nothing.",
)
SENSOR_LAST_HEARTBEAT: Final = Gauge(
    "sensor_last_heartbeat_timestamp_seconds",
    labels(SENSOR),
    unit="seconds",
    roles=_ROLES,
    help="When the broker appended the last heartbeat of a sensor, in seconds since 1970; 0 if it never sent one. A "
    "producer that follows files or reads a pipe sends one every minute. Several workers may show one sensor: take the "
    "highest.",
    act="Older than ten minutes: the sensor is gone: its producer, its machine or its network is down, or its reports "
    "are refused (`signed_reports_total`). Call its operator. What it sees meanwhile is read when it is back, as far "
    "as its files are kept. If it was taken out of service, remove its keys from the roster, and restart the workers.",
)
SENSOR_LAST_OBSERVATION: Final = Gauge(
    "sensor_last_observation_timestamp_seconds",
    labels(SENSOR),
    unit="seconds",
    roles=_ROLES,
    help="When the broker appended the last report of a sensor with an observation, in seconds since 1970; 0 if it "
    "never sent one. What an officer redrives does not count.",
    act="Old while heartbeats are new: the sensor is there and quiet: nothing happens, or it has stopped to detect. "
    "Look at its rules and its inputs.",
)
INDICATORS: Final = Counter(
    "indicators_total",
    labels(closed("change", IndicatorChange, "change by the batch")),
    unit="indicators",
    roles=_ROLES,
    help="Indicators that a committed batch of correlate has touched.",
    act="`new` jumps: one sensor floods the exchange with distinct values; look for it in the log of intake. "
    "`expired` jumps: a wave of `valid_until` passed, or a clock ran ahead.",
)
OVERSIZED_INDICATORS: Final = Counter(
    "oversized_indicators_total",
    labels(closed("left_out", LeftOut, "what the indicator goes without")),
    unit="indicators",
    roles=_ROLES,
    help="Indicators of a batch that would need a record larger than a broker accepts, each time; what they go without "
    "is quarantined as `too-large`.",
    act="Rows are bounded far below that: this is a defect, or a row of an older release. `kakehashi quarantine list "
    "--reason too-large` has the indicator's observations. `everything`: its commands are refused, too; ask the "
    "partner to delete it by hand if it must be recalled, and report it.",
)
DECISIONS: Final = Counter(
    "decisions_total",
    labels(PARTNER, closed("outcome", Outcome, "outcome of the rules")),
    unit="decisions",
    roles=_ROLES,
    help="Sharing decisions on indicators.",
    act="`release` stops while indicators still arrive: default deny applies; see `rule_hits_total` for the rule; "
    "`kakehashi explain` explains one decision. `hold` grows: officers have to decide.",
)
RULE_HITS: Final = Counter(
    "rule_hits_total",
    labels(RULE),
    unit="hits",
    roles=_ROLES,
    help="Decisions in which a rule was among the deciding ones.",
    act="A rule that never decided before leads: a policy set was activated or a feed's markings changed; read the "
    "rule's title and basis in the policy folder.",
)
DECIDED_AGAIN: Final = Counter(
    "again_decided_indicators_total",
    labels(),
    unit="indicators",
    roles=_ROLES,
    help="Indicators that were decided again because the rules have changed.",
    act="Grows without an activation or an upgrade: workers with different rules take shards from each other; give all "
    "the same rules.",
)
UNDECIDED_ROWS: Final = Gauge(
    "undecided_rows",
    labels(STEP, SHARD),
    unit="rows",
    roles=_ROLES,
    help="Rows that must still be decided since the rules changed, by an estimate. All rows are visited twice: first "
    "for releases that a partner has, then for the rest.",
    act="Does not fall: the shard has stopped, see `shard_state`; or it has more input than it can process, see "
    "`behind_seconds`: add workers.",
)
RULES_BEHIND_SECONDS: Final = Gauge(
    "rules_behind_seconds",
    labels(STEP, SHARD),
    unit="seconds",
    roles=_ROLES,
    help="Time since the rules came into force while some indicators are not decided by them yet; 0 when all are.",
    act="As `undecided_rows`. Until it is 0, a partner may still hold what the new rules forbid.",
)
REVIEWS: Final = Counter(
    "reviews_total",
    labels(PARTNER, closed("end", ReviewEnd, "how the review has ended")),
    unit="reviews",
    roles=_ROLES,
    help="Reviews of held indicators that have ended.",
    act="`lapsed` grows: officers do not decide in time, and the indicators are withheld; `review.pending.v1` has the "
    "open reviews with their deadlines.",
)
COMMANDS: Final = Counter(
    "commands_total",
    labels(closed("fate", CommandFate, "fate of the command")),
    unit="commands",
    roles=_ROLES,
    help="Commands of officers that correlate has decided on.",
    act="`refused` grows: unsigned, unknown or late commands arrive; `kakehashi quarantine list` names sender and "
    "reason. If they are `bad-signature` or `unknown-key`, someone without authority writes to `command.v1`.",
)
RELEASED_RECORDS: Final = Counter(
    "released_records_total",
    labels(PARTNER, closed("kind", RecordKind, "kind of the record")),
    unit="records",
    roles=_ROLES,
    help="Records written to `indicator.released.<partner>`.",
    act="`recalled` jumps: a policy was tightened or an officer recalled by hand; inform the release officers.",
)
LABELS_AT_HOME: Final = Counter(
    "unreleased_labels_total",
    labels(PARTNER),
    unit="labels",
    roles=_ROLES,
    help="Labels of released sources that did not leave: of no known vocabulary, or not shown to the officers.",
    act="It jumps: a sensor writes free text into labels, or a word is missing in `policy/vocabularies`.",
)
AUDIT_ENTRIES: Final = Counter(
    "audit_entries_total",
    labels(),
    unit="entries",
    roles=_ROLES,
    help="Entries appended to the hash chains of `decision.audit`.",
    act="Does not grow while `decisions_total` grows: decisions are no longer audited. Close the border and report a "
    "defect: both are written in one transaction.",
)
ACCEPTED_RECORDS: Final = Counter(
    "accepted_records_total",
    labels(ORIGIN, closed("kind", RecordKind, "kind of the record")),
    unit="records",
    roles=_ROLES,
    help="Records of a partner that were accepted.",
    act="Does not grow while the partner releases: compare with its bridge's `replicated_records_total`.",
)
STALE_RECORDS: Final = Counter(
    "stale_records_total",
    labels(ORIGIN),
    unit="records",
    roles=_ROLES,
    help="Records of a partner that were dropped because a newer version was already accepted, or their version was "
    "recalled.",
    act="A few are normal (two lanes, late copies). Many: the partner's bridge has started again from far back.",
)
DUPLICATE_RECORDS: Final = Counter(
    "duplicate_records_total",
    labels(ORIGIN),
    unit="records",
    roles=_ROLES,
    help="Records of a partner that arrived again under an accepted version, and were dropped.",
    act="As many as the partner's `urgent_records_total` is normal: the bulk repeats what the fast lane carried. Many "
    "more: its bridge has started again from far back.",
)
RECEIPTS: Final = Counter(
    "receipts_total",
    labels(ORIGIN, closed("code", ReceiptCode, "receipt code")),
    unit="receipts",
    roles=_ROLES,
    help="Receipts written about a partner's records.",
    act="`recall_applied` falls behind the partner's recalls: its recalls are not applied here yet.",
)
PARTNER_RECEIPTS: Final = Counter(
    "partner_receipts_total",
    labels(PARTNER, closed("code", ReceiptCode, "receipt code")),
    unit="receipts",
    roles=_ROLES,
    help="Receipts of a partner for our releases, as they arrive at home.",
    act="`refused` grows: the partner does not accept our releases; `kakehashi released show` has its reason; call the "
    "partner. `disputed`: an analyst there thinks that a release is wrong; `kakehashi released list --disputed` names "
    "it; inform the release officers.",
)
UNSETTLED_RELEASES: Final = Gauge(
    "unsettled_releases",
    labels(STEP, SHARD),
    unit="releases",
    roles=_ROLES,
    help="Indicators whose last release has had no receipt for longer than `KAKEHASHI_RECEIPT_LIMIT_S`.",
    act="Above 0: the bridge to the partner has stopped, or the partner's bridge to us (which carries receipts), or "
    "the partner's `receive`. `kakehashi released list` names the releases. If receipts were lost, `kakehashi "
    "reconcile --full --repair` has them written again.",
)
UNSETTLED_RECALLS: Final = Gauge(
    "unsettled_recalls",
    labels(STEP, SHARD),
    unit="recalls",
    roles=_ROLES,
    help="Recalled indicators that the partner has not confirmed for longer than `KAKEHASHI_RECALL_LIMIT_S`.",
    act="Above 0: the partner may still use what should not have been shared. Check the bridge first, then call the "
    "partner; `kakehashi released list --recalls` names them.",
)
UNPURGED_RECALLS: Final = Gauge(
    "unpurged_recalls",
    labels(STEP, SHARD),
    unit="recalls",
    roles=_ROLES,
    help="Recalled indicators that the partner has not reported as purged two days after their recall.",
    act="Above 0: the partner's topics are not compacted, or its inbox is not emptied: call its SREs.",
)
NATIONAL_LATENCY: Final = Histogram(
    "national_latency_seconds",
    labels(),
    unit="seconds",
    roles=_ROLES,
    help="From the time a sensor made a report to the commit of its indicators on `indicator.national`.",
    act="Rises with `behind_seconds`: workers are too slow, add some. Rises alone: sensors send late (spool, link) or "
    "a sensor's clock is behind.",
    buckets=LATENCIES,
)
MAILBOX_BYTES: Final = Gauge(
    "mailbox_bytes",
    labels(STEP, SHARD),
    unit="bytes",
    roles=_ROLES,
    help="Bytes of reports that Faust has handed over and intake has not taken yet; 32 MiB at most. Reports that find "
    "no room are read later by the shard itself.",
    act="At its limit: intake is slower than the sensors; see `behind_seconds`.",
)
