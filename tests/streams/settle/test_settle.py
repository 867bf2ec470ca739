"""The loop of a release: what is answered, what waits for too long, and what was never released."""

from collections.abc import Mapping
from itertools import combinations
from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from exchange.metrics import spec
from exchange.protocol.effects import Effects
from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import QUARANTINED, RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec
from schemas.identity import key_of_id, shard_of_key
from streams.settle.settlement import EARLY_MS, LONGEST_EARLY_MS, PURGE_LIMIT_MS, Limits
from streams.settle.step import ROLL_KEY, Settle
from tests.builders import HOUR_MS, NOW_MS, PARTNER, a_content, a_receipt, a_released, an_id
from tests.streams.settler import Settler
from tests.streams.workbench import Workbench

CODEC = Codec()
SHARD = shard_of_key(key_of_id(a_released()["id"]), 4)
LIMITS = Limits(HOUR_MS, HOUR_MS // 6)
STEP = f"settle.{PARTNER}"
NAME = a_released()["id"].encode()
V1, V2, V3 = NOW_MS, NOW_MS + 1, NOW_MS + 2


def a_settler(answers: Mapping[bytes, bool] | None = None) -> Settler:
    """``answers`` are to its questions about copies, as they are when it asks."""
    return Settler(Settle("GBR", PARTNER, SHARD, CODEC, LIMITS), lambda _: {} if answers is None else answers)


def release(version: int = V1, at_ms: int = NOW_MS, **changes: Any) -> Record:
    value = CODEC.encode(RELEASED_INDICATOR, a_released(version=version, **changes))
    return Record(topics.released(PARTNER), SHARD, 0, a_released()["id"].encode(), value, at_ms)


def recall(version: int = V2, at_ms: int = NOW_MS) -> Record:
    return release(version, at_ms, kind="recalled")


def held(version: int = V1, **changes: Any) -> Record:
    """What GBR has accepted of JPN."""
    value = CODEC.encode(RELEASED_INDICATOR, a_released(version=version, origin=PARTNER, **changes))
    return Record(topics.accepted(PARTNER), SHARD, 0, NAME, value, NOW_MS)


def receipt(version: int = V1, code: str = "applied", offset: int = 0, **changes: Any) -> Record:
    name = a_released()["id"]
    value = CODEC.encode(RECEIPT, a_receipt(version=version, code=code, **changes))
    return Record(topics.partner_receipts(PARTNER), SHARD, offset, f"{name}/{code}".encode(), value, NOW_MS)


def late(effects: Effects) -> tuple[float, float, float]:
    """Releases, recalls and purges that wait for too long."""
    gauges = (spec.UNSETTLED_RELEASES, spec.UNSETTLED_RECALLS, spec.UNPURGED_RECALLS)
    return tuple(effects.gauges[gauge.at(STEP, SHARD)] for gauge in gauges)  # type: ignore[return-value]


def test_a_release_without_a_receipt_is_late_after_the_limit_and_not_before() -> None:
    bench = a_settler()
    assert late(bench.turn(NOW_MS, release())) == (0, 0, 0)
    assert late(bench.turn(NOW_MS + HOUR_MS - 1)) == (0, 0, 0)
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)
    assert late(bench.turn(NOW_MS + HOUR_MS + 1, receipt())) == (0, 0, 0)


def test_a_receipt_settles_every_version_up_to_its_own_and_none_after_it() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), release(V2), release(V3))
    bench.turn(NOW_MS, receipt(V2))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)
    assert late(bench.turn(NOW_MS + HOUR_MS, receipt(V3))) == (0, 0, 0)


def test_repeating_a_release_does_not_put_off_when_it_is_late() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    bench.turn(NOW_MS + HOUR_MS // 2, release(V2, NOW_MS + HOUR_MS // 2))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)


def test_an_answer_to_an_earlier_version_does_not_put_off_when_the_last_is_late() -> None:
    later = NOW_MS + HOUR_MS // 2
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    bench.turn(later, release(later, later))
    bench.turn(later + HOUR_MS // 3, receipt(V1))
    assert late(bench.turn(later + HOUR_MS - 1)) == (0, 0, 0)
    assert late(bench.turn(later + HOUR_MS)) == (1, 0, 0)


def test_a_refusal_is_an_answer_to_a_release_but_confirms_no_recall() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(), receipt(V1, "refused", reason="forbidden-marking"))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (0, 0, 0)
    bench.turn(NOW_MS + HOUR_MS, recall(V2, NOW_MS + HOUR_MS), receipt(V2, "refused", reason="key-mismatch"))
    assert late(bench.turn(NOW_MS + 2 * HOUR_MS)) == (0, 1, 0)


def test_a_recall_is_late_sooner_and_needs_its_purge_too() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), receipt(V1), recall(V2))
    assert late(bench.turn(NOW_MS + LIMITS.recall_ms)) == (0, 1, 0)
    assert late(bench.turn(NOW_MS + LIMITS.recall_ms, receipt(V2, "recall_applied"))) == (0, 0, 0)
    assert late(bench.turn(NOW_MS + PURGE_LIMIT_MS)) == (0, 0, 1)
    assert late(bench.turn(NOW_MS + PURGE_LIMIT_MS, receipt(V2, "purged"))) == (0, 0, 0)


