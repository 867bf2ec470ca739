"""The metrics of a sensor's process: spool and acknowledged reports."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Role, closed, labels
from exchange.metrics.labels import HitFate

_ROLES: Final = (Role.PRODUCE,)

SPOOL_REPORTS: Final = Gauge(
    "spool_reports",
    labels(),
    unit="reports",
    roles=_ROLES,
    help="Reports that are durable on the sensor's disk and not yet acknowledged by the cluster.",
    act="Grows: the cluster or the link is down, or slower than the sensor; nothing is lost while the disk has room.",
)
SPOOL_OLDEST_SECONDS: Final = Gauge(
    "spool_oldest_seconds",
    labels(),
    unit="seconds",
    roles=_ROLES,
    help="Age of the oldest report in the spool; 0 when it is empty.",
    act="As `spool_reports`.",
)
PUBLISHED_REPORTS: Final = Counter(
    "published_reports_total",
    labels(),
    unit="reports",
    roles=_ROLES,
    help="Reports acknowledged by the cluster.",
    act="Does not grow while the spool grows: see `publish_errors_total` and the producer's log.",
)
PUBLISHED_OBSERVATIONS: Final = Counter(
    "published_observations_total",
    labels(),
    unit="observations",
    roles=_ROLES,
    help="Observations in the reports that the cluster has acknowledged.",
    act="As `published_reports_total`.",
)
PUBLISH_ERRORS: Final = Counter(
    "publish_errors_total",
    labels(),
    unit="errors",
    roles=_ROLES,
    help="Deliveries of a report that failed; the report stays in the spool and is sent again.",
    act="The log has Kafka's error: unreachable, not authorised, or too large.",
)
FOLLOW_GAPS: Final = Counter(
    "follow_gaps_total",
    labels(),
    unit="gaps",
    roles=_ROLES,
    help="Followed files of which something could not be read: truncated, or gone, before all of it was.",
    act="The producer's log names the file: let its rotation keep copies for longer than the producer is stopped.",
)
HITS: Final = Counter(
    "hits_total",
    labels(closed("fate", HitFate, "what became of the hit")),
    unit="hits",
    roles=_ROLES,
    help="Hits of tools on what the exchange has delivered, of `kakehashi sighting follow`. Only `sighted` ones were "
    "reported.",
    act="`not_exchanged` grows: the tool has values that no output of this nation keeps any more; run `kakehashi "
    "output check`. `ended` grows: the tool has not loaded what the output wrote last. `no_value` grows: the tool does "
    "not log the protocol's fields with its alerts. `other_origin`: follow with that `--partner`, too.",
)
INPUT_FAILURES: Final = Counter(
    "input_failures_total",
    labels(),
    unit="failures",
    roles=_ROLES,
    help="Polls of a live input (a server, a topic, a mailbox), and followed files, that failed; each is tried again.",
    act="The producer's log has the name and the reason. What the input has meanwhile is read later, not lost.",
)
