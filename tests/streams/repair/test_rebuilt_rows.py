"""A row that is put together again from its last records: whatever comes next, it never releases more."""

from dataclasses import dataclass
from hashlib import sha256
from typing import cast

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.authority.roster import Roster
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import DECISION, INDICATOR, RELEASED_INDICATOR, SENSOR_REPORT, Codec
from schemas.identity import indicator_key
from schemas.markings import SourceMarking
from schemas.records import Decision, Indicator, ReleasedIndicator, SensorReport
from schemas.vocabulary import IndicatorType, Outcome
from streams.audit.entry import HEAD_KEY
from streams.correlate import row as rows_of
from streams.correlate.assertion import UNKNOWN_EPOCH
from streams.correlate.lifecycle import DAY_MS
from streams.correlate.row import Row
from streams.correlate.step import Correlate, CorrelateSettings
from streams.correlate.units import facets_in, units
from streams.intake.sequences import Sequences
from streams.intake.step import Intake
from streams.repair.latest_reports import latest_in
from streams.repair.rebuilt_decision import decided_of
from streams.repair.rebuilt_row import Counted, World, last_release_of, row_of
from streams.repair.rows import closed
from streams.rules.classifier import Classifier
from streams.rules.engine import Engine
from tests.builders import NOW_MS, a_report, an_observation
from tests.rules.rated import rated
from tests.streams.enrichment_builders import an_enricher
from tests.streams.memory_exchange import CLASSIFIER, LIFETIMES
from tests.streams.workbench import Workbench

CODEC = Codec()
PARTNER = "JPN"
ROLL_UP_MS = 60_000
HOUR_MS = 3_600_000
VALUE = sha256(b"a file").hexdigest()
KEY = indicator_key(IndicatorType.FILE_SHA256, VALUE)
ENRICHER = an_enricher()
MARKINGS = (  # the first three may go to the partner
    SourceMarking("TLP:CLEAR"),
    SourceMarking("TLP:GREEN"),
    SourceMarking("TLP:AMBER", releasable_to=("GBR", "JPN")),
    SourceMarking("TLP:AMBER"),
    SourceMarking("TLP:RED"),
    SourceMarking(),
    SourceMarking("TLP:GREEN", caveats=("UK EYES ONLY",)),
)


@dataclass(frozen=True)
class Stated:
    """One report on the one indicator of these tests."""

    sensor: str
    sequence: int
    marking: SourceMarking
    count: int
    pause_ms: int
    labels: tuple[str, ...] = ()
    epoch: int = 1

    def report(self, at_ms: int) -> SensorReport:
        seen = an_observation(
            kind=IndicatorType.FILE_SHA256,
            value=VALUE,
            count=self.count,
            marking=self.marking,
            labels=self.labels,
            first_seen_ms=at_ms - 1000 * self.count,
            last_seen_ms=at_ms - self.count,
        )
        return a_report([seen], sensor=self.sensor, sequence=self.sequence, epoch=self.epoch, produced_at_ms=at_ms)


class Nation:
    """Intake and correlate on benches."""

    def __init__(self, classifier: Classifier = CLASSIFIER) -> None:
        self.classifier = classifier
        partners = CorrelateSettings("GBR", (PARTNER,), ROLL_UP_MS, LIFETIMES, lambda: Roster("GBR"), 1)
        self.intake = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: Roster("GBR")))
        self.correlate = Workbench(Correlate(partners, 0, CODEC, ENRICHER, classifier))
        self.now_ms = NOW_MS

    def observes(self, stated: Stated) -> list[Record]:
        """One report through both; the blocks that intake made of it."""
        self.now_ms += stated.pause_ms
        value = CODEC.encode(SENSOR_REPORT, stated.report(self.now_ms))
        effects = self.intake.turn(self.now_ms, Record(topics.SENSOR_REPORTS, 0, 0, b"", value, self.now_ms))
        blocks = [
            Record(output.topic, 0, 0, output.key, output.value, self.now_ms)
            for output in effects.outputs
            if output.topic == topics.OBSERVATIONS
        ]
        self.correlate.turn(self.now_ms, *blocks)
        return blocks

    def counted(self, sensor: str) -> Counted:
        """What a rebuild learns of a sensor from intake's state."""
        [row] = self.intake.get_many([b"s" + sensor.encode()])
        known = None if row is None else latest_in(row)
        return known or Counted(self.now_ms)

    def row(self) -> Row:
        [row] = self.correlate.get_many([KEY])
        assert row is not None
        return rows_of.decode(row)


