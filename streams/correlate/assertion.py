"""What one sensor asserts about one indicator: its latest statement, and counts per marking.

The latest statement is the one with the highest (epoch, sequence), so it does not depend on the order in which reports
arrive. Counts and times are kept under the marking they came with and are released only under the stricter of that
and the current one: a source that tightens its marking tightens its past with it.

All of it is bounded, by rules that give the same result in every order (docs/adr/0038).
"""

from collections.abc import Collection, Iterable
from typing import Final

import msgspec

from schemas.markings import Marking, joined
from streams.correlate.statement import Statement
from streams.correlate.terms import MARKS, mark_of

MAX_SIGHTINGS: Final = 1 << 62  # counts saturate here: an Avro long must hold them for ever
MAX_TALLIES: Final = 8
UNKNOWN_EPOCH: Final = -(1 << 63)  # before all: of a statement that was rebuilt, or a first epoch that is not known
_NEVER: Final = 1 << 63  # later than all times


class Tally(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How often and when seen, under one marking (``mark``: ``streams.correlate.terms``). Times are milliseconds since
    1970, UTC."""

    mark: bytes
    count: int
    first_seen_ms: int
    last_seen_ms: int

    @classmethod
    def under(cls, marking: Marking, count: int, first_seen_ms: int, last_seen_ms: int) -> "Tally":
        """A tally under this marking."""
        return cls(mark_of(marking), count, first_seen_ms, last_seen_ms)

    @property
    def marking(self) -> Marking:
        """The marking."""
        return MARKS[self.mark].marking

    def plus(self, other: "Tally") -> "Tally":
        """Both together, under this one's marking: they have the same, or it does not matter."""
        return Tally(
            self.mark,
            min(self.count + other.count, MAX_SIGHTINGS),
            min(self.first_seen_ms, other.first_seen_ms),
            max(self.last_seen_ms, other.last_seen_ms),
        )

    def mixed_with(self, other: "Tally") -> "Tally":
        """Both together, under the join of their markings."""
        return msgspec.structs.replace(self.plus(other), mark=mark_of(self.marking.join(other.marking)))


class Assertion(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that one sensor asserts. ``tallies`` are sorted by marking, one for each; none if all it did was withdraw.

    At most ``MAX_TALLIES`` are kept, those with the plainest markings; ``rest`` is the sum of all others under the join
    of their markings. A marking that is once in the rest stays there, since only plainer ones take a place.

    Anyone who may write reports can use a sensor's name with a newer epoch. So a latest statement that is not
    authenticated, and that is not of the source's first epoch or follows authenticated ones, has at least every
    marking that the source has ever stated (docs/adr/0043). ``first_epoch`` is None if it is the latest statement's,
    UNKNOWN_EPOCH if a rebuilt row does not know it; ``signed`` means that a statement was authenticated.
    """

    sensor: str
    latest: Statement
    tallies: tuple[Tally, ...]
    rest: Tally | None = None
    first_epoch: int | None = None
    signed: bool = False

    def merge(self, other: "Assertion") -> "Assertion":
        """Both together, in either order. Each report must be merged in once: intake sees to that."""
        latest = self.latest.merge(other.latest)
        if len(self.tallies) == 1 and len(other.tallies) == 1 and self.tallies[0].mark == other.tallies[0].mark:
            both = Assertion(self.sensor, latest, (self.tallies[0].plus(other.tallies[0]),))
        else:
            tallies = {tally.mark: tally for tally in self.tallies}
            for tally in other.tallies:
                known = tallies.get(tally.mark)
                tallies[tally.mark] = tally if known is None else known.plus(tally)
            both = _bounded(self.sensor, latest, tallies.values(), _both(self.rest, other.rest))
        first_epoch = min(_first_epoch(self), _first_epoch(other))
        signed = self.signed or self.latest.authenticated or other.signed or other.latest.authenticated
        return both if first_epoch >= latest.epoch and not signed else _vouched(both, first_epoch, signed=signed)

    @property
    def bounded(self) -> "Assertion":
        """This within ``MAX_TALLIES``: an older release kept all."""
        if len(self.tallies) <= MAX_TALLIES:
            return self
        bounded = _bounded(self.sensor, self.latest, self.tallies, self.rest)
        return msgspec.structs.replace(bounded, first_epoch=self.first_epoch, signed=self.signed)

    @property
    def shortened(self) -> "Assertion":
        """This with short texts, as it is kept if sources are many."""
        latest = self.latest.shortened
        return self if latest is self.latest else msgspec.structs.replace(self, latest=latest)

    @property
    def slim(self) -> "Assertion":
        """This without its sensor's name and texts but the tearline, as a source beyond the first ones is kept."""
        return msgspec.structs.replace(self, sensor="", latest=self.latest.slim)

    @property
    def pieces(self) -> tuple[Tally, ...]:
        """All tallies, the rest last."""
        return self.tallies if self.rest is None else (*self.tallies, self.rest)

    @property
    def total(self) -> Tally:
        """How often and when seen under any marking.

        A source that has only withdrawn has seen nothing: 0 times, at the time of its report.
        """
        if len(self.tallies) == 1 and self.rest is None:  # most sources have one marking
            return self.tallies[0]
        if not self.tallies:
            return Tally.under(self.latest.marking, 0, self.latest.appended_ms, self.latest.appended_ms)
        first, *others = self.pieces
        for tally in others:
            first = first.plus(tally)
        return first

    @property
    def count(self) -> int:
        """How often seen."""
        return self.total.count

    @property
    def first_seen_ms(self) -> int:
        """First time seen."""
        return self.total.first_seen_ms

    @property
    def last_seen_ms(self) -> int:
        """Last time seen."""
        return self.total.last_seen_ms


def seen_in(tallies: Iterable[Tally]) -> tuple[int, int, int]:
    """First and last time seen, and how often, in all of these: at least one."""
    first_ms, last_ms, count = _NEVER, -_NEVER, 0
    for tally in tallies:  # a call of min or max for each costs more than all of this
        if tally.first_seen_ms < first_ms:  # noqa: PLR1730
            first_ms = tally.first_seen_ms
        if tally.last_seen_ms > last_ms:  # noqa: PLR1730
            last_ms = tally.last_seen_ms
        count += tally.count
    return first_ms, last_ms, min(count, MAX_SIGHTINGS)


def _both(one: Tally | None, other: Tally | None) -> Tally | None:
    if one is None or other is None:
        return one or other
    return one.mixed_with(other)


def _bounded(sensor: str, latest: Statement, tallies: Collection[Tally], rest: Tally | None) -> Assertion:
    """An assertion of these tallies: if they are too many, the plainest are kept, and the others join the rest."""
    kept = list(tallies)
    if len(kept) > MAX_TALLIES or rest is not None:
        kept.sort(key=lambda tally: MARKS[tally.mark].rank)
        for tally in kept[MAX_TALLIES:]:
            rest = tally if rest is None else rest.mixed_with(tally)
        kept = kept[:MAX_TALLIES]
    return Assertion(sensor, latest, tuple(sorted(kept, key=lambda tally: MARKS[tally.mark].stable)), rest)


def _first_epoch(assertion: Assertion) -> int:
    """The source's first epoch; one that is not known is before all, so that only authenticated reports loosen."""
    return assertion.latest.epoch if assertion.first_epoch is None else assertion.first_epoch


def _vouched(assertion: Assertion, first_epoch: int, *, signed: bool) -> Assertion:
    """The assertion with what is known of all of its source's statements: a marking that no one vouches for is not
    looser than any of theirs."""
    latest, pieces = assertion.latest, assertion.pieces
    is_first = first_epoch >= latest.epoch
    if not latest.authenticated and (signed or not is_first):
        marking = joined((latest.marking, *(tally.marking for tally in pieces)))
        latest = latest.under(marking)
    known = None if is_first else first_epoch
    return Assertion(assertion.sensor, latest, assertion.tallies, assertion.rest, known, signed)
