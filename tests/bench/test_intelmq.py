"""What IntelMQ is given and what it is held against: the same work, and one event for each indicator."""

import base64
import json
from pathlib import Path

from bench import page
from bench.intelmq import messages_of, wrong
from bench.intelmq_home import BOTS, COLUMNS, PINS, VERSION, queue, settings
from bench.tables import times_intelmq
from bench.workload import Shape, Spread, generate
from tests.builders import NOW_MS


def test_a_message_is_a_report_in_its_columns_each_value_as_the_pipeline_would_spell_it() -> None:
    work = generate(Shape(2_000, 10, Spread.SAME), nation="GBR", epoch_ms=NOW_MS)
    lines = []
    for message, report in zip(messages_of(work), work.reports, strict=True):
        record = json.loads(message)
        assert (record["__type"], record["feed.name"]) == ("Report", report["sensor"])
        lines += base64.b64decode(record["raw"]).decode().splitlines()
    assert len(lines) == work.observations
    assert len(set(lines)) == work.expected.distinct, "no spelling is left that would count as another value"
    assert not any("hxxp" in line or "[.]" in line for line in lines)
    filled = [[bool(cell) for cell in line.split(",")] for line in lines]
    assert all(len(cells) == len(COLUMNS) and sum(cells) == 1 for cells in filled)
    assert all(any(cells[column] for cells in filled) for column in range(len(COLUMNS)))


def test_what_came_out_is_one_event_for_each_indicator_or_the_figure_is_void() -> None:
    assert wrong(["b", "a"], {"a", "b"}) == ""
    assert wrong(["a", "a"], {"a", "b"}) == "2 events of 1 indicators came out, wanted were 2"
    assert wrong(["a", "b", "b"], {"a", "b"})
    assert wrong(["a", "c"], {"a", "b"})


def test_the_bots_stand_in_a_row_and_use_no_other_redis() -> None:
    found = settings(16379, Path("/out/events.txt"))
    for name, following in zip(BOTS, [*list(BOTS)[1:], ""], strict=True):
        bot = found[name]
        assert isinstance(bot, dict)
        assert bot["parameters"]["source_queue"] == queue(name)
        wanted = {"_default": [queue(following)]} if following else None
        assert bot["parameters"].get("destination_queues") == wanted
    ports = {str(value) for entry in found.values() for key, value in _flat(entry) if key.endswith("_port")}
    assert ports == {"16379"}


def test_the_version_on_the_page_is_the_pinned_one() -> None:
    assert f"intelmq=={VERSION} " in PINS.read_text("utf-8")
    assert f"IntelMQ](https://docs.intelmq.org) {VERSION}," in (
        Path(page.__file__).parent / "performance.md.in"
    ).read_text("utf-8")


def test_a_void_run_is_compared_with_nothing() -> None:
    rival = {"work": "w", "what": "IntelMQ", "rate": 1_000, "cpu_us": 500.0, "void": ""}
    ours = {"work": "w", "what": "pipeline", "rate": 30_000, "cpu_us": 40.0, "void": ""}
    assert times_intelmq({"runs": [rival, ours]}) == [("w", 30.0, 12.5)]
    assert times_intelmq({"runs": [rival | {"void": "lost"}, ours]}) == []


def _flat(entry: object) -> list[tuple[str, object]]:
    if not isinstance(entry, dict):
        return []
    return [*entry.items(), *(pair for value in entry.values() for pair in _flat(value))]
