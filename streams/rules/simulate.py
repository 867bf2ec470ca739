"""Simulates a policy set: decides recorded traffic under it, and counts what would change. Pure.

Only rules apply: an officer's verdict answers one question, and a veto is kept under any rules. A decision has no names
of sensors, so sources are rated by the indicator's national record. A rating that it does not show is taken as the
worst possible.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

import msgspec

from schemas.marking_records import marking_of
from schemas.ratings import RANK, Rating, Ratings
from schemas.records import Decision, Indicator
from schemas.vocabulary import Outcome
from streams.rules.decide import ReleaseDecision, decide_release
from streams.rules.engine import Engine
from streams.rules.facets import Facets, confidence_band, from_record, merged_facets

EXAMPLES: Final = 3
_LONGEST: Final = 1_000_000  # indicators and partners: the capacity of a process; a longer window is refused


class Example(msgspec.Struct, frozen=True):
    """One indicator that is decided differently."""

    indicator_id: str
    decision_id: str
    partner: str
    rules_before: tuple[str, ...]
    rules_after: tuple[str, ...]


class Simulation(msgspec.Struct):
    """How many indicators changed from which outcome to which."""

    indicators: int = 0
    unreadable: int = 0
    changes: Counter[tuple[Outcome, Outcome]] = msgspec.field(default_factory=Counter)
    other_obligations: int = 0
    examples: dict[tuple[Outcome, Outcome], list[Example]] = {}

    @property
    def newly_released(self) -> int:
        """How many would be released that are not."""
        return sum(count for (before, after), count in self.changes.items() if after is Outcome.RELEASE is not before)

    @property
    def no_longer_released(self) -> int:
        """How many are released that would not be: they would be recalled."""
        return sum(count for (before, after), count in self.changes.items() if before is Outcome.RELEASE is not after)


def simulate(
    decisions: Iterable[Decision],
    old: Engine,
    new: Engine,
    records_of: Callable[[Collection[str]], Mapping[str, Indicator]],
) -> Simulation:
    """Decide the last decision on each indicator and partner again, under both sets.

    ``records_of`` gives the latest national records of these indicators; it is asked only if a set has ratings.

    Raises ``ValueError`` for more than ``_LONGEST`` of them.
    """
    last: dict[tuple[str, str], Decision] = {}
    for decision in decisions:
        last[decision["indicator_id"], decision["partner"]] = decision
        if len(last) > _LONGEST:
            raise ValueError(f"more than {_LONGEST:,} indicators were decided on in this window: take a shorter one")
    result = Simulation()
    are_rated = any(engine.policy_set.ratings.by_sensor for engine in (old, new))
    records = records_of({indicator for indicator, _ in last}) if are_rated else {}
    for (indicator, _), decision in last.items():
        try:
            before, after = (_decided(decision, records.get(indicator), engine) for engine in (old, new))
        except ValueError:
            result.unreadable += 1
            continue
        result.indicators += 1
        change = before.outcome, after.outcome
        if before.outcome is after.outcome:
            result.other_obligations += before.obligations != after.obligations
            continue
        result.changes[change] += 1
        shown = result.examples.setdefault(change, [])
        if len(shown) < EXAMPLES:
            shown.append(
                Example(
                    decision["indicator_id"],
                    decision["decision_id"],
                    decision["partner"],
                    before.rules,
                    after.rules,
                )
            )
    return result


def _decided(decision: Decision, record: Indicator | None, engine: Engine) -> ReleaseDecision:
    ratings = engine.policy_set.ratings
    facets = [
        msgspec.structs.replace(known, rating=rating)
        for group in decision["assertions"]
        for known in [from_record(group["facets"])]
        for rating in _ratings(known, group["sources"], record, ratings)
    ]
    return decide_release(
        facets, lambda chosen: merged_facets([facets[index] for index in chosen]), decision["partner"], engine
    )


def _ratings(facets: Facets, units: int, record: Indicator | None, ratings: Ratings) -> list[Rating]:
    """The ratings that units of these facets have: of the sources that state them now, and of the rest the worst."""
    if not ratings.by_sensor or record is None:
        return [ratings.of("")]
    sources = record["sources"]
    found = [
        ratings.of(source["sensor"])
        for source in sources
        if marking_of(source["marking"]) == facets.marking
        and confidence_band(source["confidence"]) is facets.confidence
    ]
    if len(found) < units:
        names = [source["sensor"] for source in sources] + [""] * (record["source_count"] > len(sources))
        found.append(min((ratings.of(name) for name in names or [""]), key=RANK.__getitem__))
    return sorted(set(found))
