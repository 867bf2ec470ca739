"""A report counts under a sensor's name if the sensor may be its author: by its key, where the roster has one."""

from collections import Counter
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.authority.roster import Role, Roster
from exchange.authority.sensor_keys import SensorKey, SensorKeys
from exchange.metrics import spec
from exchange.metrics.labels import SignatureFate
from exchange.protocol.record import Headers, Record
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, QUARANTINED, SENSOR_REPORT, Codec
from schemas.records import Quarantined, SensorReport
from schemas.report_signature import HEADER, signature_header
from schemas.signing import public_of
from schemas.vocabulary import Withdrawal
from streams.intake.step import Intake
from tests.builders import DAY_MS, NOW_MS, a_report, an_observation
from tests.officers import an_officer, key_of
from tests.reference.arrivals import Arrival, judged
from tests.streams.workbench import Workbench

CODEC = Codec()
OLD, NEW, OTHER, STOLEN, OFFICER, REVIEWER = map(key_of, ("old", "new", "other", "stolen", "officer", "reviewer"))
KEYS = SensorKeys.of(
    [
        SensorKey("edge-1", public_of(OLD), 0, NOW_MS + DAY_MS),
        SensorKey("edge-1", public_of(NEW), NOW_MS),
        SensorKey("edge-2", public_of(OTHER), NOW_MS + DAY_MS),
        SensorKey("edge-1", public_of(STOLEN), 0, 0, NOW_MS),
    ]
)
ROSTER = Roster.of("GBR", [an_officer("officer", Role.REDRIVE), an_officer("reviewer", Role.REVIEW)], KEYS)


class Door:
    """Intake with a roster, and what it made of each report."""

    def __init__(self, roster: Roster = ROSTER) -> None:
        self.roster = roster
        self.bench = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: self.roster))
        self.records: list[Record] = []
        self.tally: Counter[tuple[str, ...]] = Counter()

    def send(self, report: SensorReport, headers: Headers = (), at_ms: int = NOW_MS) -> str:
        """The reason of its refusal; empty if it counts."""
        before = len(self.bench.written(topics.QUARANTINE, QUARANTINED))
        value = CODEC.encode(SENSOR_REPORT, report)
        record = Record(topics.SENSOR_REPORTS, 0, len(self.records), report["sensor"].encode(), value, at_ms, headers)
        self.records.append(record)
        self.tally.update(self.bench.turn(at_ms, record).tallies)
        refused = cast("list[Quarantined]", self.bench.written(topics.QUARANTINE, QUARANTINED))[before:]
        return refused[0]["reason"] if refused else ""

    @property
    def authenticated(self) -> list[bool]:
        """Of each observation that counts."""
        blocks = self.bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)
        return [bool(each) for block in blocks for each in block.get("authenticated") or bytes(len(block["values"]))]


def report(sequence: int = 0, **changes: Any) -> SensorReport:
    return a_report(sequence=sequence, **changes)


def signed(given_report: SensorReport, key: Any = OLD) -> Headers:
    return (signature_header(CODEC, CODEC.encode(SENSOR_REPORT, given_report), key),)


def test_a_report_that_its_sensor_has_signed_is_authenticated() -> None:
    door, one = Door(), report()
    withdrawal = report(1, observations=[an_observation(withdrawal=Withdrawal.REVOKED)])
    assert door.send(one, signed(one)) == ""
    assert door.send(withdrawal, signed(withdrawal, NEW)) == ""
    assert door.authenticated == [True, True]


def test_a_report_without_a_signature_under_the_name_of_a_sensor_with_a_key_is_refused() -> None:
    door = Door()
    assert door.send(report()) == "unsigned"
    assert door.send(report(), at_ms=NOW_MS + 9 * DAY_MS) == "unsigned"
    assert door.authenticated == []


