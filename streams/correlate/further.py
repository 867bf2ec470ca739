"""A row's summary of the sources that it does not keep in full: exact sums, by groups that the rules see alike. Pure.

A summary is a function of the set of its sources, whatever their order. It is made anew from its parts whenever one
of them changes (``streams.correlate.branches``), so minima and maxima are exact after a source tightens its marking.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Final

import msgspec

from schemas import tearline
from schemas.markings import UNMARKED, Caveat, Marking, Tlp, joined
from schemas.vocabulary import Withdrawal
from streams.correlate.assertion import MAX_SIGHTINGS, Assertion, Tally
from streams.correlate.lifecycle import MAX_VALIDITY_MS
from streams.correlate.statement import Statement
from streams.correlate.terms import MARKS, TERMS, Terms, kept_labels, mark_of
from streams.rules.facets import confidence_band

# Of each TLP label and withdrawn or not: no group is mixed because of sources under another label.
MAX_GROUPS: Final = 8
NAME_BYTES: Final = 16
SUM: Final = 1 << 64

Key = tuple[object, ...]
"""The key by which groups are distinguished and sorted."""
_Confidence = tuple[bool, int]  # whether a statement has an end of its own, and its confidence


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

    @property
    def alike(self) -> Key:
        """Groups with the same one have the same ``key``; it is found faster, and has no order."""
        if self.mixed:
            return self.withdrawal, self.marking.tlp
        return self.withdrawal, self.marking, confidence_band(self.confidence)

    def plus(self, other: "Group") -> "Group":
        """Both together; they have the same key."""
        return _sum((self, other))

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


def summary_of(sources: Sequence[tuple[bytes, Assertion]]) -> Summary:
    """The summary of these sources, by name: at least one."""
    groups: list[Group] = []
    markings: list[Marking] = []
    withdrawn = withdrawals = withdrawn_ms = 0
    for name, assertion in sources:
        latest = assertion.latest
        terms = TERMS[latest.terms]
        markings.append(terms.marking)
        groups += [_group(name, assertion, terms, tally) for tally in assertion.pieces]
        if terms.withdrawal:
            withdrawn, withdrawals = withdrawn + 1, withdrawals | 1 << terms.withdrawal
            withdrawn_ms = max(withdrawn_ms, latest.appended_ms)
    return Summary(len(sources), joined(markings), _capped(_by_key(groups)), withdrawn, withdrawals, withdrawn_ms)


def together(parts: Sequence[Summary]) -> Summary:
    """The summary of several: at least one."""
    groups: list[Group] = []
    sources = withdrawn = withdrawals = withdrawn_ms = 0
    for part in parts:
        sources += part.sources
        groups += part.groups
        if part.withdrawn:
            withdrawn, withdrawals = withdrawn + part.withdrawn, withdrawals | part.withdrawals
            withdrawn_ms = max(withdrawn_ms, part.withdrawn_ms)
    marking = joined([part.marking for part in parts])
    return Summary(sources, marking, _capped(_by_key(groups)), withdrawn, withdrawals, withdrawn_ms)


def _capped(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The first ``MAX_GROUPS`` groups of each kind as they are; the others mixed."""
    if len(groups) <= 1:  # most often
        return tuple(groups)
    plain: list[Group] = []
    mixed: list[Group] = []
    kept = Counter[tuple[Tlp, bool]]()
    for group in groups:
        kind = group.marking.tlp, bool(group.withdrawal)
        if group.mixed:
            mixed.append(group)
        elif kept[kind] < MAX_GROUPS:
            kept[kind] += 1
            plain.append(group)
        else:
            mixed.append(group.as_mixed())
    return (*plain, *_by_key(mixed))


def _by_key(groups: Sequence[Group]) -> list[Group]:
    """One group of each key, by key."""
    alike: dict[Key, list[Group]] = {}
    for group in groups:
        alike.setdefault(group.alike, []).append(group)
    summed = [each[0] if len(each) == 1 else _sum(each) for each in alike.values()]
    if len(summed) > 1:
        summed.sort(key=_KEY)
    return summed


def _sum(groups: Sequence[Group]) -> Group:
    """These groups together: several, with the same key."""
    first, marking = groups[0], groups[0].marking
    first_seen_ms, last_seen_ms = first.first_seen_ms, first.last_seen_ms
    units = names = count = 0
    differ = False
    lives: dict[_Confidence, tuple[int, int, int]] = {}
    for each in groups:
        units += each.units
        names += each.sum
        count += each.count
        if each.first_seen_ms < first_seen_ms:  # noqa: PLR1730  # a call of min or max costs more
            first_seen_ms = each.first_seen_ms
        if each.last_seen_ms > last_seen_ms:  # noqa: PLR1730
            last_seen_ms = each.last_seen_ms
        if each.mixed:
            marking = marking.join(each.marking)
        if each.labels != first.labels or each.tearlines != first.tearlines:
            differ = True
        _keep(lives, each.confidence, each.appended_ms, each.valid_until_ms)
        for life in each.others:
            _keep(lives, *life)
    decide = [(confidence, lives[of, confidence][1], lives[of, confidence][2]) for of, confidence in sorted(lives)]
    return Group(
        marking,
        units,
        names % SUM,
        min(count, MAX_SIGHTINGS),
        first_seen_ms,
        last_seen_ms,
        *decide[0],
        kept_labels({label for each in groups for label in each.labels}) if differ else first.labels,
        first.withdrawal,
        first.mixed,
        tuple(decide[1:]),
        tearline.kept([text for each in groups for text in each.tearlines]) if differ else first.tearlines,
    )


def _keep(
    lives: dict[tuple[bool, int], tuple[int, int, int]], confidence: int, appended: int, valid_until: int
) -> None:
    """Keep this statement's times if it ends last of those with its confidence, with an end of their own or without."""
    name, life = (valid_until != 0, confidence), (_end_ms(appended, valid_until), appended, valid_until)
    known = lives.get(name)
    if known is None or life > known:
        lives[name] = life


def _group(name: bytes, assertion: Assertion, terms: Terms, tally: Tally) -> Group:
    latest = assertion.latest
    tearlines = () if terms.withdrawal or not latest.texts else tearline.kept((latest.tearline,))
    return Group(
        terms.marking if terms.mark == tally.mark else marking_of(assertion, tally),
        1,
        sum_of(name, tally.mark),
        tally.count,
        tally.first_seen_ms,
        tally.last_seen_ms,
        terms.confidence,
        latest.appended_ms,
        latest.valid_until_ms,
        terms.kept_labels,
        terms.withdrawal,
        tearlines=tearlines,
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
    appended_ms, valid_until_ms = statement.appended_ms, statement.valid_until_ms
    return _end_ms(appended_ms, valid_until_ms), appended_ms, valid_until_ms


def _end_ms(appended_ms: int, valid_until_ms: int) -> int:
    latest = appended_ms + MAX_VALIDITY_MS
    return valid_until_ms if 0 < valid_until_ms < latest else latest


_KEY: Final = attrgetter("key")
