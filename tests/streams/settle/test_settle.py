"""Releases and receipts: which are answered, which wait for too long, and which receipts answer nothing."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from exchange.metrics import spec
from exchange.protocol.record import Record
from schemas import topics
from schemas.canary import CANARY_ID, CANARY_KEY
from schemas.codec import QUARANTINED, RECEIPT
from streams.settle.settlement import EARLY_MS, LONGEST_EARLY_MS, PURGE_LIMIT_MS
from streams.settle.step import Settle
from tests.builders import HOUR_MS, NOW_MS, PARTNER, a_receipt, a_released, an_id
from tests.streams.settle.records import (
    CODEC,
    LIMITS,
    NAME,
    SHARD,
    V1,
    V2,
    V3,
    a_settler,
    late,
    recall,
    receipt,
    release,
    windows,
)


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


def test_a_newer_release_does_not_delay_when_the_older_is_late() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    bench.turn(NOW_MS + HOUR_MS // 2, release(V2, NOW_MS + HOUR_MS // 2))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)


def test_a_receipt_for_an_earlier_version_does_not_delay_when_the_last_is_late() -> None:
    later = NOW_MS + HOUR_MS // 2
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    bench.turn(later, release(later, later))
    bench.turn(later + HOUR_MS // 3, receipt(V1))
    assert late(bench.turn(later + HOUR_MS - 1)) == (0, 0, 0)
    assert late(bench.turn(later + HOUR_MS)) == (1, 0, 0)


def test_a_refusal_settles_a_release_but_confirms_no_recall() -> None:
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


def test_applied_later_content_confirms_the_recall_that_it_overtook() -> None:
    """Compaction may leave the later record only, and a receipt for version n settles all up to n."""
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), recall(V2), release(V3, recalled_through=V1), receipt(V3, "applied"))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (0, 0, 0)


def test_a_receipt_that_arrives_before_its_release_waits_for_it() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V1))
    bench.turn(NOW_MS + EARLY_MS - 1, release(V1))
    assert late(bench.turn(NOW_MS + HOUR_MS * 2)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_receipt_waits_for_longer_while_its_shard_is_still_reading_releases() -> None:
    """A rebuilt shard with a million releases reads some receipts minutes before their releases."""
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


def test_a_receipt_for_something_never_released_is_quarantined_and_leaves_no_row() -> None:
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


def test_receipts_that_all_arrive_before_their_releases_all_count() -> None:
    """After a pause settle reads two topics in any order; each code is kept until its release is read."""
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V2, "recall_applied"), receipt(V3, "applied"), receipt(V2, "purged"))
    bench.turn(NOW_MS, release(V1), recall(V2), release(V3, recalled_through=V1))
    assert late(bench.turn(NOW_MS + 2 * PURGE_LIMIT_MS)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_repeated_receipt_changes_nothing() -> None:
    """If the partner's bridge lost its position here, it sends all of its receipts again, the older ones too."""
    bench = a_settler()
    answers = [receipt(V1), receipt(V2, "recall_applied"), receipt(V2, "purged")]
    bench.turn(NOW_MS, release(V1), recall(V2), *answers)
    effects = bench.turn(NOW_MS + HOUR_MS, *answers, *answers)
    assert late(effects) == (0, 0, 0)
    assert [row.key for row in effects.rows if row.key == NAME] == [NAME]
    assert late(bench.turn(NOW_MS + 2 * PURGE_LIMIT_MS)) == (0, 0, 0)
    assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_a_dispute_settles_nothing_before_or_after_its_release() -> None:
    for records in ([release(), receipt(V1, "disputed")], [receipt(V1, "disputed"), release()]):
        bench = a_settler()
        for record in records:
            bench.turn(NOW_MS, record)
        assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)
        assert not bench.written(topics.QUARANTINE, QUARANTINED)


def test_the_highest_unmatched_receipt_of_each_code_is_quarantined() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, receipt(V2, "applied", offset=3), receipt(V1, "applied", offset=4), receipt(V3, "purged"))
    bench.turn(NOW_MS + EARLY_MS)
    entries = bench.written(topics.QUARANTINE, QUARANTINED)
    assert sorted(each["offset"] for each in entries) == [0, 3]


