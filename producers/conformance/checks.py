"""Which checks judge which requirement. Every requirement of the standard is here, and a test holds it to that."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from producers.conformance import of_reports, of_series, of_statements
from producers.conformance.facts import Ended, Fact, Kept, Question, Refusal, Sent, Statement, Unread
from producers.conformance.finding import Finding


class Check(Protocol):
    """A check over a series of facts: it takes those of its types in order, and then gives the remaining findings."""

    @property
    def of(self) -> tuple[type, ...]:
        """The types of the facts that it takes."""

    def take(self, fact: Fact, /) -> Iterator[Finding]:
        """What one fact shows."""

    def rest(self) -> Iterator[Finding]:
        """What all of them together show."""


@dataclass(frozen=True, slots=True)
class Each:
    """A check that judges each fact alone."""

    of: tuple[type, ...]
    judge: Callable[[Any, Question], Finding | None]
    question: Question

    def take(self, fact: Fact) -> Iterator[Finding]:
        """The finding of this fact, if the requirement is about it."""
        found = self.judge(fact, self.question)
        if found is not None:
            yield found

    def rest(self) -> Iterator[Finding]:
        """No findings remain."""
        return iter(())


Maker = Callable[[Question], Check]


def _each(judge: Callable[[Any, Question], Finding | None], *of: type) -> Maker:
    return lambda question: Each(of or (Statement,), judge, question)


CHECKS: Final[Mapping[str, tuple[Maker, ...]]] = {
    "KKH-IDS-01": (_each(of_reports.names_its_sensor, Sent),),
    "KKH-IDS-02": (of_series.UniqueIdentity,),
    "KKH-IDS-03": (_each(of_reports.is_signed, Sent),),
    "KKH-CAN-01": (_each(of_statements.valid_value), _each(of_reports.valid_piece, Unread)),
    "KKH-CAN-02": (_each(of_statements.canonical_value),),
    "KKH-CAN-03": (_each(of_statements.fields_in_range),),
    "KKH-MRK-01": (_each(of_statements.has_tlp),),
    "KKH-MRK-02": (_each(of_statements.marking_understood),),
    "KKH-MRK-03": (_each(of_statements.original_label),),
    "KKH-MRK-04": (_each(of_statements.names_recipients),),
    "KKH-MRK-05": (_each(of_statements.has_pap),),
    "KKH-TIM-01": (_each(of_statements.has_time),),
    "KKH-TIM-02": (_each(of_statements.published_in_time),),
    "KKH-TIM-03": (_each(of_reports.arrived_in_time, Sent),),
    "KKH-TIM-04": (_each(of_statements.time_not_ahead), _each(of_reports.built_before, Sent)),
    "KKH-TIM-05": (_each(of_reports.times_of_broker, Kept),),
    "KKH-CMP-01": (of_series.NotEmpty,),
    "KKH-CMP-02": (_each(of_reports.read_whole, Ended, Sent, Unread),),
    "KKH-CMP-03": (of_series.NoGap,),
    "KKH-CMP-04": (of_series.AllPublished,),
    "KKH-CMP-05": (_each(of_statements.has_confidence),),
    "KKH-CMP-06": (_each(of_statements.has_label),),
    "KKH-WDR-01": (of_series.DelistedWithdrawn,),
    "KKH-WDR-02": (_each(of_statements.not_ended),),
    "KKH-WDR-03": (_each(of_statements.has_end),),
    "KKH-WDR-04": (_each(of_statements.valid_withdrawal),),
    "KKH-REF-01": (
        _each(of_statements.not_refused),
        _each(of_reports.not_unread, Unread),
        _each(of_reports.not_open, Refusal),
    ),
    "KKH-REF-02": (_each(of_reports.corrected_in_time, Refusal),),
    "KKH-RET-01": (_each(of_reports.reports_kept, Kept),),
    "KKH-RET-02": (_each(of_reports.refusals_kept, Kept),),
    "KKH-RET-03": (_each(of_reports.decisions_kept, Kept),),
    "KKH-INC-01": (of_series.IncidentPublished,),
    "KKH-INC-02": (of_series.NoSilence,),
    "KKH-INC-03": (of_series.IncidentTypes,),
    "KKH-INC-04": (_each(of_statements.first_seen_of_incident),),
}
"""The checks of each requirement. It is met if all of them find so."""

MAY_BE_ABSENT: Final = frozenset(
    {
        *("KKH-MRK-04", "KKH-WDR-02", "KKH-WDR-04", "KKH-REF-02"),
        *("KKH-INC-01", "KKH-INC-03", "KKH-INC-04"),
    }
)
"""Requirements about optional content: without it they do not apply. All others cannot be judged then."""
ALSO_UNREAD: Final = frozenset({"KKH-CAN-01", "KKH-CMP-01", "KKH-CMP-02", "KKH-REF-01"})
"""Requirements that judge unreadable pieces, too. To all others that judge observations such a piece is unknown."""
