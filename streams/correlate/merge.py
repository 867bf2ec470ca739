"""Merges what sensors assert into an indicator's row. Pure, but for the rows that it reads.

A row keeps ``MAX_SOURCES`` sources in full: those with the smallest names, which are digests, so that the choice
depends neither on the order of reports nor on what they contain. All others are in rows of their own
(``streams.correlate.branches``), and the row has their summary. See docs/adr/0038.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final

import msgspec

from exchange.protocol.record import RowChange
from exchange.protocol.rows import Lookup
from streams.correlate.assertion import Assertion
from streams.correlate.branches import Branches
from streams.correlate.further import marking_of, name_of
from streams.correlate.row import MAX_SOURCES, Row
from streams.correlate.statement import Statement
from streams.correlate.terms import TERMS, Terms
from streams.correlate.units import units_before_withdrawal

_SENSOR: Final = attrgetter("sensor")
FULL_TEXTS: Final = 4  # sources whose texts are kept as they are; if there are more, all texts are short


class Change(msgspec.Struct, frozen=True, gc=False):
    """One source as it was, None if it is new, and as it is."""

    before: Assertion | None
    after: Assertion


class Merged(msgspec.Struct, frozen=True, gc=False):
    """The row after a merge, the sources that it changed, and the rows of further sources to write."""

    row: Row
    changes: Sequence[Change] = ()
    nodes: Sequence[RowChange] = ()

    @property
    def is_marked_anew(self) -> bool:
        """Whether a source that was there before has another marking now."""
        return any(
            change.before is not None
            and change.before.latest.terms != change.after.latest.terms
            and change.before.latest.marking != change.after.latest.marking
            for change in self.changes
        )

    def is_news(self, earlier: Row) -> bool:
        """Whether the change is published at once: in a marking, confidence band, label, tearline, validity or end.

        A further source of which all that equals a known one is published at once if the number of sources reaches 2,
        4, 8 and so on; it waits for the roll-up otherwise, as repetition (counts and times) does.
        """
        new = []
        for change in self.changes:
            if change.before is None:
                new.append(change.after)
            elif _differs(change.before, change.after):
                return True
        if not new:
            return False
        if self.row.sources.bit_length() > earlier.sources.bit_length():
            return True
        new = [each for each in new if not any(_alike(each, known) for known in earlier.assertions)]
        if not new:
            return False
        before, after = _known(earlier), _known(self.row)
        return any(
            not keys or any(before.get(key) is None or before[key] != after.get(key) for key in keys)
            for keys in map(_keys, new)
        )


def merge(row: Row, key: bytes, assertions: Iterable[Assertion], rows: Lookup) -> Merged:
    """The row of the indicator ``key`` with more assertions, in any order; nothing is published yet."""
    arrived: dict[str, Assertion] = {}
    for assertion in assertions:
        known = arrived.get(assertion.sensor)
        arrived[assertion.sensor] = assertion if known is None else known.merge(assertion)
    if row.bounded and row.further is None and len(row.assertions) + len(arrived) <= MAX_SOURCES:
        return _merged_in_full(row, arrived)
    kept = {each.sensor: each for each in row.assertions}
    if not row.bounded:
        kept = {sensor: each.bounded for sensor, each in kept.items()}
    before = {sensor: kept.get(sensor) for sensor in arrived}
    further, beyond, nodes = row.further, dict[bytes, Assertion](), list[RowChange]()
    if further is not None:
        beyond = _outside(row, key, kept, arrived, before, rows)
    for sensor, assertion in arrived.items():
        if not beyond or name_of(key, sensor) not in beyond:
            known = before[sensor]
            kept[sensor] = row.floored(sensor, assertion if known is None else known.merge(assertion))
    if len(kept) > MAX_SOURCES:
        for sensor in sorted(kept, key=lambda sensor: name_of(key, sensor))[MAX_SOURCES:]:
            beyond[name_of(key, sensor)] = kept.pop(sensor).slim
    if beyond or (further is not None and not row.bounded):
        tree = Branches(rows, key, row.generation)
        tree.prefetch(beyond, 0 if further is None else further.sources)
        further, nodes = tree.put(beyond), tree.changes()
    sources = len(kept) + (0 if further is None else further.sources)
    if sources > FULL_TEXTS:
        are_short = row.bounded and row.sources > FULL_TEXTS
        for sensor in [sensor for sensor in kept if not are_short or sensor in arrived]:
            kept[sensor] = kept[sensor].shortened
    changes = [Change(before[sensor], kept.get(sensor) or beyond[name_of(key, sensor)]) for sensor in arrived]
    after = msgspec.structs.replace(
        row, assertions=_by_sensor(kept), further=further, pending=row.pending or bool(arrived), bounded=True
    )
    return Merged(after, changes, nodes)


def _merged_in_full(row: Row, arrived: Mapping[str, Assertion]) -> Merged:
    """The merge if the row keeps all its sources in full, before and after."""
    known = row.assertions
    kept, changes = [*known], list[Change]()
    short = len(known) > FULL_TEXTS
    for sensor, assertion in arrived.items():
        place = bisect_left(kept, sensor, key=_SENSOR)
        before = kept[place] if place < len(kept) and kept[place].sensor == sensor else None
        after = row.floored(sensor, assertion if before is None else before.merge(assertion))
        if short:
            after = after.shortened
        kept[place : place + (before is not None)] = (after,)
        changes.append(Change(before, after))
    if not short and len(kept) > FULL_TEXTS:
        kept = [each.shortened for each in kept]
        changes = [Change(each.before, each.after.shortened) for each in changes]
    return Merged(msgspec.structs.replace(row, assertions=tuple(kept), pending=row.pending or bool(arrived)), changes)


def _by_sensor(kept: Mapping[str, Assertion]) -> tuple[Assertion, ...]:
    return tuple(kept.values()) if len(kept) == 1 else tuple([kept[sensor] for sensor in sorted(kept)])


def reporting(row: Row, key: bytes, sensors: Iterable[str], rows: Lookup) -> frozenset[str]:
    """Those of these sensors that have reported the indicator."""
    kept = {assertion.sensor for assertion in row.assertions}
    tree = Branches(rows, key, row.generation)
    return frozenset(
        sensor
        for sensor in sensors
        if sensor in kept or (row.further is not None and tree.find(name_of(key, sensor)) is not None)
    )


def _outside(
    row: Row,
    key: bytes,
    kept: Mapping[str, Assertion],
    arrived: Mapping[str, Assertion],
    before: dict[str, Assertion | None],
    rows: Lookup,
) -> dict[bytes, Assertion]:
    """New assertions of sources that are not kept in full, merged with the known ones, which go to ``before``."""
    last = max(name_of(key, sensor) for sensor in kept)
    names = {sensor: name for sensor in arrived if sensor not in kept and (name := name_of(key, sensor)) > last}
    tree = Branches(rows, key, row.generation)
    tree.prefetch(names.values(), 0 if row.further is None else row.further.sources)
    merged: dict[bytes, Assertion] = {}
    for sensor, name in names.items():
        known = before[sensor] = tree.find(name)
        assertion = arrived[sensor] if known is None else known.merge(arrived[sensor])
        merged[name] = row.floored(sensor, assertion).slim
    return merged


def _differs(before: Assertion, after: Assertion) -> bool:
    """Whether a source's change is worth a record at once."""
    one, other = before.latest, after.latest
    return (
        one.valid_until_ms != other.valid_until_ms
        or (one.terms != other.terms and _differ(TERMS[one.terms], TERMS[other.terms]))
        or (one.texts != other.texts and one.tearline != other.tearline)
        or len(before.pieces) != len(after.pieces)
    )


