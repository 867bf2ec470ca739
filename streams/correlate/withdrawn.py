"""Whether a release would lose data that an earlier one had: then the earlier versions are recalled. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from schemas.ratings import Ratings
from streams.correlate.assertion import Assertion, Tally
from streams.correlate.further import marking_of
from streams.correlate.merge import Change
from streams.correlate.row import Row
from streams.correlate.units import Unit, facets_in, units
from streams.rules.decide import ReleaseDecision
from streams.rules.facets import Facets


def loses(
    before: Row,
    was: ReleaseDecision,
    row: Row,
    pieces: Sequence[Unit],
    now: ReleaseDecision,
    changes: Iterable[Change],
    ratings: Ratings,
) -> bool:
    """Whether a source has changed so that what the decision ``was`` included of it may not be released any more.

    ``now`` is the decision on ``pieces``, the units of ``row`` as if no source had withdrawn its assertion. What other
    sources have changed is not looked at: a source that is kept back would show.
    """
    facets, earlier = facets_in(row, pieces, ratings), units(before)
    allowed = {facets[index] for index in now.included}
    was_allowed = {facets_in(before, (earlier[index],), ratings)[0] for index in was.included}
    return any(
        _facets(before, change.before, tally, ratings) in was_allowed
        and not _is_allowed(row, change.after, tally, allowed, ratings)
        for change in changes
        if change.before is not None and not change.before.latest.withdrawal
        for tally in change.before.pieces
    )


def _is_allowed(row: Row, assertion: Assertion, tally: Tally, allowed: set[Facets], ratings: Ratings) -> bool:
    """Whether data of this tally may be released. Data that has joined the rest counts as lost."""
    present = any(tally.marking == each.marking for each in assertion.pieces)
    return present and _facets(row, assertion, tally, ratings) in allowed


def _facets(row: Row, assertion: Assertion, tally: Tally, ratings: Ratings) -> Facets:
    """As the row's units have them: a source that it does not keep in full has no name there, and no own rating."""
    if not any(each.sensor == assertion.sensor for each in row.assertions):
        assertion = msgspec.structs.replace(assertion, sensor="")
    return facets_in(row, (Unit(assertion, tally, marking_of(assertion, tally)),), ratings)[0]
