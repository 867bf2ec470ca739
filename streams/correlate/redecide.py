"""After a change of rules everything is decided again, a portion with each batch: a cursor over the shard's rows.

Indicators that some partner has come first: there a recall may be due. The cursor is a row itself, committed with the
portion's results, so that it continues after a crash, a restart or a change of owner; normal work continues meanwhile.
A row names the rules that it was decided under: one with new input in the meantime is skipped.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from exchange.protocol.record import RowChange
from exchange.protocol.rows import Rows
from streams.correlate import row as rows_of
from streams.correlate.row import Row

CURSOR_KEY: Final = b"\x00cursor"
DECIDED: Final = 1_000
LOOKED_AT: Final = 5_000
NAME_BYTES: Final = 8  # of rules, in front of the borders that are not open (``streams.correlate.releases``)
_KEY_BYTES: Final = 16  # an indicator's; all other rows have shorter keys


class Cursor(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How far rows were decided again under ``rules``: first those that a partner knows of, then the rest."""

    rules: bytes
    since_ms: int
    known: bool = True
    after: bytes = b""
    done: bool = False

    def change(self, now_ms: int) -> RowChange:
        """The cursor's own row: due at once until it is done, and never late (``exchange.protocol.due``)."""
        return RowChange(CURSOR_KEY, msgspec.msgpack.encode(self), 0 if self.done else now_ms)

    def left(self, rows: int) -> int:
        """The estimated number of remaining rows of ``rows``: keys are digests, and so evenly distributed."""
        if self.done:
            return 0
        passed = int.from_bytes(self.after.ljust(_KEY_BYTES, b"\x00")) / 256**_KEY_BYTES
        return round(rows * (1 - passed + self.known))


def is_of(data: bytes | None, rules: bytes) -> bool:
    """Whether the cursor's row is of these rules: then it is due by itself while rows are left."""
    return data is not None and msgspec.msgpack.decode(data, type=Cursor).rules == rules


def cursor_of(data: bytes | None, rules: bytes, now_ms: int) -> Cursor:
    """The cursor of these rules; a new one from ``now_ms`` on if the row is of other rules."""
    found = None if data is None else msgspec.msgpack.decode(data, type=Cursor)
    return found if found is not None and found.rules == rules else Cursor(rules, now_ms)


def _stands(decided_under: bytes, rules: bytes) -> bool:
    """Whether an earlier decision is still valid: a border that closes takes nothing back."""
    return decided_under in (rules, rules[:NAME_BYTES])


def portion(
    cursor: Cursor, rows: Rows, settled: Collection[bytes], *, decided: int = DECIDED, looked_at: int = LOOKED_AT
) -> tuple[list[tuple[bytes, Row]], Cursor]:
    """The next rows to decide again, at most ``decided`` of at most ``looked_at``, and the cursor behind them.

    ``settled`` are those that this batch has settled already: their rows in the state are old.
    """
    found: list[tuple[bytes, Row]] = []
    after = cursor.after
    looked = rows.scan(after, looked_at)
    for key, data in looked:
        if len(found) == decided:
            break
        after = key
        if len(key) != _KEY_BYTES or key in settled:
            continue
        row = rows_of.decode(data)
        if (
            not _stands(row.rules, cursor.rules)
            and row.assertions
            and (any(sent.kind for sent in row.sent) or not cursor.known)
        ):
            found.append((key, row))
    else:
        if len(looked) < looked_at:
            return found, Cursor(cursor.rules, cursor.since_ms, known=False, done=not cursor.known)
    return found, msgspec.structs.replace(cursor, after=after)