def test_a_signature_of_someone_else_or_of_other_bytes_is_refused() -> None:
    door, one, other = Door(), report(), report(1)
    assert door.send(one, signed(one, OTHER)) == "unknown-key"
    assert door.send(one, signed(other)) == "bad-signature"
    assert door.send(one, ((HEADER, b"no signature"),)) == "unknown-key"
    assert door.send(one, (*signed(one), *signed(one))) == "unknown-key"
    assert door.authenticated == []


def test_what_was_refused_does_not_use_up_the_number_of_the_real_report() -> None:
    door, one = Door(), report()
    assert door.send(one) == "unsigned"
    assert door.send(one, signed(one)) == ""


@pytest.mark.parametrize(("key", "at_ms", "reason"), [
    (OLD, NOW_MS + DAY_MS - 1, ""),
    (OLD, NOW_MS + DAY_MS, "unknown-key"),
    (NEW, NOW_MS - 1, "unknown-key"),
    (NEW, NOW_MS, ""),
])  # fmt: skip
def test_a_key_counts_from_its_first_to_its_last_day_by_the_brokers_time(key: Any, at_ms: int, reason: str) -> None:
    door, one = Door(), report(epoch=NOW_MS - 2 * DAY_MS)
    assert door.send(one, signed(one, key), at_ms) == reason


def test_what_is_signed_with_a_revoked_key_is_refused_by_name_from_its_time_on() -> None:
    stolen = SensorKey("edge-1", public_of(OLD), 0, NOW_MS + 9 * DAY_MS, NOW_MS)
    door = Door(Roster.of("GBR", [], SensorKeys.of([stolen, SensorKey("edge-1", public_of(NEW), NOW_MS)])))
    before, after, own = (report(sequence, epoch=NOW_MS - 2 * DAY_MS) for sequence in range(3))
    assert door.send(before, signed(before), NOW_MS - 1) == ""
    assert door.send(after, signed(after)) == "revoked-key"
    assert door.send(after, signed(after), NOW_MS + 99 * DAY_MS) == "revoked-key"
    assert door.send(own, signed(own, NEW)) == ""
    assert door.tally[spec.SIGNED_REPORTS.tally(SignatureFate.REFUSED)] == 2


def test_a_sensor_whose_only_key_is_revoked_is_not_left_to_anyone() -> None:
    door = Door(Roster.of("GBR", [], SensorKeys.of([SensorKey("edge-1", public_of(OLD), NOW_MS - 1, 0, NOW_MS)])))
    assert door.send(report()) == "unsigned"


@given(st.lists(st.tuples(st.integers(-3, 8), st.booleans()), max_size=20))
def test_in_the_overlap_of_a_rotation_nothing_is_refused_whichever_key_signed_it(sent: list[tuple[int, bool]]) -> None:
    week_ms, row = 7 * DAY_MS, an_observation(first_seen_ms=0, last_seen_ms=0)
    old = SensorKey("edge-1", public_of(OLD), 0, NOW_MS + week_ms)
    door = Door(Roster.of("GBR", [], SensorKeys.of([old, SensorKey("edge-1", public_of(NEW), NOW_MS)])))
    for sequence, (day, is_new) in enumerate(sorted(sent)):
        one, at_ms = report(sequence, epoch=NOW_MS - 9 * DAY_MS, observations=[row]), NOW_MS + day * DAY_MS
        is_valid = at_ms >= NOW_MS if is_new else at_ms < NOW_MS + week_ms
        assert door.send(one, signed(one, NEW if is_new else OLD), at_ms) == ("" if is_valid else "unknown-key")


def test_a_sensor_whose_key_begins_later_is_not_authenticated_until_then() -> None:
    door = Door()
    one, two = report(sensor="edge-2"), report(1, sensor="edge-2")
    assert door.send(one, signed(one, OTHER)) == ""
    assert door.send(two) == ""
    assert door.authenticated == [False, False]
    assert door.send(report(2, sensor="edge-2"), at_ms=NOW_MS + DAY_MS) == "unsigned"


