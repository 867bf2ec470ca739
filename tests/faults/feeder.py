"""Sensors that never stop: steady mixed traffic of both nations, with probes that show when work continues."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Final

from exchange import clock
from schemas.identity import indicator_id, indicator_key, shard_of_key, shard_of_sensor
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.vocabulary import IndicatorType
from tests.builders import a_report
from tests.integration.nations import Nations
from tests.polling import eventually
from tests.reference.traffic import Traffic

PACE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """A report with one new indicator that may leave at once. ``path`` is its sensor's shard and its own."""

    sent_ms: int
    indicator: str
    path: tuple[int, int]


class Feeder:
    """Publishes from a thread of its own until it is stopped. The same seed makes the same traffic, probes aside."""

    def __init__(self, nations: Nations, homes: Sequence[str], seed: int, *, observations: int = 20) -> None:
        self._nations, self._homes = nations, homes
        now_ms = clock.now_ms()
        self._traffic = {
            home: Traffic(Random(f"{seed} {home}"), home, now_ms, indicators=1000).reports(1 << 30, observations)
            for home in homes
        }
        self._epoch = now_ms
        self._probes: dict[str, list[Probe]] = {home: [] for home in homes}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._sensors = {
            shard: next(name for name in map("probe-{}".format, range(1000)) if self._shard_of(name) == shard)
            for shard in range(nations.shards)
        }

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait until the brokers have all of it."""
        self._stopping.set()
        self._thread.join()
        self._nations.flush()

    def goes_on(self, home: str, since_ms: int, within_s: float) -> float:
        """Wait until probes sent after ``since_ms`` have reached the partner by every path; seconds since then."""
        direction = self._nations.direction(home)
        paths = {(sensor, shard) for sensor in self._sensors for shard in range(self._nations.shards)}
        arrived_ms = 0

        def through() -> bool:
            nonlocal arrived_ms
            names = {probe.indicator.encode(): probe for probe in self._probes[home] if probe.sent_ms >= since_ms}
            first: dict[tuple[int, int], int] = {}
            for record in direction.stand().accepted:
                probe = names.get(record.key or b"")
                if probe is not None:
                    first[probe.path] = min(first.get(probe.path, record.timestamp_ms), record.timestamp_ms)
            arrived_ms = max(first.values(), default=0)
            return first.keys() == paths

        eventually(through, within_s, f"probes of {home} at its partner by every shard")
        return (arrived_ms - since_ms) / 1000

    def _feed(self) -> None:
        sequence = 0
        while not self._stopping.wait(PACE_S):
            for home in self._homes:
                self._nations.send(home, [next(self._traffic[home])])
                self._probe(home, sequence)
            sequence += 1

    def _probe(self, home: str, sequence: int) -> None:
        """One report of a probing sensor of each shard."""
        for sensor in self._sensors.values():
            value = sha256(f"{self._epoch} {home} {sensor} {sequence}".encode()).hexdigest()
            seen = Observation(kind=IndicatorType.FILE_SHA256, value=value, marking=SourceMarking("TLP:CLEAR"))
            sent_ms = clock.now_ms()
            self._nations.send(
                home, [a_report([seen], nation=home, sensor=sensor, epoch=self._epoch, sequence=sequence)]
            )
            key = indicator_key(IndicatorType.FILE_SHA256, value)
            path = (self._shard_of(sensor), shard_of_key(key, self._nations.shards))
            self._probes[home].append(Probe(sent_ms, indicator_id(key), path))

    def _shard_of(self, sensor: str) -> int:
        return shard_of_sensor(sensor, self._nations.shards)
