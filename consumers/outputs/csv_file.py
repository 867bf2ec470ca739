"""A CSV file (RFC 4180) for spreadsheets and look-ups: a heading, and a row for each indicator of each origin."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from consumers.outputs.beside import read_note, replaced_with_note
from consumers.outputs.places import activity_of, file_of
from consumers.outputs.protocol import EVERY_TYPE, Change, Difference, Held, LeftOut, Output, Report, Target
from consumers.picture.as_record import csv_lines
from consumers.picture.entry import Entry
from schemas.markings import Activity

_NAME: Final = "csv"
_MOST_CHARACTERS: Final = 32_767  # of a cell: "Excel specifications and limits"
_ENDING: Final = "\r\n"  # RFC 4180, 2.1


class CsvFile:
    """One file, replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def held(self) -> Held | None:
        """By the note beside it."""
        return read_note(self._path)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace the file."""
        written = too_long = 0
        with replaced_with_note(self._path, held) as file:
            for number, line in enumerate(csv_lines(entries)):
                if len(line) > _MOST_CHARACTERS:
                    too_long += 1
                    continue
                file.write(f"{line}{_ENDING}".encode())
                written += number > 0
        return Report(written, left_out={LeftOut.LIMIT: too_long} if too_long else {})

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace the file: the format has no other way."""
        del changes
        return self.write(whole(), held)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the rows in the file."""
        found = self._read()
        for line in islice(csv_lines(entries), 1, None):
            if len(line) > _MOST_CHARACTERS:
                continue
            [row] = csv.reader([line])
            there = found.pop((row[0], row[1]), None)
            if there != row:
                yield Difference("missing" if there is None else "altered", row[0])
        for indicator, _ in found:
            yield Difference("extra", indicator)

    def close(self) -> None:
        """Nothing is open between two writes."""

    def _read(self) -> dict[tuple[str, str], list[str]]:
        try:
            with self._path.open(encoding="utf-8", errors="replace", newline="") as file:
                return {(row[0], row[1]): row for row in islice(csv.reader(file), 1, None) if len(row) > 1}
        except (OSError, csv.Error):
            return {}


def _activity(target: Target) -> Activity:
    return activity_of(target, _NAME, Activity.PASSIVE_LOCAL)


def _open(target: Target) -> CsvFile:
    _activity(target)
    return CsvFile(file_of(target, _NAME))


OUTPUT: Final = Output(
    name=_NAME,
    writes="CSV with the columns of `kakehashi export`",
    place="FILE",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={"activity": "what the reader does: `passive-local` if not given, `passive-remote` or `active`"},
    activity_by=_activity,
    rewrites=True,
)
