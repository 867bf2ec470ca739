"""The release decision over many assertions: each alone, merge those allowed, decide the merge again.

Nothing of an excluded source shows in a release: not in times, counts, versions or confidence.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from typing import Final

import msgspec

from schemas.links import NEVER_AGREED
from schemas.records import AssertionDecision
from schemas.row_writer import Cut
from schemas.vocabulary import Outcome
from streams.rules.engine import DEFAULT_DENY, Engine, Verdict
from streams.rules.facets import Facets, best_rated, sort_key, to_record


class DecidedGroup(msgspec.Struct, frozen=True, gc=False):
    """The assertions with equal facets, and their verdict.

    ``left_out`` means that officers have approved a release without them: they were not asked about these.
    """

    facets: Facets
    assertions: int
    verdict: Verdict
    left_out: bool = False

    def to_record(self) -> AssertionDecision:
        """As the decision's record keeps it."""
        return AssertionDecision(
            facets=to_record(self.facets),
            sources=self.assertions,
            outcome=str(self.verdict.outcome),
            rules=list(self.verdict.rules),
            left_out=self.left_out,
        )


class ReleaseDecision(msgspec.Struct, frozen=True, dict=True):
    """The pieces of a ``Decision`` record.

    ``included`` are the indices of the assertions in the release, ascending; empty unless it is one. ``merged``
    are the facets of the merge of those that were allowed alone; None if none was.
    """

    outcome: Outcome
    rules: tuple[str, ...]
    obligations: tuple[str, ...]
    included: tuple[int, ...]
    merged: Facets | None
    groups: tuple[DecidedGroup, ...]

    @cached_property
    def cuts(self) -> dict[Hashable, Cut]:
        """The repeated parts of its records in the audit, by their inputs. Decisions are cached, and so is this."""
        return {}


_NOTHING: Final = Verdict(Outcome.WITHHOLD, (DEFAULT_DENY,))


def decide_release(
    assertions: Sequence[Facets],
    merge: Callable[[Sequence[int]], Facets],
    partner: str,
    engine: Engine,
) -> ReleaseDecision:
    """Decide what of one indicator may be released to ``partner``.

    ``merge`` gives the facets of the merge of the assertions at the given ascending indices; it must not depend on
    their order. The outcome is RELEASE if the merge of the allowed is itself released; otherwise HOLD if an
    assertion or that merge is held; otherwise WITHHOLD. Ratings release nothing: what would not be released with every
    source rated best is not released because a rating keeps a source out of the merge (ADR 69).

    The order of the assertions changes nothing but the indices.
    """
    counts: dict[Facets, int] = {}
    for facets in assertions:
        counts[facets] = counts.get(facets, 0) + 1
    groups = tuple(
        DecidedGroup(facets, counts[facets], engine.decide(facets, partner)) for facets in sorted(counts, key=sort_key)
    )
    allowed = {group.facets for group in groups if group.verdict.outcome is Outcome.RELEASE}
    included = tuple(index for index, facets in enumerate(assertions) if facets in allowed)
    merged = merge(included) if included else None
    verdicts = [group.verdict for group in groups]
    if merged is not None:
        final = engine.decide(merged, partner)
        if final.outcome is Outcome.RELEASE:
            unrated = _without_ratings(assertions, groups, merge, partner, engine)
            if unrated is None or unrated.outcome is Outcome.RELEASE:
                return ReleaseDecision(final.outcome, final.rules, final.obligations, included, merged, groups)
            final = msgspec.structs.replace(unrated, outcome=Outcome.WITHHOLD)
        verdicts.append(final)
    outcome = Outcome.HOLD if any(verdict.outcome is Outcome.HOLD for verdict in verdicts) else Outcome.WITHHOLD
    deciding = [verdict for verdict in verdicts or [_NOTHING] if verdict.outcome is outcome]
    return ReleaseDecision(
        outcome=outcome,
        rules=tuple(sorted({rule for verdict in deciding for rule in verdict.rules})),
        obligations=tuple(sorted({owed for verdict in deciding for owed in verdict.obligations})),
        included=(),
        merged=merged,
        groups=groups,
    )


