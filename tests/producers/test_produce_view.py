"""What ``kakehashi produce`` shows while it runs: the truth before, in and after an outage."""

import io
from collections import Counter

import pytest
from rich.console import Console

from kakehashi.produce_view import closing_lines, waiting_in, watching
from producers.spool.publisher import Publisher
from producers.spool.spool import Spool
from producers.summary import Summary
from tests.builders import NOW_MS
from tests.producers.producing import NOWHERE, SENSOR, OfflinePublisher


def spooled(spool: Spool) -> None:
    source = spool.open_input("", 0, b"pipe", NOW_MS)
    report = (b"edge-1", b"report", 1)
    spool.append(source, line=1, item=1, complete=False, report=report, refusals=(), now_ms=NOW_MS)


def acknowledged(spool: Spool, publisher: Publisher) -> None:
    """The cluster answers again."""
    spool.acknowledge(spool.unsent(0, 10))
    publisher.reports += 1
    publisher.trouble = ""


def test_in_a_pipe_an_outage_has_a_line_at_its_begin_and_one_at_its_end(sensor_spool: Spool) -> None:
    written = io.StringIO()
    publisher: Publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    with watching(Console(file=written, width=400), "GBR's Kafka", None) as watcher:
        publisher.trouble = "Connection refused"
        watcher.progressed(1, Summary(), sensor_spool, publisher)
        assert written.getvalue() == "", "nothing waits for the cluster"
        spooled(sensor_spool)
        for _ in range(2):
            watcher.progressed(1, Summary(), sensor_spool, publisher)
        assert written.getvalue().startswith("waiting for GBR's Kafka (Connection refused); 1 report in ")
        acknowledged(sensor_spool, publisher)
        for _ in range(2):
            watcher.progressed(1, Summary(), sensor_spool, publisher)
    assert written.getvalue().splitlines()[1:] == ["GBR's Kafka has acknowledged all that waited"]


def test_refusals_that_wait_alone_are_not_called_reports(sensor_spool: Spool) -> None:
    source = sensor_spool.open_input("", 0, b"pipe", NOW_MS)
    refusals = [(b"key", b"refusal")]
    sensor_spool.append(source, line=1, item=1, complete=False, report=None, refusals=refusals, now_ms=NOW_MS)
    assert waiting_in(sensor_spool) == "1 refusal"
    spooled(sensor_spool)
    assert waiting_in(sensor_spool) == "1 report"


def test_on_a_terminal_the_line_states_what_is_sent_and_what_waits(sensor_spool: Spool) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=400)
    publisher: Publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    with watching(console, "GBR's Kafka", None) as watcher:

        def line() -> str:
            watcher._drawn_at = 0.0
            watcher.progressed(1, Summary(observations=1), sensor_spool, publisher)
            assert watcher._progress is not None
            return str(watcher._progress.tasks[0].fields["state"])

        publisher.trouble = "Connection refused"
        spooled(sensor_spool)
        assert line() == "[yellow]no answer; 1 report on disk, stopping loses nothing[/yellow]"
        acknowledged(sensor_spool, publisher)
        assert line() == "1 observation · 1 report sent"
        publisher.trouble = "Connection refused"
        assert line() == "1 observation · 1 report sent", "with nothing to send, no one waits for an answer"


@pytest.mark.parametrize(
    ("attributes", "kept", "expected_text"),
    [
        (101, 101, "101 attributes, none for detection: --misp-context takes them as unrated"),
        (101, 3, "101 attributes, 3 not for detection: --misp-context takes them as unrated"),
    ],
)
def test_attributes_of_misp_that_are_not_for_detection_are_stated_to_be_left_out(
    sensor_spool: Spool, attributes: int, kept: int, expected_text: str
) -> None:
    summary = Summary(files=1, records=Counter(attribute=attributes), left_out=Counter({"not-to-ids": kept}))
    publisher: Publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    assert expected_text in list(closing_lines(summary, publisher, "GBR's Kafka"))
    assert not any("detection" in line for line in closing_lines(Summary(files=1), publisher, "GBR's Kafka"))


@pytest.mark.parametrize("has_again", [True, False])
def test_a_file_that_was_read_before_is_named_with_again_only_by_a_command_that_has_it(
    sensor_spool: Spool, has_again: bool
) -> None:
    publisher: Publisher = OfflinePublisher(NOWHERE, sensor_spool, SENSOR.name)
    (line,) = closing_lines(Summary(skipped=["eve.json"]), publisher, "GBR's Kafka", has_again=has_again)
    assert line.startswith("eve.json: read before, so not again")
    assert ("--again" in line) is has_again
