"""Which reports have an observation that can be used: what is redriven uses up its quarantine key only then."""

from collections.abc import Sequence

import polars as pl

from streams.intake.collapse import Normaliser, normalise
from streams.intake.columns import Arrived, frame_of
from streams.intake.validate import reasons


def usable(reports: Sequence[Arrived]) -> set[int]:
    """The places of the reports of which at least one observation is not refused."""
    if not reports:
        return set()
    batch = frame_of(reports)
    normal, _ = normalise(batch.frame.filter(reasons(batch).is_null()), Normaliser())
    return set(normal["report"].cast(pl.Int64))