def _without_ratings(
    assertions: Sequence[Facets],
    groups: Sequence[DecidedGroup],
    merge: Callable[[Sequence[int]], Facets],
    partner: str,
    engine: Engine,
) -> Verdict | None:
    """The verdict on the merge of what is allowed if every source is rated best; None if that allows no more."""
    if not engine.policy_set.rated_rules:
        return None
    stopped = [group.facets for group in groups if group.verdict.outcome is not Outcome.RELEASE]
    by_rating = {each for each in stopped if engine.decide(best_rated(each), partner).outcome is Outcome.RELEASE}
    if not by_rating:
        return None
    kept = by_rating.union(group.facets for group in groups if group.verdict.outcome is Outcome.RELEASE)
    return engine.decide(best_rated(merge([at for at, each in enumerate(assertions) if each in kept])), partner)


def decide_approved(
    held: ReleaseDecision,
    assertions: Sequence[Facets],
    assign: Callable[[Facets], Facets],
    merge: Callable[[Sequence[int]], Facets],
    partner: str,
    engine: Engine,
) -> ReleaseDecision:
    """What of one indicator may be released once officers have approved what ``held`` holds.

    An approval lifts holds and nothing else: withheld assertions are excluded, and so are those that nothing permits
    without the holds, and those that are ``left_out``. ``assign`` gives facets the officers' marking if theirs is
    missing or was not understood, and ``merge`` is of assigned facets. All obligations are
    owed, those of the rules that held it too.
    """
    allowed: set[Facets] = set()
    owed: set[str] = set()
    asked = [group for group in held.groups if not group.left_out]
    lifted = _holds_on_merge(held, asked, partner, engine)
    for group in asked:
        verdict = group.verdict
        if verdict.outcome is Outcome.HOLD:
            lifted.update(verdict.rules)
            owed.update(verdict.obligations)
            verdict = once_approved(assign(group.facets), partner, engine)
        if verdict.outcome is Outcome.RELEASE:
            allowed.add(group.facets)
    included = tuple(index for index, facets in enumerate(assertions) if facets in allowed)
    if not included:
        return msgspec.structs.replace(held, outcome=Outcome.WITHHOLD, included=(), merged=None)
    merged = merge(included)
    holding = engine.decide(merged, partner)
    final = once_approved(merged, partner, engine)
    if holding.outcome is Outcome.HOLD:
        owed.update(holding.obligations)
    if final.outcome is not Outcome.RELEASE:
        return ReleaseDecision(Outcome.WITHHOLD, final.rules, (), (), merged, held.groups)
    return ReleaseDecision(
        outcome=Outcome.RELEASE,
        rules=tuple(sorted({*lifted, *final.rules})),
        obligations=tuple(sorted({*owed, *final.obligations})),
        included=included,
        merged=merged,
        groups=held.groups,
    )


def once_approved(facets: Facets, partner: str, engine: Engine) -> Verdict:
    """The verdict on these facets, which officers have marked, without the rules that hold.

    No approval releases a caveat that no link may agree on: the guards would stop the record.
    """
    verdict = engine.without_holds.decide(facets, partner)
    if NEVER_AGREED.isdisjoint(facets.marking.caveats):
        return verdict
    return msgspec.structs.replace(verdict, outcome=Outcome.WITHHOLD)


def _holds_on_merge(held: ReleaseDecision, asked: Sequence[DecidedGroup], partner: str, engine: Engine) -> set[str]:
    """The rules that hold the merge of those that are allowed alone."""
    if held.merged is None or all(group.verdict.outcome is not Outcome.RELEASE for group in asked):
        return set()
    verdict = engine.decide(held.merged, partner)
    return set(verdict.rules) if verdict.outcome is Outcome.HOLD else set()
