"""The substitute if the analyser is missing: tries every request that the schema allows, and states that it does.

Each condition of a rule is tabulated by Cedar itself over the attributes it mentions, each with all its values, but for
sets that the condition cannot tell apart: one of them is tried for all. Tables are then combined as Cedar combines
conditions and rules. Exhaustive, but no proof by a second, independent mind.
"""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from typing import Any, Final

import cedarpy
import msgspec
import numpy as np
import numpy.typing as npt

from streams.rules.proof.alike import alike
from streams.rules.proof.prover import Bodies, ProofError, cedar_json
from streams.rules.proof.space import PRINCIPAL, Request, Value, space_of

Flags = npt.NDArray[np.bool_]
Words = npt.NDArray[np.unsignedinteger[Any]]
_MOST_CELLS: Final = 100_000
_MOST_POINTS: Final = 100_000_000
_BATCH: Final = 2048
_WORD_BITS: Final = 64


class Table(msgspec.Struct, frozen=True):
    """For which requests a condition is true, and for which it fails, over its axes in the space's order."""

    axes: tuple[str, ...]
    true: Flags
    error: Flags


@dataclass(frozen=True)
class Grid:
    """The values that are tried, as places on each axis."""

    axes: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """How many values are tried on each axis."""
        return tuple(map(len, self.places))

    def spread(self, table: Table, flags: Flags) -> Flags:
        """A table's flags by the grid's axes, with one place on each axis that the table does not mention."""
        picked = flags[np.ix_(*(self.places[self.axes.index(axis)] for axis in table.axes))] if table.axes else flags
        sizes = zip(self.axes, self.shape, strict=True)
        return picked.reshape([size if axis in table.axes else 1 for axis, size in sizes])

    @cached_property
    def in_words(self) -> tuple[int, ...]:
        """The sizes of the last axes, as many as have their flags in one word: a point of all of them is a bit."""
        first = next(at for at in range(len(self.axes) + 1) if math.prod(self.shape[at:]) <= _WORD_BITS)
        return self.shape[first:]

    @cached_property
    def bits(self) -> Words:
        """The bits of a word, in the order of its points."""
        number = math.prod(self.in_words)
        size = next(size for size in (8, 16, 32, 64) if size >= number)
        return np.left_shift(1, np.arange(number, dtype=np.uint64)).astype(f"u{size // 8}")

    def words(self, table: Table) -> Words:
        """Where the table is true, by the grid's other axes: words take a fraction of what flags would."""
        spread = self.spread(table, table.true)
        others = spread.shape[: len(self.axes) - len(self.in_words)]
        whole = np.broadcast_to(spread, (*others, *self.in_words)).reshape(*others, -1)
        return whole @ self.bits


# A rule as the conditions that must all be true, in the order in which Cedar evaluates them.
Conditions = tuple[Table, ...]