def rebuilt(lost: Nation, *, intake_too: bool = False) -> tuple[Workbench, Row]:
    """Correlate's bench with the row that a rebuild makes of its last records; the row."""
    written = lost.correlate.written
    national = cast("Indicator", written(topics.NATIONAL, INDICATOR)[-1])
    released = cast("list[ReleasedIndicator]", written(topics.released(PARTNER), RELEASED_INDICATOR))
    decisions = cast("list[Decision]", written(topics.AUDIT, DECISION))
    unknown = Counted(lost.now_ms)
    world = World((PARTNER,), ENRICHER, lost.classifier, LIFETIMES, (lambda _: unknown) if intake_too else lost.counted)
    reported = [last_release_of(released[-1], PARTNER, decisions[-1]["decision_id"])] if released else []
    decided = {PARTNER: decided_of(decisions[-1])} if decisions else {}
    row = row_of(national, reported, decided, world, lost.now_ms).row
    partners = CorrelateSettings("GBR", (PARTNER,), ROLL_UP_MS, LIFETIMES, lambda: Roster("GBR"), 1)
    bench = Workbench(Correlate(partners, 0, CODEC, ENRICHER, lost.classifier))
    [head] = lost.correlate.get_many([HEAD_KEY])
    assert head is not None
    bench._rows |= {KEY: (row.due_ms, rows_of.encode(row)), HEAD_KEY: (0, head)}
    return bench, row


def released_by(bench: Workbench) -> list[ReleasedIndicator]:
    return cast("list[ReleasedIndicator]", bench.written(topics.released(PARTNER), RELEASED_INDICATOR))


def test_a_rebuilt_row_is_decided_by_the_ratings_in_force_and_by_the_same_bytes() -> None:
    clear = MARKINGS[0]
    lost = Nation(Classifier(Engine(rated(low=["c"]))))
    lost.observes(Stated("c", 0, clear, 2, 1))
    (one, row), (other, again) = rebuilt(lost), rebuilt(lost)
    assert rows_of.encode(row) == rows_of.encode(again)
    assert released_by(lost.correlate) == []
    for sensor, number, count in (("c", 1, 0), ("a", 0, 1)):  # what only the low source reports waits
        blocks = lost.observes(Stated(sensor, number, clear, 1, ROLL_UP_MS + 1))
        for bench in (one, other):
            bench.turn(lost.now_ms, *blocks)
        assert len(released_by(lost.correlate)) == count
        assert released_by(one) == released_by(other) == released_by(lost.correlate)
    assert one.written(topics.AUDIT, DECISION) == other.written(topics.AUDIT, DECISION)


numbers = st.lists(st.integers(0, 9), min_size=2, max_size=12)


@st.composite
def histories(draw: st.DrawFn) -> list[Stated]:
    """Reports of up to three sensors, each number once, some of them late."""
    stated = [
        Stated(
            draw(st.sampled_from("abc")),
            sequence,
            draw(st.sampled_from(MARKINGS)),
            draw(st.integers(1, 3)),
            draw(st.sampled_from([1, 1000, ROLL_UP_MS + 1])),
            draw(st.sampled_from([(), ("c2",), ("botnet",)])),
            draw(st.sampled_from([1, 1, 1, 2])),
        )
        for sequence in draw(numbers)
    ]
    return list({(each.sensor, each.epoch, each.sequence): each for each in stated}.values())


CLEAR, AMBER, RED = (SourceMarking(f"TLP:{each}") for each in ("CLEAR", "AMBER", "RED"))
EARLIER_TIME = [
    Stated("a", 0, CLEAR, 1, 1),
    Stated("b", 0, AMBER, 1, ROLL_UP_MS + 1),
    Stated("b", 1, CLEAR, 1, 1),
    Stated("a", 1, AMBER, 1, 1),
]
WAITED_FOR_A_ROLL_UP = [
    Stated("a", 1, AMBER, 1, 1),
    Stated("b", 1, RED, 1, 1),
    Stated("c", 1, AMBER, 1, 1),
    Stated("c", 1, CLEAR, 1, 1, epoch=2),
]
STRICTER_ONCE = [
    Stated("a", 0, CLEAR, 1, 1),
    Stated("b", 1, CLEAR, 1, 1),
    Stated("b", 0, AMBER, 1, 1),
    Stated("b", 0, CLEAR, 1, 1, ("c2",), epoch=2),
]
REINSTALLED_AFTER_IT = [
    Stated("a", 2, CLEAR, 1, 1),
    Stated("a", 0, RED, 3, 1000, epoch=2),
    Stated("a", 3, CLEAR, 2, 1000, epoch=2),
]
WAITED_AND_REINSTALLED = [
    Stated("a", 1, CLEAR, 1, 1),
    Stated("b", 1, CLEAR, 1, 1),
    Stated("c", 1, CLEAR, 1, 1),
    Stated("c", 0, RED, 1, ROLL_UP_MS + 1, epoch=2),
    Stated("c", 1, CLEAR, 1, ROLL_UP_MS + 1, ("c2",), epoch=2),
]
LATER_EPOCH = [Stated("b", 1, RED, 2, 1), Stated("b", 5, RED, 2, 1, epoch=2), Stated("b", 9, CLEAR, 2, 1, epoch=2)]


