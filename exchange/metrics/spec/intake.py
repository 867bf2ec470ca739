"""The metrics of intake's input: reports, signatures, observations, gaps, and when a sensor was last there."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Role, closed, labels
from exchange.metrics.labels import SENSOR, SHARD, STEP, GapChange, ObservationFate, ReportFate, SignatureFate

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
    "`kakehashi sensor canary` shows whether the path behind it works; look at its rules and its inputs.",
)
