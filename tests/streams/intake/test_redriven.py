"""What is redriven counts once at most, and an observation that is refused again can be corrected until it counts."""

from collections import Counter
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from consumers.desk.redrive import Redrive, redrive
from consumers.queries.redriven import identity_of
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, QUARANTINED, SENSOR_REPORT, Codec
from schemas.records import Quarantined, SensorReport
from schemas.vocabulary import IndicatorType
from streams.intake.step import Intake
from tests.builders import NOW_MS, a_report, an_observation
from tests.officers import BOB, ROSTER, signed_by
from tests.reference.arrivals import Arrival, Eyes, Seen, judged
from tests.streams.workbench import Workbench

CODEC = Codec()
WRONG, ALSO_WRONG, RIGHT = "192.0.2.999", "192.0.2.888", "192.0.2.9"


class Desk:
    """Intake, the log in front of it, and an operator who corrects entries."""

    def __init__(self) -> None:
        self.bench = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000_000, roster=lambda: ROSTER))
        self.log: list[Record] = []

    def send(self, *reports: SensorReport) -> None:
        """In one batch."""
        records = [self._record(len(self.log) + place, each) for place, each in enumerate(reports)]
        self.log += records
        self.bench.turn(NOW_MS, *records)

    @staticmethod
    def _record(offset: int, report: SensorReport) -> Record:
        """What is redriven is signed by an officer."""
        value = CODEC.encode(SENSOR_REPORT, report)
        headers = signed_by(BOB, value) if report["redrive_of"] else ()
        return Record(topics.SENSOR_REPORTS, 0, offset, b"edge-1", value, NOW_MS, headers)

    @property
    def entries(self) -> list[Quarantined]:
        return cast("list[Quarantined]", self.bench.written(topics.QUARANTINE, QUARANTINED))

    def corrected(self, entry: Quarantined, value: str) -> SensorReport:
        """The report that redrives an entry. A wrong value gets by the desk, as one of an older version could."""
        answer = redrive(entry, CODEC, now_ms=NOW_MS, changes={"value": RIGHT})
        assert isinstance(answer, Redrive)
        report = cast("SensorReport", CODEC.decode(SENSOR_REPORT, answer.output.value))
        report["values"] = [value]
        return report

    def counted(self) -> list[str]:
        blocks = self.bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)
        return [value for block in blocks for value in block["values"]]


def a_desk() -> Desk:
    desk = Desk()
    desk.send(a_report([an_observation(kind=IndicatorType.IPV4_ADDR, value=WRONG)]))
    return desk


def test_a_correction_that_is_refused_again_does_not_use_up_the_entry() -> None:
    desk = a_desk()
    [entry] = desk.entries
    desk.send(desk.corrected(entry, ALSO_WRONG))
    assert desk.counted() == []
    desk.send(desk.corrected(entry, RIGHT))
    assert desk.counted() == [RIGHT]


def test_a_correction_that_was_accepted_is_final() -> None:
    desk = a_desk()
    [entry] = desk.entries
    for _ in range(2):
        desk.send(desk.corrected(entry, RIGHT), desk.corrected(entry, "192.0.2.10"))
    assert desk.counted() == [RIGHT]


def test_what_was_refused_again_counts_under_the_first_entry() -> None:
    desk = a_desk()
    [first] = desk.entries
    desk.send(desk.corrected(first, ALSO_WRONG))
    again = desk.entries[-1]
    assert again["key"] != first["key"]
    assert identity_of(again, CODEC) == identity_of(first, CODEC) == first["key"]
    desk.send(desk.corrected(again, RIGHT))
    desk.send(desk.corrected(first, RIGHT))
    assert desk.counted() == [RIGHT]


corrections = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([WRONG, ALSO_WRONG, RIGHT])), min_size=1, max_size=3),
    max_size=6,
)


@given(corrections)
def test_however_entries_are_corrected_each_counts_once_at_most_as_in_a_plain_walk_through_the_log(
    batches: list[list[tuple[int, str]]],
) -> None:
    desk = Desk()
    desk.send(a_report([an_observation(kind=IndicatorType.IPV4_ADDR, value=WRONG) for _ in range(2)]))
    for batch in batches:
        entries = desk.entries
        desk.send(*(desk.corrected(entries[number % len(entries)], value) for number, value in batch))
    arrivals = [Arrival(0, each.offset, each.timestamp_ms, each.value, each.headers) for each in desk.log]
    counted = Counter[str]()
    for fate in judged(arrivals, "GBR", 1, roster=ROSTER):
        if fate.report is not None:
            seen = [each for each in Eyes().observations(fate.report, NOW_MS) if isinstance(each, Seen)]
            counted[fate.report["redrive_of"]] += len(seen)
    assert all(times <= 1 for times in counted.values())
    assert len(desk.counted()) == counted.total() <= 2