@given(histories(), st.integers(1, 11), st.booleans())
@example(EARLIER_TIME, 3, False)
@example(LATER_EPOCH, 2, False)
@example(REINSTALLED_AFTER_IT, 1, False)
@example(REINSTALLED_AFTER_IT, 1, True)
@example(WAITED_AND_REINSTALLED, 3, False)
@example(STRICTER_ONCE, 3, False)
@example(WAITED_FOR_A_ROLL_UP, 3, True)
@example(WAITED_FOR_A_ROLL_UP, 3, False)
def test_whatever_comes_next_a_rebuilt_row_releases_nothing_that_the_lost_one_would_not(
    history: list[Stated], cut: int, intake_too: bool
) -> None:
    lost = Nation()
    for stated in history[:cut]:
        lost.observes(stated)
    bench, _ = rebuilt(lost, intake_too=intake_too)
    reported = [record["version"] for record in released_by(lost.correlate)]
    known_ms = max(reported, default=0)
    open_labels = {label for stated in history if stated.marking in MARKINGS[:3] for label in stated.labels}
    for stated in history[cut:]:
        before = len(released_by(bench))
        bench.turn(lost.now_ms + stated.pause_ms, *lost.observes(stated))
        for record in released_by(bench)[before:]:
            reported.append(record["version"])
            if record["content"] is None:
                continue
            row = lost.row()
            pieces = units(row)
            decision = CLASSIFIER.decide(facets_in(row, pieces, CLASSIFIER.ratings), PARTNER).decision
            assert decision.outcome is Outcome.RELEASE
            # Of less data a release may be less coarse: what is compared is the data, not what was made of its times.
            tallies = [pieces[index].tally for index in decision.included]
            assert record["content"]["sightings"] <= sum(tally.count for tally in tallies)
            first_ms, last_ms = record["content"]["first_seen_ms"], record["content"]["last_seen_ms"]
            known_first_ms = min(tally.first_seen_ms for tally in tallies)
            least_ms = known_first_ms if first_ms % HOUR_MS else known_first_ms - known_first_ms % DAY_MS
            # A sighting whose time is not known has that of the last release, which the partner knows.
            assert first_ms >= least_ms or first_ms == known_ms
            assert last_ms <= max(known_ms, *(tally.last_seen_ms for tally in tallies))
            assert set(record["content"]["labels"]) <= open_labels, "a late word's labels, at most"
    assert reported == sorted(set(reported)), "versions grow"


def test_a_sensor_of_one_epoch_may_still_tighten_its_marking_and_loosen_it_again() -> None:
    lost = Nation()
    lost.observes(Stated("a", 0, CLEAR, 1, 1))
    bench, _ = rebuilt(lost)
    for number, marking in enumerate((RED, CLEAR), 1):
        blocks = lost.observes(Stated("a", number, marking, 1, ROLL_UP_MS + 1))
        bench.turn(lost.now_ms, *blocks)
    assert [each["kind"] for each in released_by(bench)] == ["recalled", "content"]
    assert [each["kind"] for each in released_by(lost.correlate)] == ["content", "recalled", "content"]


def test_the_first_epoch_of_a_sensor_is_known_only_if_intake_has_never_counted_another() -> None:
    def known(sequences: Sequences) -> int:
        counted = latest_in(msgspec.msgpack.encode(sequences))
        assert counted is not None
        return counted.first_epoch

    once = Sequences().counted(20, 0, 1, NOW_MS)
    assert known(once) == 20
    assert known(once.counted(30, 0, 1, NOW_MS)) == UNKNOWN_EPOCH
    assert known(once.counted_redriven(20, 1, 1, NOW_MS, whole=True)) == 20
    assert known(once.counted_redriven(10, 5, 1, NOW_MS, whole=True).counted(20, 1, 1, NOW_MS)) == UNKNOWN_EPOCH
    assert known(closed([once]).counted(20, 1, 1, NOW_MS)) == UNKNOWN_EPOCH
