"""A row's data as the rules see it: units of one source and one marking, and their facets. Pure.

A source's data is cut by the marking it came with. Each unit is decided alone, under the stricter of that marking and
the source's current one (``streams.rules.classifier``). The content of an excluded unit never shows in a release:
not in times, counts, labels, confidence or versions.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from schemas.markings import UNMARKED, Caveat, Marking
from schemas.vocabulary import IndicatorType
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.row import Row
from streams.rules.decide import ReleaseDecision
from streams.rules.facets import Facets, confidence_band

_MAY_NAME_A_PERSON: Final = frozenset({IndicatorType.EMAIL_ADDR})


class Unit(msgspec.Struct, frozen=True, gc=False):
    """One source's data under one marking, and the marking that it is decided under."""

    assertion: Assertion
    tally: Tally
    marking: Marking


def units(row: Row) -> list[Unit]:
    """The row's data, cut so that each unit has one marking. A source that withdrew its assertion has no units."""
    return [
        Unit(assertion, tally, tally.marking.join(assertion.latest.marking))
        for assertion in row.assertions
        if not assertion.latest.withdrawal
        for tally in assertion.tallies
    ]


def units_before_withdrawal(row: Row) -> list[Unit]:
    """The units as if no source had withdrawn its assertion: a unit missing in ``units`` was withdrawn by its source.

    A withdrawal without a marking says nothing about the marking of the data before it.
    """
    return [
        Unit(assertion, tally, tally.marking if _says_no_marking(assertion) else tally.marking.join(latest.marking))
        for assertion in row.assertions
        if (latest := assertion.latest)
        for tally in assertion.tallies
    ]


def _says_no_marking(assertion: Assertion) -> bool:
    return bool(assertion.latest.withdrawal) and assertion.latest.marking == UNMARKED


def facets_in(row: Row, pieces: Sequence[Unit]) -> tuple[Facets, ...]:
    """The facets of each unit: all of it that the rules look at."""
    return tuple(
        Facets(
            piece.marking,
            confidence_band(piece.assertion.latest.confidence),
            row.kind,
            row.enrichment.benign,
            bool(row.enrichment.special_use),
            row.kind in _MAY_NAME_A_PERSON or Caveat.PERSONAL_DATA in piece.marking.caveats,
        )
        for piece in pieces
    )


def included(pieces: Sequence[Unit], decision: ReleaseDecision) -> frozenset[tuple[str, Marking]]:
    """Whose data is in the release, by sensor and the marking that it came with."""
    chosen = (pieces[index] for index in decision.included)
    return frozenset((piece.assertion.sensor, piece.tally.marking) for piece in chosen)