def test_from_the_nations_date_on_every_report_must_be_signed() -> None:
    keys = SensorKeys.of([SensorKey("edge-1", public_of(OLD))], required_from_ms=NOW_MS)
    door = Door(Roster.of("GBR", [], keys))
    nobody = report(sensor="nobody-1")
    assert door.send(nobody, at_ms=NOW_MS - 1) == ""
    assert door.send(report(1, sensor="nobody-1")) == "unsigned"
    two = report(2, sensor="nobody-1")
    assert door.send(two, signed(two, OTHER)) == "unknown-key"


def test_the_roster_is_the_one_of_the_moment() -> None:
    door = Door(Roster("GBR"))
    assert door.send(report()) == ""
    door.roster = ROSTER
    assert door.send(report(1)) == "unsigned"


def test_only_an_officer_who_may_redrives_an_entry_and_no_one_else_uses_it_up() -> None:
    door, key = Door(), "sensor.reports.v1-0-7-3"
    again = report(sensor="plain-1", redrive_of=key)
    own = report(redrive_of=key)
    assert door.send(again) == "unsigned"
    assert door.send(own, signed(own)) == "unknown-key"
    assert door.send(again, signed(again, REVIEWER)) == "not-authorised"
    assert door.send(again, signed(own, OFFICER)) == "bad-signature"
    assert door.send(again, signed(again, OFFICER)) == ""
    assert door.authenticated == [False]


def test_what_is_redriven_needs_no_key_of_its_sensor_and_is_not_authenticated() -> None:
    door = Door()
    again = report(redrive_of="sensor.reports.v1-0-7--1")
    assert door.send(again, signed(again, OFFICER)) == ""
    assert door.authenticated == [False]


def test_signatures_are_counted_by_who_vouches() -> None:
    door, one = Door(), report()
    door.send(one, signed(one))
    door.send(report(1))
    door.send(report(sensor="plain-1"))
    again = report(sensor="plain-1", redrive_of="sensor.reports.v1-0-7-3")
    door.send(again, signed(again, OFFICER))
    assert {fate: door.tally[spec.SIGNED_REPORTS.tally(fate)] for fate in SignatureFate} == dict.fromkeys(
        SignatureFate, 1
    )


SENDERS = st.sampled_from([None, OLD, NEW, OTHER, STOLEN, OFFICER, REVIEWER])
SENT = st.tuples(
    st.sampled_from(["edge-1", "edge-2", "plain-1"]),
    st.integers(0, 2),
    st.sampled_from(["", "sensor.reports.v1-0-7-3", "sensor.reports.v1-0-8--1"]),
    SENDERS,
    st.booleans(),
    st.integers(-1, 1).map(lambda days: NOW_MS + days * DAY_MS),
)


@given(st.lists(SENT, max_size=12))
def test_intake_and_a_plain_reading_of_the_rules_agree_on_every_report(sent: list[tuple[Any, ...]]) -> None:
    door = Door()
    for sensor, sequence, redrive_of, key, is_changed, at_ms in sorted(sent, key=lambda each: each[-1]):
        one = report(sequence, sensor=sensor, redrive_of=redrive_of, epoch=NOW_MS - 9 * DAY_MS)
        of = report(sequence + 9, sensor=sensor) if is_changed else one
        door.send(one, () if key is None else signed(of, key), at_ms)
    arrivals = [Arrival(0, each.offset, each.timestamp_ms, each.value, each.headers) for each in door.records]
    wanted = list(judged(arrivals, "GBR", 1, roster=ROSTER))
    refused = cast("list[Quarantined]", door.bench.written(topics.QUARANTINE, QUARANTINED))
    assert {each["offset"]: each["reason"] for each in refused} == {
        each.arrival.offset: each.reason for each in wanted if each.reason is not None
    }
    assert door.authenticated == [each.authenticated for each in wanted if each.report is not None]