def _differ(one: Terms, other: Terms) -> bool:
    return (one.mark, one.band, one.labels, one.withdrawal) != (other.mark, other.band, other.labels, other.withdrawal)


def _alike(one: Assertion, other: Assertion) -> bool:
    """Whether two sources state the same, but for times, counts and texts that are not released."""
    return (
        one.latest.terms == other.latest.terms
        and one.latest.valid_until_ms == other.latest.valid_until_ms
        and (one.latest.texts == other.latest.texts or one.latest.tearline == other.latest.tearline)
        and [tally.mark for tally in one.pieces] == [tally.mark for tally in other.pieces]
    )


_Key = tuple[object, ...]
"""All of a unit that is worth a record, but for labels and tearline."""


def _keys(assertion: Assertion) -> list[_Key]:
    return [(marking_of(assertion, tally), *_said(assertion.latest)) for tally in assertion.pieces]


def _said(latest: Statement) -> tuple[object, ...]:
    terms = TERMS[latest.terms]
    return terms.mark, terms.band, latest.valid_until_ms, terms.withdrawal


def _known(row: Row) -> dict[_Key, tuple[set[str], set[str]]]:
    """The labels and the tearlines of the row's units, by key."""
    known: dict[_Key, tuple[set[str], set[str]]] = {}
    for unit in units_before_withdrawal(row):
        for latest in unit.lives:
            labels, tearlines = known.setdefault((unit.marking, *_said(latest)), (set(), set()))
            labels.update(unit.labels)
            tearlines.update(unit.tearlines)
    return known
