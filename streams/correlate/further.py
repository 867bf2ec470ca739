"""A row's summary of the sources that it does not keep in full: exact sums, by groups that the rules see alike. Pure.

A summary is a function of the set of its sources, whatever their order. It is made anew from its parts whenever one
of them changes (``streams.correlate.branches``), so minima and maxima are exact after a source tightens its marking.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from hashlib import sha256
from typing import Final

import msgspec

from schemas import tearline
from schemas.markings import UNMARKED, Caveat, Marking, Tlp, joined
from schemas.vocabulary import Withdrawal
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion, Tally
from streams.correlate.lifecycle import MAX_VALIDITY_MS
from streams.correlate.statement import Statement, few_labels
from streams.correlate.terms import MARKS, TERMS, mark_of
from streams.rules.facets import confidence_band

MAX_GROUPS: Final = (
    8  # of each TLP label and withdrawn or not: no group is mixed because of sources under another label
)
NAME_BYTES: Final = 16
SUM: Final = 1 << 64


Key = tuple[object, ...]
"""The key by which groups are distinguished and sorted."""


class Group(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The units of some sources with the same facets: one marking, one confidence band.

    ``units`` is their number, ``sum`` the sum of a digest of each (source and marking), ``count`` to ``last_seen_ms``
    are of their sightings. ``confidence``, ``appended_ms`` and ``valid_until_ms`` are of one statement, ``others`` of
    the others, the one that ends last for each confidence. ``labels`` and ``tearlines`` are the first ones. ``mixed``
    means that the groups of one kind were too many: units of several facets are together under the join of their
    markings, and marked as unrecognised, so that they are never released by rules.
    """

    marking: Marking
    units: int
    sum: int
    count: int
    first_seen_ms: int
    last_seen_ms: int
    confidence: int
    appended_ms: int
    valid_until_ms: int
    labels: tuple[str, ...] = ()
    withdrawal: int = 0
    mixed: bool = False
    others: tuple[tuple[int, int, int], ...] = ()
    tearlines: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Groups with the same key are one. The first ones in this order stay apart if there are too many."""
        if self.mixed:
            return True, self.withdrawal, self.marking.tlp
        return False, self.withdrawal, MARKS[mark_of(self.marking)].rank, confidence_band(self.confidence)

    @property
    def lives(self) -> tuple[Statement, ...]:
        """The statements that decide when it ends and how confident it is, as if one source had made each."""
        return tuple(
            [
                Statement.of(0, 0, appended_ms, self.marking, confidence, valid_until_ms, withdrawal=self.withdrawal)
                for confidence, appended_ms, valid_until_ms in (
                    (self.confidence, self.appended_ms, self.valid_until_ms),
                    *self.others,
                )
            ]
        )

    @property
    def tally(self) -> Tally:
        """The sightings of all units."""
        return Tally.under(self.marking, self.count, self.first_seen_ms, self.last_seen_ms)

    def plus(self, other: "Group") -> "Group":
        """Both together; they have the same key."""
        first, *others = [
            (each.confidence, each.appended_ms, each.valid_until_ms)
            for each in lives_together((*self.lives, *other.lives))
        ]
        return Group(
            self.marking.join(other.marking),
            self.units + other.units,
            (self.sum + other.sum) % SUM,
            min(self.count + other.count, MAX_SIGHTINGS),
            min(self.first_seen_ms, other.first_seen_ms),
            max(self.last_seen_ms, other.last_seen_ms),
            *first,
            few_labels({*self.labels, *other.labels}),
            self.withdrawal,
            self.mixed,
            tuple(others),
            tearline.first((*self.tearlines, *other.tearlines)) if self.tearlines or other.tearlines else (),
        )

    def as_mixed(self) -> "Group":
        """This group if there are too many."""
        caveats = tuple(sorted({*self.marking.caveats, Caveat.UNRECOGNISED}))
        return msgspec.structs.replace(self, marking=msgspec.structs.replace(self.marking, caveats=caveats), mixed=True)


class Summary(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Some sources: how many, the join of their current markings, and their units in groups.

    ``withdrawals`` has a bit for each code of ``Withdrawal`` among them, ``withdrawn`` is how many have withdrawn, the
    last of them at ``withdrawn_ms``.
    """

    sources: int
    marking: Marking
    groups: tuple[Group, ...] = ()
    withdrawn: int = 0
    withdrawals: int = 0
    withdrawn_ms: int = 0

    @property
    def codes(self) -> list[Withdrawal]:
        """How sources among these have withdrawn."""
        return [code for code in Withdrawal if self.withdrawals >> code & 1]

    @property
    def statements(self) -> Iterator[Statement]:
        """The statements that decide when these sources end, and how confident they are."""
        for group in self.groups:
            yield from group.lives
        if self.withdrawn:
            yield Statement.of(0, 0, self.withdrawn_ms, self.marking, withdrawal=Withdrawal.LAPSED)


