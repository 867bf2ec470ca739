"""The metrics of the process that scores sensors (``kakehashi sensor score --every``)."""

from typing import Final

from exchange.metrics.kinds import Gauge, Role, closed, labels
from exchange.metrics.labels import SENSOR, SensorShare

_ROLES: Final = (Role.QUALITY,)

SENSOR_INDICATORS: Final = Gauge(
    "sensor_indicators",
    labels(SENSOR),
    unit="indicators",
    roles=_ROLES,
    help="Indicators that a sensor reports, each weighted by the age of its last sighting: the weight halves each "
    "half-life.",
    act="For comparison; a share of few indicators means little.",
)
SENSOR_SHARE: Final = Gauge(
    "sensor_share_ratio",
    labels(SENSOR, closed("share", SensorShare, "what became of it")),
    unit="ratio",
    roles=_ROLES,
    help="What became of what a sensor reported, as a share of its indicators, weighted by age; `refused` of all that "
    "it sent. An indicator may be in several shares.",
    act="`revoked` or `disputed` rises: the sensor reports what is harmless: look at its rules, and lower its "
    "confidence ceiling. `refused` rises: its format or clock has changed (`kakehashi quarantine list`). "
    "`corroborated` near 0 with `first` near 1: it sees what no one else sees, or it is wrong alone.",
)
SENSOR_RATING_DRAFT: Final = Gauge(
    "sensor_rating_draft",
    labels(SENSOR),
    unit="draft",
    roles=_ROLES,
    help="The rating that a sensor's score suggests: 0 low, 1 unrated, 2 medium, 3 high. It decides nothing until "
    "officers sign it with a policy set.",
    act="0: look at what was revoked. If the sensor is to be rated low, `kakehashi sensor score --ratings` drafts it.",
)
