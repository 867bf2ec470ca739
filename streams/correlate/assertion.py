"""What one sensor asserts about one indicator: a register for its latest word, and counts per marking.

The latest word is the one of the highest (epoch, sequence), so that it does not depend on the order in which
reports come. Counts and times are kept under the marking they came with and released only under the stricter
of that and the current one: a source that tightens its marking tightens its past with it.
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


class Word(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A sensor's word on an indicator as of one report. Confidence -1 and ``valid_until_ms`` 0: not stated.

    ``heard_ms`` is when the broker appended the report: the one time here that no sensor's clock can bend.
    ``withdrawal`` is the code of ``schemas.vocabulary.Withdrawal`` by which the source ended its assertion, 0 if it
    asserts.
    """

    epoch: int
    sequence: int
    heard_ms: int
    marking: Marking
    confidence: int = -1
    valid_until_ms: int = 0
    labels: tuple[str, ...] = ()
    description: str = ""
    context: tuple[tuple[str, str], ...] = ()
    withdrawal: int = 0

    def merge(self, other: "Word") -> "Word":
        """The later of the two. Words of one report join: it may have been redriven in parts.

        Of the labels the first ones by name are kept, which is the same in every order.
        """
        mine, its = (self.epoch, self.sequence), (other.epoch, other.sequence)
        if mine != its:
            return self if mine > its else other
        if self == other:
            return self
        return Word(
            self.epoch,
            self.sequence,
            max(self.heard_ms, other.heard_ms),
            self.marking.join(other.marking),
            max(self.confidence, other.confidence),
            max(self.valid_until_ms, other.valid_until_ms),
            tuple(sorted({*self.labels, *other.labels})[:MAX_LABELS]),
            max(self.description, other.description),
            max(self.context, other.context),
            min(self.withdrawal, other.withdrawal),
        )


class Assertion(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One sensor's whole say. ``tallies`` are sorted by marking, one each; none if all it did was to withdraw."""

    sensor: str
    word: Word
    tallies: tuple[Tally, ...]

    def merge(self, other: "Assertion") -> "Assertion":
        """Both together, in either order. Each report must be merged in once: intake sees to that."""
        if len(self.tallies) == 1 and len(other.tallies) == 1 and self.tallies[0].marking == other.tallies[0].marking:
            return Assertion(self.sensor, self.word.merge(other.word), (self.tallies[0].plus(other.tallies[0]),))
        tallies = {tally.marking: tally for tally in self.tallies}
        for tally in other.tallies:
            known = tallies.get(tally.marking)
            tallies[tally.marking] = tally if known is None else known.plus(tally)
        return Assertion(
            self.sensor,
            self.word.merge(other.word),
            tuple(sorted(tallies.values(), key=lambda tally: stable(tally.marking))),
        )

    @property
    def total(self) -> Tally:
        """How often and when seen under any marking, as if all of it had come under the first.

        A source that has only withdrawn has seen nothing: 0 times, at the time of its report.
        """
        if not self.tallies:
            return Tally(self.word.marking, 0, self.word.heard_ms, self.word.heard_ms)
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
