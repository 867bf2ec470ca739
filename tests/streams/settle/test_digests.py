"""Both nations keep the same digests of the same releases."""

from itertools import combinations
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from exchange.protocol.record import Record
from schemas import topics
from schemas.codec import RELEASED_INDICATOR
from tests.builders import HOUR_MS, NOW_MS, PARTNER, a_content, a_released
from tests.streams.settle.records import CODEC, NAME, SHARD, V1, V2, a_settler, held, release, windows


def some_records(random: Random, count: int) -> list[Record]:
    """Releases of a few indicators, in the order of their versions, over several windows."""
    records = []
    for number in range(count):
        content = a_content(value=f"c{random.randrange(8)}.example.com")
        record = a_released(version=NOW_MS + number * HOUR_MS // 3, content=content)
        value = CODEC.encode(RELEASED_INDICATOR, record)
        records.append(Record(topics.released(PARTNER), SHARD, number, record["id"].encode(), value, NOW_MS))
    return records


def test_an_impossible_version_is_ignored() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, held(-5), release(-5))
    bench.turn(NOW_MS, held(V1))
    assert list(windows(bench, topics.held_digests(PARTNER))) == [NOW_MS - NOW_MS % HOUR_MS]


@given(st.integers(0, 1 << 32), st.integers(1, 30))
def test_both_nations_have_the_same_digests_of_the_same_releases(seed: int, count: int) -> None:
    """One nation reads all versions, the other only the latest ones that compaction left, in other batches."""
    random = Random(seed)
    records = some_records(random, count)
    releases, holder = a_settler(), a_settler()
    releases.turn(NOW_MS, *records)
    last = {record.key: record for record in records}
    for record in random.sample(list(last.values()), len(last)):
        holder.turn(NOW_MS, msgspec.structs.replace(record, topic=topics.accepted(PARTNER)))
    found = windows(releases, topics.released_digests(PARTNER))
    assert found == windows(holder, topics.held_digests(PARTNER))
    assert sum(each[0] for each in found.values()) == len(last)


def test_a_window_begins_with_its_first_millisecond_and_a_repeated_record_counts_once() -> None:
    begin = NOW_MS - NOW_MS % HOUR_MS
    bench = a_settler()
    for record in (held(begin - 1), held(begin - 1), held(begin), held(begin)):
        bench.turn(NOW_MS, record)
    found = windows(bench, topics.held_digests(PARTNER))
    assert {window: count for window, (count, _) in found.items()} == {begin: 1}


def test_a_digest_changes_with_a_version_or_a_byte_of_a_record() -> None:
    def digests_of(record: Record) -> dict[int, tuple[int, bytes]]:
        bench = a_settler()
        bench.turn(NOW_MS, record)
        return windows(bench, topics.released_digests(PARTNER))

    digests = [
        digests_of(release(V1)),
        digests_of(release(V2)),
        digests_of(release(V1, content=a_content(confidence=79))),
    ]
    assert all(one != other for one, other in combinations(digests, 2))


def test_an_empty_window_is_deleted() -> None:
    bench = a_settler()
    bench.turn(NOW_MS, release(V1), release(V1 + HOUR_MS))
    deleted = Record(topics.released(PARTNER), SHARD, 1, NAME, None, NOW_MS)
    assert list(windows(bench, topics.released_digests(PARTNER))) == [NOW_MS + HOUR_MS - (NOW_MS % HOUR_MS)]
    bench.turn(NOW_MS, deleted)
    assert windows(bench, topics.released_digests(PARTNER)) == {}
