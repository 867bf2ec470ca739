"""When a sensor was last there: shown from the rows, for the sensors of the roster, and never by an invented name."""

import msgspec

from exchange.authority.roster import Roster
from exchange.authority.sensor_keys import SensorKey, SensorKeys
from exchange.metrics import spec
from exchange.protocol.record import Record
from exchange.protocol.step import Batch
from schemas import topics
from schemas.codec import SENSOR_REPORT, Codec
from schemas.signing import public_of
from streams.intake.ledger import SENSOR
from streams.intake.sequences import Epoch, Sequences
from streams.intake.step import Intake
from streams.repair.rows import closed
from tests.builders import HOUR_MS, NOW_MS, a_report
from tests.officers import key_of
from tests.streams.workbench import Workbench

CODEC = Codec()


def roster_of(*sensors: str) -> Roster:
    """They need not sign yet."""
    keys = SensorKeys.of(SensorKey(each, public_of(key_of(each)), NOW_MS + 99 * HOUR_MS) for each in sensors)
    return Roster.of("GBR", [], keys)


class Shown:
    """An intake, and what metrics show of sensors."""

    def __init__(self, *sensors: str) -> None:
        self.roster = roster_of(*sensors)
        self.step = self._intake()
        self.bench = Workbench(self.step)
        self.values: dict[tuple[str, ...], float] = {}
        self.sequence = 0

    def _intake(self) -> Intake:
        return Intake("GBR", 0, 1, CODEC, quota=1_000, roster=lambda: self.roster)

    def restarted(self) -> None:
        self.step, self.values = self._intake(), {}
        self.bench.continue_with(self.step)

    def woken(self) -> None:
        """A turn without any input."""
        self._turn(())

    def send(self, sensor: str, at_ms: int, *, empty: bool = False, redrive_of: str = "") -> None:
        report = a_report([] if empty else None, sensor=sensor, sequence=self.sequence, redrive_of=redrive_of)
        value = CODEC.encode(SENSOR_REPORT, report)
        self._turn((Record(topics.SENSOR_REPORTS, 0, self.sequence, sensor.encode(), value, at_ms),))
        self.sequence += 1

    def _turn(self, records: tuple[Record, ...]) -> None:
        self.values |= self.bench.woken_turn(NOW_MS, *records).gauges

    def last(self, sensor: str) -> tuple[float | None, float | None]:
        """Heartbeat and observation, in milliseconds; None if it is not shown."""
        found = [
            self.values.get(each.at(sensor)) for each in (spec.SENSOR_LAST_HEARTBEAT, spec.SENSOR_LAST_OBSERVATION)
        ]
        heartbeat, observation = (None if each is None else each * 1000 for each in found)
        return heartbeat, observation


def test_all_sensors_of_the_roster_are_shown_before_any_report_and_only_once() -> None:
    shown = Shown("edge-1", "edge-2")
    assert shown.bench.wakes(NOW_MS)
    shown.woken()
    assert (shown.last("edge-1"), shown.last("edge-2"), shown.last("other")) == ((0, 0), (0, 0), (None, None))
    assert not shown.bench.wakes(NOW_MS)
    shown.roster = roster_of("edge-3")
    shown.woken()
    assert shown.last("edge-3") == (0, 0)


def test_a_roster_that_changes_between_the_question_and_the_batch_is_shown_by_the_next_turn() -> None:
    shown = Shown("edge-1")
    asked = shown.step.wakes(shown.bench, NOW_MS)
    shown.roster = roster_of("edge-1", "edge-2")
    shown.values |= shown.step.compute(Batch((), asked, None), shown.bench, NOW_MS).gauges
    assert (shown.last("edge-1"), shown.last("edge-2")) == ((0, 0), (None, None))
    shown.woken()
    assert shown.last("edge-2") == (0, 0)
    assert not shown.bench.wakes(NOW_MS)


def test_a_heartbeat_and_an_observation_are_distinguished_by_the_brokers_time() -> None:
    shown = Shown("edge-1")
    shown.send("edge-1", NOW_MS)
    assert shown.last("edge-1") == (0, NOW_MS), "though all sensors were to be shown in the same turn"
    shown.send("edge-1", NOW_MS + HOUR_MS, empty=True)
    assert shown.last("edge-1") == (NOW_MS + HOUR_MS, NOW_MS)


def test_a_sensor_that_is_gone_is_still_shown_after_a_restart() -> None:
    shown = Shown("edge-1")
    shown.send("edge-1", NOW_MS)
    shown.send("edge-1", NOW_MS + 1000, empty=True)
    shown.restarted()
    shown.woken()
    assert shown.last("edge-1") == (NOW_MS + 1000, NOW_MS)


def test_names_that_are_not_on_the_roster_are_shown_together() -> None:
    shown = Shown("edge-1")
    for number in range(50):
        shown.send(f"made-up-{number}", NOW_MS + number * 1000)
    assert {key[1] for key in shown.values if key[0].startswith("sensor_last")} == {"edge-1", "other"}
    assert shown.last("other") == (0, NOW_MS + 49_000)
    assert shown.last("edge-1") == (0, 0)


def test_what_an_officer_redrives_and_what_is_refused_is_no_sign_of_life() -> None:
    shown = Shown("edge-1")
    shown.send("edge-1", NOW_MS, redrive_of="sensor.reports.v1-0-7--1")
    shown.send("edge-1", NOW_MS + 1000)
    shown.send("edge-1", -1)
    assert shown.last("edge-1") == (0, NOW_MS + 1000)


class Earlier(msgspec.Struct, array_like=True):
    """A sensor's row as an earlier release has it."""

    epochs: tuple[Epoch, ...] = ()
    minute: int = 0
    used: int = 0


def test_an_earlier_release_reads_the_rows_of_this_one() -> None:
    row = Sequences().counted(7, 3, 2, NOW_MS).seen(2, NOW_MS)
    assert row.reported_ms == NOW_MS
    found = msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=Earlier)
    assert (found.epochs, found.used) == (row.epochs, 2)


def test_a_row_of_an_earlier_release_is_read() -> None:
    shown = Shown("edge-1")
    shown.bench.put(SENSOR + b"edge-1", b"\x93\x90\x00\x00")
    shown.woken()
    assert shown.last("edge-1") == (0, 0)


def test_a_row_that_is_closed_by_a_rebuild_keeps_when_its_sensor_was_last_there() -> None:
    surviving = Sequences().counted(7, 3, 0, NOW_MS).seen(0, NOW_MS)
    counted = Sequences().counted(7, 4, 2, NOW_MS + 1).seen(2, NOW_MS + 1)
    for known in ([counted, surviving], [surviving, counted]):
        row = closed(known)
        assert (row.beat_ms, row.reported_ms) == (NOW_MS, NOW_MS + 1)