class ExhaustiveProver:
    """Answers by trying everything."""

    is_proof = False

    def __init__(self, schema_text: str, nations: Iterable[str]) -> None:
        """``nations`` are those that rules distinguish.

        Raises ``PolicyError`` if the schema's space is not finite.
        """
        self._space = space_of(schema_text, nations)
        self._values = {axis: attribute.values() for axis, attribute in self._space.axes.items()}
        self._table = lru_cache(maxsize=4096)(self._tabulate)
        self._read = lru_cache(maxsize=4096)(self._effect_and_conditions)

    @property
    def name(self) -> str:
        """What answers."""
        return "exhaustive check of every request that the schema allows (a substitute: not a proof by the analyser)"

    def implies(self, one: Bodies, other: Bodies) -> Request | None:
        """As ``Prover.implies``."""
        return self._find(one, other, wanted_of_other=False)

    def disjoint(self, one: Bodies, other: Bodies) -> Request | None:
        """As ``Prover.disjoint``."""
        return self._find(one, other, wanted_of_other=True)

    def always_denies(self, bodies: Bodies) -> Request | None:
        """As ``Prover.always_denies``."""
        return self._find(bodies, (), wanted_of_other=False)

    def never_errors(self, body: str) -> Request | None:
        """As ``Prover.never_errors``."""
        _, conditions = self._read(body)
        grid = self._grid([conditions], all_values=True)
        reached, error = np.ones(grid.shape, np.bool_), np.zeros(grid.shape, np.bool_)
        for table in conditions:
            error |= reached & grid.spread(table, table.error)
            reached &= grid.spread(table, table.true)
        return self._request_at(grid, int(np.argmax(error))) if error.any() else None

    def _find(self, one: Bodies, other: Bodies, *, wanted_of_other: bool) -> Request | None:
        """A request that ``one`` allows and ``other`` allows or not, as ``wanted_of_other``."""
        roles = [self._rules(bodies, effect) for bodies in (one, other) for effect in ("permit", "forbid")]
        grid = self._grid([rule for role in roles for rule in role], all_values=False)
        everywhere = grid.words(Table((), np.ones((), np.bool_), np.zeros((), np.bool_)))
        nowhere = np.zeros_like(everywhere)

        def matched(role: Iterable[Conditions]) -> Words:
            """Where a rule matches. Arrays grow to the whole grid as late as possible: that is most of the work."""
            by_shape: dict[tuple[int, ...], Words] = {}
            for rule in role:
                found = reduce(np.bitwise_and, map(grid.words, rule), everywhere)
                by_shape[found.shape] = found | by_shape.get(found.shape, nowhere)
            return reduce(np.bitwise_or, sorted(by_shape.values(), key=np.size), nowhere)

        permit, forbid, other_permit, other_forbid = map(matched, roles)
        allowed_by_other = other_permit & ~other_forbid
        return self._first(grid, permit & ~forbid & (allowed_by_other if wanted_of_other else ~allowed_by_other))

    def _rules(self, bodies: Bodies, effect: str) -> list[Conditions]:
        """The rules with this effect; those of one condition over the same axes merged to one: any of them matches."""
        merged: dict[tuple[str, ...], Table] = {}
        rules: list[Conditions] = []
        for conditions in (read for found, read in map(self._read, bodies) if found == effect):
            if len(conditions) != 1:
                rules.append(conditions)
                continue
            table = conditions[0]
            earlier = merged.get(table.axes)
            merged[table.axes] = Table(table.axes, table.true | earlier.true, table.error) if earlier else table
        return [*rules, *((table,) for table in merged.values())]

    def _grid(self, rules: Sequence[Conditions], *, all_values: bool) -> Grid:
        """The axes that the rules mention, with all values, or with one for each way in which the rules treat them."""
        tables = [table for rule in rules for table in rule]
        axes = tuple(axis for axis in self._space.axes if any(axis in table.axes for table in tables))
        places = (tuple(range(len(self._values[axis]))) if all_values else _distinct(axis, tables) for axis in axes)
        grid = Grid(axes, tuple(places))
        if math.prod(grid.shape) > _MOST_POINTS:
            raise ProofError(f"{math.prod(grid.shape)} kinds of request are too many to try: use the analyser")
        return grid

    def _effect_and_conditions(self, body: str) -> tuple[str, Conditions]:
        policy = json.loads(body)
        parts = [
            {**policy, "effect": "permit", "annotations": {}, "conditions": [part]}
            for condition in policy["conditions"]
            for part in _conjuncts(condition)
        ]
        alone = parts or [{**policy, "effect": "permit"}]
        return policy["effect"], tuple(self._table(json.dumps(part, sort_keys=True)) for part in alone)

    def _tabulate(self, body: str) -> Table:
        """Ask Cedar about every combination of the values that the condition distinguishes."""
        condition = json.loads(body)
        mentioned = set(_mentioned(condition))
        axes = tuple(axis for axis in self._space.axes if axis in mentioned)
        first = [alike(condition, axis, self._values[axis]) for axis in axes]
        tried = [tuple(sorted(set(places))) for places in first]
        shape = tuple(map(len, tried))
        if math.prod(shape) > _MOST_CELLS or math.prod(map(len, first)) > _MOST_POINTS:
            raise ProofError(f"a condition distinguishes {math.prod(shape)} kinds of request: use the analyser")
        policies = cedarpy.PolicySet.from_json_str(cedar_json([body]))
        true, error = np.zeros(math.prod(shape), np.bool_), np.zeros(math.prod(shape), np.bool_)
        for batch in _batches(itertools.product(*tried)):
            results = self._space.evaluate(policies, [self._request(axes, place) for _, place in batch])
            for (at, _), result in zip(batch, results, strict=True):
                if result.decision is cedarpy.Decision.NoDecision:
                    raise ProofError(f"Cedar did not decide: {result.diagnostics.errors}")
                true[at], error[at] = bool(result.diagnostics.reasons), bool(result.diagnostics.errors)
        whole = np.ix_(*(np.searchsorted(kept, places) for kept, places in zip(tried, first, strict=True)))
        return Table(axes, true.reshape(shape)[whole], error.reshape(shape)[whole])

    def _first(self, grid: Grid, words: Words) -> Request | None:
        """The request of the first flag that is set."""
        at = int(np.argmax(words != 0))
        word = int(words.flat[at])
        bit = (word & -word).bit_length() - 1
        return self._request_at(grid, at * math.prod(grid.in_words) + bit) if word else None

    def _request_at(self, grid: Grid, point: int) -> Request:
        at = np.unravel_index(point, grid.shape)
        return self._request(grid.axes, [kept[int(place)] for kept, place in zip(grid.places, at, strict=True)])

    def _request(self, axes: Sequence[str], place: Sequence[int]) -> Request:
        """The request at a point; an attribute that no rule mentions has its first value."""
        values: dict[str, Value] = {axis: self._values[axis][0] for axis in self._space.axes}
        values |= {axis: self._values[axis][index] for axis, index in zip(axes, place, strict=True)}
        principal = values.pop(PRINCIPAL)
        return Request(str(principal), values)


