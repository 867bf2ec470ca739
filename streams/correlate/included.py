"""What of a row is in a release: the only thing that a release is made from. Pure.

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
from streams.correlate.assertion import MAX_SIGHTINGS
from streams.correlate.further import SUM, lives_together
from streams.correlate.row import Row
from streams.correlate.statement import Statement, few_labels, last_of_each
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

    @classmethod
    def of(cls, row: Row, pieces: Sequence[Unit], decision: ReleaseDecision) -> "Included":
        """What a RELEASE decision on these units of a row includes."""
        known = row.enrichment
        units = tuple([pieces[index] for index in decision.included])
        return cls(row.kind, row.value, known.registered_domain, known.asn, known.country, units)

    @property
    def marking(self) -> Marking:
        """The strictest reading of all units' markings."""
        return joined([unit.marking for unit in self.units])

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that may leave, sorted: the first ones by name if there are many."""
        return labels_of(self.units)

    @property
    def all_labels(self) -> frozenset[str]:
        """All labels of its sources, those that stay home among them."""
        return frozenset(label for labels in {unit.labels for unit in self.units} for label in labels)

    @property
    def tearlines(self) -> list[str]:
        """What sources wrote for release, in any order and with repeats."""
        return [text for unit in self.units for text in unit.tearlines]

    @property
    def lives(self) -> Sequence[Statement]:
        """The statements that decide when it ends and how confident it is."""
        if len(self.units) == 1:
            return self.units[0].lives
        return lives_together(last_of_each([life for unit in self.units for life in unit.lives]))

    @property
    def withdrawals(self) -> set[int]:
        """The codes of ``Withdrawal`` by which its sources ended their assertions."""
        return {life.withdrawal for unit in self.units for life in unit.lives} - {0}

    @property
    def first_seen_ms(self) -> int:
        """First time seen."""
        return min([unit.tally.first_seen_ms for unit in self.units])

    @property
    def last_seen_ms(self) -> int:
        """Last time seen."""
        return max([unit.tally.last_seen_ms for unit in self.units])

    @property
    def sightings(self) -> int:
        """How often seen."""
        return min(sum([unit.tally.count for unit in self.units]), MAX_SIGHTINGS)

    def sources(self, key: bytes) -> int:
        """A number that stands for whose data this is, under which markings; ``key`` is the indicator's."""
        return sum([unit.sum(key) for unit in self.units]) % SUM


def labels_of(units: Iterable[Unit]) -> tuple[str, ...]:
    """The labels of these units that may leave, sorted: the first ones by name if there are many."""
    return _that_leave(frozenset([unit.labels for unit in units]))


@lru_cache(maxsize=4096)  # sources repeat a few sets of labels
def _that_leave(sets: frozenset[tuple[str, ...]]) -> tuple[str, ...]:
    return few_labels({label for labels in sets for label in labels if may_leave(label)})
