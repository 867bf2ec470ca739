"""Which reports have an observation that can be used: redriven input uses up its quarantine key only then."""

from collections.abc import Sequence

from streams.intake.collapse import Normaliser, normalise
from streams.intake.columns import Arrived, Dictionaries, columns_of
from streams.intake.validate import reasons


def usable(reports: Sequence[Arrived]) -> set[int]:
    """The places of the reports of which at least one observation is not refused."""
    return {place for place, each in enumerate(reports) if _is_usable(each)}


def _is_usable(arrived: Arrived) -> bool:
    dictionaries = Dictionaries()
    columns = columns_of(arrived.report, dictionaries)
    refused = reasons(columns, dictionaries, arrived.appended_ms)
    known, _ = normalise(columns, refused, Normaliser())
    return any(known)
