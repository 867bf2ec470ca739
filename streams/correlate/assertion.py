"""What one sensor asserts about one indicator: its latest statement, and counts per marking.

The latest statement is the one with the highest (epoch, sequence), so it does not depend on the order in which reports
arrive. Counts and times are kept under the marking they came with and are released only under the stricter of that
and the current one: a source that tightens its marking tightens its past with it.
"""

from typing import Final

import msgspec

from schemas.markings import Marking

MAX_SIGHTINGS: Final = 1 << 62  # counts saturate here: an Avro long must hold them for ever
MAX_LABELS: Final = 64


class Tally(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How often and when seen, under one marking. Times are milliseconds since 1970, UTC."""

    marking: Marking
    count: int
    first_seen_ms: int
    last_seen_ms: int

    def plus(self, other: "Tally") -> "Tally":
        """Both together; they have the same marking."""
        return Tally(
            self.marking,
            min(self.count + other.count, MAX_SIGHTINGS),
            min(self.first_seen_ms, other.first_seen_ms),
            max(self.last_seen_ms, other.last_seen_ms),
        )


class Statement(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a sensor states about an indicator in one report. Confidence -1 and ``valid_until_ms`` 0: not stated.

    ``appended_ms`` is when the broker appended the report: the one time here that no sensor's clock can bend.
    ``withdrawal`` is the code of ``schemas.vocabulary.Withdrawal`` by which the source ended its assertion, 0 if it
    asserts.
    """

    epoch: int
    sequence: int
    appended_ms: int
    marking: Marking
    confidence: int = -1
    valid_until_ms: int = 0
    labels: tuple[str, ...] = ()
    description: str = ""
    context: tuple[tuple[str, str], ...] = ()
    withdrawal: int = 0

    def merge(self, other: "Statement") -> "Statement":
        """The later of the two. Statements of one report are joined: it may have been redriven in parts.

        Of the labels the first ones by name are kept, which is the same in every order.
        """
        mine, its = (self.epoch, self.sequence), (other.epoch, other.sequence)
        if mine != its:
            return self if mine > its else other
        if self == other:
            return self
        return Statement(
            self.epoch,
            self.sequence,
            max(self.appended_ms, other.appended_ms),
            self.marking.join(other.marking),
            max(self.confidence, other.confidence),
            max(self.valid_until_ms, other.valid_until_ms),
            tuple(sorted({*self.labels, *other.labels})[:MAX_LABELS]),
            max(self.description, other.description),
            max(self.context, other.context),
            min(self.withdrawal, other.withdrawal),
        )


class Assertion(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All that one sensor asserts. ``tallies`` are sorted by marking, one for each; none if all it did was withdraw."""

    sensor: str
    latest: Statement
    tallies: tuple[Tally, ...]

    def merge(self, other: "Assertion") -> "Assertion":
        """Both together, in either order. Each report must be merged in once: intake sees to that."""
        if len(self.tallies) == 1 and len(other.tallies) == 1 and self.tallies[0].marking == other.tallies[0].marking:
            return Assertion(self.sensor, self.latest.merge(other.latest), (self.tallies[0].plus(other.tallies[0]),))
        tallies = {tally.marking: tally for tally in self.tallies}
        for tally in other.tallies:
            known = tallies.get(tally.marking)
            tallies[tally.marking] = tally if known is None else known.plus(tally)
        return Assertion(
            self.sensor,
            self.latest.merge(other.latest),
            tuple(sorted(tallies.values(), key=lambda tally: stable(tally.marking))),
        )

    @property
    def total(self) -> Tally:
        """How often and when seen under any marking, as if all of it had come under the first.

        A source that has only withdrawn has seen nothing: 0 times, at the time of its report.
        """
        if not self.tallies:
            return Tally(self.latest.marking, 0, self.latest.appended_ms, self.latest.appended_ms)
        first, *others = self.tallies
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


def stable(marking: Marking) -> tuple[int, int, bool, tuple[str, ...], tuple[str, ...]]:
    """A key to sort markings by, always in the same order."""
    return (
        int(marking.tlp),
        int(marking.pap),
        marking.releasable_to is None,
        marking.releasable_to or (),
        marking.caveats,
    )
