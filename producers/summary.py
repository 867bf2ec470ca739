"""The result of a run of ``producers.produce``: counts of all of it, and of each file."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from producers.default_marking import DefaultMarking
from producers.readers.reading import Rejected
from producers.spool.batch import Kept, Step
from schemas.vocabulary import RejectReason

SHOWN_REFUSALS: Final = 5


class Totals(NamedTuple):
    """Counts of pieces by what became of them."""

    observations: int
    withdrawn: int
    left_out: int
    refused: int

    def __sub__(self, earlier: "Totals") -> "Totals":
        """What was counted since."""
        return Totals(*(now - then for now, then in zip(self, earlier, strict=True)))


class FileRead(NamedTuple):
    """One file that was read: its reader's name, empty if none knows it; and its pieces, by the reader's unit."""

    name: str
    reader: str
    unit: str
    records: int
    found: Totals


@dataclass(slots=True)
class Summary:
    """The result of a run. ``skipped`` are files whose content was produced before, ``gaps`` what could not be read.

    ``records`` counts what was read by the readers' units, ``not_carried`` refusals by kinds without a type here.
    ``by_file`` has the inputs that an operator has named, ``unreviewed`` the reports that no person has agreed to.
    """

    files: int = 0
    skipped: list[str] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)
    observations: int = 0
    reports: int = 0
    gaps: list[str] = field(default_factory=list)
    rejected: Counter[RejectReason] = field(default_factory=Counter)
    first_rejected: list[Rejected] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    not_carried: Counter[str] = field(default_factory=Counter)
    withdrawn: int = 0
    kept: Kept | None = None
    marked: DefaultMarking = field(default_factory=DefaultMarking)
    by_file: list[FileRead] = field(default_factory=list)
    unreviewed: list[str] = field(default_factory=list)

    def totals(self) -> Totals:
        """What was counted up to now."""
        return Totals(self.observations, self.withdrawn, self.left_out.total(), self.rejected.total())

    def add(self, step: Step) -> None:
        """Count one step."""
        self.observations += step.observations
        self.reports += step.reports
        self.rejected += step.rejected
        self.left_out += step.left_out
        self.withdrawn += step.withdrawn
        self.not_carried.update(each.kind for each in step.first_rejected if each.kind)
        for kept in step.kept:
            self.keep(kept)
        self.first_rejected += step.first_rejected[: SHOWN_REFUSALS - len(self.first_rejected)]

    def keep(self, kept: Kept) -> None:
        """Count withdrawals that are not made."""
        before = self.kept or Kept(0, 0, kept.reason)
        self.kept = Kept(before.gone + kept.gone, before.before + kept.before, before.reason)
