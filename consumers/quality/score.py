"""A sensor's score: what became of what it reported, each indicator and refusal weighted by its age. Pure.

Weights are whole millionths, so sums are the same in every order of the records: the same topics at the same time give
the same scores. Times of sources are their own (``first_seen_ms``), never later than the record that has them: a sensor
can claim to have been first, so a score is for people, and for no decision to share.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from exchange.metrics.labels import SensorShare
from schemas.counting import ratio
from schemas.records import Indicator, Quarantined, SensorQuality
from schemas.topics import DAY_MS
from schemas.vocabulary import NOT_AUTHENTIC

ONE: Final = 1_000_000
"""The weight of what happened today."""
HOUR_MS: Final = 60 * 60 * 1000
SENSORS_OWN: Final = frozenset({"produce", "intake"})


class Corroborated(enum.StrEnum):
    """When another sensor reported what this one did."""

    ALREADY = "already"  # before it
    HOUR = "hour"  # within an hour after it
    DAY = "day"
    WEEK = "week"
    LATER = "later"


@dataclass(slots=True)
class Score:
    """The sums of one sensor, in millionths. ``indicators`` are all that it reports; of these it was ``first`` with
    some, alone or not; others confirm, dispute and revoke some. ``refused`` are rows and reports by reason."""

    indicators: int = 0
    first: int = 0
    revoked: int = 0
    corroborated: dict[str, int] = field(default_factory=dict)
    disputed: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Score") -> None:
        """Add another sensor's, or another part of this one's."""
        self.indicators += other.indicators
        self.first += other.first
        self.revoked += other.revoked
        for mine, its in (
            (self.corroborated, other.corroborated),
            (self.disputed, other.disputed),
            (self.refused, other.refused),
        ):
            for name, weight in its.items():
                mine[name] = mine.get(name, 0) + weight

    def share(self, share: SensorShare) -> float:
        """A share of what it reports, 0 to 1; of what is refused, the share of all that it sent. What someone sent in
        its name without its key does not count."""
        match share:
            case SensorShare.FIRST:
                return ratio(self.first, self.indicators)
            case SensorShare.CORROBORATED:
                return ratio(sum(self.corroborated.values()), self.indicators)
            case SensorShare.DISPUTED:
                return ratio(sum(self.disputed.values()), self.indicators)
            case SensorShare.REVOKED:
                return ratio(self.revoked, self.indicators)
            case SensorShare.REFUSED:
                refused = sum(self.refused.values()) - self.not_authentic
                return ratio(refused, refused + self.indicators)

    @property
    def not_authentic(self) -> int:
        """The refused reports in its name that its key did not sign, in millionths: its own, or someone else's."""
        return sum(weight for reason, weight in self.refused.items() if reason in NOT_AUTHENTIC)


class Scores:
    """The scores of a nation's sensors at one time."""

    def __init__(self, now_ms: int, half_life_ms: int) -> None:
        self.now_ms, self.half_life_ms = now_ms, half_life_ms
        self.by_sensor: dict[str, Score] = {}

    def weight(self, at_ms: int) -> int:
        """The weight of what happened then: half after each half-life, in steps of a day."""
        days = max(0, self.now_ms - at_ms) // DAY_MS
        return int(ONE * 0.5 ** (days * DAY_MS / self.half_life_ms))

    def add_indicator(self, record: Indicator, at_ms: int, disputed: str = "") -> None:
        """Add a national record that was written at this time; ``disputed`` is the reason of a partner's dispute."""
        began = {each["sensor"]: min(each["first_seen_ms"], at_ms) for each in record["sources"]}
        earliest = min(began.values(), default=0)
        for source in record["sources"]:
            weight = self.weight(min(source["last_seen_ms"], at_ms))
            own_ms = began[source["sensor"]]
            others = [each for sensor, each in began.items() if sensor != source["sensor"]]
            part = Score(weight, first=weight * (own_ms == earliest), revoked=weight * (record["kind"] == "revoked"))
            if others:
                part.corroborated[corroborated(own_ms, min(others))] = weight
            if disputed:
                part.disputed[disputed] = weight
            self._of(source["sensor"]).add(part)

    def add_refusal(self, entry: Quarantined) -> None:
        """Add what was refused of a sensor, where its own input was read or where reports are counted."""
        if entry["sensor"] and entry["stage"] in SENSORS_OWN:
            self._of(entry["sensor"]).add(Score(refused={entry["reason"]: self.weight(entry["at_ms"])}))

    def records(self, nation: str) -> dict[str, SensorQuality]:
        """The scores as records, by sensor."""
        return {sensor: self._record(nation, sensor, score) for sensor, score in sorted(self.by_sensor.items())}

    def _of(self, sensor: str) -> Score:
        return self.by_sensor.setdefault(sensor, Score())

    def _record(self, nation: str, sensor: str, score: Score) -> SensorQuality:
        return SensorQuality(
            nation=nation,
            sensor=sensor,
            at_ms=self.now_ms,
            half_life_ms=self.half_life_ms,
            indicators=score.indicators,
            first=score.first,
            revoked=score.revoked,
            corroborated=_sorted(score.corroborated),
            disputed=_sorted(score.disputed),
            refused=_sorted(score.refused),
        )


def corroborated(own_ms: int, other_ms: int) -> Corroborated:
    """When the first of the others reported what a sensor reported at ``own_ms``."""
    behind_ms = other_ms - own_ms
    if behind_ms < 0:
        return Corroborated.ALREADY
    limits = ((HOUR_MS, Corroborated.HOUR), (DAY_MS, Corroborated.DAY), (7 * DAY_MS, Corroborated.WEEK))
    return next((each for limit_ms, each in limits if behind_ms <= limit_ms), Corroborated.LATER)


def _sorted(weights: Mapping[str, int]) -> dict[str, int]:
    return {str(name): weight for name, weight in sorted(weights.items())}