def test_later_content_that_was_applied_confirms_the_recall_that_it_has_overtaken() -> None:
    """Compaction may leave the later record only, and a receipt for version n settles all up to n."""
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), recall(V2), release(V3, recalled_through=V1), receipt(V3, "applied"))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (0, 0, 0)


def test_a_receipt_that_comes_before_its_release_waits_for_it() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V1))
    bench.turn(NOW_MS + EARLY_MS - 1, release(V1))
    assert late(bench.turn(NOW_MS + HOUR_MS * 2)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_receipt_waits_for_longer_while_its_shard_is_still_reading_releases() -> None:
    """A shard that is rebuilt over a million of them comes to some receipts minutes before their releases."""
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V1))
    other = msgspec.structs.replace(release(), key=an_id(value="another.example.com").encode())
    for minute in range(1, 10):
        bench.turn(NOW_MS + minute * EARLY_MS, other)
    bench.turn(NOW_MS + 10 * EARLY_MS, release(V1))
    bench.turn(NOW_MS + 11 * EARLY_MS)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)
    bench.turn(NOW_MS, receipt(V3))
    bench.turn(NOW_MS + LONGEST_EARLY_MS, other)
    assert len(bench.written(topics.QUARANTINE, QUARANTINED)) == 1


def test_a_receipt_for_something_never_released_is_kept_for_a_human_and_leaves_no_row() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V1, "purged", offset=41))
    effects = bench.turn(NOW_MS + EARLY_MS)
    (entry,) = bench.written(topics.QUARANTINE, QUARANTINED)
    assert (entry["reason"], entry["stage"]) == ("unknown-release", "settle")
    assert (entry["topic"], entry["offset"]) == (topics.partner_receipts(PARTNER), 41)
    assert entry["original"] == receipt(V1, "purged").value
    assert late(effects) == (0, 0, 0)
    assert [row.value for row in effects.rows if row.key == a_released()["id"].encode()] == [None]


def test_a_receipt_for_a_version_never_released_settles_nothing() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), receipt(V3))
    bench.turn(NOW_MS + EARLY_MS)
    (entry,) = bench.written(topics.QUARANTINE, QUARANTINED)
    assert entry["reason"] == "unknown-release"
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)


def test_receipts_that_all_come_before_their_releases_all_count() -> None:
    """A settle that was away reads two topics in any order: what was purged is not forgotten for what was applied."""
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V2, "recall_applied"), receipt(V3, "applied"), receipt(V2, "purged"))
    bench.turn(NOW_MS, release(V1), recall(V2), release(V3, recalled_through=V1))
    assert late(bench.turn(NOW_MS + 2 * PURGE_LIMIT_MS)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_receipt_that_comes_again_changes_nothing() -> None:
    """The partner's bridge may have lost its position here: all of its receipts come again, the older ones too."""
    bench = a_settler()
    answers = [receipt(V1), receipt(V2, "recall_applied"), receipt(V2, "purged")]
    bench.turn(NOW_MS, release(V1), recall(V2), *answers)
    effects = bench.turn(NOW_MS + HOUR_MS, *answers, *answers)
    assert late(effects) == (0, 0, 0)
    assert [row.key for row in effects.rows if row.key == NAME] == [NAME]
    assert late(bench.turn(NOW_MS + 2 * PURGE_LIMIT_MS)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_dispute_settles_nothing_whether_it_comes_before_or_after_the_release() -> None:
    for records in ([release(), receipt(V1, "disputed")], [receipt(V1, "disputed"), release()]):
        bench = a_settler()
        for record in records:
            bench.turn(NOW_MS, record)
        assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)
        assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_each_claim_that_nothing_bears_out_is_kept_for_a_human() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V2, "applied", offset=3), receipt(V1, "applied", offset=4), receipt(V3, "purged"))
    bench.turn(NOW_MS + EARLY_MS)
    entries = bench.written(topics.QUARANTINE, QUARANTINED)
    assert sorted(each["offset"] for each in entries) == [0, 3]


