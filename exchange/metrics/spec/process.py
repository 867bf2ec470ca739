"""The metrics that every process has: build, quarantine, and label overflows."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Role, bounded, closed, labels
from exchange.metrics.labels import QuarantineStage
from schemas.vocabulary import RejectReason

_ROLES: Final = tuple(Role)

QUARANTINED_RECORDS: Final = Counter(
    "quarantined_records_total",
    labels(
        closed("stage", QuarantineStage, "component that refused it"),
        closed("reason", RejectReason, "reason"),
    ),
    unit="records",
    roles=_ROLES,
    help="Records written to quarantine: reports, observations or lines of input.",
    act="Nothing is lost: `kakehashi quarantine list` shows reasons and originals; correct the cause, then `kakehashi "
    "quarantine redrive`.",
)
BUILD_INFO: Final = Gauge(
    "build_info",
    labels(
        bounded("version", str, 1, "the version of the software: one a process"),
        bounded("nation", str, 1, "the nation it runs for: one a process"),
        closed("role", Role, "role"),
    ),
    unit="info",
    roles=_ROLES,
    help="Always 1; the labels name version, nation and role.",
    act="Different versions for long: a roll-out has stopped half-way.",
)
LABEL_OVERFLOWS: Final = Counter(
    "label_overflows_total",
    labels(bounded("metric", str, 64, "the metric's name; bounded by this specification")),
    unit="overflows",
    roles=_ROLES,
    help="Values counted under `other` because their label had reached its limit.",
    act="More partners, rules or shards than the specification allows: raise the limit there, deliberately.",
)
