"""Bounds the refusals of one input: rubbish must not fill the quarantine, and nothing is dropped in silence."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from producers.readers.reading import Reading, Rejected, rejected
from schemas.observation import SourcePlace
from schemas.vocabulary import RejectReason

MOST_ALONE: Final = 10_000
"""Refusals of an input that are kept one by one, each with its original."""
MOST_TOGETHER: Final = 10_000
"""Further refusals that are counted in one refusal. An endless input, too, reports them repeatedly."""


def bounded(readings: Iterator[Reading]) -> Iterator[Reading]:
    """The same readings; behind the first ``MOST_ALONE`` refusals one for each ``MOST_TOGETHER`` that follow."""
    alone, more = 0, Counter[RejectReason]()
    first: SourcePlace | None = None
    last: SourcePlace | None = None
    here: SourcePlace | None = None
    for reading in readings:
        here = reading.place
        if not isinstance(reading, Rejected) or alone < MOST_ALONE or not reading.place.line:
            alone += isinstance(reading, Rejected)
            yield reading
            continue
        more[reading.reason] += 1
        first, last = first or reading.place, reading.place
        if more.total() == MOST_TOGETHER:
            yield _together(more, first, last, here)
            more, first = Counter[RejectReason](), None
    if first is not None and last is not None and here is not None:
        yield _together(more, first, last, here)


def _together(more: Counter[RejectReason], first: SourcePlace, last: SourcePlace, here: SourcePlace) -> Rejected:
    """One refusal for many, in the place of the reading before it: positions never decrease."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in more.most_common())
    detail = (
        f"{more.total()} more refusals from {first.line} to {last.line}: {reasons}; fix the input and produce it again"
    )
    return rejected(here, more.most_common(1)[0][0], detail, detail.encode())