def test_a_receipt_that_was_deleted_has_been_heard_all_the_same() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    gone = Record(topics.partner_receipts(PARTNER), SHARD, 1, NAME + b"/applied", None, NOW_MS)
    assert late(bench.turn(NOW_MS + HOUR_MS, gone)) == (1, 0, 0)
    assert list(windows(bench, topics.released_digests(PARTNER)).values()) != []


def test_what_was_deleted_at_home_waits_for_nothing() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)
    deleted = Record(topics.released(PARTNER), SHARD, 1, a_released()["id"].encode(), None, NOW_MS)
    assert late(bench.turn(NOW_MS + HOUR_MS, deleted)) == (0, 0, 0)


def test_what_is_no_record_is_left_to_the_guard() -> None:
    bench = a_settler()
    name = a_released()["id"].encode()
    for key, value in ((name, b"\0\0"), (b"\xff", release().value), (name, receipt().value)):
        assert late(bench.turn(NOW_MS, Record(topics.released(PARTNER), SHARD, 0, key, value, NOW_MS))) == (0, 0, 0)


def test_the_counts_are_shown_again_to_a_worker_that_was_just_started() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release())
    assert bench.next_due() == NOW_MS + 60_000
    assert late(bench.turn(NOW_MS + 60_000)) == (0, 0, 0)


@given(st.permutations([release(V1), release(V2), recall(V3), receipt(V1), receipt(V2), receipt(V3, "purged")]))
def test_releases_and_receipts_come_to_the_same_in_any_order_of_the_two_topics(records: list[Record]) -> None:
    """Each topic keeps its own order, and what is between them is left to chance."""
    versions = {True: iter((V1, V2, V3)), False: iter((V1, V2, V3))}
    ordered = []
    for record in records:
        of_releases = record.topic == topics.released(PARTNER)
        version = next(versions[of_releases])
        made = recall(V3) if version == V3 else release(version)
        answer = receipt(V3, "purged") if version == V3 else receipt(version)
        ordered.append(made if of_releases else answer)
    bench = a_settler()
    for record in ordered:
        bench.turn(NOW_MS, record)
    assert late(bench.turn(NOW_MS + 2 * PURGE_LIMIT_MS)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def purges(bench: Workbench) -> list[int]:
    """The versions of the recalls that we have confirmed as purged."""
    return [each["version"] for each in bench.written(topics.receipts(PARTNER), RECEIPT) if each["code"] == "purged"]


def test_purged_is_said_when_nobody_can_read_a_copy_any_more_and_not_before() -> None:
    answers: dict[bytes, bool] = {}
    bench = a_settler(answers)
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    assert bench.asked == []
    bench.look(bench.next_due())  # nothing is known yet
    assert bench.asked == [{NAME: V2 - 1}]
    bench.turn(bench.next_due())
    assert len(bench.asked) == 2, "a question without an answer is asked again"
    answers[NAME] = True
    bench.look(bench.next_due())
    assert purges(bench) == []
    answers[NAME] = False
    at_ms = bench.next_due()
    bench.look(at_ms)
    assert purges(bench) == [V2]
    asked = len(bench.asked)
    bench.turn(at_ms + HOUR_MS)
    assert len(bench.asked) == asked


def test_an_answer_about_another_recall_purges_nothing() -> None:
    bench = a_settler({NAME: False})
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    bench.turn(bench.next_due())
    bench.turn(NOW_MS, held(V3 + 1, kind="recalled"))
    assert purges(bench) == []
    bench.look(bench.next_due())
    assert purges(bench) == [V3 + 1]


def test_while_a_copy_is_left_an_idle_partition_is_made_to_begin_a_new_segment() -> None:
    bench = a_settler({NAME: True})
    bench.turn(NOW_MS, held(V2, kind="recalled"))
    bench.look(NOW_MS + HOUR_MS)
    (marker,) = (output for output in bench.outputs if output.topic == topics.accepted(PARTNER))
    assert (marker.key, marker.value, marker.partition) == (ROLL_KEY, None, SHARD)
    bench.turn(NOW_MS + HOUR_MS, Record(marker.topic, SHARD, 9, marker.key, marker.value, NOW_MS))


def test_a_recall_that_content_has_overtaken_is_purged_too() -> None:
    bench = a_settler({NAME: False})
    bench.turn(NOW_MS, held(V1), held(V3, recalled_through=V2))
    bench.look(NOW_MS + HOUR_MS)
    assert bench.asked == [{NAME: V2}]
    assert purges(bench) == [V3]


def test_who_deletes_the_key_of_a_recall_still_has_to_have_purged_it() -> None:
    """A deletion of the picture's key leaves older segments, and the inbox, as they were."""
    bench = a_settler({NAME: False})
    bench.turn(NOW_MS, held(V1), held(V2, kind="recalled"))
    bench.turn(NOW_MS, Record(topics.accepted(PARTNER), SHARD, 2, NAME, None, NOW_MS))
    bench.look(NOW_MS + HOUR_MS)
    assert bench.asked == [{NAME: V2 - 1}]
    assert purges(bench) == [V2]
    assert windows(bench, topics.held_digests(PARTNER)) == {}
    bench.turn(NOW_MS + 3 * HOUR_MS)
    assert len(bench.asked) == 1


def test_a_version_that_cannot_be_stops_nobody() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, held(-5), release(-5))
    bench.turn(NOW_MS, held(V1))
    assert list(windows(bench, topics.held_digests(PARTNER))) == [NOW_MS - NOW_MS % HOUR_MS]


