"""The laws of a log, held against each implementation; what one does not promise is stated by its subject."""

import pytest

from exchange.errors import ProducerFenced
from exchange.protocol.log import Log
from exchange.protocol.record import Position, RowChange
from tests.laws.logs import LogSubject
from tests.polling import eventually

WITHIN_S = 20.0


def committed(logs: LogSubject, log: Log, batch: int, *values: bytes, rows: list[RowChange] | None = None) -> int:
    """One batch with these outputs and rows."""
    return log.commit([logs.output(value) for value in values], rows or [], logs.position(batch))


def finds(logs: LogSubject, batch: int) -> None:
    """A new owner finds this position. A log without transactions may be late with it, or lose it."""
    log = logs.owner()
    eventually(lambda: log.position() == logs.position(batch), WITHIN_S, f"the position of batch {batch}")


def test_a_shard_that_never_committed_begins_at_batch_0_where_its_inputs_begin(logs: LogSubject) -> None:
    log = logs.owner()
    position = log.position() or Position()
    assert position.batch == 0
    assert position.next_offsets.get(logs.source, 0) == 0
    assert list(log.changelog(0)) == []
    assert logs.read() == []


def test_the_next_owner_finds_the_last_position_and_readers_find_each_output(logs: LogSubject) -> None:
    log = logs.owner()
    committed(logs, log, 1, b"1", b"2")
    committed(logs, log, 2)
    committed(logs, log, 3, b"3")
    assert logs.read() == [b"1", b"2", b"3"]
    finds(logs, 3)


def test_a_log_that_is_opened_again_goes_on(logs: LogSubject) -> None:
    log = logs.owner()
    committed(logs, log, 1, b"1")
    log.fence()
    committed(logs, log, 2, b"2")
    assert logs.read() == [b"1", b"2"]
    finds(logs, 2)


def test_a_previous_owner_writes_nothing_once_another_has_fenced_it(logs: LogSubject) -> None:
    first = logs.owner()
    committed(logs, first, 1, b"1")
    second = logs.owner()
    if logs.has_owner:
        with pytest.raises(ProducerFenced):
            committed(logs, first, 2, b"again", rows=[RowChange(b"a", b"again")])
    else:  # it writes copies once more, which the receiving side drops
        committed(logs, first, 2, b"again")
    committed(logs, second, 2, b"2")
    assert [value for value in logs.read() if value != b"again" or logs.has_owner] == [b"1", b"2"]
    assert not [row for rows, _, _ in second.changelog(0) for row in rows]
    finds(logs, 2)


def test_rows_are_found_from_each_offset_with_the_last_batch_among_them(logs: LogSubject) -> None:
    log = logs.owner()
    first = committed(logs, log, 1, rows=[RowChange(b"a", b"1", 7), RowChange(b"b", b"")])
    second = committed(logs, log, 2, rows=[RowChange(b"b", None)])
    successor = logs.owner()
    if not logs.has_rows:
        assert (first, second, list(successor.changelog(0)), successor.remembers(0)) == (0, 0, [], True)
        return
    found = [row for rows, _, _ in successor.changelog(0) for row in rows]
    assert found == [RowChange(b"a", b"1", 7), RowChange(b"b", b""), RowChange(b"b", None)]
    *_, (_, batch, end) = successor.changelog(0)
    assert (batch, end) == (2, second)
    assert list(successor.changelog(first)) == [([RowChange(b"b", None)], 2, second)]
    assert list(successor.changelog(second)) == []
    assert successor.remembers(second - 1)


def test_it_reports_once_that_all_is_handed_over_before_the_commit_returns(logs: LogSubject) -> None:
    log, reported = logs.owner(), list[str]()
    log.commit([logs.output(b"1")], [], logs.position(1), lambda: reported.append("handed over"))
    reported.append("committed")
    assert reported == ["handed over", "committed"]


def test_a_log_that_has_not_fenced_commits_nothing(logs: LogSubject) -> None:
    log = logs.make()
    with pytest.raises(RuntimeError, match="not taken"):
        committed(logs, log, 1, b"1")
    assert logs.read() == []


def test_closing_again_or_before_fencing_does_nothing(logs: LogSubject) -> None:
    logs.make().close()
    log = logs.owner()
    log.close()
    log.close()
