"""What differs between what was released and what is held, whatever was lost, changed, added or is on its way."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.reconcile.compare import (
    LOST,
    REPAIRED_BY_REISSUE,
    SideRecord,
    answered_in,
    differences,
    differing,
    digests_in,
    records_of,
    refusals_in,
    remembered_by_settle,
    stopped_in,
    without_superseded,
)
from exchange.metrics.labels import Differs
from exchange.protocol.record import Record, RowChange
from schemas.codec import QUARANTINED, RECEIPT, RELEASED_INDICATOR, WINDOW_DIGEST, Codec
from schemas.window import SUM_BYTES, WINDOW_MS, added, window_of
from streams.settle import settlement
from tests.builders import NOW_MS, a_content, a_quarantined, a_receipt, a_released, an_id

CODEC = Codec()
NAME = a_released()["id"]
LONG_AGO = NOW_MS - 2 * WINDOW_MS


def stands(version: int = NOW_MS, fingerprint: bytes = b"f", at_ms: int = LONG_AGO) -> dict[str, SideRecord]:
    return {NAME: SideRecord(version, fingerprint, 7, at_ms)}


def found(
    ours: dict[str, SideRecord], theirs: dict[str, SideRecord], refused: dict[str, tuple[int, str]] | None = None
) -> list[tuple[Differs, int, int]]:
    every = differences(ours, theirs, refused or {}, 0, settled_before_ms=NOW_MS)
    return [(each.differs, each.released_version, each.held_version) for each in every]


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        (stands(), stands(), None),
        (stands(), {}, Differs.MISSING),
        (stands(2), stands(1), Differs.STALE),
        (stands(1), stands(2), Differs.AHEAD),
        (stands(1, b"f"), stands(1, b"g"), Differs.ALTERED),
        ({}, stands(), Differs.EXTRA),
    ],
)
def test_each_way_to_differ_has_its_name(
    ours: dict[str, SideRecord], theirs: dict[str, SideRecord], differs: Differs | None
) -> None:
    assert [each[0] for each in found(ours, theirs)] == ([] if differs is None else [differs])


def test_what_was_released_a_moment_ago_is_on_its_way_and_no_difference() -> None:
    assert found(stands(at_ms=NOW_MS), {}) == []
    assert found(stands(at_ms=NOW_MS - 1), {}) == [(Differs.MISSING, NOW_MS, 0)]


def test_what_the_bridge_has_not_carried_yet_is_on_its_way_however_long_ago_it_was_released() -> None:
    """Its link is down, slow or closed: who told it all again would only send more."""

    def missing(carried_to: int | None) -> int:
        return len(list(differences(stands(), {}, {}, 0, settled_before_ms=NOW_MS, carried_to=carried_to)))

    assert [missing(each) for each in (0, 7, 8, None)] == [0, 0, 1, 1]


def test_what_the_partner_has_refused_is_no_loss_until_something_newer_is_released() -> None:
    refused = {NAME: (NOW_MS, "forbidden-marking")}
    assert found(stands(NOW_MS), {}, refused) == [(Differs.REFUSED, NOW_MS, 0)]
    assert found(stands(NOW_MS), stands(NOW_MS - 1), refused) == [(Differs.REFUSED, NOW_MS, NOW_MS - 1)]
    assert found(stands(NOW_MS), stands(NOW_MS, b"recall"), refused) == [(Differs.REFUSED, NOW_MS, NOW_MS)]
    assert found(stands(NOW_MS + 1), {}, refused) == [(Differs.MISSING, NOW_MS + 1, 0)]


def test_what_the_guard_of_our_bridge_stopped_is_refused_at_once_and_not_on_its_way() -> None:
    entries = [
        a_quarantined(stage=stage, topic=topic, offset=7, reason="forbidden-caveat")
        for stage, topic in (("bridge", "t"), ("bridge", "another"), ("intake", "t"))
    ]
    records = [Record("q", 0, 0, b"", CODEC.encode(QUARANTINED, each), 0) for each in entries]
    assert stopped_in(records[1:], CODEC, "t") == {}
    stopped = stopped_in(records, CODEC, "t")
    [each] = differences(stands(at_ms=NOW_MS), {}, {}, 0, settled_before_ms=NOW_MS, stopped=stopped)
    assert (each.differs, each.reason) == (Differs.REFUSED, "stopped by our bridge's guard: forbidden-caveat")
    assert each.differs not in REPAIRED_BY_REISSUE


def test_what_has_left_the_windows_while_they_were_read_is_nobodys_invention() -> None:
    """Held was read first; then a new version was released, into a window that was the same on both sides."""
    before, after = a_record("a.example.com", NOW_MS), a_record("a.example.com", NOW_MS + 5 * WINDOW_MS)
    windows = frozenset({window_of(NOW_MS)})
    held = records_of([before], CODEC, windows)
    released = records_of([before, after], CODEC, windows, named=held)
    assert [each.differs for each in differences(released, held, {}, 0, settled_before_ms=LONG_AGO)] == []


def test_keys_that_are_no_indicators_and_numbers_without_end_are_passed_over() -> None:
    """A partner writes its own topics: what stands there is for no log, no terminal and no repair."""
    record = a_record("a.example.com", NOW_MS)
    for key in (b"", b"\x1b]0;owned\x07\nreconcile.done", b"indicator--" + b"7" * 100_000):
        assert records_of([msgspec.structs.replace(record, key=key)], CODEC, None) == {}
    assert digests_in([Record("d", 0, 0, b"9" * 100_000, None, 0)], CODEC) == {}


def test_an_older_refusal_that_comes_again_hides_no_newer_one() -> None:
    receipts = [a_receipt(code="refused", reason=why, version=at) for why, at in (("looped", 9), ("undecodable", 3))]
    records = [Record("r", 0, 0, b"", CODEC.encode(RECEIPT, each), 0) for each in receipts]
    assert refusals_in(records, CODEC) == {NAME: (9, "looped")}


def test_a_refusal_is_read_from_the_receipts_that_came_home() -> None:
    receipts = [a_receipt(code="applied"), a_receipt(code="refused", reason="key-mismatch")]
    records = [Record("r", 0, 0, b"", CODEC.encode(RECEIPT, each), 0) for each in receipts]
    assert refusals_in([*records, Record("r", 0, 0, b"", b"\0", 0)], CODEC) == {NAME: (NOW_MS, "key-mismatch")}


def a_record(value: str, version: int, **changes: Any) -> Record:
    record = a_released(version=version, content=a_content(value=value, **changes))
    return Record("t", 0, 0, record["id"].encode(), CODEC.encode(RELEASED_INDICATOR, record), LONG_AGO)


def digests(records: list[Record]) -> dict[int, tuple[int, bytes]]:
    """The digests of what stands in the end, by another way than settle's: from the last records alone."""
    sums: dict[int, tuple[int, bytes]] = {}
    for each in records_of(records, CODEC, None).values():
        count, total = sums.get(window_of(each.version), (0, bytes(SUM_BYTES)))
        sums[window_of(each.version)] = count + 1, added(total, [(each.fingerprint, 1)])
    return sums


