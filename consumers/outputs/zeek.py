"""A file of Zeek's intelligence framework, with tombstones: Zeek forgets nothing that only left the file.

Source of the format: Zeek's ``base/frameworks/intel/{main,input}.zeek``, ``policy/frameworks/intel/{removal,
do_notice}.zeek`` and the ASCII reader. A row with ``meta.remove`` takes out what the same ``meta.source`` has given. So
an entry that only the file holds becomes a tombstone, for as long as a sensor may be away. The rows are in the order of
the ids, which are in ``meta.desc``: old file and picture are merged without holding either in memory.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, repeat
from pathlib import Path
from typing import Final

from consumers.outputs.places import file_of, hours_of
from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Output, Report, Target
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.outputs.zeek_rows import FIELDS, TYPES, Row, row_of, rows_in
from consumers.picture.entry import Entry
from exchange.clock import now_ms
from schemas.markings import Activity
from schemas.vocabulary import TYPE_BY_LABEL

_NAME: Final = "zeek"
_KEEP_HOURS: Final = 168


class ZeekFile:
    """One file, replaced whole. ``keep_ms`` is how long a tombstone stays."""

    def __init__(self, path: Path, keep_ms: int, clock_ms: Callable[[], int] = now_ms) -> None:
        self._path, self._keep_ms, self._clock_ms = path, keep_ms, clock_ms

    def held(self) -> Held | None:
        """By the comment in its first line: the ASCII reader skips it."""
        return read_stamp(self._path)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the file. Earlier entries that are not among these become tombstones."""
        left_out, written, removed, now = Counter[LeftOut](), 0, 0, self._clock_ms()
        rows = _rows(entries, left_out)
        with replaced(self._path) as file:
            file.write(stamp(held))
            file.write(f"#fields\t{FIELDS}\n".encode())
            for before, after in _merged(rows_in(self._path), rows):
                for row in after:
                    file.write(row.line)
                    written += 1
                for row in _left(before, after):
                    since_ms = row.removed_ms or now
                    removed += not row.removed_ms
                    if now - since_ms < self._keep_ms:
                        file.write(row.tombstone(since_ms).line)
        return Report(written, removed, left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the file: Zeek reads it whole."""
        del changes
        return self.write(whole(), held)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the rows in the file that are no tombstones."""
        live = (row for row in rows_in(self._path) if not row.removed_ms)
        for before, after in _merged(live, _rows(entries, Counter())):
            sources = {row.source: row for row in before}
            for row in after:
                there = sources.pop(row.source, None)
                if there != row:
                    yield Difference("missing" if there is None else "altered", row.id)
            for row in sources.values():
                yield Difference("extra", row.id)

    def close(self) -> None:
        """Nothing is open between two writes."""


def _rows(entries: Iterable[Entry], left_out: Counter[LeftOut]) -> Iterator[Row]:
    for entry in entries:
        row = row_of(entry, TYPE_BY_LABEL[entry.type])
        if isinstance(row, LeftOut):
            left_out[row] += 1
        else:
            yield row


def _merged(before: Iterable[Row], after: Iterable[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
    """The rows of each id on both sides; both come in the order of the ids."""
    for _, group in groupby(merge(zip(repeat(0), before), zip(repeat(1), after), key=_id), key=_id):
        rows: tuple[list[Row], list[Row]] = ([], [])
        for side, row in group:
            rows[side].append(row)
        yield rows


def _id(of: tuple[int, Row]) -> str:
    return of[1].id


def _left(before: Iterable[Row], after: Iterable[Row]) -> list[Row]:
    live = {row.source for row in after}
    return [row for row in before if row.source not in live]


def _open(target: Target) -> ZeekFile:
    return ZeekFile(file_of(target, _NAME), hours_of(target, _NAME, "keep", _KEEP_HOURS) * 3_600_000)


OUTPUT: Final = Output(
    name=_NAME,
    writes="intelligence file; what left has `meta.remove`",
    place="FILE",
    carries=frozenset(TYPES),
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={"keep": f"hours that `meta.remove` stays, `{_KEEP_HOURS}` if not given: as long as a sensor may be away"},
    rewrites=True,
)