def _batches(places: Iterable[tuple[int, ...]]) -> Iterator[list[tuple[int, tuple[int, ...]]]]:
    """The places with their numbers, in portions of what Cedar is asked at once."""
    numbered = enumerate(places)
    while batch := list(itertools.islice(numbered, _BATCH)):
        yield batch


def _conjuncts(condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """``when { a && b }`` as ``when { a } when { b }``, which Cedar evaluates alike and in the same order."""
    both = condition["body"].get("&&") if condition["kind"] == "when" else None
    if both is None:
        yield condition
    else:
        for side in ("left", "right"):
            yield from _conjuncts({"kind": "when", "body": both[side]})


def _mentioned(node: Any) -> Iterator[str]:
    """The attributes that an expression reads or tests for presence, and the principal."""
    if isinstance(node, dict):
        if node.get("Var") == PRINCIPAL or node.get(PRINCIPAL, {"op": "All"}) != {"op": "All"}:
            yield PRINCIPAL
        attribute = node.get("attr")
        if isinstance(attribute, str):
            yield attribute
        for child in node.values():
            yield from _mentioned(child)
    elif isinstance(node, list):
        for child in node:
            yield from _mentioned(child)


def _distinct(axis: str, tables: Iterable[Table]) -> tuple[int, ...]:
    """One value of this axis for each set of values that these tables treat alike."""
    slices = [
        table.true.swapaxes(0, at).reshape(table.true.shape[at], -1)
        for table in tables
        if axis in table.axes
        for at in [table.axes.index(axis)]
    ]
    packed = np.packbits(np.concatenate(slices, axis=1), axis=1)
    words = np.zeros((len(packed), -(-packed.shape[1] // 8)), np.uint64)  # which sort many times faster than flags
    words.view(np.uint8)[:, : packed.shape[1]] = packed
    order = np.lexsort(words.T)
    is_new = np.ones(len(order), np.bool_)
    is_new[1:] = (words[order[1:]] != words[order[:-1]]).any(axis=1)
    return tuple(sorted(order[is_new].tolist()))