def test_what_only_expired_waits_for_no_purge() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, held(V1), held(V2, kind="expired"))
    bench.turn(NOW_MS + HOUR_MS)
    assert bench.asked == []


def windows(bench: Workbench, topic: str) -> dict[int, tuple[int, bytes]]:
    """Count and sum of each window as it was told last."""
    last: dict[int, tuple[int, bytes]] = {}
    for output in bench.outputs:
        if output.topic == topic:
            found = CODEC.decode(WINDOW_DIGEST, output.value) if output.value is not None else None
            last.pop(int(output.key), None)
            if isinstance(found, dict):
                last[found["window_ms"]] = found["count"], found["sum"]
    return last


def some_records(random: Random, count: int) -> list[Record]:
    """Releases of a few indicators, in the order of their versions, over several windows."""
    records = []
    for number in range(count):
        content = a_content(value=f"c{random.randrange(8)}.example.com")
        record = a_released(version=NOW_MS + number * HOUR_MS // 3, content=content)
        value = CODEC.encode(RELEASED_INDICATOR, record)
        records.append(Record(topics.released(PARTNER), SHARD, number, record["id"].encode(), value, NOW_MS))
    return records


@given(st.integers(0, 1 << 32), st.integers(1, 30))
def test_both_sides_have_the_same_digests_whatever_came_between(seed: int, count: int) -> None:
    """One nation reads all versions, the other only the last ones that compaction has left, in other batches."""
    random = Random(seed)
    records = some_records(random, count)
    releases, holder = a_settler(), a_settler()
    releases.turn(NOW_MS, *records)
    last = {record.key: record for record in records}
    for record in random.sample(list(last.values()), len(last)):
        holder.turn(NOW_MS, msgspec.structs.replace(record, topic=topics.accepted(PARTNER)))
    told = windows(releases, topics.released_digests(PARTNER))
    assert told == windows(holder, topics.held_digests(PARTNER))
    assert sum(each[0] for each in told.values()) == len(last)


def test_a_window_begins_with_its_first_millisecond_and_a_record_told_twice_counts_once() -> None:
    begin = NOW_MS - NOW_MS % HOUR_MS
    bench = a_settler()
    for record in (held(begin - 1), held(begin - 1), held(begin), held(begin)):
        bench.turn(NOW_MS, record)
    told = windows(bench, topics.held_digests(PARTNER))
    assert {window: count for window, (count, _) in told.items()} == {begin: 1}


def test_a_digest_changes_with_a_version_or_a_byte_of_a_record() -> None:
    def told(record: Record) -> dict[int, tuple[int, bytes]]:
        bench = a_settler()
        bench.turn(NOW_MS, record)
        return windows(bench, topics.released_digests(PARTNER))

    digests = [told(release(V1)), told(release(V2)), told(release(V1, content=a_content(confidence=79)))]
    assert all(one != other for one, other in combinations(digests, 2))


def test_a_window_that_nothing_is_left_in_is_deleted() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), release(V1 + HOUR_MS))
    deleted = Record(topics.released(PARTNER), SHARD, 1, NAME, None, NOW_MS)
    assert list(windows(bench, topics.released_digests(PARTNER))) == [NOW_MS + HOUR_MS - (NOW_MS % HOUR_MS)]
    bench.turn(NOW_MS, deleted)
    assert windows(bench, topics.released_digests(PARTNER)) == {}
