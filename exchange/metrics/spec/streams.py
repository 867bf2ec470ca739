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
    IndicatorChange,
    LeftOut,
    ReceiptCode,
    ReviewEnd,
)
from schemas.vocabulary import Outcome, RecordKind

_ROLES: Final = (Role.STREAMS,)

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
CANARY_ARRIVED: Final = Gauge(
    "canary_arrived_timestamp_seconds",
    labels(PARTNER),
    unit="seconds",
    roles=_ROLES,
    help="When the partner last confirmed a release of the canary (`kakehashi sensor canary`): the append time of its "
    "receipt here, in seconds since 1970. A run that does not arrive changes nothing. Not there before the first "
    "arrival.",
    act="Older than its schedule: the path from intake to the partner's receipt is interrupted, or no one runs the "
    "canary. Run it by hand: it names the hop that it does not pass.",
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
