"""The cursor over a shard's rows: whatever the portions and restarts, each stale row is found once, the known first."""

from collections.abc import Sequence
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from schemas.markings import SourceMarking, understand
from schemas.vocabulary import IndicatorType
from streams.correlate import row as rows_of
from streams.correlate.assertion import Assertion
from streams.correlate.redecide import Cursor, cursor_of, portion
from streams.correlate.row import Row, Sent
from streams.correlate.statement import Statement
from streams.enrichment.enrich import Enrichment

OLD: Final = b"old"
NEW: Final = b"new"
NOW_MS: Final = 1_000


class Table:
    """``exchange.protocol.step.Rows`` over a dictionary."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self.rows = rows

    def size(self) -> int:
        return len(self.rows)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self.rows.get(key) for key in keys]

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(key, self.rows[key]) for key in sorted(self.rows) if key > after][:limit]


def a_row(rules: bytes, *, known: bool, reported: bool = True) -> bytes:
    """One indicator as its row lies in the state."""
    statement = Statement.of(1, 0, NOW_MS, understand(SourceMarking("TLP:GREEN")))
    stated = (Assertion("edge", statement, ()),) if reported else ()
    sent = (Sent("JPN", "content" if known else "", 1),)
    return rows_of.encode(Row(IndicatorType.FILE_MD5, "", Enrichment(), stated, sent=sent, rules=rules))


def a_key(number: int) -> bytes:
    return bytes([number]) * 16


@given(
    rows=st.dictionaries(
        st.integers(0, 255),
        st.tuples(st.sampled_from([OLD, NEW, b""]), st.booleans(), st.booleans()),
        max_size=40,
    ),
    decided=st.integers(1, 7),
    looked_at=st.integers(1, 9),
    settled=st.lists(st.integers(0, 255), max_size=12),
)
def test_each_stale_row_is_found_once_and_those_a_partner_knows_of_first(
    rows: dict[int, tuple[bytes, bool, bool]], decided: int, looked_at: int, settled: list[int]
) -> None:
    """Between portions the cursor is a row, as after a restart; and a batch settles one row after the other."""
    table = Table({b"\x00head": b"not an indicator's row"})
    for number, (rules, known, reported) in rows.items():
        table.rows[a_key(number)] = a_row(rules, known=known, reported=reported)
    stale = {number for number, (rules, _, reported) in rows.items() if rules != NEW and reported}
    kept, found, left = None, list[int](), list[int]()
    cursor = cursor_of(kept, NEW, NOW_MS)
    for turn in range(1_000):
        cursor = cursor_of(kept, NEW, NOW_MS + turn)
        assert cursor.since_ms == NOW_MS
        left.append(cursor.left(table.size()))
        if cursor.done:
            break
        in_batch = frozenset(a_key(number) for number in settled[turn : turn + 1])
        portion_of, cursor = portion(cursor, table, in_batch, decided=decided, looked_at=looked_at)
        assert len(portion_of) <= decided
        found += [key[0] for key, _ in portion_of]
        for key in (*(key for key, _ in portion_of), *(key for key in in_batch if key in table.rows)):
            table.rows[key] = a_row(NEW, known=rows[key[0]][1], reported=rows[key[0]][2])
        kept = cursor.change(NOW_MS).value
        assert (cursor.change(NOW_MS).due_ms == 0) == cursor.done
    assert cursor.done
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    assert len(found) == len(set(found))
    assert set(found) <= stale <= {*found, *settled}
    of_known = [rows[number][1] for number in found]
    assert of_known == sorted(of_known, reverse=True)


def test_other_rules_begin_at_the_beginning() -> None:
    there = Cursor(OLD, NOW_MS, known=False, after=a_key(9)).change(NOW_MS).value
    assert cursor_of(there, OLD, NOW_MS + 5) == Cursor(OLD, NOW_MS, known=False, after=a_key(9))
    assert cursor_of(there, NEW, NOW_MS + 5) == Cursor(NEW, NOW_MS + 5)


def test_what_is_left_is_estimated_by_the_place_of_the_cursor() -> None:
    assert Cursor(NEW, NOW_MS).left(1_000) == 2_000
    assert Cursor(NEW, NOW_MS, known=False, after=b"\x40" + bytes(15)).left(1_000) == 750
    assert Cursor(NEW, NOW_MS, known=False, done=True).left(1_000) == 0
