"""Shows when each sensor of the roster was last there, and when it last reported an observation.

By the broker's append times, from the rows of intake: a sensor that is gone is shown after a restart, too. Names that
the roster does not have are shown together, so that no one can make series by inventing names.
"""

from collections.abc import Mapping, Sequence

from exchange.authority.roster import Roster
from exchange.metrics import spec
from exchange.metrics.labels import OTHER_SENSORS
from schemas.identity import shard_of_sensor
from streams.intake.ledger import SENSOR
from streams.intake.sequences import Sequences


class Presence:
    """The sensors of one shard. A roster is the same object while it is unchanged."""

    def __init__(self, shard: int, shards: int) -> None:
        self._shard, self._shards = shard, shards
        self._roster: Roster | None = None
        self._known: dict[bytes, str] = {}  # the rows of the roster's sensors, and their names
        self._waiting: frozenset[bytes] = frozenset()  # those that were not shown since it is in force

    def not_shown(self, roster: Roster) -> Sequence[bytes]:
        """The rows to show before any report arrives: all known sensors', at the start and after a change of roster."""
        self._follow(roster)
        return sorted(self._waiting)

    def gauges(self, roster: Roster, seen: Mapping[bytes, Sequences]) -> dict[tuple[str, ...], float]:
        """What metrics show of these sensors from now on, in seconds since 1970; 0 if never."""
        self._follow(roster)
        self._waiting = self._waiting.difference(seen)
        found: dict[tuple[str, ...], float] = {}
        for key, sequences in seen.items():
            label = self._known.get(key, OTHER_SENSORS)
            for gauge, at_ms in (
                (spec.SENSOR_LAST_HEARTBEAT.at(label), sequences.beat_ms),
                (spec.SENSOR_LAST_OBSERVATION.at(label), sequences.reported_ms),
            ):
                found[gauge] = max(found.get(gauge, 0.0), at_ms / 1000)
        return found

    def _follow(self, roster: Roster) -> None:
        if roster is not self._roster:
            names = [name for name in roster.sensors.by_sensor if shard_of_sensor(name, self._shards) == self._shard]
            self._roster, self._known = roster, {SENSOR + name.encode(): name for name in names}
            self._waiting = frozenset(self._known)
