"""A report's columns: which reports fit together, and that nothing is lost on the way from report to block and back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import OBSERVATION_BLOCK, SENSOR_REPORT, Codec
from schemas.identity import indicator_key, shard_of_key
from schemas.markings import SourceMarking, joined, understand
from schemas.observation import Observation
from schemas.quarantine import Refused
from schemas.records import ObservationBlock, SensorReport
from schemas.topics import MAX_RECORD_BYTES
from schemas.vocabulary import IndicatorType, RejectReason
from streams.blocks import Observed, blocks, observed
from streams.intake.collapse import Collapsed, Normaliser, collapse, normalise
from streams.intake.columns import Arrived, Dictionaries, check_columns, columns_of
from streams.intake.validate import reasons
from tests.builders import DAY_MS, NOW_MS, a_report, an_observation, an_observation_block
from tests.reference.traffic import MARKINGS, value_of

SHARDS = 4
CODEC = Codec()
FILES = IndicatorType.FILE_SHA256


def observations() -> st.SearchStrategy[Observation]:
    """Usable ones, few values many times over."""
    return st.builds(
        Observation,
        kind=st.just(FILES),
        value=st.integers(0, 4).map(lambda number: value_of(FILES, number)),
        first_seen_ms=st.just(0),
        last_seen_ms=st.integers(0, 3).map(lambda days: NOW_MS - days * DAY_MS) | st.just(0),
        count=st.integers(1, 1 << 40),
        confidence=st.integers(-1, 100),
        valid_until_ms=st.integers(0, 5),
        marking=st.sampled_from(MARKINGS),
        labels=st.lists(st.sampled_from("abc"), max_size=3).map(tuple),
        description=st.sampled_from(["", "scan"]),
        context=st.sampled_from([(), (("dest_ip", "192.0.2.7"),)]),
    )


def to_blocks(reports: list[SensorReport]) -> list[tuple[int, ObservationBlock]]:
    """From reports to blocks, every one of them through the codec."""
    arrived = [Arrived(_through(SENSOR_REPORT, report), NOW_MS) for report in reports]
    known, rows = Dictionaries(), list[Collapsed]()
    for place, each in enumerate(arrived):
        columns = columns_of(each.report, known)
        assert reasons(columns, known, NOW_MS) == {}
        normal, invalid = normalise(columns, (), Normaliser())
        assert invalid == []
        rows += collapse(place, normal, columns, NOW_MS, known)
    return [(shard, _through(OBSERVATION_BLOCK, block)) for shard, block in blocks(rows, known, arrived, SHARDS)]


def _through(schema: str, record: Any) -> Any:
    found = CODEC.decode(schema, CODEC.encode(schema, record))
    assert isinstance(found, dict)
    return found


def stated_in(block: ObservationBlock) -> list[Observed]:
    """The content of a block."""
    found = observed(block)
    assert not isinstance(found, Refused)
    return found


@given(st.lists(st.lists(observations(), max_size=6), min_size=1, max_size=4))
@settings(max_examples=60)
def test_a_reports_statement_about_an_indicator_arrives_once_in_its_shard(bodies: list[list[Observation]]) -> None:
    reports = [
        a_report(body, sensor=f"edge-{number % 2}", sequence=number, epoch=NOW_MS - DAY_MS)
        for number, body in enumerate(bodies)
    ]
    found = {
        (each.assertion.sensor, each.assertion.latest.sequence, each.value): (shard, each)
        for shard, block in to_blocks(reports)
        for each in stated_in(block)
    }
    wanted = {
        (report["sensor"], report["sequence"], row.value.lower())
        for report, body in zip(reports, bodies, strict=True)
        for row in body
    }
    assert found.keys() == wanted
    for (_sensor, sequence, value), (shard, stated) in found.items():
        rows = [row for row in bodies[sequence] if row.value.lower() == value]
        (tally,), statement = stated.assertion.tallies, stated.assertion.latest
        assert shard == shard_of_key(stated.key, SHARDS)
        assert stated.key == indicator_key(FILES, value)
        assert tally.count == sum(row.count for row in rows)
        assert tally.last_seen_ms == max(row.last_seen_ms or NOW_MS for row in rows)
        assert tally.marking == statement.marking == joined(understand(row.marking) for row in rows)
        assert statement.labels == tuple(sorted(set(rows[-1].labels)))
        assert (statement.description, statement.context) == (rows[-1].description, rows[-1].context)
        assert statement.confidence == max(row.confidence for row in rows)
        assert statement.appended_ms == NOW_MS


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format_version": 2}, RejectReason.UNKNOWN_FORMAT_VERSION),
        ({"kinds": b""}, RejectReason.MISMATCHED_COLUMNS),
        ({"first_seen_ms": [1, 2]}, RejectReason.MISMATCHED_COLUMNS),
        ({"context_index": [0, 0]}, RejectReason.MISMATCHED_COLUMNS),
        ({"values": ["x"] * 100_001, "kinds": b"\x09" * 100_001}, RejectReason.TOO_LARGE),
        ({"sensor": "s" * 257}, RejectReason.TOO_LARGE),
        ({"tool": "t" * 257}, RejectReason.TOO_LARGE),
        ({"redrive_of": "k" * 513}, RejectReason.TOO_LARGE),
    ],
)
def test_a_report_that_does_not_fit_together_is_refused_with_the_reason(
    changes: dict[str, Any], reason: RejectReason
) -> None:
    found = check_columns(a_report(**changes))
    assert found is not None
    assert found.reason is reason
    assert found.detail


def test_an_empty_column_is_absent_for_all() -> None:
    report = a_report([an_observation(), an_observation()])
    for name in ("first_seen_ms", "last_seen_ms", "counts", "confidences", "valid_until_ms"):
        report[name] = []
    report["marking_index"] = report["label_index"] = report["context_index"] = []
    assert check_columns(report) is None
    ((_, block),) = to_blocks([report])
    (stated,) = stated_in(block)
    statement, (tally,) = stated.assertion.latest, stated.assertion.tallies
    assert (tally.count, tally.first_seen_ms, tally.last_seen_ms) == (2, NOW_MS, NOW_MS)
    assert (statement.confidence, statement.valid_until_ms, statement.labels, statement.context) == (-1, 0, (), ())
    assert statement.marking == understand(SourceMarking())


@pytest.mark.parametrize(
    ("first_ms", "last_ms", "seen"),
    [
        (0, 0, (NOW_MS, NOW_MS)),
        (NOW_MS - 5, 0, (NOW_MS - 5, NOW_MS - 5)),
        (0, NOW_MS - 5, (NOW_MS - 5, NOW_MS - 5)),
        (NOW_MS - 9, NOW_MS - 5, (NOW_MS - 9, NOW_MS - 5)),
        (NOW_MS - 9, NOW_MS + 5, (NOW_MS - 9, NOW_MS)),  # its clock is ahead of the broker's
        (NOW_MS + 5, NOW_MS + 9, (NOW_MS, NOW_MS)),
        (NOW_MS + 5, 0, (NOW_MS, NOW_MS)),
    ],
)
def test_times_that_are_not_stated_or_ahead_become_the_brokers(
    first_ms: int, last_ms: int, seen: tuple[int, int]
) -> None:
    ((_, block),) = to_blocks([a_report([an_observation(first_seen_ms=first_ms, last_seen_ms=last_ms)])])
    (stated,) = stated_in(block)
    assert (stated.assertion.first_seen_ms, stated.assertion.last_seen_ms) == seen


def test_a_block_is_never_larger_than_its_topic_accepts() -> None:
    """Values, sensors, labels, markings and contexts as long as they may be, each row with its own; many short rows."""
    wide = [
        Observation(
            kind=IndicatorType.URL,
            value=f"http://host.example/{number}?{'q' * 1900}",
            labels=tuple(f"{number}-{place}-{'語' * 70}" for place in range(64)),
            description="d" * 8000 + str(number),
            marking=SourceMarking("TLP:GREEN", releasable_to=tuple(f"A{one}{number % 10}" for one in "BCDEFGH")),
        )
        for number in range(180)
    ]
    narrow = [Observation(kind=IndicatorType.FILE_NAME, value=f"{number}.exe") for number in range(12_000)]
    for reports in ([wide[place : place + 60] for place in (0, 60, 120)], [narrow]):
        found = to_blocks([a_report(rows, sensor="s" * 256) for rows in reports])
        assert sum(len(block["values"]) for _, block in found) == sum(map(len, reports))
        assert all(len(CODEC.encode(OBSERVATION_BLOCK, block)) < MAX_RECORD_BYTES for _, block in found)


def _marked(tlp: int, releasable_to: list[str] | None, *caveats: str) -> dict[str, Any]:
    return {"markings": [{"tlp": tlp, "pap": 0, "releasable_to": releasable_to, "caveats": list(caveats)}]}


DAMAGED: dict[str, tuple[dict[str, Any], RejectReason]] = {
    "layout": ({"format_version": 2}, RejectReason.UNKNOWN_FORMAT_VERSION),
    "column": ({"counts": [1, 2]}, RejectReason.MISMATCHED_COLUMNS),
    "keys": ({"keys": b"\0" * 15}, RejectReason.MISMATCHED_COLUMNS),
    "kinds": ({"kinds": b""}, RejectReason.MISMATCHED_COLUMNS),
    "unknown kind": ({"kinds": b"\x63"}, RejectReason.UNKNOWN_TYPE),
    "marking": ({"marking_index": [3]}, RejectReason.DANGLING_INDEX),
    "label": ({"label_index": [3]}, RejectReason.DANGLING_INDEX),
    "negative index": ({"context_index": [-1]}, RejectReason.DANGLING_INDEX),
    "unknown TLP": (_marked(9, []), RejectReason.DANGLING_INDEX),
    "AMBER for all": (_marked(2, None), RejectReason.DANGLING_INDEX),
    "unknown caveat": (_marked(1, [], "?"), RejectReason.DANGLING_INDEX),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_block_is_refused_with_its_error(what: str) -> None:
    changes, reason = DAMAGED[what]
    found = observed(an_observation_block(**changes))
    assert isinstance(found, Refused)
    assert found.reason is reason


def test_a_block_is_read_as_it_was_written() -> None:
    block = an_observation_block()
    (stated,) = stated_in(block)
    assert (stated.key, stated.value, stated.assertion.sensor) == (block["keys"], block["values"][0], "edge-1")
    assert stated.assertion.latest.context == (("dest_ip", "192.0.2.7"),)
