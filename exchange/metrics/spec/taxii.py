"""The metrics of the TAXII server. Those of its picture are with the outputs'."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Histogram, Role, closed, labels
from exchange.metrics.labels import CLIENT, RequestOutcome

_ROLES: Final = (Role.TAXII,)

TAXII_REQUESTS: Final = Counter(
    "taxii_requests_total",
    labels(CLIENT, closed("outcome", RequestOutcome, "how it was answered")),
    unit="requests",
    roles=_ROLES,
    help="Requests to the TAXII server.",
    act="`unknown` grows: someone has no valid token or certificate; the log has the times. `limited` grows: a client "
    "asks too often; raise its `requests_a_minute`, or let it ask for larger pages. `failed` grows: see the log.",
)
TAXII_OBJECTS: Final = Counter(
    "taxii_objects_total",
    labels(CLIENT),
    unit="objects",
    roles=_ROLES,
    help="STIX objects, manifest entries and versions that were served.",
    act="None for long while the picture changes: the client does not poll, or may see nothing of it.",
)
TAXII_ANSWERED_AT: Final = Gauge(
    "taxii_answered_at_seconds",
    labels(CLIENT),
    unit="seconds",
    roles=_ROLES,
    help="Time at which a client last had an answer, in seconds since 1970; only of clients that had one.",
    act="Long ago: the client does not poll, and what was revoked or recalled since is still in its tools.",
)
TAXII_SECONDS: Final = Histogram(
    "taxii_request_seconds",
    labels(),
    unit="seconds",
    roles=_ROLES,
    help="Time from a request to the last byte of its answer.",
    act="Grows: clients read slowly, or the machine has too little processor time.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0),
)