def test_a_receipt_that_was_deleted_since_does_not_reset_the_row() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    gone = Record(topics.partner_receipts(PARTNER), SHARD, 1, NAME + b"/applied", None, NOW_MS)
    assert late(bench.turn(NOW_MS + HOUR_MS, gone)) == (1, 0, 0)
    assert list(windows(bench, topics.released_digests(PARTNER)).values()) != []


def test_a_release_that_was_deleted_at_home_waits_for_nothing() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1))
    assert late(bench.turn(NOW_MS + HOUR_MS)) == (1, 0, 0)
    deleted = Record(topics.released(PARTNER), SHARD, 1, a_released()["id"].encode(), None, NOW_MS)
    assert late(bench.turn(NOW_MS + HOUR_MS, deleted)) == (0, 0, 0)


def test_an_unreadable_release_changes_nothing_here() -> None:
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
def test_releases_and_receipts_have_the_same_result_in_any_order_of_the_two_topics(records: list[Record]) -> None:
    """Each topic keeps its own order; the order between them is random."""
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


def canary(record: Record) -> Record:
    """The same record, about the canary."""
    return msgspec.structs.replace(record, key=(record.key or b"").replace(NAME, CANARY_KEY))


def canary_released(version: int) -> Record:
    return canary(release(version, version, id=CANARY_ID))


def canary_answered(version: int, at_ms: int, code: str = "applied") -> Record:
    value = CODEC.encode(RECEIPT, a_receipt(version=version, code=code, indicator_id=CANARY_ID))
    return msgspec.structs.replace(canary(receipt(version, code)), value=value, timestamp_ms=at_ms)


def test_the_canary_has_arrived_when_the_partner_s_receipt_was_written_and_no_other_record_changes_that() -> None:
    bench, gauge = a_settler(), spec.CANARY_ARRIVED.at(PARTNER)
    assert gauge not in bench.turn(NOW_MS, release(V1)).gauges
    assert gauge not in bench.turn(NOW_MS, receipt(V1)).gauges
    assert gauge not in bench.turn(NOW_MS, canary_released(V1)).gauges, "released, but not received"
    arrived_ms = NOW_MS + 8_000
    assert bench.turn(arrived_ms + 1, canary_answered(V1, arrived_ms)).gauges[gauge] * 1000 == arrived_ms
    for later in (arrived_ms + HOUR_MS, arrived_ms + 2 * HOUR_MS):  # the bridge is dead
        assert bench.turn(later, canary_released(later)).gauges[gauge] * 1000 == arrived_ms
    refused = canary_answered(arrived_ms + HOUR_MS, arrived_ms + 3 * HOUR_MS, "refused")
    assert bench.turn(arrived_ms + 3 * HOUR_MS, refused).gauges[gauge] * 1000 == arrived_ms
    again_ms = arrived_ms + 4 * HOUR_MS
    assert bench.turn(again_ms, canary_answered(arrived_ms + 2 * HOUR_MS, again_ms)).gauges[gauge] * 1000 == again_ms
    repeated = canary_answered(arrived_ms + 2 * HOUR_MS, again_ms + HOUR_MS)  # a repair writes receipts again
    assert bench.turn(again_ms + HOUR_MS, repeated).gauges[gauge] * 1000 == again_ms


def test_a_worker_that_was_just_started_shows_the_old_arrival_and_the_counts_before_any_record_arrives() -> None:
    bench, gauge = a_settler(), spec.CANARY_ARRIVED.at(PARTNER)
    assert not bench.wakes(NOW_MS), "of a shard without rows there is nothing to show"
    bench.turn(NOW_MS, canary_released(V1))
    bench.turn(NOW_MS, canary_answered(V1, NOW_MS))
    bench.turn(NOW_MS + 1, canary_released(V2))
    bench.continue_with(Settle("GBR", PARTNER, SHARD, CODEC, LIMITS))
    shown = bench.woken_turn(NOW_MS + 2)
    assert shown.gauges[gauge] * 1000 == NOW_MS
    assert late(shown) == (0, 0, 0)
    assert not bench.wakes(NOW_MS + 3)
