"""A recall of the partner is confirmed as purged when no topic of ours holds a copy of its content."""

import pytest

from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RECEIPT
from streams.settle.step import HELD_PREFIX, ROLL_KEY
from tests.builders import HOUR_MS, NOW_MS, PARTNER
from tests.streams.settle.records import NAME, SHARD, V1, V2, V3, a_settler, held, windows
from tests.streams.workbench import Workbench


def purges(bench: Workbench) -> list[int]:
    """The versions of the recalls that we have confirmed as purged."""
    return [each["version"] for each in bench.written(topics.receipts(PARTNER), RECEIPT) if each["code"] == "purged"]


def test_purged_is_reported_when_no_copy_is_left_and_not_before() -> None:
    answers: dict[bytes, bool] = {}
    bench = a_settler(answers)
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    assert bench.asked == []
    bench.search(bench.next_due())  # there is no answer yet
    assert bench.asked == [{NAME: V2 - 1}]
    bench.turn(bench.next_due())
    assert len(bench.asked) == 2, "a question without an answer is asked again"
    answers[NAME] = True
    bench.search(bench.next_due())
    assert purges(bench) == []
    answers[NAME] = False
    at_ms = bench.next_due()
    bench.search(at_ms)
    assert purges(bench) == [V2]
    asked = len(bench.asked)
    bench.turn(at_ms + HOUR_MS)
    assert len(bench.asked) == asked


@pytest.mark.parametrize("answers", [{NAME: True}, {}], ids=["a copy is left", "there is no answer"])
def test_a_recall_costs_few_rows_however_long_its_copies_are_left(answers: dict[bytes, bool]) -> None:
    """At a partner, 23,481 recalls wrote 2.1 million rows in 13 minutes: about 90 each."""
    bench = a_settler(answers)
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    rows = 0
    for second in range(13 * 60):
        effects = bench.turn(NOW_MS + second * 1000)
        rows += sum(change.key == HELD_PREFIX + NAME for change in effects.rows)
    assert 5 < rows <= 10
    assert rows == len(bench.asked)
    rows = 0
    for second in range(HOUR_MS // 1000, 2 * HOUR_MS // 1000):
        effects = bench.turn(NOW_MS + second * 1000)
        rows += sum(change.key == HELD_PREFIX + NAME for change in effects.rows)
    assert rows <= 7


def test_an_answer_about_another_recall_purges_nothing() -> None:
    bench = a_settler({NAME: False})
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    bench.turn(bench.next_due())
    bench.turn(NOW_MS, held(V3 + 1, kind="recalled"))
    assert purges(bench) == []
    bench.search(bench.next_due())
    assert purges(bench) == [V3 + 1]


def test_while_a_copy_is_left_a_marker_makes_an_idle_partition_begin_a_new_segment() -> None:
    bench = a_settler({NAME: True})
    bench.turn(NOW_MS, held(V2, kind="recalled"))
    bench.search(NOW_MS + HOUR_MS)
    (marker,) = (output for output in bench.outputs if output.topic == topics.accepted(PARTNER))
    assert (marker.key, marker.value, marker.partition) == (ROLL_KEY, None, SHARD)
    bench.turn(NOW_MS + HOUR_MS, Record(marker.topic, SHARD, 9, marker.key, marker.value, NOW_MS))


def test_a_recall_that_content_has_overtaken_is_purged_too() -> None:
    bench = a_settler({NAME: False})
    bench.turn(NOW_MS, held(V1), held(V3, recalled_through=V2))
    bench.search(NOW_MS + HOUR_MS)
    assert bench.asked == [{NAME: V2}]
    assert purges(bench) == [V3]


def test_a_recall_whose_key_was_deleted_is_still_purged() -> None:
    """Deleting the key of an accepted record leaves older segments, and the inbox, as they were."""
    bench = a_settler({NAME: False})
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    bench.turn(NOW_MS, Record(topics.accepted(PARTNER), SHARD, 2, NAME, None, NOW_MS))
    bench.search(NOW_MS + HOUR_MS)
    assert bench.asked == [{NAME: V2 - 1}]
    assert purges(bench) == [V2]
    assert windows(bench, topics.held_digests(PARTNER)) == {}
    bench.turn(NOW_MS + 3 * HOUR_MS)
    assert len(bench.asked) == 1


def test_an_expired_release_needs_no_purge() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, held(V1), held(V2, kind="expired"))
    bench.turn(NOW_MS + HOUR_MS)
    assert bench.asked == []
