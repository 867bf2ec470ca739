"""What hostile sensors, or an ordinary day at national scale, can cost: no record grows with its predecessors, and an
indicator whose record is too large stops nothing else (docs/adr/0038)."""

import pytest

from exchange.metrics import spec
from exchange.metrics.labels import LeftOut
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import DECISION, QUARANTINED
from schemas.markings import Caveat, Marking, Tlp
from schemas.vocabulary import CommandKind, IndicatorType
from streams.correlate.assertion import MAX_TALLIES
from tests.builders import NOW_MS
from tests.officers import ALICE
from tests.streams.correlate.popular import KIB, PopularBench, Stated, block_of, largest, written_bytes
from tests.streams.officers_bench import OfficersBench

SURICATA = (
    ("signature", "ET MALWARE Observed DNS Query to Known Malware Domain in Suspected Botnet Traffic"),
    ("signature_id", "2035466"),
    ("category", "Malware Command and Control Activity Detected"),
    ("src_ip", "192.0.2.17"),
    ("dest_ip", "198.51.100.53"),
    ("proto", "UDP"),
    ("dest_port", "53"),
    ("flow_id", "1746123456789012"),
    ("host", "sensor-0001.example"),
)


def hostile(number: int) -> Marking:
    """A marking that no other report has."""
    letters = "".join(chr(ord("A") + number // 26**place % 26) for place in range(3))
    return Marking(Tlp.AMBER, releasable_to=tuple(sorted({letters, "JPN"})))


def kinds(bench: OfficersBench) -> list[str]:
    """What kinds of records the partner was sent."""
    return [kind for kind, _ in bench.announced]


def test_5_200_sensors_with_ordinary_context_on_one_indicator_are_merged_at_a_flat_cost() -> None:
    bench = PopularBench()
    sizes, costs = [], []
    for number in range(5_200):
        stated = Stated(f"sensor-{number:04}.example", labels=("malicious-activity",), context=SURICATA)
        effects = bench.observes(stated)
        sizes.append(largest(effects))
        costs.append(written_bytes(effects))
    assert max(sizes) < 24 * KIB
    assert max(costs[3_000:]) < 64 * KIB
    assert sum(costs[4_200:]) < 1.2 * sum(costs[1_000:2_000])
    assert bench.row.sources == 5_200


def test_one_sensor_with_2_800_markings_costs_what_its_reports_cost() -> None:
    bench = PopularBench()
    bench.observes(Stated("honest"))
    costs, reported = [], 0
    for number in range(2_800):
        stated = Stated("hostile", number, hostile(number))
        reported += len(block_of([stated]))
        costs.append(written_bytes(bench.observes(stated)))
    assert max(costs) < 24 * KIB
    assert sum(costs[2_000:]) < 1.2 * sum(costs[200:1_000])
    [both] = [assertion for assertion in bench.row.assertions if assertion.sensor == "hostile"]
    assert len(both.tallies) == MAX_TALLIES
    assert both.count == 2_800
    assert bench.released()[-1]["kind"] == "content"
    audit = bench.correlate.written(topics.AUDIT, DECISION)
    assert max(len(entry["assertions"]) for entry in audit) <= MAX_TALLIES + 2


def test_many_sensors_with_many_markings_and_long_texts_stay_within_a_record() -> None:
    bench = PopularBench()
    long = tuple((f"entry-{number}", "x" * 1_000) for number in range(15))
    worst = 0
    for number in range(100):
        reports = [
            Stated(f"sensor-{number}", sequence, hostile(97 * number + sequence), context=long)
            for sequence in range(MAX_TALLIES + 2)
        ]
        worst = max(worst, *(largest(bench.observes(stated)) for stated in reports))
    assert worst < 384 * KIB
    tallies = [assertion.rest for assertion in bench.row.assertions]
    assert all(rest is not None and rest.marking.releasable_to == ("JPN",) for rest in tallies)
    assert bench.row.further is not None
    assert any(group.mixed and Caveat.UNRECOGNISED in group.marking.caveats for group in bench.row.further.groups)


def test_an_indicator_whose_record_is_too_large_stops_neither_its_batch_nor_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = OfficersBench()
    bench.observes()
    assert kinds(bench) == ["content"]
    before = dict(bench.rows())
    monkeypatch.setattr("streams.correlate.step.LARGEST", 4 * KIB)
    long = tuple((f"entry-{number}", "x" * 900) for number in range(9))
    value = next(row.value for row in before.values())
    large = block_of([Stated("large", context=long)], IndicatorType.DOMAIN_NAME, value)
    other = block_of([Stated("small")])
    bench.now_ms += 10
    records = [Record(topics.OBSERVATIONS, 0, place, b"0", block, NOW_MS) for place, block in enumerate((large, other))]
    effects = bench.correlate.turn(bench.now_ms, *records)
    assert largest(effects) < 16 * KIB
    assert effects.tallies[spec.OVERSIZED_INDICATORS.tally(LeftOut.OBSERVATIONS)] == 1
    [refused] = bench.correlate.written(topics.QUARANTINE, QUARANTINED)
    assert (refused["reason"], refused["key"], refused["sensor"]) == (
        "too-large",
        f"{topics.OBSERVATIONS}-0-0-0",
        "large",
    )
    rows = dict(bench.rows())
    assert len(rows) == 2
    assert all(rows[key].assertions == row.assertions for key, row in before.items())
    assert bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand") == ""
    assert kinds(bench) == ["content", "content", "recalled"]


def test_a_command_is_refused_only_if_its_own_record_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = OfficersBench()
    bench.observes()
    before = bench.rows()
    monkeypatch.setattr("streams.correlate.step.LARGEST", 100)
    assert bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand") == "too-large"
    assert [(key, row.assertions) for key, row in bench.rows()] == [(key, row.assertions) for key, row in before]
    monkeypatch.undo()
    assert bench.gives(ALICE, CommandKind.RECALL, reason_code="recalled-by-hand") == ""
    assert kinds(bench) == ["content", "recalled"]
