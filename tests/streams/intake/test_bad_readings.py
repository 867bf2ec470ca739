"""Impossible times and counts, from each reader through intake: refused by the first that can tell."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from exchange.authority.roster import Roster
from exchange.protocol.record import Record
from exchange.settings import Settings
from producers.admission import admitted
from producers.readers.reading import Aside, LeftOut, Reading, Rejected
from schemas import topics
from schemas.codec import OBSERVATION_BLOCK, QUARANTINED, SENSOR_REPORT, Codec
from schemas.markings import UNMARKED
from schemas.vocabulary import RejectReason
from streams.correlate.assertion import MAX_SIGHTINGS, Tally
from streams.intake.sequences import SequenceFate, Sequences
from streams.intake.step import Intake
from streams.intake.validate import MAX_COUNT
from tests.builders import NOW_MS, a_report
from tests.producers.reading_feeds import readings
from tests.producers.test_misp_event import an_attribute, an_event
from tests.producers.test_stix_bundle import an_indicator, bundle
from tests.producers.test_suricata_eve import an_alert
from tests.streams.workbench import Workbench

CODEC = Codec()
MINUTE_MS = 60_000
BEFORE_1970, AFTER_2100 = "1969-12-31T23:59:59Z", "2101-01-01T00:00:00Z"
AFTER_2100_MS = 4_133_980_800_000


def seen_at(moment: str) -> dict[str, bytes]:
    """One sighting at this time, in every format that has times."""
    return {
        "suricata-eve": json.dumps(an_alert(timestamp=moment)).encode(),
        "csv-list": f"domain,first_seen\nbad.example.com,{moment}\n".encode(),
        "stix-bundle": bundle(an_indicator(valid_from=moment)),
        "misp-event": json.dumps(an_event(an_attribute(first_seen=moment, last_seen=moment))).encode(),
    }


def fates(found: list[Reading]) -> list[tuple[str, dict[str, Any]]]:
    """The fate of each reading: refused by the sensor, refused by intake, or counted, with its content."""
    kept = [reading for reading in found if not isinstance(reading, LeftOut | Aside)]
    known = [reading if isinstance(reading, Rejected) else admitted(reading) for reading in kept]
    reported: list[tuple[str, dict[str, Any]]] = [
        (f"sensor: {each.reason}", {"detail": each.detail}) for each in known if isinstance(each, Rejected)
    ]
    rows = [each.observation for each in known if not isinstance(each, Rejected)]
    bench = Workbench(Intake("GBR", 0, 1, CODEC, quota=1_000, roster=lambda: Roster("GBR")))
    value = CODEC.encode(SENSOR_REPORT, a_report(rows))
    bench.turn(NOW_MS, Record(topics.SENSOR_REPORTS, 0, 0, b"edge-1", value, NOW_MS))
    reported += [(f"intake: {entry['reason']}", entry) for entry in bench.written(topics.QUARANTINE, QUARANTINED)]
    blocks = bench.written(topics.OBSERVATIONS, OBSERVATION_BLOCK)
    return reported + [("counted", block) for block in blocks for _ in block["values"]]


@pytest.mark.parametrize("moment", [BEFORE_1970, AFTER_2100, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("format_name", seen_at(""))
def test_an_observation_of_before_1970_or_after_2100_is_refused_by_intake_with_a_reason(
    format_name: str, moment: str
) -> None:
    reported = fates(readings(format_name, seen_at(moment)[format_name]))
    assert reported, "nothing was read"
    assert {fate for fate, _ in reported} == {f"intake: {RejectReason.TIME_OUT_OF_RANGE}"}
    assert all("set the sensor's clock" in entry["detail"] for _, entry in reported)


@pytest.mark.parametrize("moment", ["10000-01-01T00:00:00Z", "99999999999999999999", "1e400"])
@pytest.mark.parametrize("format_name", seen_at(""))
def test_a_time_that_no_calendar_has_is_refused_at_the_sensor(format_name: str, moment: str) -> None:
    reported = fates(readings(format_name, seen_at(moment)[format_name]))
    # A cell of a table may be anything else, too: there the whole line is what cannot be read.
    reason = RejectReason.UNREADABLE_LINE if format_name == "csv-list" else RejectReason.TIME_OUT_OF_RANGE
    assert [fate for fate, _ in reported] == [f"sensor: {reason}"]


def test_a_validity_until_after_2100_is_kept_unchanged() -> None:
    recent = "2025-11-20T08:00:00Z"
    stix = bundle(an_indicator(valid_from=recent, valid_until=AFTER_2100))
    csv = f"domain,first_seen,valid_until\nbad.example.com,{recent},{AFTER_2100}\n".encode()
    for format_name, data in (("stix-bundle", stix), ("csv-list", csv)):
        [(fate, block)] = fates(readings(format_name, data))
        assert (fate, block["valid_until_ms"]) == ("counted", [AFTER_2100_MS])


def test_a_validity_until_before_1970_is_refused() -> None:
    [(fate, _)] = fates(readings("stix-bundle", bundle(an_indicator(valid_until=BEFORE_1970))))
    assert fate == f"intake: {RejectReason.TIME_OUT_OF_RANGE}"


COUNTED: list[tuple[str, Callable[[str], bytes]]] = [
    ("csv-list", lambda count: f"domain,count\nbad.example.com,{count}\n".encode()),
    ("txt-list", lambda count: f"192.0.2.1\t{count}\n".encode()),
]


@pytest.mark.parametrize(("format_name", "written"), COUNTED, ids=[name for name, _ in COUNTED])
@pytest.mark.parametrize("count", [MAX_COUNT + 1, (1 << 63) - 1, 1 << 63, 10**30])
def test_a_count_that_overflows_is_refused_and_never_wraps(
    format_name: str, written: Callable[[str], bytes], count: int
) -> None:
    [(fate, _)] = fates(readings(format_name, written(str(count))))
    assert fate in {
        f"intake: {RejectReason.COUNT_OUT_OF_RANGE}",
        f"sensor: {RejectReason.COUNT_OUT_OF_RANGE}",
        f"sensor: {RejectReason.UNREADABLE_LINE}",  # a cell with more digits than any count has
    }


@pytest.mark.parametrize(("format_name", "written"), COUNTED, ids=[name for name, _ in COUNTED])
def test_the_largest_count_is_counted_as_it_is(format_name: str, written: Callable[[str], bytes]) -> None:
    [(fate, block)] = fates(readings(format_name, written(str(MAX_COUNT))))
    assert (fate, block["counts"]) == ("counted", [MAX_COUNT])


def test_sums_of_counts_stop_at_their_end() -> None:
    """Four million reports of the largest count would pass the end of 64 bits."""
    nearly, more = (Tally.under(UNMARKED, count, NOW_MS, NOW_MS) for count in (MAX_SIGHTINGS - 1, MAX_COUNT))
    assert nearly.plus(more).count == MAX_SIGHTINGS


def test_of_ten_million_values_from_one_sensor_in_a_minute_its_quota_is_accepted_and_the_rest_can_be_redriven() -> None:
    """20 000 reports of 500, with the quota that is set if no one sets one. The sensor's row stays small."""
    quota, size = Settings().sensor_quota, 500
    state, refused = Sequences(), []
    for sequence in range(10_000_000 // size):
        fate = state.fate_of(1, sequence, size, NOW_MS, quota)
        if fate is SequenceFate.NEW:
            state = state.counted(1, sequence, size, NOW_MS)
        else:
            assert fate is SequenceFate.OVER_QUOTA
            refused.append(sequence)
    assert len(refused) == (10_000_000 - quota) // size == 8_000
    assert len(msgspec.msgpack.encode(state)) < 200
    assert state.fate_of(1, 20_000, size, NOW_MS, quota) is SequenceFate.OVER_QUOTA
    for sequence in refused:
        again = (1, sequence, size, NOW_MS + MINUTE_MS)
        assert state.fate_of_redriven(*again, quota, whole=True) is SequenceFate.NEW
        state = state.counted_redriven(*again, whole=True)
    assert state.missing == 0
