"""The part of a row that is in a release: the only thing that a release is made from. Pure.

An ``Included`` has the value and the units that a decision lets go, and nothing else of the row, so whatever is made of
it cannot depend on an excluded source. All that is taken from the units is a sum, a minimum, a maximum or the first
ones by name: it is the same whether a source is kept in full or in a summary, which depends on how many others there
are (docs/adr/0041).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from schemas.markings import Marking, joined
from schemas.vocabulary import IndicatorType
from streams.correlate.assertion import seen_in
from streams.correlate.further import SUM, lives_together
from streams.correlate.row import Row
from streams.correlate.statement import Statement, last_of_each
from streams.correlate.terms import TERMS, TEXTS, few_labels
from streams.correlate.units import Unit
from streams.rules.decide import ReleaseDecision
from streams.rules.labels import may_leave


class Included(msgspec.Struct, frozen=True, gc=False):
    """The value of an indicator, facts about the value, and the units in the release: at least one."""

    kind: IndicatorType
    value: str
    registered_domain: str
    asn: int
    country: str
    units: tuple[Unit, ...]
    stated: "Stated"

    @classmethod
    def of(cls, row: Row, pieces: Sequence[Unit], decision: ReleaseDecision) -> "Included":
        """What a RELEASE decision on these units of a row includes."""
        known = row.enrichment
        places = decision.included
        units = tuple(pieces if len(places) == len(pieces) else [pieces[index] for index in places])
        stated = _stated(_pairs(units))
        return cls(row.kind, row.value, known.registered_domain, known.asn, known.country, units, stated)

    @property
    def tearlines(self) -> list[str]:
        """The texts that sources wrote for release, in any order and with repeats."""
        found: list[str] = []
        for unit in self.units:
            if unit.group is not None or TEXTS[unit.assertion.latest.texts].tearline:  # few have any
                found += unit.tearlines
        return found

    @property
    def lives(self) -> Sequence[Statement]:
        """The statements that decide when it ends and how confident it is."""
        if len(self.units) == 1:
            return self.units[0].lives
        if self.units[-1].group is None:  # groups are the last units
            last = last_of_each([unit.assertion.latest for unit in self.units])
        else:
            last = last_of_each([life for unit in self.units for life in unit.lives])
        return last if len(last) == 1 else lives_together(last)

    @property
    def withdrawals(self) -> set[int]:
        """The codes of ``Withdrawal`` by which its sources ended their assertions."""
        return {life.withdrawal for unit in self.units for life in unit.lives} - {0}

    @property
    def seen(self) -> tuple[int, int, int]:
        """First and last time seen, and how often."""
        return seen_in([unit.tally for unit in self.units])

    def sources(self, key: bytes) -> int:
        """A number that stands for whose data this is, under which markings; ``key`` is the indicator's."""
        return sum([unit.sum(key) for unit in self.units]) % SUM


class Stated(msgspec.Struct, frozen=True, gc=False):
    """What follows from the markings and labels of the units: sources repeat a few, so it is computed once.

    ``marking`` is the strictest reading of all units' markings, ``labels`` are those that may leave, sorted, the first
    ones by name if there are many; ``all_labels`` has those that stay home among them.
    """

    marking: Marking
    labels: tuple[str, ...]
    all_labels: frozenset[str]


def _pairs(units: Iterable[Unit]) -> frozenset[tuple[Marking, tuple[str, ...]]]:
    """The markings of these units, each with the labels beside it."""
    pairs: set[tuple[Marking, tuple[str, ...]]] = set()
    marking = labels = None
    for unit in units:
        its = TERMS[unit.assertion.latest.terms].labels if unit.group is None else unit.group.labels
        if unit.marking is not marking or its is not labels:  # most sources state the same
            marking, labels = unit.marking, its
            pairs.add((marking, labels))
    return frozenset(pairs)


@lru_cache(maxsize=4096)
def _stated(pairs: frozenset[tuple[Marking, tuple[str, ...]]]) -> Stated:
    labels = frozenset([label for _, labels in pairs for label in labels])
    return Stated(
        joined([marking for marking, _ in pairs]), few_labels({label for label in labels if may_leave(label)}), labels
    )


def labels_of(units: Iterable[Unit]) -> tuple[str, ...]:
    """The labels of these units that may leave, sorted: the first ones by name if there are many."""
    return _stated(_pairs(units)).labels
