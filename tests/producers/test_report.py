"""Reports: rows to columns and back, and the sizes that keep them bounded."""

from hypothesis import given
from hypothesis import strategies as st

from producers.report import MAX_BYTES, ReportBuilder, observations_of, report_of
from schemas.codec import SENSOR_REPORT, Codec
from schemas.markings import SourceMarking
from schemas.observation import Observation
from schemas.records import SensorReport
from schemas.topics import MAX_RECORD_BYTES
from schemas.vocabulary import IndicatorType
from tests.builders import NOW_MS, an_observation

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
TIMES = st.sampled_from([0, NOW_MS]) | st.integers(-(1 << 63), (1 << 63) - 1)
FEW = st.lists(TEXT, max_size=3).map(tuple)
OBSERVATIONS = st.builds(
    Observation,
    kind=st.sampled_from(IndicatorType),
    value=TEXT,
    first_seen_ms=TIMES,
    last_seen_ms=TIMES,
    count=st.just(1) | st.integers(0, 1 << 40),
    confidence=st.integers(-1, 100),
    valid_until_ms=TIMES,
    marking=st.just(SourceMarking())
    | st.builds(SourceMarking, tlp=TEXT, pap=TEXT, releasable_to=st.none() | FEW, caveats=FEW),
    labels=st.just(()) | FEW,
    description=st.just("") | TEXT,
    context=st.dictionaries(TEXT, TEXT, max_size=3).map(lambda facts: tuple(facts.items())),
)


def built(rows: list[Observation]) -> SensorReport:
    return report_of(
        rows, nation="GBR", sensor="edge-1", epoch=NOW_MS, sequence=7, produced_at_ms=NOW_MS, tool="txt-list"
    )


@given(st.lists(OBSERVATIONS, min_size=1, max_size=20))
def test_a_report_holds_exactly_what_went_in(rows: list[Observation]) -> None:
    codec = Codec()
    report = codec.decode(SENSOR_REPORT, codec.encode(SENSOR_REPORT, built(rows)))
    assert isinstance(report, dict)
    assert list(observations_of(report)) == rows  # type: ignore[arg-type]


@given(st.lists(OBSERVATIONS, min_size=1, max_size=20))
def test_every_column_is_empty_or_as_long_as_the_values(rows: list[Observation]) -> None:
    report = built(rows)
    columns = ("first_seen_ms", "last_seen_ms", "counts", "confidences", "valid_until_ms")
    lengths = [len(report[name]) for name in (*columns, "marking_index", "label_index", "context_index")]  # type: ignore[literal-required]
    assert set(lengths) <= {0, len(rows)}
    assert len(report["kinds"]) == len(report["values"]) == len(rows)


def test_what_is_absent_everywhere_takes_no_column() -> None:
    report = built([Observation(kind=IndicatorType.IPV4_ADDR, value="198.51.100.7")] * 3)
    assert [name for name, column in report.items() if column == []] == [
        *("first_seen_ms", "last_seen_ms", "counts", "confidences", "valid_until_ms"),
        *("markings", "marking_index", "label_sets", "label_index", "contexts", "context_index"),
    ]


def test_what_repeats_is_there_once() -> None:
    report = built([an_observation(value=f"{number}.example.com") for number in range(500)])
    assert (len(report["markings"]), len(report["label_sets"])) == (1, 1)
    assert report["marking_index"] == [0] * 500
    assert len(Codec().encode(SENSOR_REPORT, report)) < 40 * 500


def test_a_builder_is_full_at_its_number_of_observations() -> None:
    builder = ReportBuilder(max_observations=2)
    for _ in range(2):
        assert builder.has_room(an_observation())
        builder.add(an_observation())
    assert not builder.has_room(an_observation())
    report = builder.build(nation="GBR", sensor="s", epoch=1, sequence=0, produced_at_ms=1, tool="txt-list")
    assert (len(report["values"]), len(builder)) == (2, 0)
    assert builder.has_room(an_observation())


def test_a_builder_is_full_before_its_record_is_too_big_for_a_topic() -> None:
    builder, rows = ReportBuilder(max_observations=1 << 20), 0
    observation = an_observation(value="例" * 2000, description="x" * 4000)
    while builder.has_room(observation):
        builder.add(observation)
        rows += 1
    report = builder.build(nation="GBR", sensor="s", epoch=1, sequence=0, produced_at_ms=1, tool="txt-list")
    assert rows > 1
    assert len(Codec().encode(SENSOR_REPORT, report)) <= MAX_BYTES < MAX_RECORD_BYTES
