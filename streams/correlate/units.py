"""A row's data as the rules see it: units of one source and one marking, and their facets. Pure.

A source's data is cut by the marking it came with. Each unit is decided alone, under the stricter of that marking and
the source's current one (``streams.rules.classifier``). The content of an excluded unit never shows in a release:
not in times, counts, labels, confidence or versions.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from schemas.markings import Caveat, Marking
from schemas.ratings import Ratings
from schemas.vocabulary import IndicatorType
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.further import Group, marking_of, name_of, sum_of
from streams.correlate.row import Row
from streams.correlate.statement import Statement
from streams.correlate.terms import TERMS
from streams.rules.decide import ReleaseDecision
from streams.rules.facets import Facets, prefix_length_of

# Equal facets are one object, which a decision is found by at once (``streams.rules.classifier``).
_facets: Final = lru_cache(maxsize=4096)(Facets)
_MAY_NAME_A_PERSON: Final = frozenset({IndicatorType.EMAIL_ADDR})


class Unit(msgspec.Struct, frozen=True, gc=False):
    """One source's data under one marking, and the marking that it is decided under.

    Of the sources that a row does not keep in full, all with the same facets are one unit, their ``group``: it has no
    sensor.
    """

    assertion: Assertion
    tally: Tally
    marking: Marking
    group: Group | None = None

    @property
    def units(self) -> int:
        """How many units it stands for."""
        return 1 if self.group is None else self.group.units

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of its sources."""
        return self.assertion.latest.labels if self.group is None else self.group.labels

    @property
    def tearlines(self) -> tuple[str, ...]:
        """The texts that its sources wrote for release."""
        if self.group is not None:
            return self.group.tearlines
        text = self.assertion.latest.tearline
        return (text,) if text else ()

    @property
    def lives(self) -> tuple[Statement, ...]:
        """The statements that decide when it ends and how confident it is."""
        return (self.assertion.latest,) if self.group is None else self.group.lives

    def sum(self, key: bytes) -> int:
        """A number that stands for its sources and the marking of their data; ``key`` is the indicator's."""
        if self.group is not None:
            return self.group.sum
        return sum_of(name_of(key, self.assertion.sensor), self.tally.mark)


def units(row: Row) -> list[Unit]:
    """The row's data, cut so that each unit has one marking. A source that withdrew its assertion has no units."""
    found = units_before_withdrawal(row)
    return [unit for unit in found if not unit.assertion.latest.withdrawal] if row.has_withdrawals else found


def units_before_withdrawal(row: Row) -> list[Unit]:
    """The units as if no source had withdrawn its assertion: one missing in ``units`` was withdrawn by its source."""
    found: list[Unit] = []
    for assertion in row.assertions:
        terms, tallies = TERMS[assertion.latest.terms], assertion.tallies
        if assertion.rest is None and len(tallies) == 1 and tallies[0].mark == terms.mark:  # most often
            found.append(Unit(assertion, tallies[0], terms.marking))
        else:
            found += [Unit(assertion, tally, marking_of(assertion, tally)) for tally in assertion.pieces]
    if row.further is not None:
        found += [
            Unit(Assertion("", group.lives[0], ()), group.tally, group.marking, group) for group in row.further.groups
        ]
    return found


def facets_in(row: Row, pieces: Sequence[Unit], ratings: Ratings) -> tuple[Facets, ...]:
    """The facets of each unit: all of it that the rules look at. ``ratings`` are those of the rules in force."""
    kind, known, prefix_length = row.kind, row.enrichment, prefix_length_of(row.kind, row.value)
    special_use, may_name_a_person = bool(known.special_use), kind in _MAY_NAME_A_PERSON
    found: list[Facets] = []
    marking = band = rating = None
    for piece in pieces:
        rated = ratings.of(piece.assertion.sensor)
        stated = TERMS[piece.assertion.latest.terms].band
        if piece.marking is marking and stated is band and rated is rating:  # most sources state the same
            found.append(found[-1])
            continue
        marking, band, rating = piece.marking, stated, rated
        personal = may_name_a_person or Caveat.PERSONAL_DATA in marking.caveats
        found.append(
            _facets(marking, band, kind, known.benign, special_use, personal, prefix_length, known.local_query, rating)
        )
    return tuple(found)


def counted(decision: ReleaseDecision, facets: Sequence[Facets], pieces: Sequence[Unit]) -> ReleaseDecision:
    """The decision on these units, with the number of units in each group."""
    counts: Counter[Facets] = Counter()
    for each, piece in zip(facets, pieces, strict=True):
        counts[each] += piece.units
    groups = tuple(msgspec.structs.replace(group, assertions=counts[group.facets]) for group in decision.groups)
    return msgspec.structs.replace(decision, groups=groups)
