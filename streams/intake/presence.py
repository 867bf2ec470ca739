"""Shows when each sensor of the roster was last there, and when it last reported an observation.

By the broker's append times, from the rows of intake: a sensor that is gone is shown after a restart, too. Names that
the roster does not have are shown together, so that no one can make series by inventing names.
"""

from collections.abc import Callable, Mapping

from exchange.authority.roster import Roster
from exchange.metrics import spec
from exchange.metrics.labels import OTHER_SENSORS
from schemas.identity import shard_of_sensor
from streams.intake.ledger import SENSOR
from streams.intake.sequences import Sequences


class Presence:
    """The sensors of one shard. ``roster`` returns the one in force: the same object as long as it is the same."""

    def __init__(self, shard: int, shards: int, roster: Callable[[], Roster]) -> None:
        self._shard, self._shards, self._roster = shard, shards, roster
        self._shown: Roster | None = None

    def not_shown(self) -> list[bytes]:
        """The rows to show before any report arrives: all known sensors', at the start and after a change of roster."""
        roster = self._roster()
        return [] if roster is self._shown else [SENSOR + name.encode() for name in sorted(self._known(roster))]

    def gauges(self, seen: Mapping[bytes, Sequences]) -> dict[tuple[str, ...], float]:
        """What metrics show of these sensors from now on, in seconds since 1970; 0 if never."""
        self._shown = self._roster()
        known = self._known(self._shown)
        found: dict[tuple[str, ...], float] = {}
        for key, sequences in seen.items():
            name = key.removeprefix(SENSOR).decode()
            label = name if name in known else OTHER_SENSORS
            for gauge, at_ms in (
                (spec.SENSOR_LAST_HEARTBEAT, sequences.beat_ms),
                (spec.SENSOR_LAST_OBSERVATION, sequences.reported_ms),
            ):
                found[gauge.at(label)] = max(found.get(gauge.at(label), 0.0), at_ms / 1000)
        return found

    def _known(self, roster: Roster) -> frozenset[str]:
        names = roster.sensors.by_sensor
        return frozenset(name for name in names if shard_of_sensor(name, self._shards) == self._shard)