@given(st.integers(0, 1 << 32), st.integers(1, 40), st.integers(0, 8))
def test_whatever_is_lost_altered_or_added_is_named_and_nothing_else(seed: int, count: int, faults: int) -> None:
    random = Random(seed)
    ours = [a_record(f"c{n}.example.com", NOW_MS + n * WINDOW_MS // 5) for n in range(count)]
    theirs = {record.key: record for record in ours}
    wanted: dict[bytes | None, Differs] = {}
    for n in random.sample(range(count), min(faults, count)):
        key = ours[n].key
        match random.randrange(4):
            case 0:
                del theirs[key]
                wanted[key] = Differs.MISSING
            case 1:
                theirs[key] = a_record(f"c{n}.example.com", NOW_MS - 1)
                wanted[key] = Differs.STALE
            case 2:
                theirs[key] = a_record(f"c{n}.example.com", NOW_MS + n * WINDOW_MS // 5, confidence=1)
                wanted[key] = Differs.ALTERED
            case _:
                extra = a_record(f"x{n}.example.com", NOW_MS + n)
                theirs[extra.key] = extra
                wanted[extra.key] = Differs.EXTRA
    held = list(theirs.values())
    windows = differing(digests(ours), digests(held))
    every = differences(
        records_of(ours, CODEC, frozenset(windows)),
        records_of(held, CODEC, frozenset(windows)),
        {},
        0,
        settled_before_ms=NOW_MS,
    )
    assert {each.indicator_id.encode(): each.differs for each in every} == wanted
    assert bool(windows) == bool(wanted)


def test_a_digest_that_was_deleted_is_of_nothing_and_damage_is_passed_over() -> None:
    def announced(window: int, count: int) -> Record:
        body = {"window_ms": window, "length_ms": WINDOW_MS, "count": count, "sum": bytes(16), "at_ms": NOW_MS}
        return Record("d", 0, 0, b"%d" % window, CODEC.encode(WINDOW_DIGEST, body), 0)

    gone = Record("d", 0, 0, b"0", None, 0)
    records = [
        announced(0, 1),
        announced(WINDOW_MS, 2),
        announced(WINDOW_MS, 3),
        gone,
        Record("d", 0, 0, b"x", None, 0),
    ]
    damaged = Record("d", 0, 0, b"7", b"\0\0", 0)
    assert digests_in([*records, damaged], CODEC) == {WINDOW_MS: (3, bytes(16))}
    assert differing({WINDOW_MS: (3, b"")}, {}) == [WINDOW_MS]


def test_what_a_topic_has_lost_is_known_from_the_rows_of_settle_and_nothing_else_of_them() -> None:
    """The rows are read as settle writes them: whoever changes their form meets this test."""
    announced = settlement.encode(settlement.ReleaseRow(version=NOW_MS, fingerprint=b"f"))
    claimed = settlement.encode(settlement.ReleaseRow(early=(settlement.EarlyReceipt("applied", 9, b"", 0, NOW_MS),)))
    other = an_id(value="two.example.com")
    rows = [
        RowChange(b"\0counts", b"\x00"),
        RowChange(b"\1" + NAME.encode(), announced),
        RowChange(NAME.encode(), announced),
        RowChange(other.encode(), claimed),
    ]
    lost = remembered_by_settle(rows, None)
    assert lost == {NAME: SideRecord(NOW_MS, b"f", LOST, 0)}
    never_carried = differences(lost, {}, {}, 0, settled_before_ms=NOW_MS, carried_to=0)
    assert [each.differs for each in never_carried] == [Differs.MISSING]
    assert remembered_by_settle(rows, {window_of(NOW_MS)}).keys() == {NAME}
    assert remembered_by_settle(rows, {window_of(LONG_AGO)}) == {}
    assert remembered_by_settle([*rows, RowChange(NAME.encode(), None)], None) == {}


@pytest.mark.parametrize("value", [None, CODEC.encode(RELEASED_INDICATOR, a_released())], ids=["deleted", "released"])
def test_what_the_topic_states_of_an_indicator_is_believed_before_what_is_remembered(value: bytes | None) -> None:
    announced = stands()
    record = Record("released", 0, 0, NAME.encode(), value, NOW_MS)
    assert list(without_superseded([record], announced)) == [record]
    assert announced == {}


@pytest.mark.parametrize(
    ("code", "version", "differs"),
    [
        ("applied", NOW_MS, None),
        ("received", NOW_MS + 1, None),
        ("refused", NOW_MS, None),
        ("applied", NOW_MS - 1, Differs.UNANSWERED),
        ("disputed", NOW_MS, Differs.UNANSWERED),
    ],
)
def test_what_both_have_and_no_one_has_answered_is_a_difference_where_that_is_looked_for(
    code: str, version: int, differs: Differs | None
) -> None:
    receipt = CODEC.encode(RECEIPT, a_receipt(indicator_id=NAME, code=code, version=version))
    answered = answered_in([Record("receipts", 0, 0, NAME.encode(), receipt, NOW_MS)], CODEC)
    every = differences(stands(), stands(), {}, 0, settled_before_ms=NOW_MS, answered=answered)
    assert [each.differs for each in every] == ([] if differs is None else [differs])
    assert list(differences(stands(), stands(), {}, 0, settled_before_ms=NOW_MS)) == []
