"""A log line is one event: as text or JSON, without control characters, and repetition is summed up."""

import json
import logging
import sys

import pytest

from exchange.logs import SUM_UP_S, JsonLines, SummingHandler, TextLines


@pytest.fixture
def handler() -> SummingHandler:
    handler = SummingHandler()
    handler.setFormatter(TextLines())
    return handler


def line(
    text: str, at_s: float, *arguments: object, name: str = "exchange.x", level: int = logging.WARNING
) -> logging.LogRecord:
    record = logging.LogRecord(name, level, "", 0, text, arguments, None)
    record.created = at_s
    return record


def test_a_line_that_is_repeated_is_written_once_and_then_summed_up(
    handler: SummingHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.setStream(sys.stderr)
    for number in range(3149):
        handler.emit(line("fetch from node %s failed", 1000 + number / 100, number, name="aiokafka.consumer.fetcher"))
    handler.sum_up(1000 + SUM_UP_S)
    written = capsys.readouterr().err.splitlines()
    assert len(written) == 2
    assert "fetch from node 0 failed" in written[0]
    assert "log.repeated times=3148 in_s=30: fetch from node 0 failed" in written[1]


def test_what_is_not_repeated_any_more_is_written_again_at_its_next_time(
    handler: SummingHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.setStream(sys.stderr)
    handler.emit(line("policy.unread", 1000))
    handler.sum_up(1000 + SUM_UP_S)
    handler.emit(line("policy.unread", 1100))
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_two_of_our_lines_of_one_template_are_two_events(
    handler: SummingHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.setStream(sys.stderr)
    for shard in (1, 2):
        handler.emit(line("shard.fenced shard=%d", 1000, shard))
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_was_only_counted_is_written_when_the_process_ends(
    handler: SummingHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.setStream(sys.stderr)
    for _ in range(5):
        handler.emit(line("policy.unread", 1000))
    handler.close()
    assert "log.repeated times=4" in capsys.readouterr().err


@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()])
@pytest.mark.parametrize("bad", ["\x1b[2J", "a\nb", "a\rb", "\x9b31m", "\u202etxt", "\x07", "\x00", "a\u2028b"])
def test_no_value_in_a_line_is_obeyed_by_a_terminal_or_ends_the_line(formatter: logging.Formatter, bad: str) -> None:
    written = formatter.format(line("sensor=%s", 1000, bad))
    assert written.isprintable()
    assert len(written.splitlines()) == 1


def test_a_line_of_json_has_the_time_the_level_and_the_facts() -> None:
    found = json.loads(JsonLines().format(line("shard.running step=%s shard=%d", 1_790_000_000.5, "intake", 3)))
    assert found == {
        "time": "2026-09-21T14:13:20.500+00:00",
        "level": "warning",
        "logger": "exchange.x",
        "message": "shard.running step=intake shard=3",
        "facts": {"step": "intake", "shard": "3"},
    }


def test_a_traceback_is_part_of_the_line_of_json() -> None:
    try:
        raise ValueError("\x1b[31mred")
    except ValueError:
        record = logging.LogRecord("exchange.x", logging.ERROR, "", 0, "broken", (), sys.exc_info())
    written = JsonLines().format(record)
    assert "ValueError" in json.loads(written)["error"]
    assert written.isprintable()
    assert "\x1b" not in TextLines().format(record)