def name_of(key: bytes, sensor: str) -> bytes:
    """A source's name beyond those that are kept in full. It depends on the indicator, so no sensor is always last."""
    return sha256(key + sensor.encode()).digest()[:NAME_BYTES]


def summary_of(sources: Iterable[tuple[bytes, Assertion]]) -> Summary:
    """The summary of these sources, by name."""
    return together([_summary(name, assertion) for name, assertion in sources])


def together(parts: Sequence[Summary]) -> Summary:
    """The summary of several: at least one."""
    groups: dict[Key, Group] = {}
    for group in (group for part in parts for group in part.groups):
        known = groups.get(group.key)
        groups[group.key] = group if known is None else known.plus(group)
    return Summary(
        sum(part.sources for part in parts),
        joined(part.marking for part in parts),
        _capped([groups[key] for key in sorted(groups)]),
        sum(part.withdrawn for part in parts),
        reduce(int.__or__, (part.withdrawals for part in parts)),
        max(part.withdrawn_ms for part in parts),
    )


def _capped(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The first ``MAX_GROUPS`` groups of each kind as they are; the others mixed."""
    plain: list[Group] = []
    mixed: dict[Key, Group] = {}
    kept = Counter[tuple[Tlp, bool]]()
    for group in groups:
        kind = group.marking.tlp, bool(group.withdrawal)
        if not group.mixed and kept[kind] < MAX_GROUPS:
            kept[kind] += 1
            plain.append(group)
            continue
        excess = group if group.mixed else group.as_mixed()
        known = mixed.get(excess.key)
        mixed[excess.key] = excess if known is None else known.plus(excess)
    return (*plain, *(mixed[key] for key in sorted(mixed)))


def _summary(name: bytes, assertion: Assertion) -> Summary:
    latest = assertion.latest
    parts = [Summary(0, latest.marking, (_group(name, assertion, tally),)) for tally in assertion.pieces]
    groups = together(parts).groups if parts else ()
    if not latest.withdrawal:
        return Summary(1, latest.marking, groups)
    return Summary(1, latest.marking, groups, 1, 1 << latest.withdrawal, latest.appended_ms)


def _group(name: bytes, assertion: Assertion, tally: Tally) -> Group:
    latest = assertion.latest
    return Group(
        marking_of(assertion, tally),
        1,
        sum_of(name, tally.mark),
        tally.count,
        tally.first_seen_ms,
        tally.last_seen_ms,
        latest.confidence,
        latest.appended_ms,
        latest.valid_until_ms,
        few_labels(latest.labels),
        latest.withdrawal,
        tearlines=() if latest.withdrawal else tearline.first((latest.tearline,)),
    )


def sum_of(name: bytes, mark: bytes) -> int:
    """A number that stands for the data of one source under one marking; modulo ``SUM``, numbers add up."""
    return int.from_bytes(sha256(name + MARKS[mark].name).digest()[:8])


def lives_together(statements: Iterable[Statement]) -> list[Statement]:
    """Of the statements with the same confidence, with an end of their own or without one, the one that ends last."""
    kept: dict[tuple[bool, int], Statement] = {}
    for each in statements:
        name = bool(each.valid_until_ms), each.confidence
        known = kept.get(name)
        kept[name] = each if known is None else max(known, each, key=_end)
    return [kept[name] for name in sorted(kept)]


def marking_of(assertion: Assertion, tally: Tally) -> Marking:
    """The marking that a source's data is decided under: the stricter of the one it came with and the current one.

    A withdrawal without a marking states nothing about the marking of the data before it.
    """
    terms = TERMS[assertion.latest.terms]
    if terms.mark == tally.mark:  # most often
        return terms.marking
    return tally.marking if terms.withdrawal and terms.marking == UNMARKED else tally.marking.join(terms.marking)


def _end(statement: Statement) -> tuple[int, int, int]:
    """Of two such statements the greater one ends later, or at the same time and was made later."""
    latest = statement.appended_ms + MAX_VALIDITY_MS
    return min(statement.valid_until_ms or latest, latest), statement.appended_ms, statement.valid_until_ms
